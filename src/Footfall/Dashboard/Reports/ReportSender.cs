using Footfall.Capture;
using Footfall.Leads;
using Footfall.Metrics;
using Footfall.Rollups;

namespace Footfall.Dashboard.Reports;

/// <summary>
/// The job that sends weekly reports. Its lock lets one server at a time do it, a report's row is there before anything leaves, and one
/// that was begun and not seen to end is not begun anew: nobody gets a week twice.
/// </summary>
internal sealed class ReportSender(ReportStore store, WeeklyReports reports, MailWay mail, PropertyStore properties, SummaryStore summaries, TimeProvider clock)
{
    public const int MostAttempts = 6;

    /// <summary>A report that could not go out in time is of use for so long.</summary>
    private static readonly TimeSpan Useful = TimeSpan.FromDays(2);

    /// <summary>How long days that are counted anew are waited for.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromHours(6);

    private static readonly TimeSpan FirstRetry = TimeSpan.FromMinutes(2);

    /// <returns>How many went out.</returns>
    public async Task<int> RunAsync(CancellationToken stop)
    {
        if (mail.Transport is not { } transport) return 0;
        await store.GiveUpAbandonedAsync("The server stopped while it was on its way; it may have arrived. It is not sent twice.", stop);
        await PlanAsync(transport, stop);
        Dictionary<(string, DateOnly), WeeklyReport?> made = [];
        var (sent, lost) = (0, new List<string>());
        while (await store.TakeAsync(stop) is { } delivery)
        {
            string? error = null;
            try
            {
                if (!made.TryGetValue((delivery.PropertyId, delivery.Week), out var report)) made[(delivery.PropertyId, delivery.Week)] = report = await reports.MakeAsync(delivery.PropertyId, delivery.Week, stop);
                if (report is null) error = "The property is gone.";
                else await transport.SendAsync(reports.Letter(report, delivery), stop);
            }
            catch (MailException e)
            {
                error = e.Message;
            }
            var again = error is null || delivery.Attempts >= MostAttempts ? (DateTimeOffset?)null : clock.GetUtcNow() + (FirstRetry * Math.Pow(3, delivery.Attempts - 1));
            await store.FinishAsync(delivery.Id, error, again, CancellationToken.None);
            if (error is null) sent++;
            else if (again is null) lost.Add(error);
        }
        return lost.Count == 0 ? sent : throw new JobFailedException($"{lost.Count} weekly reports could not be sent in {MostAttempts} attempts and are given up: {lost[0]}. The property's page Reports shows which.");
    }

    private async Task PlanAsync(IMailTransport transport, CancellationToken stop)
    {
        var now = clock.GetUtcNow();
        var known = (await properties.TitlesAsync(stop)).Select(t => t.Id).ToHashSet(StringComparer.Ordinal);
        foreach (var schedule in await store.EnabledAsync(stop))
        {
            var due = schedule.LastDue(now);
            // Who asks for reports gets the next one, not the last one at once.
            if (!known.Contains(schedule.PropertyId) || now - due > Useful || schedule.ChangedAt > due) continue;
            var week = ReportSchedule.WeekBefore(due);
            var state = await summaries.StateAsync(schedule.PropertyId, stop);
            if (state.FirstDirtyDay <= week.AddDays(6) && now - due < Patience) continue;
            await store.PlanAsync(schedule.PropertyId, week, transport.IsProgram, stop);
        }
    }
}
