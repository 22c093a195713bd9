using Npgsql;
using NpgsqlTypes;

namespace Footfall.Leads;

/// <summary>A lead of the person who is to be erased.</summary>
internal sealed record ErasedLead(Guid Id, string Normalized, string Address, string PropertyId, DateOnly CapturedOn);

/// <summary>A visitor that is certainly the person.</summary>
/// <param name="Number">Null while none of the visitor's events is stored.</param>
internal sealed record ErasedVisitor(Guid Id, int? Number, string? AnonId, string? AccountId);

/// <summary>What one person's stored events say, beside themselves.</summary>
/// <param name="Tables">Partitions where one of the person's rows holds an address or anon id.</param>
internal sealed record EventFacts(
    HashSet<(string Property, DateOnly Day)> Days, HashSet<string> Accounts, List<(string Property, string Type, string Id)> Entities, HashSet<string> Tables);

/// <summary>The statements of an erasure. All run in its one transaction, under the lock that ingestion takes.</summary>
internal static class ErasureStore
{
    // Addresses that an admin has said are one person's go together.
    private const string Person = """
        with recursive person (id) as (
            select id from leads where id = @lead or email_normalized = @address
            union
            select case when m.from_lead_id = p.id then m.into_lead_id else m.from_lead_id end
            from person p
            join lead_merges m on m.undone_at is null and p.id in (m.from_lead_id, m.into_lead_id)
        )
        select id, email_normalized, coalesce(email, email_normalized), property_id, (first_captured_at at time zone 'UTC')::date
        from leads
        where id in (select id from person)
        order by id
        for update
        """;

    // A form without an anon id comes from a visitor of the day. A server that passes forms on is one too, of many people: only
    // who sent nobody else's forms is taken for the person.
    private const string Visitors = """
        with certain as materialized (
            select i.visitor_id
            from lead_identities i
            where i.lead_id = any (@leads) and i.confidence = 1
            union
            select s.visitor_id
            from form_submissions s
            where s.lead_id = any (@leads) and s.visitor_id is not null
              and not exists (select from form_submissions o where o.visitor_id = s.visitor_id and o.lead_id <> all (@leads))
        )
        select l.visitor_id, v.number, v.anon_id, v.account_id
        from certain l
        left join (select id, number, anon_id, account_id
                   from visitors
                   where id in (select visitor_id from certain)) v on v.id = l.visitor_id
        """;

    private const string EventDays = """
        select distinct e.property_id, t.day
        from events e
        cross join lateral (values (case when e.session_id is not null then (e.occurred_at at time zone 'UTC')::date end),
                                   ((e.received_at at time zone 'UTC')::date)) as t (day)
        where e.visitor_id = any (@visitors) and t.day is not null
        union
        select s.property_id, (t.at at time zone 'UTC')::date
        from sessions s
        cross join lateral (values (s.started_at), (s.entry_at), (s.exit_at)) as t (at)
        where s.visitor_id = any (@visitors) and t.at is not null
        union
        select l.property_id, (l.first_captured_at at time zone 'UTC')::date
        from lead_identities i
        join leads l on l.id = i.lead_id
        where i.visitor_id = any (@visitors)
        """;

    private const string EventAccounts = "select distinct account_id from events where visitor_id = any (@visitors) and account_id is not null";

    private const string EventEntities = """
        select distinct property_id, entity_type, entity_id
        from events
        where visitor_id = any (@visitors) and entity_type is not null and entity_id is not null
        """;

    private const string EventTables = """
        select distinct substring(e.tableoid::regclass::text from '^events_(?:default|[0-9]+w[0-9]+)')   -- on a cluster a shard's name, with a number behind
        from events e
        where e.visitor_id = any (@visitors)
          and exists (select from unnest(@needles) as n (needle) where strpos(lower(e::text), n.needle) > 0)
        union
        select distinct 'sessions'
        from sessions s
        where s.visitor_id = any (@visitors)
          and exists (select from unnest(@needles) as n (needle) where strpos(lower(s::text), n.needle) > 0)
        """;

    // An account that another person's own browser has used as well is not this person's alone.
    private const string SharedAccounts = """
        with others as materialized (
            select id, account_id from visitors where account_id = any (@accounts) and id <> all (@visitors)
        )
        select distinct v.account_id
        from others v
        join lead_identities i on i.visitor_id = v.id and i.confidence = 1 and i.lead_id <> all (@leads)
        """;

    // Of the account's other browsers the visits stay, as those of somebody unknown.
    private const string ForgetAccount = """
        with others as (
            update visitors
            set account_id = null, account_seen_at = null
            where account_id = any (@accounts)
            returning id
        )
        update events e
        set account_id = null
        from others o
        where e.visitor_id = o.id and e.account_id = any (@accounts)
        returning e.property_id, (e.occurred_at at time zone 'UTC')::date
        """;

    private const string AccountNumbers = "delete from account_numbers where account_id = any (@accounts) returning number";

