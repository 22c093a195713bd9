using Footfall.Capture;
using Footfall.Ingestion;
using Npgsql;
using NpgsqlTypes;

namespace Footfall.Leads;

/// <summary>The statements that store a form, in their order. Each is a command of a batch, so that the whole takes two journeys to the database.</summary>
internal static class LeadSql
{
    /// <summary>How near to the form a visitor must have been seen.</summary>
    public static readonly TimeSpan LinkWindow = TimeSpan.FromMinutes(30);

    /// <summary>So many who share address and browser tell nobody apart.</summary>
    public const int MostSharing = 20;

    // Whoever is first makes the lead, the others wait for it here and find it made. Behind the lead: whether its property asks people to confirm.
    private const string Upsert = $"""
        insert into leads as l (id, email_normalized, email, email_domain, consent_status, first_captured_at, last_captured_at, source_channel, property_id)
        select @id, @address, @typed, @domain, 'pending'::consent_status, @now, @now,
               coalesce((select s.traffic_source::text
                         from sessions s
                         where s.visitor_id = @visitor and s.property_id = @property and s.ended_at >= @now - @gap
                         order by s.ended_at desc
                         limit 1), @source),
               @property
        on conflict (email_normalized) do update set last_captured_at = greatest(l.last_captured_at, excluded.last_captured_at)
        returning {LeadStore.Columns}, (select double_opt_in from properties where id = @property)
        """;

    // One statement rather than one for each table: what a statement costs beside its rows is most of what a form costs.
    // No event where the submission was there before: it is on its way, or has arrived. Who gave an address is known by it;
    // what was only likely before is settled.
    private const string Store = """
        with submission as (
        insert into form_submissions (id, lead_id, visitor_id, session_id, property_id, form_name, submit_key, payload, consent, source,
                                      ip_hash, ua_hash, validation_status, submitted_at)
        select @id, @lead, @visitor,
               (select s.id
                from sessions s
                where s.visitor_id = @visitor and s.property_id = @property and s.ended_at >= @now - @gap
                order by s.ended_at desc
                limit 1),
               @property, @form, @submit_key, @payload::jsonb, @consent::jsonb, @page, @ip_hash, @ua_hash, @validation, @now
        on conflict (lead_id, submit_key) do nothing
        returning id
        ), event as (
        insert into form_submit_events (submission_id, property_id, day, record, created_at)
        select id, @property, @day, @record, @now
        from submission
        ), settled as (
        delete from lead_identities where visitor_id = @own and link_source = 'same_ip_ua_window'
        )
        insert into lead_identities (id, lead_id, visitor_id, link_source, confidence, linked_at)
        select @link, @lead, @own, 'form_submit', 1, @now
        where @own is not null
        on conflict (lead_id, visitor_id, link_source) do nothing
        """;

    /// <summary>
    /// Visitors last seen with the same address and browser within the window are likely the same person, the less so the more
    /// they are. Those who gave an address themselves are known, and are nobody else.
    /// </summary>
    private static readonly string AddLikelyLinks = $"""
        insert into lead_identities (id, lead_id, visitor_id, link_source, confidence, linked_at)
        select gen_random_uuid(), @lead, n.id, 'same_ip_ua_window', 0.3 + 0.3 / n.sharing, @now
        from (select v.id, count(*) over () as sharing
              from (select id
                    from visitors
                    where (last_ip_hash || last_ua_hash) = (@ip_hash || @ua_hash)
                      and last_seen_at >= @now - interval '{LinkWindow.TotalMinutes} minutes' and last_seen_at <= @now + interval '{LinkWindow.TotalMinutes} minutes'
                      and id is distinct from @own
                    limit {MostSharing + 1}) v) n
        where n.sharing <= {MostSharing}
          and not exists (select from lead_identities known
                          where known.visitor_id = n.id and known.link_source in ('form_submit', 'manual_merge'))
        on conflict (lead_id, visitor_id, link_source) do update set confidence = excluded.confidence, linked_at = excluded.linked_at
        """;

    // A mail that was just sent need not be sent again, and nobody's mailbox is filled by a stranger who knows it.
    private const string AskToConfirm = """
        insert into consent_requests (id, lead_id, property_id, purpose, source, ip_hash, requested_at, expires_at, next_attempt_at)
        select @id, @lead, @property, @purpose, @page, @ip_hash, @now, @now + @holds, case when @sends then @now end
        where not exists (select from consent_requests
                          where lead_id = @lead and confirmed_at is null and voided_at is null
                            and requested_at > @now - interval '10 minutes' and purpose is not distinct from @purpose)
          and (select count(*) from consent_requests where lead_id = @lead and requested_at > @now - interval '1 day') < 5
        """;

