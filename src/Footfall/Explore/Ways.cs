namespace Footfall.Explore;

/// <summary>Answers questions about what visitors do one after the other.</summary>
internal static class Ways
{
    public static Task<FunnelResult> AnswerAsync(Moment moment, FunnelQuery query, CancellationToken cancellationToken) =>
        moment.AskAsync(query.Window, _ => false, (_, _) => throw new NotSupportedException(), (s, stop) => FunnelSql.AnswerAsync(s, query, stop), cancellationToken);

    public static Task<List<Cohort>> AnswerAsync(Moment moment, RetentionQuery query, CancellationToken cancellationToken) =>
        moment.AskAsync(query.Window, _ => false, (_, _) => throw new NotSupportedException(), (s, stop) => RetentionSql.AnswerAsync(s, query, stop), cancellationToken);

    public static Task<JourneyResult> AnswerAsync(Moment moment, JourneyQuery query, CancellationToken cancellationToken) =>
        moment.AskAsync(query.Window, _ => false, (_, _) => throw new NotSupportedException(), (s, stop) => JourneySql.AnswerAsync(s, query, stop), cancellationToken);
}