    // In this order. The rules of consent_events let through what takes the whole personal part away, and nothing else.
    private static readonly (string Name, string Sql)[] Steps =
    [
        ("events", "delete from events where visitor_id = any (@visitors)"),
        ("sessions", "delete from sessions where visitor_id = any (@visitors)"),
        ("keys", "delete from event_keys where visitor_id = any (@visitors)"),
        ("links", "delete from lead_identities where lead_id = any (@leads) or visitor_id = any (@visitors)"),
        ("visitors", "delete from visitors where id = any (@visitors)"),
        ("submissions", "delete from form_submissions where lead_id = any (@leads)"),
        ("others", "update form_submissions set session_id = null where visitor_id = any (@visitors)"),
        ("requests", "delete from consent_requests where lead_id = any (@leads)"),
        ("accounts", "delete from accounts where id = any (@accounts)"),
        ("leads", "delete from leads where id = any (@leads)"),
    ];

    private const string CountConsent = "select count(*) from consent_events where lead_id = any (@leads)";

    private const string BlankConsent = """
        update consent_events
        set lead_id = null, ip_hash = null, source = null, salt = null,
            purpose = case when exists (select from unnest(@needles) as n (needle) where strpos(lower(purpose), n.needle) > 0) then null else purpose end
        where lead_id = any (@leads)
        """;

    private const string MarkDirty = """
        insert into dirty_days as d (property_id, day, marks, marked_at)
        select property_id, day, 1, @now
        from unnest(@properties, @days) as t (property_id, day)
        order by property_id, day
        on conflict (property_id, day) do update set marks = d.marks + 1, marked_at = excluded.marked_at
        """;

    private const string Remember = """
        insert into erased_visitors as x (visitor_id, erased_at)
        select id, @now from unnest(@visitors) as t (id)
        on conflict (visitor_id) do update set erased_at = excluded.erased_at;

        insert into erasures (id, receipt, erased_at, work) values (@erasure, @receipt, @now, @work);

        insert into erased_leads (lead_id, address_hash, erasure_id)
        select id, address_hash, @erasure from unnest(@leads, @address_hashes) as t (id, address_hash)
        """;

    private const string Receipt = """
        select e.receipt::text
        from erased_leads l
        join erasures e on e.id = l.erasure_id
        where l.lead_id = @lead or l.address_hash = @address_hash
        order by e.erased_at desc
        limit 1
        """;

