using System.Text;
using Npgsql;
using NpgsqlTypes;

namespace Footfall.Explore;

/// <summary>A funnel as SQL: the events of its steps are read once, and each step is one pass over them in the order of time.</summary>
internal sealed class FunnelSql
{
    private readonly FunnelQuery query;
    private readonly FilterSql filters = new();

    private FunnelSql(FunnelQuery query) => this.query = query;

    public static async Task<FunnelResult> AnswerAsync(Snapshot snapshot, FunnelQuery query, CancellationToken cancellationToken)
    {
        var sql = new FunnelSql(query);
        await using var command = snapshot.Command(sql.Statement());
        command.Parameters.AddRange(sql.filters.Parameters.ToArray());
        FunnelCounts? overall = null;
        List<FunnelCounts> groups = [];
        await snapshot.ReadAsync(command, row =>
        {
            var counts = Counts(row, query.Steps.Count);
            if (row.GetBoolean(0)) overall = counts;
            else groups.Add(counts);
        }, cancellationToken);
        var more = groups.Count > query.Limit;
        if (more) groups.RemoveAt(groups.Count - 1);
        return new FunnelResult(overall!, groups, more);
    }

    private static FunnelCounts Counts(NpgsqlDataReader row, int steps)
    {
        const int first = 2;
        var visitors = new long[steps];
        var medians = new double?[steps - 1];
        for (var i = 0; i < steps; i++) visitors[i] = row.GetInt64(first + i);
        for (var i = 0; i < medians.Length; i++) medians[i] = row.IsDBNull(first + steps + i) ? null : row.GetDouble(first + steps + i);
        return new FunnelCounts(row.IsDBNull(1) ? null : row.GetString(1), visitors, medians);
    }

    private string Statement()
    {
        var count = query.Steps.Count;
        filters.Add("property", query.PropertyId, NpgsqlDbType.Text);
        filters.Add("start", query.Window.Start, NpgsqlDbType.TimestampTz);
        filters.Add("end", query.Window.End, NpgsqlDbType.TimestampTz);
        filters.Add("within", TimeSpan.FromHours(query.WindowHours), NpgsqlDbType.Interval);
        var text = new StringBuilder("with ").Append(Marked());
        text.Append("""

            , step1 as (
                select visitor_id, true as attempt, key, at as t1 from marked where s1 and at < @end
            )
            """);
        for (var k = 2; k <= count; k++) text.Append(Step(k));
        var times = Times(count);
        // Of the attempts that come furthest the first; where two begin at the same instant, that whose group comes first.
        text.Append($"""

            , counted as (
                select distinct on (visitor_id) visitor_id, key, {times}
                from step{count}
                order by visitor_id, ({string.Join(" + ", Enumerable.Range(1, count).Select(k => $"(t{k} is not null)::int"))}) desc, t1, key is null, key collate "C"
            )
            """);
        if (query.Experiment is { } experiment)
        {
            filters.Add("experiment", experiment, NpgsqlDbType.Text);
            text.Append(Assigned(times));
        }
        var from = query.Experiment is null ? "counted" : "assigned";
        text.Append($"""

            select * from (
                select true as overall, null::text as key, {Figures(count)} from {from}
            """);
        if (query.By is not null || query.Experiment is not null)
        {
            filters.Add("limit", query.Limit + 1, NpgsqlDbType.Integer);
            text.Append($"""

                    union all
                    select * from (
                        select false, key, {Figures(count)} from {from}
                        group by key
                        order by count(*) desc, key is null, key collate "C"
                        limit @limit) groups
                """);
        }
        text.Append("""
            ) answer
            order by overall desc, c1 desc, key is null, key collate "C"
            """);
        return text.ToString();
    }

    /// <summary>The events that are of any step, and of which.</summary>
    private string Marked()
    {
        var conditions = query.Steps.Select(s => filters.All(s.Filters)).ToList();
        var (ofSessions, ofEvents) = filters.Conditions(query.Filters);
        var key = query.By is { } by ? filters.Column(by) : "null::text";
        var join = ofSessions.Length > 0 || query.By is { IsOfEvent: false } || query.Steps.Any(s => s.Filters.Any(f => !f.Dimension.IsOfEvent))
            ? "\n    join sessions s on s.visitor_id = e.visitor_id and s.id = e.session_id" : "";
        return $"""
            marked as materialized (
                select * from (
                    select e.visitor_id, e.occurred_at as at, {key} as key,
                           {string.Join(",\n               ", conditions.Select((c, i) => $"{c} as s{i + 1}"))}
                    from events e{join}
                    where e.property_id = @property and e.occurred_at >= @start and e.occurred_at < @end + @within
                      and e.session_id is not null and e.device_type <> 'bot'{ofEvents}{ofSessions}) looked_at
                where {string.Join(" or ", conditions.Select((_, i) => $"s{i + 1}"))}
            )
            """;
    }

    /// <summary>Attempts and events of the step run backwards through time together, so that each attempt meets the first event at or after where it stands.</summary>
    private static string Step(int k)
    {
        var before = Times(k - 1);
        return $"""

            , step{k} as (
                select visitor_id, attempt, key, {before}, case when next <= t1 + @within then next end as t{k}
                from (
                    select visitor_id, attempt, key, {before}, min(hit) over (partition by visitor_id order by at desc range between unbounded preceding and current row) as next
                    from (
                        select visitor_id, attempt, key, {before}, t{k - 1} as at, null::timestamptz as hit from step{k - 1}
                        union all
                        select visitor_id, false, null::text, {string.Join(", ", Enumerable.Repeat("null::timestamptz", k - 1))}, at, at from marked where s{k}) both_kinds) met
                where attempt
            )
            """;
    }

    // A visitor is its own user or its account's; experiment rows know users by number.
    private static string Assigned(string times) => $"""

        , assigned as (
            select c.visitor_id, {times}, (
                select x.variant_id
                from experiment_assignments x
                where x.property_id = @property and x.experiment_id = @experiment and x.day <= (c.t1 at time zone 'UTC')::date
                  and x.user_number in (v.number * 2, a.number * 2 + 1)
                order by x.assigned_at, x.variant_id collate "C"
                limit 1) as key
            from counted c
            join visitors v on v.id = c.visitor_id
            left join account_numbers a on a.account_id = v.account_id
        )
        """;

    private static string Times(int count) => string.Join(", ", Enumerable.Range(1, count).Select(k => $"t{k}"));

    private static string Figures(int count)
    {
        var reached = Enumerable.Range(1, count).Select(k => $"count(t{k}) as c{k}");
        var medians = Enumerable.Range(2, count - 1).Select(k => $"percentile_cont(0.5) within group (order by extract(epoch from t{k} - t{k - 1})::float8) as m{k}");
        return string.Join(", ", reached.Concat(medians));
    }
}
