using Footfall.Leads;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Footfall.Dashboard.Reports;

/// <summary>Where the link in a report leads: a page with a button, since programs follow links by themselves; mail programs with a button of their own post to it (RFC 8058).</summary>
internal static class StopReportEndpoints
{
    public const string Path = "/reports/stop";

    public static void Map(IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup(Path).ExcludeFromDescription().AddEndpointFilter(PageGuard.Failures);
        group.MapGet("", (HttpContext context, SignedLinks links) => links.ReadStopReport(context.Request.Query["token"]) is null ? NoLink(context) : Said(context, null));
        group.MapPost("", StopAsync);
    }

    private static async Task<IResult> StopAsync(HttpContext context, SignedLinks links, ReportStore store, CancellationToken cancellationToken)
    {
        if (links.ReadStopReport(context.Request.Query["token"]) is not { } recipient) return NoLink(context);
        return await store.StopAsync(recipient, cancellationToken) is { } property ? Said(context, property) : Said(context, "");
    }

    private static RazorComponentResult NoLink(HttpContext context) =>
        Views.Error(context, StatusCodes.Status400BadRequest, "This link is not whole", "It was cut on its way, perhaps by a line break. Copy all of it from the mail, or ask whoever runs the site to take you off the list.");

    /// <param name="stopped">Of what property; null before the button is pressed, empty when there was nothing to stop.</param>
    private static RazorComponentResult Said(HttpContext context, string? stopped) => Views.Page<StopReportPage>(context, new Dictionary<string, object?> { [nameof(StopReportPage.Stopped)] = stopped });
}