    public static async Task<List<ErasedLead>> PersonAsync(NpgsqlConnection connection, Guid? leadId, string? address, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Person, connection);
        command.Parameters.Add(new NpgsqlParameter("lead", NpgsqlDbType.Uuid) { Value = (object?)leadId ?? DBNull.Value });
        command.Parameters.Add(new NpgsqlParameter("address", NpgsqlDbType.Text) { Value = (object?)address ?? DBNull.Value });
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        List<ErasedLead> leads = [];
        while (await rows.ReadAsync(cancellationToken))
            leads.Add(new ErasedLead(rows.GetGuid(0), rows.GetString(1), rows.GetString(2), rows.GetString(3), rows.GetFieldValue<DateOnly>(4)));
        return leads;
    }

    public static async Task<List<ErasedVisitor>> VisitorsAsync(NpgsqlConnection connection, Guid[] leads, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Visitors, connection);
        command.Parameters.AddWithValue("leads", leads);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        List<ErasedVisitor> visitors = [];
        while (await rows.ReadAsync(cancellationToken))
        {
            visitors.Add(new ErasedVisitor(
                rows.GetGuid(0), rows.IsDBNull(1) ? null : rows.GetInt32(1), rows.IsDBNull(2) ? null : rows.GetString(2), rows.IsDBNull(3) ? null : rows.GetString(3)));
        }
        return visitors;
    }

    /// <param name="needles">Addresses and anon ids, in lower case.</param>
    public static async Task<EventFacts> FactsAsync(NpgsqlConnection connection, Guid[] visitors, string[] needles, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection);
        foreach (var sql in new[] { EventDays, EventAccounts, EventEntities, EventTables })
        {
            var command = new NpgsqlBatchCommand(sql);
            command.Parameters.AddWithValue("visitors", visitors);
            if (sql == EventTables) command.Parameters.AddWithValue("needles", needles);
            batch.BatchCommands.Add(command);
        }
        var facts = new EventFacts([], [], [], []);
        await using var rows = await batch.ExecuteReaderAsync(cancellationToken);
        while (await rows.ReadAsync(cancellationToken)) facts.Days.Add((rows.GetString(0), rows.GetFieldValue<DateOnly>(1)));
        await rows.NextResultAsync(cancellationToken);
        while (await rows.ReadAsync(cancellationToken)) facts.Accounts.Add(rows.GetString(0));
        await rows.NextResultAsync(cancellationToken);
        while (await rows.ReadAsync(cancellationToken)) facts.Entities.Add((rows.GetString(0), rows.GetString(1), rows.GetString(2)));
        await rows.NextResultAsync(cancellationToken);
        while (await rows.ReadAsync(cancellationToken)) facts.Tables.Add(rows.GetString(0));
        return facts;
    }

    /// <summary>Of the accounts, those that other people's browsers have used too.</summary>
    public static async Task<List<string>> SharedAccountsAsync(NpgsqlConnection connection, Guid[] leads, Guid[] visitors, string[] accounts, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(SharedAccounts, connection);
        command.Parameters.AddWithValue("leads", leads);
        command.Parameters.AddWithValue("visitors", visitors);
        command.Parameters.AddWithValue("accounts", accounts);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        List<string> shared = [];
        while (await rows.ReadAsync(cancellationToken)) shared.Add(rows.GetString(0));
        return shared;
    }

    /// <summary>Takes the accounts off visitors and events that stay. Returns the days of these events.</summary>
    public static async Task<List<(string Property, DateOnly Day)>> ForgetAccountsAsync(NpgsqlConnection connection, string[] accounts, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(ForgetAccount, connection);
        command.Parameters.AddWithValue("accounts", accounts);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        HashSet<(string, DateOnly)> days = [];
        while (await rows.ReadAsync(cancellationToken)) days.Add((rows.GetString(0), rows.GetFieldValue<DateOnly>(1)));
        return [.. days];
    }

    public static async Task<List<int>> TakeAccountNumbersAsync(NpgsqlConnection connection, string[] accounts, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(AccountNumbers, connection);
        command.Parameters.AddWithValue("accounts", accounts);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        List<int> numbers = [];
        while (await rows.ReadAsync(cancellationToken)) numbers.Add(rows.GetInt32(0));
        return numbers;
    }

    /// <summary>Deletes the person's rows and blanks the ledger's; returns how many of each, by the step's name.</summary>
    public static async Task<Dictionary<string, long>> DeleteAsync(NpgsqlConnection connection, Guid[] leads, Guid[] visitors, string[] accounts, string[] needles, CancellationToken cancellationToken)
    {
        Dictionary<string, long> counts = new(StringComparer.Ordinal);
        await using (var count = new NpgsqlCommand(CountConsent, connection))
        {
            count.Parameters.AddWithValue("leads", leads);
            counts["consent"] = (long)(await count.ExecuteScalarAsync(cancellationToken))!;
        }
        await using (var blank = new NpgsqlCommand(BlankConsent, connection))
        {
            blank.Parameters.AddWithValue("leads", leads);
            blank.Parameters.AddWithValue("needles", needles);
            await blank.ExecuteNonQueryAsync(cancellationToken);
        }
        foreach (var (name, sql) in Steps)
        {
            await using var step = new NpgsqlCommand(sql, connection);
            if (sql.Contains("@leads", StringComparison.Ordinal)) step.Parameters.AddWithValue("leads", leads);
            if (sql.Contains("@visitors", StringComparison.Ordinal)) step.Parameters.AddWithValue("visitors", visitors);
            if (sql.Contains("@accounts", StringComparison.Ordinal)) step.Parameters.AddWithValue("accounts", accounts);
            counts[name] = await step.ExecuteNonQueryAsync(cancellationToken);
        }
        return counts;
    }

    public static async Task MarkDirtyAsync(NpgsqlConnection connection, IReadOnlyCollection<(string Property, DateOnly Day)> days, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(MarkDirty, connection);
        command.Parameters.AddWithValue("properties", days.Select(d => d.Property).ToArray());
        command.Parameters.AddWithValue("days", days.Select(d => d.Day).ToArray());
        command.Parameters.AddWithValue("now", now);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    public static async Task RememberAsync(
        NpgsqlConnection connection, Guid erasure, DateTimeOffset now, string receipt, byte[] work, Guid[] leads, byte[][] addressHashes, Guid[] visitors, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Remember, connection);
        command.Parameters.AddWithValue("erasure", erasure);
        command.Parameters.AddWithValue("now", now);
        command.Parameters.AddWithValue("receipt", NpgsqlDbType.Jsonb, receipt);
        command.Parameters.AddWithValue("work", work);
        command.Parameters.AddWithValue("leads", leads);
        command.Parameters.AddWithValue("address_hashes", addressHashes);
        command.Parameters.AddWithValue("visitors", visitors);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>The newest receipt for the lead or the address, as stored; null when neither was ever erased.</summary>
    public static async Task<string?> ReceiptAsync(NpgsqlConnection connection, Guid? leadId, byte[]? addressHash, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Receipt, connection);
        command.Parameters.Add(new NpgsqlParameter("lead", NpgsqlDbType.Uuid) { Value = (object?)leadId ?? DBNull.Value });
        command.Parameters.Add(new NpgsqlParameter("address_hash", NpgsqlDbType.Bytea) { Value = (object?)addressHash ?? DBNull.Value });
        return await command.ExecuteScalarAsync(cancellationToken) as string;
    }
}
