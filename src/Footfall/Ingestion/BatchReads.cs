using Footfall.Capture;
using Footfall.Postgres;
using Npgsql;

namespace Footfall.Ingestion;

/// <summary>What is stored that a batch has to do with. Looked up by key, in the order of the keys, so that neighbours lie on one page.</summary>
internal static class BatchReads
{
    private const string Erased = "select visitor_id, erased_at from erased_visitors where visitor_id = any (@visitors)";

    private const string Removed = "select property_id, removed_at from removed_properties where property_id = any (@properties)";

    private const string Taken = """
        select k.visitor_id, k.dedupe_key
        from unnest(@visitors, @keys) as b (visitor_id, dedupe_key)
        join event_keys k on k.visitor_id = b.visitor_id and k.dedupe_key = b.dedupe_key
        """;

    // That all of them are of one shard, a cluster only sees so.
    private const string TakenOfShard = Taken + "\nwhere k.visitor_id = any (@visitors)";

    private const string Visitors = "select id, first_seen_at, first_property_id, last_seen_at, account_seen_at from visitors where id = any (@visitors)";

    // By visitor alone, on purpose: of a table that has grown since it was last analyzed (a new one, under load) the planner would think best to look
    // for each visitor through all of the property's sessions.
    internal const string Near = """
        select s.visitor_id, s.id, s.property_id, s.started_at, s.ended_at, s.first_event_id, s.entry_at, s.entry_event_id, s.exit_at, s.exit_event_id,
               s.landing_path, s.exit_path, s.referrer, s.referrer_host, s.utm_source, s.utm_medium, s.utm_campaign, s.utm_term, s.utm_content,
               s.traffic_source::text, s.device_type::text, s.browser, s.os, s.country_code, s.page_views, s.events, s.engaged_ms, s.has_conversion, s.sealed
        from unnest(@visitors, @properties, @bots, @from, @to) as b (visitor_id, property_id, is_bot, reach_from, reach_to)
        join sessions s on s.visitor_id = b.visitor_id
                       and s.property_id || '' = b.property_id
                       and (s.device_type = 'bot') = b.is_bot
                       and s.started_at + interval '0' <= b.reach_to
                       and s.ended_at >= b.reach_from
        """;

    private const string NearOfShard = Near + "\nwhere s.visitor_id = any (@visitors)";

    private const string Numbers = "select nextval('visitor_numbers')::integer from generate_series(1, @count)";

    // What happened to a visitor who turns out to have been here before, or first on another property, counts differently.
    private const string VisitorDays = """
        select distinct e.property_id, (e.occurred_at at time zone 'UTC')::date
        from unnest(@visitors, @first_at, @first_properties, @known_at, @known_properties) as v (visitor_id, first_at, first_property, known_at, known_property)
        join events e on e.visitor_id = v.visitor_id
        where e.session_id is not null
          and ((v.first_at at time zone 'UTC')::date < (v.known_at at time zone 'UTC')::date or v.first_property <> v.known_property)
        """;

    // When the leads of visitors whose first time is another now were captured.
    private const string LeadDays = """
        select distinct l.property_id, (l.first_captured_at at time zone 'UTC')::date
        from lead_identities li
        join leads l on l.id = li.lead_id
        where li.visitor_id = any (@visitors)
        """;

