using Footfall.Capture;
using Npgsql;

namespace Footfall.Ingestion;

/// <summary>How an account is called, as an event says.</summary>
internal readonly record struct AccountName(string Id, string? Username, string? DisplayName, DateTimeOffset At, string PropertyId)
{
    /// <summary>The last of each account and property.</summary>
    public static List<AccountName> Of(IEnumerable<CapturedEvent> events)
    {
        Dictionary<(string, string), CapturedEvent> last = [];
        foreach (var e in events)
        {
            if (e.AccountId is null || e.IsOutOfRange || (e.AccountUsername is null && e.AccountDisplayName is null)) continue;
            var key = (e.AccountId, e.PropertyId);
            if (!last.TryGetValue(key, out var other) || Arrival.IsBefore(other, e)) last[key] = e;
        }
        return [.. last.Values.Order(Comparer<CapturedEvent>.Create(Arrival.Compare)).Select(e => new AccountName(e.AccountId!, e.AccountUsername, e.AccountDisplayName, e.OccurredAt, e.PropertyId))];
    }
}

/// <summary>Rows that all servers and lanes write: properties, accounts, counts, and marks of days. Each kind in its own order, and the kinds in this one, so that nobody waits in a circle.</summary>
internal static class SharedRows
{
    private const string AddProperties = """
        insert into properties (id, name)
        select id, id from unnest(@names) as t (id)
        order by id
        on conflict (id) do nothing
        """;

    // An account belongs to the property that first named it: events of another one, which anybody may send, do not rename it.
    private const string NameAccounts = """
        insert into accounts as a (id, username, display_name, updated_at, property_id)
        select distinct on (t.id) t.id, t.username, t.display_name, t.at, t.property_id
        from unnest(@accounts, @usernames, @display_names, @times, @of_properties) with ordinality as t (id, username, display_name, at, property_id, place)
        left join accounts known on known.id = t.id
        where known.property_id is null or known.property_id = t.property_id
        order by t.id, t.place desc
        on conflict (id) do update set
            username     = coalesce(excluded.username, a.username),
            display_name = coalesce(excluded.display_name, a.display_name),
            updated_at   = excluded.updated_at
        where excluded.updated_at >= a.updated_at and (a.property_id is null or a.property_id = excluded.property_id)
        """;

    private const string AddCounts = """
        insert into ingest_counts as c (property_id, day, outcome, reason, events)
        select property_id, day, outcome, reason, events
        from unnest(@properties, @days, @outcomes, @reasons, @events) as t (property_id, day, outcome, reason, events)
        order by property_id, day, outcome, reason
        on conflict (property_id, day, outcome, reason) do update set events = c.events + excluded.events
        """;

    private const string MarkDays = """
        insert into dirty_days as d (property_id, day, marks, marked_at)
        select property_id, day, 1, @now
        from unnest(@properties, @days) as t (property_id, day)
        order by property_id, day
        on conflict (property_id, day) do update set marks = d.marks + 1, marked_at = excluded.marked_at
        """;

    public static async Task WriteAsync(NpgsqlConnection connection, BatchOutcome outcome, IReadOnlyList<AccountName> accounts, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection);
        if (outcome.Properties.Count > 0) batch.BatchCommands.Add(Command(AddProperties, ("names", outcome.Properties.ToArray())));
        if (accounts.Count > 0)
        {
            batch.BatchCommands.Add(Command(
                NameAccounts,
                ("accounts", accounts.Select(a => a.Id).ToArray()), ("usernames", accounts.Select(a => a.Username).ToArray()), ("display_names", accounts.Select(a => a.DisplayName).ToArray()),
                ("times", accounts.Select(a => a.At).ToArray()), ("of_properties", accounts.Select(a => a.PropertyId).ToArray())));
        }
        var counts = outcome.Counts.Where(c => c.Value > 0).Select(c => new OutcomeCount(c.Key.Property, c.Key.Day, c.Key.Outcome, c.Key.Reason, c.Value)).ToList();
        if (counts.Count > 0) batch.BatchCommands.Add(Counting(counts));
        if (outcome.Days.Count > 0) batch.BatchCommands.Add(Marking(outcome.Days, now));
        if (batch.BatchCommands.Count > 0) await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    public static NpgsqlBatchCommand Counting(IReadOnlyCollection<OutcomeCount> counts) => Command(
        AddCounts,
        ("properties", counts.Select(c => c.PropertyId).ToArray()), ("days", counts.Select(c => c.Day).ToArray()), ("outcomes", counts.Select(c => c.Outcome).ToArray()),
        ("reasons", counts.Select(c => c.Reason).ToArray()), ("events", counts.Select(c => c.Events).ToArray()));

    public static NpgsqlBatchCommand Marking(IReadOnlyCollection<(string Property, DateOnly Day)> days, DateTimeOffset now) => Command(
        MarkDays,
        ("properties", days.Select(d => d.Property).ToArray()), ("days", days.Select(d => d.Day).ToArray()), ("now", now));

    private static NpgsqlBatchCommand Command(string sql, params ReadOnlySpan<(string Name, object Value)> parameters)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var (name, value) in parameters) command.Parameters.AddWithValue(name, value);
        return command;
    }
}
