using Footfall.Capture;
using Npgsql;
using NpgsqlTypes;

namespace Footfall.Ingestion;

/// <summary>The temporary tables through which a batch passes, and the COPY that fills the first. They belong to the writer's own connection and empty themselves at the end of each transaction.</summary>
internal static class BatchTables
{
    public const string Create = """
        create temporary table if not exists batch (
            seq             integer not null,
            id              uuid not null,
            visitor_id      uuid not null,
            kind            text not null,
            anon_id         text,
            dedupe_key      uuid,
            property_id     text not null,
            event_type      text not null,
            path            text,
            occurred_at     timestamptz not null,
            received_at     timestamptz not null,
            in_range        boolean not null,
            is_bot          boolean not null,
            ip_hash         bytea,
            ua_hash         bytea,
            referrer        text,
            referrer_host   text,
            utm_source      text,
            utm_medium      text,
            utm_campaign    text,
            utm_term        text,
            utm_content     text,
            traffic_source  text not null,
            device_type     text not null,
            browser         text,
            os              text,
            country_code    text,
            is_conversion   boolean not null,
            account_id      text,
            username        text,
            display_name    text,
            entity_type     text,
            entity_id       text,
            engaged_ms      integer not null,
            props           jsonb
        ) on commit delete rows;

        -- One row per visitor of the batch: what the batch says, and what was known before.
        create temporary table if not exists batch_visitors (
            visitor_id      uuid not null,
            number          integer not null,
            kind            text not null,
            anon_id         text,
            first_at        timestamptz,
            first_property  text,
            first_ip_hash   bytea,
            first_ua_hash   bytea,
            last_at         timestamptz,
            last_ip_hash    bytea,
            last_ua_hash    bytea,
            account_id      text,
            account_at      timestamptz,
            known           boolean not null,
            known_first_at  timestamptz,
            known_property  text,
            known_last_at   timestamptz
        ) on commit delete rows;

        -- Stored sessions that an event of the batch may touch.
        create temporary table if not exists batch_near (like sessions) on commit delete rows;

        -- Pieces of sessions: each event of the batch that is in range is one, each near session is one.
        -- Pieces of the same island, less than the inactivity gap apart, become one session.
        create temporary table if not exists batch_pieces (
            island          integer not null,
            seq             integer,                              -- of an event
            session_id      uuid,                                 -- of a stored session
            visitor_id      uuid not null,
            property_id     text not null,
            starts          timestamptz not null,
            ends            timestamptz not null,
            first_event_id  uuid not null,
            entry_at        timestamptz,
            entry_event_id  uuid,
            exit_at         timestamptz,
            exit_event_id   uuid,
            page_views      integer not null,
            events          integer not null,
            engaged_ms      bigint not null,
            has_conversion  boolean not null,
            sealed          boolean not null
        ) on commit delete rows;

        create temporary table if not exists batch_islands (
            island          integer not null,
            session_id      uuid not null,
            visitor_id      uuid not null,
            property_id     text not null,
            starts          timestamptz not null,
            ends            timestamptz not null,
            entry_at        timestamptz,
            entry_event_id  uuid,
            exit_at         timestamptz,
            exit_event_id   uuid,
            page_views      integer not null,
            events          integer not null,
            engaged_ms      bigint not null,
            has_conversion  boolean not null,
            sealed          boolean not null,
            first_seq       integer,                              -- the piece that decides source, device, country:
            first_session   uuid,                                 -- an event of the batch, or a near session
            entry_seq       integer,
            entry_session   uuid,
            exit_seq        integer,
            exit_session    uuid,
            first_event_id  uuid not null,
            near            integer not null                      -- how many stored sessions it holds
        ) on commit delete rows;
        """;

    private const string Copy = """
        copy batch (seq, id, visitor_id, kind, anon_id, dedupe_key, property_id, event_type, path, occurred_at, received_at,
                    in_range, is_bot, ip_hash, ua_hash, referrer, referrer_host, utm_source, utm_medium, utm_campaign, utm_term,
                    utm_content, traffic_source, device_type, browser, os, country_code, is_conversion, account_id, username,
                    display_name, entity_type, entity_id, engaged_ms, props)
        from stdin (format binary)
        """;