    /// <summary>What is known of events by their visitors, keys and properties.</summary>
    /// <param name="visitors">In order, each once.</param>
    /// <param name="keyed">Events that have a key, in the order of their visitors.</param>
    public static async Task<StoredBefore> BeforeAsync(NpgsqlConnection connection, ShardMap shards, Guid[] visitors, IReadOnlyList<CapturedEvent> keyed, string[] properties, CancellationToken cancellationToken)
    {
        List<IReadOnlyList<Guid>> visitorParts = [.. shards.Split(visitors, v => v)];
        List<IReadOnlyList<CapturedEvent>> keyParts = [.. shards.Split(keyed, e => e.VisitorId)];
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(Command(Erased, ("visitors", visitors)));
        batch.BatchCommands.Add(Command(Removed, ("properties", properties)));
        foreach (var part in visitorParts) batch.BatchCommands.Add(Command(Visitors, ("visitors", part.ToArray())));
        foreach (var part in keyParts)
        {
            batch.BatchCommands.Add(Command(
                keyParts.Count > 1 ? TakenOfShard : Taken, ("visitors", part.Select(e => e.VisitorId).ToArray()), ("keys", part.Select(e => e.DedupeKey!.Value).ToArray())));
        }
        await using var rows = await batch.ExecuteReaderAsync(cancellationToken);
        var before = new StoredBefore([], [], [], []);
        while (await rows.ReadAsync(cancellationToken)) before.Erased.Add(rows.GetGuid(0), rows.GetFieldValue<DateTimeOffset>(1));
        await rows.NextResultAsync(cancellationToken);
        while (await rows.ReadAsync(cancellationToken)) before.Removed.Add(rows.GetString(0), rows.GetFieldValue<DateTimeOffset>(1));
        foreach (var _ in visitorParts)
        {
            await rows.NextResultAsync(cancellationToken);
            while (await rows.ReadAsync(cancellationToken)) before.Visitors.Add(rows.GetGuid(0), new StoredVisitor(TimeOrNull(rows, 1), TextOrNull(rows, 2), TimeOrNull(rows, 3), TimeOrNull(rows, 4)));
        }
        foreach (var _ in keyParts)
        {
            await rows.NextResultAsync(cancellationToken);
            while (await rows.ReadAsync(cancellationToken)) before.Keys.Add((rows.GetGuid(0), rows.GetGuid(1)));
        }
        return before;
    }

    /// <summary>Stored sessions that events of these trails may touch: from the gap before the first to the gap after the last.</summary>
    public static async Task<ILookup<Trail, SessionRow>> NearAsync(
        NpgsqlConnection connection, ShardMap shards, IReadOnlyList<(Trail Trail, DateTimeOffset From, DateTimeOffset To)> reaches, CancellationToken cancellationToken)
    {
        List<SessionRow> near = [];
        if (reaches.Count > 0)
        {
            List<IReadOnlyList<(Trail Trail, DateTimeOffset From, DateTimeOffset To)>> parts = [.. shards.Split(reaches, r => r.Trail.VisitorId)];
            await using var batch = new NpgsqlBatch(connection);
            foreach (var part in parts)
            {
                batch.BatchCommands.Add(Command(
                    parts.Count > 1 ? NearOfShard : Near,
                    ("visitors", part.Select(r => r.Trail.VisitorId).ToArray()), ("properties", part.Select(r => r.Trail.PropertyId).ToArray()),
                    ("bots", part.Select(r => r.Trail.IsBot).ToArray()), ("from", part.Select(r => r.From).ToArray()), ("to", part.Select(r => r.To).ToArray())));
            }
            await using var rows = await batch.ExecuteReaderAsync(cancellationToken);
            do
            {
                while (await rows.ReadAsync(cancellationToken)) near.Add(Session(rows));
            }
            while (await rows.NextResultAsync(cancellationToken));
        }
        return near.ToLookup(s => new Trail(s.VisitorId, s.PropertyId, s.IsBot));
    }

    /// <summary>Numbers for new visitors. Drawn for nobody else, so that numbers stay dense.</summary>
    public static async Task<int[]> NumbersAsync(NpgsqlConnection connection, int count, CancellationToken cancellationToken)
    {
        if (count == 0) return [];
        await using var command = connection.CreateCommand();
        command.CommandText = Numbers;
        Add(command.Parameters, ("count", count));
        var numbers = new int[count];
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        for (var i = 0; await rows.ReadAsync(cancellationToken); i++) numbers[i] = rows.GetInt32(0);
        return numbers;
    }

