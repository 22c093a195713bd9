using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Http.Features;

namespace Footfall.Dashboard;

/// <summary>What every form that changes something has in common: the token that shows that it is ours, and where to go afterwards.</summary>
internal static class Forms
{
    public const string Token = "form_token";

    /// <summary>Forms of the dashboard hold a few short texts.</summary>
    private const long MaxBytes = 64 * 1024;

    /// <summary>Refuses what was not sent from a page of ours.</summary>
    public static async ValueTask<object?> RequireToken(EndpointFilterInvocationContext invocation, EndpointFilterDelegate next)
    {
        var context = invocation.HttpContext;
        var antiforgery = context.RequestServices.GetRequiredService<IAntiforgery>();
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit) limit.MaxRequestBodySize = MaxBytes;
        try
        {
            if (context.Request.HasFormContentType && await antiforgery.IsRequestValidAsync(context)) return await next(invocation);
        }
        catch (AntiforgeryValidationException e) when (e.InnerException is BadHttpRequestException or IOException or InvalidDataException)
        {
            var status = e.InnerException is BadHttpRequestException refused ? refused.StatusCode : StatusCodes.Status400BadRequest;
            return Views.Error(context, status, "This form cannot be read", "What arrived is no form, or not all of one. Go back, load the page anew and send it again; nothing has changed.");
        }
        return Views.Error(context, StatusCodes.Status400BadRequest, "This form has expired", "It was sent from a page that is too old, or from another site. Go back, load the page anew and send it again; nothing has changed.");
    }

    /// <summary>An address of this server to go to: what the form says if it is one, else the start.</summary>
    public static string Return(IFormCollection form) => Local(form["return"]);

    public static string Local(string? address) =>
        address is { Length: > 0 } && address[0] == '/' && (address.Length == 1 || address[1] is not ('/' or '\\')) && !address.AsSpan().ContainsAnyInRange('\0', '\x1f') ? address : "/";
}
