using Microsoft.AspNetCore.Http.HttpResults;

namespace Footfall.Dashboard;

/// <summary>Answers that are pages.</summary>
internal static class Views
{
    public static RazorComponentResult Page<T>(HttpContext context, object? parameters = null, int status = StatusCodes.Status200OK) where T : Microsoft.AspNetCore.Components.IComponent
    {
        // At the end, because the tokens of forms have a say of their own before.
        context.Response.OnStarting(() =>
        {
            context.Response.Headers.CacheControl = "private, no-store";
            return Task.CompletedTask;
        });
        return new RazorComponentResult(typeof(T), parameters ?? new object()) { StatusCode = status, PreventStreamingRendering = true };
    }

    /// <summary>What failed, and what to do.</summary>
    public static RazorComponentResult Error(HttpContext context, int status, string title, string help) =>
        Page<Components.ErrorPage>(context, new { Title = title, Help = help, Reference = context.TraceIdentifier }, status);
}