    /// <summary>Days whose figures change because these visitors' first time has.</summary>
    public static async Task AddDaysAsync(NpgsqlConnection connection, IReadOnlyList<VisitorChange> moved, HashSet<(string Property, DateOnly Day)> days, CancellationToken cancellationToken)
    {
        if (moved.Count == 0) return;
        var before = moved.Where(v => v.WasHereBefore).ToList();
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(Command(LeadDays, ("visitors", moved.Select(v => v.Id).ToArray())));
        if (before.Count > 0)
        {
            batch.BatchCommands.Add(Command(
                VisitorDays,
                ("visitors", before.Select(v => v.Id).ToArray()), ("first_at", before.Select(v => v.First!.OccurredAt).ToArray()), ("first_properties", before.Select(v => v.First!.PropertyId).ToArray()),
                ("known_at", before.Select(v => v.Stored!.Value.FirstSeenAt!.Value).ToArray()), ("known_properties", before.Select(v => v.Stored!.Value.FirstPropertyId!).ToArray())));
        }
        await using var rows = await batch.ExecuteReaderAsync(cancellationToken);
        do
        {
            while (await rows.ReadAsync(cancellationToken)) days.Add((rows.GetString(0), rows.GetFieldValue<DateOnly>(1)));
        }
        while (await rows.NextResultAsync(cancellationToken));
    }

    private static SessionRow Session(NpgsqlDataReader rows) => new()
    {
        VisitorId = rows.GetGuid(0),
        Id = rows.GetGuid(1),
        PropertyId = rows.GetString(2),
        StartedAt = rows.GetFieldValue<DateTimeOffset>(3),
        EndedAt = rows.GetFieldValue<DateTimeOffset>(4),
        FirstEventId = rows.GetGuid(5),
        Entry = TimeOrNull(rows, 6) is { } entry ? new PageView(entry, rows.GetGuid(7), TextOrNull(rows, 10)) : null,
        Exit = TimeOrNull(rows, 8) is { } exit ? new PageView(exit, rows.GetGuid(9), TextOrNull(rows, 11)) : null,
        Origin = new SessionOrigin(
            TextOrNull(rows, 12), TextOrNull(rows, 13), TextOrNull(rows, 14), TextOrNull(rows, 15), TextOrNull(rows, 16), TextOrNull(rows, 17), TextOrNull(rows, 18),
            rows.GetString(19), rows.GetString(20), TextOrNull(rows, 21), TextOrNull(rows, 22), TextOrNull(rows, 23)),
        PageViews = rows.GetInt32(24),
        Events = rows.GetInt32(25),
        EngagedMs = rows.GetInt64(26),
        HasConversion = rows.GetBoolean(27),
        Sealed = rows.GetBoolean(28),
    };

    private static string? TextOrNull(NpgsqlDataReader rows, int column) => rows.IsDBNull(column) ? null : rows.GetString(column);

    private static DateTimeOffset? TimeOrNull(NpgsqlDataReader rows, int column) => rows.IsDBNull(column) ? null : rows.GetFieldValue<DateTimeOffset>(column);

    private static NpgsqlBatchCommand Command(string sql, params ReadOnlySpan<(string Name, object Value)> parameters)
    {
        var command = new NpgsqlBatchCommand(sql);
        Add(command.Parameters, parameters);
        return command;
    }

    private static void Add(NpgsqlParameterCollection to, params ReadOnlySpan<(string Name, object Value)> parameters)
    {
        foreach (var (name, value) in parameters) to.AddWithValue(name, value);
    }
}

/// <summary>What was stored before a batch.</summary>
/// <param name="Erased">Visitors who were erased, and when.</param>
/// <param name="Removed">Properties that were deleted, and when.</param>
/// <param name="Keys">Keys of events that are stored.</param>
internal sealed record StoredBefore(Dictionary<Guid, DateTimeOffset> Erased, Dictionary<string, DateTimeOffset> Removed, Dictionary<Guid, StoredVisitor> Visitors, HashSet<(Guid Visitor, Guid Key)> Keys);
