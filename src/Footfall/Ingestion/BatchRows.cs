using Footfall.Capture;
using Npgsql;
using NpgsqlTypes;

namespace Footfall.Ingestion;

/// <summary>
/// Rows of a batch on their way into the tables. Nobody else adds any of the batch's visitors meanwhile (the writer's lock): what is not there is
/// copied in outright. What changes stored rows passes through temporary tables, which belong to the writer's own connection and empty themselves at the end of each transaction.
/// </summary>
internal static class BatchRows
{
    public const string Create = """
        create temporary table if not exists moved_visitors (
            visitor_id      uuid not null,
            first_at        timestamptz,                          -- null: as it was; likewise last_at and account_at
            first_property  text,
            first_ip_hash   bytea,
            first_ua_hash   bytea,
            last_at         timestamptz,
            last_ip_hash    bytea,
            last_ua_hash    bytea,
            account_id      text,
            account_at      timestamptz
        ) on commit delete rows;

        create temporary table if not exists grown_sessions (like sessions) on commit delete rows;

        create temporary table if not exists absorbed_sessions (
            visitor_id      uuid not null,
            session_id      uuid not null,
            into_id         uuid not null,
            starts          timestamptz not null,
            ends            timestamptz not null
        ) on commit delete rows;

        create temporary table if not exists moved_flags (
            visitor_id      uuid not null,
            occurred_at     timestamptz not null,
            event_id        uuid not null,
            flag            smallint not null                     -- an EventFlag
        ) on commit delete rows;
        """;

    private const string SessionColumns = """
        visitor_id, id, property_id, started_at, ended_at, first_event_id, entry_at, entry_event_id, exit_at, exit_event_id, later_exit_day,
        landing_path, exit_path, referrer, referrer_host, utm_source, utm_medium, utm_campaign, utm_term, utm_content,
        traffic_source, device_type, browser, os, country_code, page_views, events, engaged_ms, has_conversion, is_bounce, sealed
        """;

    private const string MoveVisitors = """
        update visitors v set
            first_property_id = case when m.first_at is null then v.first_property_id else m.first_property end,
            first_ip_hash     = case when m.first_at is null then v.first_ip_hash else m.first_ip_hash end,
            first_ua_hash     = case when m.first_at is null then v.first_ua_hash else m.first_ua_hash end,
            first_seen_at     = coalesce(m.first_at, v.first_seen_at),
            last_ip_hash      = case when m.last_at is null then v.last_ip_hash else m.last_ip_hash end,
            last_ua_hash      = case when m.last_at is null then v.last_ua_hash else m.last_ua_hash end,
            last_seen_at      = coalesce(m.last_at, v.last_seen_at),
            account_id        = case when m.account_at is null then v.account_id else m.account_id end,
            account_seen_at   = coalesce(m.account_at, v.account_seen_at)
        from moved_visitors m
        where v.id = m.visitor_id
        """;

    private const string Grow = $"""
        with n as materialized (select {SessionColumns} from grown_sessions)
        update sessions s set
            started_at = n.started_at, ended_at = n.ended_at, first_event_id = n.first_event_id,
            entry_at = n.entry_at, entry_event_id = n.entry_event_id,
            exit_at = n.exit_at, exit_event_id = n.exit_event_id, later_exit_day = n.later_exit_day,
            landing_path = n.landing_path, exit_path = n.exit_path,
            referrer = n.referrer, referrer_host = n.referrer_host,
            utm_source = n.utm_source, utm_medium = n.utm_medium, utm_campaign = n.utm_campaign,
            utm_term = n.utm_term, utm_content = n.utm_content,
            traffic_source = n.traffic_source, device_type = n.device_type,
            browser = n.browser, os = n.os, country_code = n.country_code,
            page_views = n.page_views, events = n.events, engaged_ms = n.engaged_ms,
            has_conversion = n.has_conversion, is_bounce = n.is_bounce, sealed = n.sealed
        from n
        where s.visitor_id = n.visitor_id and s.id = n.id
        """;

    private const string Absorb = """
        update events e
        set session_id = a.into_id
        from absorbed_sessions a
        where e.visitor_id = a.visitor_id and e.session_id = a.session_id and e.occurred_at >= a.starts and e.occurred_at <= a.ends;

        delete from sessions s
        using absorbed_sessions a
        where s.visitor_id = a.visitor_id and s.id = a.session_id
        """;

    private static readonly string MoveFlags = $"""
        update events e
        set is_entrance = false
        from moved_flags f
        where f.flag = {(short)EventFlag.NoEntrance} and e.visitor_id = f.visitor_id and e.occurred_at = f.occurred_at and e.id = f.event_id;

        update events e
        set is_exit = f.flag = {(short)EventFlag.Exit}
        from moved_flags f
        where f.flag <> {(short)EventFlag.NoEntrance} and e.visitor_id = f.visitor_id and e.occurred_at = f.occurred_at and e.id = f.event_id
        """;

