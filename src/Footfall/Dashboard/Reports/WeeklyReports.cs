using Footfall.Capture;
using Footfall.Dashboard.Overview;
using Footfall.Explore;
using Footfall.Leads;
using Footfall.Metrics;
using Microsoft.Extensions.Options;

namespace Footfall.Dashboard.Reports;

/// <summary>A week of a property in words.</summary>
internal sealed record WeeklyReport(PropertyTitle Property, DayRange Days, string Subject, OverviewText Text, OverviewModel Model, string DaysText);

/// <summary>Makes weekly reports: the overview's own figures, of the last whole week beside the one before.</summary>
internal sealed class WeeklyReports(IServiceScopeFactory scopes, PropertyStore properties, SummaryStore summaries, SignedLinks links, IOptions<LeadsOptions> options)
{
    public const string Kind = "report.weekly";

    /// <param name="week">Its Monday.</param>
    /// <returns>Null when there is no such property.</returns>
    public async Task<WeeklyReport?> MakeAsync(string property, DateOnly week, CancellationToken cancellationToken)
    {
        if ((await properties.TitlesAsync(cancellationToken)).Find(t => t.Id == property) is not { } title) return null;
        await using var scope = scopes.CreateAsyncScope();
        var page = scope.ServiceProvider.GetRequiredService<CurrentPage>();
        var days = new DayRange(week, week.AddDays(6));
        page.FillForReport(title, await summaries.StateAsync(property, cancellationToken), Period.Of(days));
        var model = await scope.ServiceProvider.GetRequiredService<OverviewReader>().ReadAsync(cancellationToken);
        var text = new OverviewText(page, model);
        var visitors = text.Cards[0];
        var span = Period.Text(days, page.Today);
        return new WeeklyReport(title, days, $"{Labels.Visible(title.Name)}: {visitors.Value} visitors{(visitors.Delta is { } delta ? $" ({delta.Text})" : "")}, {span}", text, model, span);
    }

    /// <summary>The report as a letter to one recipient, with the link that ends them.</summary>
    public Letter Letter(WeeklyReport report, ReportDelivery delivery)
    {
        var stop = delivery.Address is null ? null : $"{Url}{StopReportEndpoints.Path}?token={links.StopReport(delivery.RecipientId)}";
        return Letter(report, delivery.Id, delivery.Address, stop);
    }

    /// <summary>As a recipient would get it; its link that ends them is none.</summary>
    public Letter Preview(WeeklyReport report) => Letter(report, Guid.Empty, "you@example.com", $"{Url}{StopReportEndpoints.Path}");

    private Letter Letter(WeeklyReport report, Guid id, string? address, string? stop)
    {
        var page = $"{Url}/p/{report.Property.Id}?from={report.Days.From:yyyy-MM-dd}&to={report.Days.To:yyyy-MM-dd}";
        var (now, then) = (report.Model.Now.Total, report.Model.Then?.Total);
        return new Letter(
            id, Kind, address, report.Property.Id, report.Property.Name, report.Days.From, report.Days.To, report.Subject, ReportLetter.Text(report, page, stop), ReportLetter.Html(report, page, stop), stop,
            [.. KpiInfo.All.Select((k, i) => new LetterFigure(k.Key, k.Title, now[i], then?[i]))]);
    }

    // Set where mail is sent at all; a preview can do without.
    private string Url => options.Value.PublicUrl?.TrimEnd('/') ?? "";
}