    public static async Task FillAsync(NpgsqlConnection connection, IReadOnlyList<CapturedEvent> events, CancellationToken cancellationToken)
    {
        await using var copy = await connection.BeginBinaryImportAsync(Copy, cancellationToken);
        for (var i = 0; i < events.Count; i++)
        {
            var e = events[i];
            await copy.StartRowAsync(cancellationToken);
            await copy.WriteAsync(i, NpgsqlDbType.Integer, cancellationToken);
            await copy.WriteAsync(e.Id, NpgsqlDbType.Uuid, cancellationToken);
            await copy.WriteAsync(e.VisitorId, NpgsqlDbType.Uuid, cancellationToken);
            await copy.WriteAsync(Names.Of(e.VisitorKind), NpgsqlDbType.Text, cancellationToken);
            await Text(e.AnonId);
            if (e.DedupeKey is { } key) await copy.WriteAsync(key, NpgsqlDbType.Uuid, cancellationToken);
            else await copy.WriteNullAsync(cancellationToken);
            await Text(e.PropertyId);
            await Text(e.EventType);
            await Text(e.Path);
            await copy.WriteAsync(e.OccurredAt, NpgsqlDbType.TimestampTz, cancellationToken);
            await copy.WriteAsync(e.ReceivedAt, NpgsqlDbType.TimestampTz, cancellationToken);
            await copy.WriteAsync(!e.IsOutOfRange, NpgsqlDbType.Boolean, cancellationToken);
            await copy.WriteAsync(e.DeviceType == DeviceType.Bot, NpgsqlDbType.Boolean, cancellationToken);
            await Bytes(e.IpHash, NpgsqlDbType.Bytea);
            await Bytes(e.UaHash, NpgsqlDbType.Bytea);
            await Text(e.Referrer);
            await Text(e.ReferrerHost);
            await Text(e.UtmSource);
            await Text(e.UtmMedium);
            await Text(e.UtmCampaign);
            await Text(e.UtmTerm);
            await Text(e.UtmContent);
            await copy.WriteAsync(Names.Of(e.TrafficSource), NpgsqlDbType.Text, cancellationToken);
            await copy.WriteAsync(Names.Of(e.DeviceType), NpgsqlDbType.Text, cancellationToken);
            await Text(e.Browser);
            await Text(e.Os);
            await Text(e.CountryCode);
            await copy.WriteAsync(e.IsConversion, NpgsqlDbType.Boolean, cancellationToken);
            await Text(e.AccountId);
            await Text(e.AccountUsername);
            await Text(e.AccountDisplayName);
            await Text(e.EntityType);
            await Text(e.EntityId);
            await copy.WriteAsync(e.EngagedMs, NpgsqlDbType.Integer, cancellationToken);
            await Bytes(e.Props, NpgsqlDbType.Jsonb);
        }
        await copy.CompleteAsync(cancellationToken);

        Task Text(string? value) => value is null
            ? copy.WriteNullAsync(cancellationToken)
            : copy.WriteAsync(value, NpgsqlDbType.Text, cancellationToken);

        Task Bytes(byte[]? value, NpgsqlDbType type) => value is null
            ? copy.WriteNullAsync(cancellationToken)
            : copy.WriteAsync(value, type, cancellationToken);
    }
}

/// <summary>The names under which PostgreSQL knows the closed sets.</summary>
internal static class Names
{
    public static string Of(VisitorKind kind) => kind switch
    {
        VisitorKind.AnonId => "anon_id",
        VisitorKind.Cookieless => "cookieless",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, null),
    };

    public static string Of(TrafficSource source) => source switch
    {
        TrafficSource.Direct => "direct",
        TrafficSource.OrganicSearch => "organic_search",
        TrafficSource.PaidSearch => "paid_search",
        TrafficSource.Social => "social",
        TrafficSource.Email => "email",
        TrafficSource.Referral => "referral",
        TrafficSource.Campaign => "campaign",
        TrafficSource.Internal => "internal",
        TrafficSource.Unknown => "unknown",
        _ => throw new ArgumentOutOfRangeException(nameof(source), source, null),
    };

    public static string Of(DeviceType device) => device switch
    {
        DeviceType.Desktop => "desktop",
        DeviceType.Mobile => "mobile",
        DeviceType.Tablet => "tablet",
        DeviceType.Bot => "bot",
        DeviceType.Unknown => "unknown",
        _ => throw new ArgumentOutOfRangeException(nameof(device), device, null),
    };
}
