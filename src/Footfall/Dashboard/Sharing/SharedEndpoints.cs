using Footfall.Access;
using Footfall.Capture;
using Footfall.Dashboard.SignIn;
using Footfall.Explore;
using Footfall.Metrics;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Http.Extensions;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Footfall.Dashboard.Sharing;

/// <summary>
/// Pages for whoever has a shared link: /s/{link}/... Only those whose figures are of many people, of the link's one property, and
/// nothing that changes anything.
/// </summary>
internal static class SharedEndpoints
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        var shared = routes.MapGroup("/s/{link}").ExcludeFromDescription().AddEndpointFilter(PageGuard.Failures);
        PageEndpoints.MapAggregates(shared.MapGroup("").AddEndpointFilter(AdmitAsync));
        shared.MapPost("unlock", UnlockAsync).AddEndpointFilter(Forms.RequireToken);
    }

    private static async ValueTask<object?> AdmitAsync(EndpointFilterInvocationContext invocation, EndpointFilterDelegate next)
    {
        var context = invocation.HttpContext;
        var services = context.RequestServices;
        var text = TextOf(context);
        var page = services.GetRequiredService<CurrentPage>();
        if (await services.GetRequiredService<SharedLinkStore>().FindAsync(text, context.RequestAborted) is not var (link, password)) return Closed(context, false);
        if (!link.Works(page.Now)) return Closed(context, link.RevokedAt is null);
        if (password is not null && !services.GetRequiredService<UnlockedLinks>().IsUnlocked(context, link, password))
            return Ask(context, services.GetRequiredService<IAntiforgery>(), null, context.Request.GetEncodedPathAndQuery(), StatusCodes.Status200OK);
        var titles = await services.GetRequiredService<PropertyStore>().TitlesAsync(context.RequestAborted);
        if (titles.Find(t => t.Id == link.PropertyId) is not { } title) return Closed(context, false);
        var state = await services.GetRequiredService<SummaryStore>().StateAsync(title.Id, context.RequestAborted);
        var caller = new Caller(AccessRole.Dashboard, AccessPlan.Free, title.Id) { Actor = $"shared link {link.Id}" };
        var problem = page.Fill(context, caller, [title], title, state, PageGuard.NameOf(context), $"/s/{text}");
        // What sites put into properties of their own events may be about single people.
        if (page.Filters.Any(f => f.Dimension.Kind == DimensionKind.Prop) || (context.GetRouteValue("dimension") as string)?.StartsWith("prop:", StringComparison.Ordinal) == true) problem = "This list is not shared.";
        if (problem is not null) return Views.Error(context, StatusCodes.Status400BadRequest, "This address cannot be shown", problem);
        if (PageGuard.Added(page.Address) is { } address) return TypedResults.LocalRedirect(address.ToString());
        await services.GetRequiredService<SharedLinkStore>().UsedAsync(link.Id, context.RequestAborted);
        if (link.FrameAncestors.Count > 0) SecurityHeaders.AllowFrames(context.Response, link.FrameAncestors);
        return await next(invocation);
    }

    private static async Task<IResult> UnlockAsync(HttpContext context, SharedLinkStore links, UnlockedLinks unlocked, IAntiforgery antiforgery, TimeProvider clock)
    {
        var text = TextOf(context);
        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        if (await links.FindAsync(text, context.RequestAborted) is not var (link, password)) return Closed(context, false);
        if (!link.Works(clock.GetUtcNow())) return Closed(context, link.RevokedAt is null);
        var start = $"/s/{text}";
        var to = Forms.Return(form);
        if (!to.StartsWith($"{start}/", StringComparison.Ordinal) && !to.StartsWith($"{start}?", StringComparison.Ordinal)) to = start;
        if (password is null) return SignInEndpoints.Redirect(context, to);
        switch (await unlocked.TryAsync(context, password, form["password"].ToString()))
        {
            case null:
                context.Response.Headers.RetryAfter = "60";
                return Ask(context, antiforgery, "Too many wrong passwords came from this address. Wait a minute, then try again.", to, StatusCodes.Status429TooManyRequests);
            case false:
                return Ask(context, antiforgery, "That is not the password of this link.", to, StatusCodes.Status401Unauthorized);
        }
        unlocked.Unlock(context, start, link, password);
        return SignInEndpoints.Redirect(context, to);
    }

    private static string TextOf(HttpContext context) => context.GetRouteValue("link") as string ?? "";

    private static RazorComponentResult Ask(HttpContext context, IAntiforgery antiforgery, string? problem, string returnTo, int status) => Views.Page<UnlockPage>(context, new Dictionary<string, object?>
    {
        [nameof(UnlockPage.Problem)] = problem,
        [nameof(UnlockPage.Action)] = $"/s/{TextOf(context)}/unlock",
        [nameof(UnlockPage.Return)] = returnTo,
        [nameof(UnlockPage.FormToken)] = antiforgery.GetAndStoreTokens(context).RequestToken,
    }, status);

    private static RazorComponentResult Closed(HttpContext context, bool hasExpired) => Views.Error(
        context, StatusCodes.Status404NotFound, hasExpired ? "This link has expired" : "This link does not work",
        hasExpired ? "Ask whoever gave it to you for a new one." : "It was taken back, or part of it was lost on the way. Ask whoever gave it to you.");
}
