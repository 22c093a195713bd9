using Footfall.Segments;

namespace Footfall.Explore;

/// <summary>Answers questions about what visitors do one after the other: from segments where they can, else from raw rows.</summary>
internal static class Ways
{
    /// <param name="variants">Of the query's experiment, where it has one: see <see cref="Assignments"/>.</param>
    public static Task<FunnelResult> AnswerAsync(Moment moment, FunnelQuery query, VisitorVariants? variants, CancellationToken cancellationToken) => AskAsync(
        moment, FunnelEngine.Days(query), w => FunnelEngine.Covers(query, variants, w), (w, stop) => FunnelEngine.Answer(query, variants, w, stop), (s, stop) => FunnelSql.AnswerAsync(s, query, stop), cancellationToken);

    public static Task<List<Cohort>> AnswerAsync(Moment moment, RetentionQuery query, CancellationToken cancellationToken) => AskAsync(
        moment, query.Window, w => RetentionEngine.Covers(query, w), (w, stop) => RetentionEngine.Answer(query, w, stop), (s, stop) => RetentionSql.AnswerAsync(s, query, stop), cancellationToken);

    public static Task<JourneyResult> AnswerAsync(Moment moment, JourneyQuery query, CancellationToken cancellationToken) => AskAsync(
        moment, query.Window, w => JourneyEngine.Covers(query, w), (w, stop) => JourneyEngine.Answer(query, w, stop), (s, stop) => JourneySql.AnswerAsync(s, query, stop), cancellationToken);

    private static async Task<T> AskAsync<T>(
        Moment moment, DayRange window, Func<SegmentWindow, bool> covers, Func<SegmentWindow, CancellationToken, T> fromSegments, Func<Snapshot, CancellationToken, Task<T>> fromRows, CancellationToken cancellationToken)
    {
        try
        {
            return await moment.AskAsync(window, covers, fromSegments, fromRows, cancellationToken);
        }
        catch (TooMuchForSegmentsException)
        {
            return await fromRows(await moment.SnapshotAsync(cancellationToken), cancellationToken);
        }
    }
}