    public static Task AddKeysAsync(NpgsqlConnection connection, IEnumerable<CapturedEvent> events, CancellationToken cancellationToken) =>
        CopyAsync(connection, "event_keys (visitor_id, dedupe_key, occurred_at)", events, (row, e) =>
        {
            row.Write(e.VisitorId);
            row.Write(e.DedupeKey);
            row.Write(e.OccurredAt);
        }, cancellationToken);

    public static Task AddVisitorsAsync(NpgsqlConnection connection, IEnumerable<(VisitorChange Visitor, int Number)> visitors, CancellationToken cancellationToken) =>
        CopyAsync(connection, """
            visitors (id, anon_id, kind, number, first_seen_at, last_seen_at, first_property_id,
                      first_ip_hash, last_ip_hash, first_ua_hash, last_ua_hash, account_id, account_seen_at)
            """, visitors, (row, added) =>
        {
            var (v, number) = added;
            row.Write(v.Id);
            row.Write(v.AnonId);
            row.Write(Names.Of(v.Kind));
            row.Write(number);
            row.Write(v.First?.OccurredAt);
            row.Write(v.Last?.OccurredAt);
            row.Write(v.First?.PropertyId);
            row.Write(v.First?.IpHash);
            row.Write(v.Last?.IpHash);
            row.Write(v.First?.UaHash);
            row.Write(v.Last?.UaHash);
            row.Write(v.Account?.AccountId);
            row.Write(v.Account?.OccurredAt);
        }, cancellationToken);

    public static async Task MoveVisitorsAsync(NpgsqlConnection connection, IReadOnlyCollection<VisitorChange> visitors, CancellationToken cancellationToken)
    {
        if (visitors.Count == 0) return;
        await CopyAsync(connection, "moved_visitors (visitor_id, first_at, first_property, first_ip_hash, first_ua_hash, last_at, last_ip_hash, last_ua_hash, account_id, account_at)", visitors, (row, v) =>
        {
            var (first, last, account) = (v.MovesFirst ? v.First : null, v.MovesLast ? v.Last : null, v.MovesAccount ? v.Account : null);
            row.Write(v.Id);
            row.Write(first?.OccurredAt);
            row.Write(first?.PropertyId);
            row.Write(first?.IpHash);
            row.Write(first?.UaHash);
            row.Write(last?.OccurredAt);
            row.Write(last?.IpHash);
            row.Write(last?.UaHash);
            row.Write(account?.AccountId);
            row.Write(account?.OccurredAt);
        }, cancellationToken);
        await RunAsync(connection, MoveVisitors, cancellationToken);
    }

    public static Task AddSessionsAsync(NpgsqlConnection connection, IReadOnlyCollection<SessionRow> sessions, CancellationToken cancellationToken) =>
        CopyAsync(connection, $"sessions ({SessionColumns})", sessions, WriteSession, cancellationToken);

    public static async Task GrowAsync(NpgsqlConnection connection, IReadOnlyCollection<SessionRow> sessions, CancellationToken cancellationToken)
    {
        if (sessions.Count == 0) return;
        await CopyAsync(connection, $"grown_sessions ({SessionColumns})", sessions, WriteSession, cancellationToken);
        await RunAsync(connection, Grow, cancellationToken);
    }

    public static async Task AbsorbAsync(NpgsqlConnection connection, IReadOnlyCollection<Absorbed> absorbed, CancellationToken cancellationToken)
    {
        if (absorbed.Count == 0) return;
        await CopyAsync(connection, "absorbed_sessions (visitor_id, session_id, into_id, starts, ends)", absorbed, (row, a) =>
        {
            row.Write(a.Session.VisitorId);
            row.Write(a.Session.Id);
            row.Write(a.Into);
            row.Write(a.Session.StartedAt);
            row.Write(a.Session.EndedAt);
        }, cancellationToken);
        await RunAsync(connection, Absorb, cancellationToken);
    }

    public static async Task MoveFlagsAsync(NpgsqlConnection connection, IReadOnlyCollection<FlagMove> flags, CancellationToken cancellationToken)
    {
        if (flags.Count == 0) return;
        await CopyAsync(connection, "moved_flags (visitor_id, occurred_at, event_id, flag)", flags, (row, f) =>
        {
            row.Write(f.VisitorId);
            row.Write(f.OccurredAt);
            row.Write(f.EventId);
            row.Write((short)f.Flag);
        }, cancellationToken);
        await RunAsync(connection, MoveFlags, cancellationToken);
    }

