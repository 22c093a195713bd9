using System.Globalization;
using Footfall.Access;
using Footfall.Capture;
using Footfall.Dashboard.SignIn;
using Footfall.Demo;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Footfall.Dashboard.Welcome;

/// <summary>From nothing to the first event: name the site, copy the snippet, see the event arrive.</summary>
internal static class WelcomeEndpoints
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/welcome").ExcludeFromDescription().AddEndpointFilter(PageGuard.Failures).AddEndpointFilter(AdmitAdmin);
        group.MapGet("", ShowAsync);
        group.MapPost("", MakeAsync).AddEndpointFilter(Forms.RequireToken);
        group.MapGet("/demo", ShowDemoAsync);
        group.MapPost("/demo", FillDemoAsync).AddEndpointFilter(Forms.RequireToken);
    }

    private static async ValueTask<object?> AdmitAdmin(EndpointFilterInvocationContext invocation, EndpointFilterDelegate next)
    {
        var context = invocation.HttpContext;
        if (await context.RequestServices.GetRequiredService<SignIns>().FindAsync(context) is not { } caller) return TypedResults.LocalRedirect($"{SignInEndpoints.Path}?return=/welcome");
        return caller is { Role: AccessRole.Admin, PropertyId: null }
            ? await next(invocation)
            : Views.Error(context, StatusCodes.Status403Forbidden, "Only for admins", "A site is added with an admin's key. Ask whoever runs this server, or sign out and in again with that key.");
    }

    /// <summary>How it fares; where nobody has begun it, the welcome or what is there.</summary>
    private static async Task<IResult> ShowDemoAsync(HttpContext context, DemoFill demo, DemoFiller filler, IAntiforgery antiforgery, CancellationToken cancellationToken)
    {
        if (demo.State is { Runs: false, IsDone: false, Problem: null }) return TypedResults.LocalRedirect(await filler.IsEmptyAsync(cancellationToken) ? "/welcome" : $"/p/{DemoFiller.PropertyId}");
        return Views.Page<DemoPage>(context, new Dictionary<string, object?> { [nameof(DemoPage.State)] = demo.State, [nameof(DemoPage.FormToken)] = antiforgery.GetAndStoreTokens(context).RequestToken });
    }

    private static async Task<IResult> FillDemoAsync(HttpContext context, DemoFill demo, DemoFiller filler, CancellationToken cancellationToken)
    {
        // What is counted there already is left alone, unless a filling of our own was broken off.
        if (demo.State.Problem is null && !demo.State.Runs && !await filler.IsEmptyAsync(cancellationToken))
            return Views.Error(context, StatusCodes.Status409Conflict, "There are figures already", $"The property {DemoFiller.PropertyId} has been counted for. Look at /p/{DemoFiller.PropertyId}; `footfall demo` adds days that are missing.");
        demo.Begin();
        return SignInEndpoints.Redirect(context, "/welcome/demo");
    }

    private static async Task<IResult> ShowAsync(HttpContext context, PropertyStore properties, DemoFiller demo, IAntiforgery antiforgery, TimeProvider clock, CancellationToken cancellationToken)
    {
        var asked = context.Request.Query["property"].ToString();
        var known = asked.Length > 0 && (await properties.TitlesAsync(cancellationToken)).Any(t => t.Id == asked);
        return Page(context, antiforgery, clock, known ? asked : null, null, null, await demo.IsEmptyAsync(cancellationToken));
    }

    private static async Task<IResult> MakeAsync(HttpContext context, PropertyStore properties, IAntiforgery antiforgery, TimeProvider clock, CancellationToken cancellationToken)
    {
        var form = await context.Request.ReadFormAsync(cancellationToken);
        var typed = form["host"].ToString().Trim();
        var host = HostOf(typed);
        if (!PropertyId.IsValid(host)) return Page(context, antiforgery, clock, null, Address.Shown(typed), $"That is no host. Write it as in the address of the site, such as shop.example; it has {PropertyId.Rule}.");
        var name = form["name"].ToString().Trim();
        if (name.Length == 0 || name.Length > 100 || !Explore.StorableText.Is(name)) name = host!;
        await properties.MakeAsync(host!, name, [host!], clock.GetUtcNow(), cancellationToken);
        return SignInEndpoints.Redirect(context, $"/welcome?property={host}");
    }

    /// <summary>The host of what people paste: with a scheme, a path or www in front.</summary>
    internal static string? HostOf(string typed)
    {
        var address = typed.Contains("://", StringComparison.Ordinal) ? typed : $"https://{typed}";
        if (!Uri.TryCreate(address, UriKind.Absolute, out var uri) || uri.HostNameType is not (UriHostNameType.Dns or UriHostNameType.IPv4)) return null;
        return Property.WithoutWww(uri.IdnHost.ToLowerInvariant()).ToString();
    }

    private static RazorComponentResult Page(HttpContext context, IAntiforgery antiforgery, TimeProvider clock, string? property, string? host, string? problem, bool demoIsEmpty = true) => Views.Page<WelcomePage>(context, new Dictionary<string, object?>
    {
        [nameof(WelcomePage.Problem)] = problem,
        [nameof(WelcomePage.Property)] = property,
        [nameof(WelcomePage.Host)] = host,
        [nameof(WelcomePage.DemoIsEmpty)] = demoIsEmpty,
        [nameof(WelcomePage.FormToken)] = antiforgery.GetAndStoreTokens(context).RequestToken,
        [nameof(WelcomePage.Snippet)] = property is null ? "" : InstallPage.SnippetOf($"{context.Request.Scheme}://{context.Request.Host}", property),
        [nameof(WelcomePage.Since)] = clock.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture),
    }, problem is null ? StatusCodes.Status200OK : StatusCodes.Status400BadRequest);
}
