using Footfall.Access;
using Footfall.Capture;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Footfall.Dashboard.SignIn;

/// <summary>Showing a key, and taking it back.</summary>
internal static class SignInEndpoints
{
    public const string Path = "/sign-in";

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/", StartAsync).ExcludeFromDescription().AddEndpointFilter(PageGuard.Failures);
        routes.MapGet(Path, Show).ExcludeFromDescription();
        routes.MapPost(Path, BeginAsync).ExcludeFromDescription().AddEndpointFilter(PageGuard.Failures).AddEndpointFilter(Forms.RequireToken);
        routes.MapPost("/sign-out", EndAsync).ExcludeFromDescription().AddEndpointFilter(PageGuard.Failures).AddEndpointFilter(Forms.RequireToken);
        routes.MapPost("/theme", ChooseThemeAsync).ExcludeFromDescription().AddEndpointFilter(Forms.RequireToken);
    }

    /// <summary>To the property that is the reader's own, or was made first; to the welcome where there is none.</summary>
    private static async Task<IResult> StartAsync(HttpContext context, SignIns signIns, PropertyStore properties, CancellationToken cancellationToken)
    {
        context.Response.Headers.CacheControl = "private, no-store";
        if (await signIns.FindAsync(context) is not { } caller) return TypedResults.LocalRedirect(Path);
        if (caller.PropertyId is { } own) return TypedResults.LocalRedirect($"/p/{own}");
        var titles = await properties.TitlesAsync(cancellationToken);
        return TypedResults.LocalRedirect(titles.Count > 0 ? $"/p/{titles[0].Id}" : "/welcome");
    }

    private static RazorComponentResult Show(HttpContext context, IAntiforgery antiforgery, AdminKey key) => Form(context, antiforgery, key, null, Forms.Local(context.Request.Query["return"]), StatusCodes.Status200OK);

    private static async Task<IResult> BeginAsync(HttpContext context, AccessGate gate, SignIns signIns, IAntiforgery antiforgery, AdminKey key)
    {
        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        var (owner, refusal) = await gate.OwnerAsync(context, form["key"].ToString().Trim());
        if (owner is not null)
        {
            await signIns.BeginAsync(context, owner);
            return Redirect(context, Forms.Return(form));
        }
        if (refusal!.RetryAfterSeconds is { } seconds) context.Response.Headers.RetryAfter = seconds.ToString();
        var problem = refusal.Status == StatusCodes.Status401Unauthorized ? "That is no key of this server. Tokens begin with fft_; copy all of it, without spaces." : refusal.Message;
        return Form(context, antiforgery, key, problem, Forms.Return(form), refusal.Status);
    }

    private static async Task<IResult> EndAsync(HttpContext context, SignIns signIns)
    {
        await signIns.EndAsync(context);
        return Redirect(context, Path);
    }

    private static async Task<IResult> ChooseThemeAsync(HttpContext context, CancellationToken cancellationToken)
    {
        var form = await context.Request.ReadFormAsync(cancellationToken);
        var chosen = form["theme"].ToString();
        // Read by the page's script as well, so that a click changes the colours at once.
        var options = new CookieOptions { Path = "/", SameSite = SameSiteMode.Lax, Secure = context.Request.IsHttps, MaxAge = TimeSpan.FromDays(365) };
        if (chosen is "light" or "dark") context.Response.Cookies.Append("footfall_theme", chosen, options);
        else context.Response.Cookies.Delete("footfall_theme", options);
        return Redirect(context, Forms.Return(form));
    }

    private static RazorComponentResult Form(HttpContext context, IAntiforgery antiforgery, AdminKey key, string? problem, string returnTo, int status) => Views.Page<SignInPage>(context, new Dictionary<string, object?>
    {
        [nameof(SignInPage.Problem)] = problem,
        [nameof(SignInPage.FormToken)] = antiforgery.GetAndStoreTokens(context).RequestToken,
        [nameof(SignInPage.Return)] = returnTo,
        [nameof(SignInPage.KeyFile)] = key.Generated is null ? null : "keys/admin-key of its data folder",
    }, status);

    /// <summary>303, so that loading the page anew does not send the form again.</summary>
    public static IResult Redirect(HttpContext context, string address)
    {
        context.Response.Headers.Location = address;
        return TypedResults.StatusCode(StatusCodes.Status303SeeOther);
    }
}