    public static Task AddEventsAsync(NpgsqlConnection connection, IReadOnlyCollection<CapturedEvent> events, Stitching stitching, CancellationToken cancellationToken) =>
        CopyAsync(connection, """
            events (visitor_id, id, occurred_at, received_at, session_id, dedupe_key, property_id, event_type, path,
                    ip_hash, ua_hash, traffic_source, device_type, is_entrance, is_exit, is_conversion,
                    country_code, account_id, entity_type, entity_id, props)
            """, events, (row, e) =>
        {
            var session = stitching.SessionOf(e);
            row.Write(e.VisitorId);
            row.Write(e.Id);
            row.Write(e.OccurredAt);
            row.Write(e.ReceivedAt);
            row.Write(session?.Id);
            row.Write(e.DedupeKey);
            row.Write(e.PropertyId);
            row.Write(e.EventType);
            row.Write(e.Path);
            row.Write(e.IpHash);
            row.Write(e.UaHash);
            row.Write(Names.Of(e.TrafficSource));
            row.Write(Names.Of(e.DeviceType));
            row.Write(session?.Entry?.EventId == e.Id);
            row.Write(session is { Sealed: true } && session.Exit?.EventId == e.Id);
            row.Write(e.IsConversion);
            row.Write(e.CountryCode);
            row.Write(e.AccountId);
            row.Write(e.EntityType);
            row.Write(e.EntityId);
            row.WriteJson(e.Props);
        }, cancellationToken);

    private static void WriteSession(CopyRow row, SessionRow s)
    {
        row.Write(s.VisitorId);
        row.Write(s.Id);
        row.Write(s.PropertyId);
        row.Write(s.StartedAt);
        row.Write(s.EndedAt);
        row.Write(s.FirstEventId);
        row.Write(s.Entry?.At);
        row.Write(s.Entry?.EventId);
        row.Write(s.Exit?.At);
        row.Write(s.Exit?.EventId);
        row.Write(s.LaterExitDay);
        row.Write(s.Entry?.Path);
        row.Write(s.Exit?.Path);
        row.Write(s.Origin.Referrer);
        row.Write(s.Origin.ReferrerHost);
        row.Write(s.Origin.UtmSource);
        row.Write(s.Origin.UtmMedium);
        row.Write(s.Origin.UtmCampaign);
        row.Write(s.Origin.UtmTerm);
        row.Write(s.Origin.UtmContent);
        row.Write(s.Origin.Source);
        row.Write(s.Origin.Device);
        row.Write(s.Origin.Browser);
        row.Write(s.Origin.Os);
        row.Write(s.Origin.Country);
        row.Write(s.PageViews);
        row.Write(s.Events);
        row.Write(s.EngagedMs);
        row.Write(s.HasConversion);
        row.Write(s.IsBounce);
        row.Write(s.Sealed);
    }

    private static async Task CopyAsync<T>(NpgsqlConnection connection, string into, IEnumerable<T> rows, Action<CopyRow, T> write, CancellationToken cancellationToken)
    {
        using var left = rows.GetEnumerator();
        if (!left.MoveNext()) return;
        await using var copy = await connection.BeginBinaryImportAsync($"copy {into} from stdin (format binary)", cancellationToken);
        var row = new CopyRow(copy);
        do
        {
            await copy.StartRowAsync(cancellationToken);
            write(row, left.Current);
        }
        while (left.MoveNext());
        await copy.CompleteAsync(cancellationToken);
    }

    private static async Task RunAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Values of a row, in the order of its columns. An enum's binary form is its name, so that it is written as a text.</summary>
    private readonly struct CopyRow(NpgsqlBinaryImporter copy)
    {
        public void Write(Guid value) => copy.Write(value, NpgsqlDbType.Uuid);

        public void Write(Guid? value)
        {
            if (value is { } there) Write(there);
            else copy.WriteNull();
        }

        public void Write(string? value)
        {
            if (value is null) copy.WriteNull();
            else copy.Write(value, NpgsqlDbType.Text);
        }

        public void Write(DateTimeOffset value) => copy.Write(value, NpgsqlDbType.TimestampTz);

        public void Write(DateTimeOffset? value)
        {
            if (value is { } there) Write(there);
            else copy.WriteNull();
        }

        public void Write(DateOnly? value)
        {
            if (value is { } there) copy.Write(there, NpgsqlDbType.Date);
            else copy.WriteNull();
        }

        public void Write(byte[]? value)
        {
            if (value is null) copy.WriteNull();
            else copy.Write(value, NpgsqlDbType.Bytea);
        }

        public void WriteJson(byte[]? value)
        {
            if (value is null) copy.WriteNull();
            else copy.Write(value, NpgsqlDbType.Jsonb);
        }

        public void Write(bool value) => copy.Write(value, NpgsqlDbType.Boolean);

        public void Write(short value) => copy.Write(value, NpgsqlDbType.Smallint);

        public void Write(int value) => copy.Write(value, NpgsqlDbType.Integer);

        public void Write(long value) => copy.Write(value, NpgsqlDbType.Bigint);
    }
}