    public static NpgsqlBatchCommand Upserting(Submission s, TimeSpan gap)
    {
        var command = new NpgsqlBatchCommand(Upsert);
        var p = command.Parameters;
        p.AddWithValue("id", s.Id);
        p.AddWithValue("address", s.Address.Normalized);
        Text(p, "typed", s.Address.Address == s.Address.Normalized ? null : s.Address.Address);
        p.AddWithValue("domain", s.Address.Domain);
        p.AddWithValue("now", s.At);
        Id(p, "visitor", s.Event?.VisitorId);
        p.AddWithValue("property", s.PropertyId);
        p.AddWithValue("gap", gap);
        Text(p, "source", s.Event is { } e ? Names.Of(e.TrafficSource) : null);
        return command;
    }

    /// <summary>All but consent.</summary>
    public static IEnumerable<NpgsqlBatchCommand> Storing(Submission s, Guid lead, TimeSpan gap)
    {
        var add = new NpgsqlBatchCommand(Store);
        add.Parameters.AddWithValue("id", s.Id);
        add.Parameters.AddWithValue("lead", lead);
        Id(add.Parameters, "visitor", s.Event?.VisitorId);
        add.Parameters.AddWithValue("property", s.PropertyId);
        add.Parameters.AddWithValue("gap", gap);
        add.Parameters.AddWithValue("form", s.Request.FormName ?? "");
        Id(add.Parameters, "submit_key", s.Request.EventId is { } key ? VisitorIds.DedupeKeyOfEventId(key) : null);
        Text(add.Parameters, "payload", s.Payload);
        Text(add.Parameters, "consent", s.Consent);
        Text(add.Parameters, "page", s.Page);
        // Kept for finding likely visitors, and for nothing else.
        Bytes(add.Parameters, "ip_hash", s.LooksForLikely ? s.IpHash : null);
        Bytes(add.Parameters, "ua_hash", s.LooksForLikely ? s.UaHash : null);
        add.Parameters.AddWithValue("validation", s.ValidationStatus);
        add.Parameters.AddWithValue("now", s.At);
        add.Parameters.AddWithValue("day", DateOnly.FromDateTime(s.At.UtcDateTime));
        add.Parameters.AddWithValue("record", s.Record);
        add.Parameters.AddWithValue("link", Guid.NewGuid());
        Id(add.Parameters, "own", s.OwnVisitor);
        yield return add;
        if (s.LooksForLikely && s is { IpHash: { } ip, UaHash: { } ua }) yield return LikelyLinks(lead, s.OwnVisitor, ip, ua, s.At);
    }

    public static NpgsqlBatchCommand LikelyLinks(Guid lead, Guid? own, byte[] ipHash, byte[] uaHash, DateTimeOffset now)
    {
        var likely = new NpgsqlBatchCommand(AddLikelyLinks);
        likely.Parameters.AddWithValue("lead", lead);
        Id(likely.Parameters, "own", own);
        likely.Parameters.AddWithValue("ip_hash", ipHash);
        likely.Parameters.AddWithValue("ua_hash", uaHash);
        likely.Parameters.AddWithValue("now", now);
        return likely;
    }

    public static NpgsqlBatchCommand AskingToConfirm(Guid lead, ConsentGiven given, Submission s, TimeSpan holds, bool sends)
    {
        var ask = new NpgsqlBatchCommand(AskToConfirm);
        ask.Parameters.AddWithValue("id", Guid.NewGuid());
        ask.Parameters.AddWithValue("lead", lead);
        ask.Parameters.AddWithValue("property", s.PropertyId);
        Text(ask.Parameters, "purpose", given.Purpose);
        Text(ask.Parameters, "page", s.Page);
        Bytes(ask.Parameters, "ip_hash", s.IpHash);
        ask.Parameters.AddWithValue("now", s.At);
        ask.Parameters.AddWithValue("holds", holds);
        ask.Parameters.AddWithValue("sends", sends);
        return ask;
    }

    private static void Text(NpgsqlParameterCollection p, string name, string? value) => p.Add(new NpgsqlParameter(name, NpgsqlDbType.Text) { Value = (object?)value ?? DBNull.Value });

    private static void Bytes(NpgsqlParameterCollection p, string name, byte[]? value) => p.Add(new NpgsqlParameter(name, NpgsqlDbType.Bytea) { Value = (object?)value ?? DBNull.Value });

    private static void Id(NpgsqlParameterCollection p, string name, Guid? value) => p.Add(new NpgsqlParameter(name, NpgsqlDbType.Uuid) { Value = (object?)value ?? DBNull.Value });
}
