using Footfall.Access;
using Footfall.Capture;
using Footfall.Dashboard.SignIn;
using Footfall.Explore;
using Footfall.Metrics;
using Footfall.Postgres;
using Microsoft.AspNetCore.Http.Extensions;
using Microsoft.AspNetCore.Http.HttpResults;
using Npgsql;

namespace Footfall.Dashboard;

/// <summary>Says which of a property's pages an endpoint is, as its address has it.</summary>
internal sealed record PageName(string Name);

/// <summary>Lets only those see a property's pages who may, and prepares <see cref="CurrentPage"/> for them.</summary>
internal static class PageGuard
{
    public static async ValueTask<object?> Admit(EndpointFilterInvocationContext invocation, EndpointFilterDelegate next)
    {
        var context = invocation.HttpContext;
        var services = context.RequestServices;
        if (await services.GetRequiredService<SignIns>().FindAsync(context) is not { } caller)
            return HttpMethods.IsGet(context.Request.Method) ? TypedResults.LocalRedirect($"{SignInEndpoints.Path}?return={Uri.EscapeDataString(context.Request.GetEncodedPathAndQuery())}") : TypedResults.LocalRedirect(SignInEndpoints.Path);
        var id = context.GetRouteValue("property") as string ?? "";
        var titles = (await services.GetRequiredService<PropertyStore>().TitlesAsync(context.RequestAborted)).FindAll(t => caller.MayUse(t.Id));
        if (titles.Find(t => t.Id == id) is not { } title)
            return Views.Error(context, StatusCodes.Status404NotFound, "No such property", "There is no property of this name that you may see. It appears with its first event; the start page leads to one that is there.");
        var page = services.GetRequiredService<CurrentPage>();
        var state = await services.GetRequiredService<SummaryStore>().StateAsync(id, context.RequestAborted);
        if (page.Fill(context, caller, titles, title, state, NameOf(context)) is { } problem) return Views.Error(context, StatusCodes.Status400BadRequest, "This address cannot be shown", problem);
        if (Added(page.Address) is { } address) return TypedResults.LocalRedirect(address.ToString());
        return await next(invocation);
    }

    /// <summary>Only who has an admin's key.</summary>
    public static ValueTask<object?> AdmitAdmin(EndpointFilterInvocationContext invocation, EndpointFilterDelegate next) =>
        invocation.HttpContext.RequestServices.GetRequiredService<CurrentPage>().IsAdmin
            ? next(invocation)
            : ValueTask.FromResult<object?>(Views.Error(invocation.HttpContext, StatusCodes.Status403Forbidden, "Only for admins", "You are signed in as a reader. Sign out and in again with an admin's key to do this."));

    /// <summary>Only who has an admin's key for every property: one person's data is that of all of them. Behind <see cref="AdmitAdmin"/>.</summary>
    public static ValueTask<object?> AdmitWhole(EndpointFilterInvocationContext invocation, EndpointFilterDelegate next) =>
        invocation.HttpContext.RequestServices.GetRequiredService<CurrentPage>().IsWhole
            ? next(invocation)
            : ValueTask.FromResult<object?>(Views.Error(invocation.HttpContext, StatusCodes.Status403Forbidden, "Only for admins of every property", "This is about all properties, and your key is for one. Sign out and in again with the admin key, or an admin's token without a property."));

    /// <summary>Only who has a token of plan pro, or an admin's key.</summary>
    public static ValueTask<object?> AdmitPro(EndpointFilterInvocationContext invocation, EndpointFilterDelegate next) =>
        invocation.HttpContext.RequestServices.GetRequiredService<CurrentPage>().Caller.Has(AccessPlan.Pro)
            ? next(invocation)
            : ValueTask.FromResult<object?>(Views.Error(invocation.HttpContext, StatusCodes.Status403Forbidden, "Not in your plan", "Who viewed what is shown to tokens of plan pro. An admin makes one: footfall token create --role dashboard --plan pro."));

    /// <summary>What a page can run into, as pages that say what to do.</summary>
    public static async ValueTask<object?> Failures(EndpointFilterInvocationContext invocation, EndpointFilterDelegate next)
    {
        const int unavailable = StatusCodes.Status503ServiceUnavailable;
        var context = invocation.HttpContext;
        if (!context.RequestServices.GetRequiredService<DatabaseGate>().IsReady) return Away(context);   // also while its tables are being made
        try
        {
            return await next(invocation);
        }
        catch (QueryTooSlowException e)
        {
            return Views.Error(context, unavailable, "That is too much to read at once", $"It was broken off after {e.Seconds} seconds. Show fewer days, or use fewer filters.");
        }
        catch (TooManyQueriesException)
        {
            context.Response.Headers.RetryAfter = "5";
            return Views.Error(context, unavailable, "The server is busy", "As many questions as it works on at once (Explore:MaxConcurrentQueries) are before this one. Load the page again in a few seconds.");
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            return TypedResults.StatusCode(StatusCodes.Status499ClientClosedRequest);
        }
        catch (Exception e) when (e is TimeoutException or NpgsqlException and not PostgresException || e is PostgresException { IsTransient: true })
        {
            return Away(context);
        }
    }

    private static RazorComponentResult Away(HttpContext context)
    {
        context.Response.Headers.RetryAfter = "5";
        return Views.Error(context, StatusCodes.Status503ServiceUnavailable, "The database is away", "Figures cannot be read until it is back; /start says why. Events are taken meanwhile, and none is lost. Load the page again in a moment.");
    }

    public static string NameOf(HttpContext context)
    {
        var name = context.GetEndpoint()?.Metadata.GetMetadata<PageName>()?.Name ?? "";
        return (context.GetRouteValue("dimension") ?? context.GetRouteValue("funnel") ?? context.GetRouteValue("lead") ?? context.GetRouteValue("receipt")) is string part ? $"{name}/{part}" : name;
    }

    // What the filter form sends becomes an address that says it as all others do.
    public static Address? Added(Address address)
    {
        if (address.Parameters.LastOrDefault(p => p.Key == "add.dimension").Value is not { } dimension) return null;
        var kind = address["add.kind"] is "not" or "has" ? address["add.kind"]! : "is";
        var value = address["add.value"] ?? "";
        var plain = address.Without("add.dimension", "add.kind", "add.value");
        return kind == "has" && value.Length == 0 ? plain : plain.Added(kind, dimension, value);
    }
}
