using NpgsqlTypes;

namespace Footfall.Explore;

/// <summary>Retention as SQL.</summary>
internal static class RetentionSql
{
    /// <summary>Cohorts with anybody in them, in order.</summary>
    public static async Task<List<Cohort>> AnswerAsync(Snapshot snapshot, RetentionQuery query, CancellationToken cancellationToken)
    {
        var filters = new FilterSql();
        await using var command = snapshot.Command(Statement(query, filters));
        command.Parameters.AddRange(filters.Parameters.ToArray());
        SortedDictionary<DateTime, (long Visitors, Dictionary<DateTimeOffset, long> Returned)> cohorts = [];
        await snapshot.ReadAsync(command, row =>
        {
            var (start, visitors) = (row.GetDateTime(0), row.GetInt64(2));
            if (!cohorts.TryGetValue(start, out var cohort)) cohorts[start] = cohort = (0, []);
            if (row.IsDBNull(1)) cohorts[start] = (visitors, cohort.Returned);
            else cohort.Returned.Add(Utc(row.GetDateTime(1)), visitors);
        }, cancellationToken);
        return [.. cohorts.Select(c => new Cohort(Utc(c.Key), c.Value.Visitors, c.Value.Returned))];
    }

    private static string Statement(RetentionQuery query, FilterSql filters)
    {
        filters.Add("property", query.PropertyId, NpgsqlDbType.Text);
        filters.Add("start", query.Window.Start, NpgsqlDbType.TimestampTz);
        filters.Add("end", query.Window.End, NpgsqlDbType.TimestampTz);
        var (entry, comesBack) = (filters.All(query.Entry), filters.All(query.Return));
        var (ofSessions, ofEvents) = filters.Conditions(query.Filters);
        var join = ofSessions.Length > 0 || query.Entry.Concat(query.Return).Any(f => !f.Dimension.IsOfEvent) ? "\n    join sessions s on s.visitor_id = e.visitor_id and s.id = e.session_id" : "";
        return $"""
            with looked_at as (
                select e.visitor_id, e.occurred_at as at, {entry} as enters, {comesBack} as returns
                from events e{join}
                where e.property_id = @property and e.occurred_at >= @start and e.occurred_at < @end
                  and e.session_id is not null and e.device_type <> 'bot'{ofEvents}{ofSessions}
            ), entered as (
                select visitor_id, min(at) as at from looked_at where enters group by visitor_id
            ), returned as (
                select distinct r.visitor_id, {FilterSql.Piece(query.Per, "n.at")} as cohort, {FilterSql.Piece(query.Per, "r.at")} as piece
                from looked_at r
                join entered n on n.visitor_id = r.visitor_id
                where r.returns and r.at >= n.at
            )
            select {FilterSql.Piece(query.Per, "at")} as cohort, null::timestamp as piece, count(*) from entered group by 1
            union all
            select cohort, piece, count(*) from returned group by cohort, piece
            """;
    }

    private static DateTimeOffset Utc(DateTime at) => new(DateTime.SpecifyKind(at, DateTimeKind.Utc));
}
