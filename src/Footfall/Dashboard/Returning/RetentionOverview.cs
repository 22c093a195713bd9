using Footfall.Explore;
using Footfall.Metrics;

namespace Footfall.Dashboard.Returning;

/// <summary>Who came back, week by week.</summary>
/// <param name="Days">The window that is shown.</param>
/// <param name="IsUsual">The address names no days.</param>
/// <param name="Mean">By how many pieces later: the share of all visitors of those cohorts for which the piece is over; null where none is.</param>
/// <param name="DetailFrom">The first day with raw rows, where the window begins before it; else null.</param>
internal sealed record RetentionModel(Interval Per, DayRange Days, bool IsUsual, IReadOnlyList<CohortBody> Cohorts, IReadOnlyList<double?> Mean, DateOnly? DetailFrom);

internal sealed class RetentionOverview(CurrentPage page, Questions questions)
{
    private const int UsualWeeks = 12, MostColumns = 26;

    /// <summary>What the page offers, with the key of each in the address.</summary>
    public static IReadOnlyList<(Interval Per, string Key, string Label)> Pieces { get; } = [(Interval.Day, "day", "Days"), (Interval.Week, "week", "Weeks"), (Interval.Month, "month", "Months")];

    public async Task<RetentionModel> ReadAsync(CancellationToken cancellationToken)
    {
        await using var _ = questions;
        var per = Pieces.FirstOrDefault(p => p.Key == page.Address["interval"]) is { Key: not null } asked ? asked.Per : Interval.Week;
        var days = DaysOf(per);
        var query = new RetentionQuery(page.Property.Id, days, per, [], [], page.Filters);
        var filters = new Query(query.PropertyId, days, [Metric.Visitors], page.Filters).Fingerprint();
        var cohorts = await questions.KeptOfMomentAsync($"retention {per} {filters}", m => Ways.AnswerAsync(m, query, cancellationToken));
        var grid = WayEndpoints.Grid(query, cohorts, page.Now);
        var columns = grid.Count == 0 ? 0 : grid.Max(c => c.Cells.Count);
        return new RetentionModel(per, days, IsUsual, grid, [.. Enumerable.Range(0, columns).Select(i => Mean(grid, i))], page.State.CompleteFrom is { } from && from > days.From ? from : null);
    }

    private bool IsUsual => page.Address["period"] is null && page.Address["from"] is null;

    // Without days in the address the last twelve weeks: thirty days would show four.
    private DayRange DaysOf(Interval per)
    {
        var days = page.Period.Days;
        if (IsUsual)
            days = per switch
            {
                Interval.Day => new DayRange(page.Today.AddDays(-13), page.Today),
                Interval.Month => new DayRange(new DateOnly(page.Today.Year, page.Today.Month, 1).AddMonths(-5), page.Today),
                _ => new DayRange(Monday(page.Today).AddDays(-7 * (UsualWeeks - 1)), page.Today),
            };
        // A grid that can still be read: the newest of its pieces.
        var pieces = TimePieces.Of(days, per).ToList();
        return pieces.Count <= MostColumns ? days : days with { From = DateOnly.FromDateTime(pieces[^MostColumns].UtcDateTime) };
    }

    private static DateOnly Monday(DateOnly day) => day.AddDays(-(((int)day.DayOfWeek + 6) % 7));

    private static double? Mean(IReadOnlyList<CohortBody> grid, int offset)
    {
        long visitors = 0, returned = 0;
        foreach (var cohort in grid)
        {
            if (cohort.Cells.Count <= offset || cohort.Cells[offset].Incomplete || cohort.Incomplete) continue;
            visitors += cohort.Visitors;
            returned += cohort.Cells[offset].Visitors;
        }
        return visitors == 0 ? null : (double)returned / visitors;
    }
}
