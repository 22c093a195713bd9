using Npgsql;
using NpgsqlTypes;

namespace Footfall.Leads;

/// <summary>
/// Reads what one lead did and said, before the form and after it: consent, forms, and the visits of the visitors that are certainly the
/// person. Visits of those that are only likely may be somebody else's: they are counted and not shown.
/// </summary>
internal sealed class LeadHistoryReader(NpgsqlDataSource database, LeadStore leads, ConsentLedger ledger, AuditLog audit)
{
    /// <summary>Moments of a page.</summary>
    public const int PageMoments = 50;

    /// <summary>Events that are shown of one visit.</summary>
    public const int MostSteps = 20;

    // The second part: who sent a form without a lasting id, and nobody else's.
    private const string Visitors = """
        select i.visitor_id, array_agg(i.link_source::text order by i.confidence desc, i.linked_at), max(i.confidence), min(i.linked_at),
               v.first_seen_at, v.last_seen_at, coalesce(a.display_name, a.username, v.account_id),
               (select count(*) from sessions s where s.visitor_id = i.visitor_id)
        from (select visitor_id, link_source, confidence, linked_at from lead_identities where lead_id = @lead
              union all
              select s.visitor_id, 'form_submit', 1, min(s.submitted_at)
              from form_submissions s
              where s.lead_id = @lead and s.visitor_id is not null
                and not exists (select from lead_identities k where k.lead_id = @lead and k.visitor_id = s.visitor_id and k.link_source = 'form_submit')
                and not exists (select from form_submissions o where o.visitor_id = s.visitor_id and o.lead_id <> @lead)
              group by s.visitor_id) i
        left join visitors v on v.id = i.visitor_id
        left join accounts a on a.id = v.account_id
        group by i.visitor_id, v.first_seen_at, v.last_seen_at, a.display_name, a.username, v.account_id
        order by max(i.confidence) desc, min(i.linked_at), i.visitor_id
        limit 200
        """;

    private const string Merges = """
        select m.id, o.id, coalesce(o.email, o.email_normalized), m.into_lead_id = @lead, m.merged_at, m.undone_at
        from lead_merges m
        join leads o on o.id = case when m.into_lead_id = @lead then m.from_lead_id else m.into_lead_id end
        where @lead in (m.from_lead_id, m.into_lead_id)
        order by m.merged_at desc
        """;

    private const string FirstPage = """
        select s.landing_path
        from sessions s
        where s.visitor_id = any (@visitors)
        order by s.started_at, s.id
        limit 1
        """;

    private const string Submissions = """
        select id, submitted_at, property_id, form_name, source, validation_status, payload::text, consent::text
        from form_submissions
        where lead_id = @lead and (@before is null or submitted_at < @before)
        order by submitted_at desc, id desc
        limit @most
        """;

    private const string Sessions = """
        select id, visitor_id, started_at, property_id, ended_at, traffic_source::text, referrer_host, utm_campaign, device_type::text, browser, os,
               country_code, page_views, engaged_ms, has_conversion
        from sessions
        where visitor_id = any (@visitors) and (@before is null or started_at < @before)
        order by started_at desc, id desc
        limit @most
        """;

    private const string Steps = """
        select session_id, occurred_at, event_type, path, is_conversion, total
        from (select e.session_id, e.occurred_at, e.event_type, e.path, e.is_conversion,
                     row_number() over (partition by e.session_id order by e.occurred_at, e.id) as n,
                     count(*) over (partition by e.session_id) as total
              from events e
              where e.visitor_id = any (@visitors) and e.session_id = any (@sessions)
                and e.occurred_at >= @from and e.occurred_at <= @to) numbered
        where n <= @most
        order by session_id, n
        """;

    /// <summary>Null when there is no such lead. That it was looked at goes into the audit log.</summary>
    /// <param name="before">Only moments before this one; null for the newest.</param>
    public async Task<LeadHistory?> ReadAsync(Guid leadId, DateTimeOffset? before, string actor, CancellationToken cancellationToken)
    {
        if (await leads.FindAsync(leadId, cancellationToken) is not { } lead) return null;
        await audit.AddAsync(actor, AuditAction.PersonShown, leadId, "{}", cancellationToken);
        var consent = await ledger.OfLeadAsync(leadId, cancellationToken);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var visitors = await VisitorsAsync(connection, leadId, cancellationToken);
        Guid[] certain = [.. visitors.Where(v => v.Confidence >= 1).Select(v => v.Id)];
        List<LeadMoment> moments = [.. consent.Where(e => before is null || e.OccurredAt < before).Select(e => new LeadMoment(e.OccurredAt, Consent: e))];
        moments.AddRange(await SubmissionsAsync(connection, leadId, before, cancellationToken));
        moments.AddRange(await SessionsAsync(connection, certain, before, cancellationToken));
        if (before is null || lead.FirstCapturedAt < before) moments.Add(new LeadMoment(lead.FirstCapturedAt));
        // Of one instant, the visit comes first, then the form, then what it said of consent; newest first turns that around.
        moments = [.. moments.OrderByDescending(m => m.At).ThenBy(Rank)];
        DateTimeOffset? rest = null;
        if (moments.Count > PageMoments)
        {
            // The next page begins before an instant: those of one instant stay together.
            var end = PageMoments;
            while (end < moments.Count && moments[end].At == moments[end - 1].At) end++;
            if (end < moments.Count) rest = moments[end - 1].At;
            moments.RemoveRange(end, moments.Count - end);
        }
        return new LeadHistory(
            lead, FreeMailHosts.Names.Contains(lead.Domain), await FirstPageAsync(connection, certain, cancellationToken), visitors, await MergesAsync(connection, leadId, cancellationToken),
            await WithStepsAsync(connection, moments, cancellationToken), rest);
    }

    private static int Rank(LeadMoment m) => m.Consent is not null ? 0 : m is { Submission: null, Session: null } ? 1 : m.Submission is not null ? 2 : 3;

    private static async Task<List<LeadVisitor>> VisitorsAsync(NpgsqlConnection connection, Guid lead, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Visitors, connection);
        command.Parameters.AddWithValue("lead", lead);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        List<LeadVisitor> visitors = [];
        while (await rows.ReadAsync(cancellationToken))
        {
            visitors.Add(new LeadVisitor(
                rows.GetGuid(0), rows.GetFieldValue<string[]>(1), rows.GetFloat(2), rows.GetFieldValue<DateTimeOffset>(3), Instant(rows, 4), Instant(rows, 5), Text(rows, 6), rows.GetInt64(7)));
        }
        return visitors;
    }

    private static async Task<List<LeadMerge>> MergesAsync(NpgsqlConnection connection, Guid lead, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Merges, connection);
        command.Parameters.AddWithValue("lead", lead);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        List<LeadMerge> merges = [];
        while (await rows.ReadAsync(cancellationToken)) merges.Add(new LeadMerge(rows.GetGuid(0), rows.GetGuid(1), rows.GetString(2), rows.GetBoolean(3), rows.GetFieldValue<DateTimeOffset>(4), Instant(rows, 5)));
        return merges;
    }

    private static async Task<string?> FirstPageAsync(NpgsqlConnection connection, Guid[] visitors, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(FirstPage, connection);
        command.Parameters.AddWithValue("visitors", visitors);
        return await command.ExecuteScalarAsync(cancellationToken) as string;
    }

    private static async Task<List<LeadMoment>> SubmissionsAsync(NpgsqlConnection connection, Guid lead, DateTimeOffset? before, CancellationToken cancellationToken)
    {
        await using var command = Command(connection, Submissions, before);
        command.Parameters.AddWithValue("lead", lead);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        List<LeadMoment> moments = [];
        while (await rows.ReadAsync(cancellationToken))
        {
            var submission = new LeadSubmission(rows.GetGuid(0), rows.GetString(2), rows.GetString(3), Text(rows, 4), rows.GetString(5), Text(rows, 6), Text(rows, 7));
            moments.Add(new LeadMoment(rows.GetFieldValue<DateTimeOffset>(1), Submission: submission));
        }
        return moments;
    }

    private static async Task<List<LeadMoment>> SessionsAsync(NpgsqlConnection connection, Guid[] visitors, DateTimeOffset? before, CancellationToken cancellationToken)
    {
        await using var command = Command(connection, Sessions, before);
        command.Parameters.AddWithValue("visitors", visitors);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        List<LeadMoment> moments = [];
        while (await rows.ReadAsync(cancellationToken))
        {
            var session = new LeadSession(
                rows.GetGuid(0), rows.GetGuid(1), rows.GetString(3), rows.GetFieldValue<DateTimeOffset>(4), rows.GetString(5), Text(rows, 6), Text(rows, 7), rows.GetString(8), Text(rows, 9), Text(rows, 10),
                Text(rows, 11), rows.GetInt32(12), rows.GetInt64(13), rows.GetBoolean(14), [], 0);
            moments.Add(new LeadMoment(rows.GetFieldValue<DateTimeOffset>(2), Session: session));
        }
        return moments;
    }

    private static async Task<List<LeadMoment>> WithStepsAsync(NpgsqlConnection connection, List<LeadMoment> moments, CancellationToken cancellationToken)
    {
        var shown = moments.FindAll(m => m.Session is not null);
        if (shown.Count == 0) return moments;
        Dictionary<Guid, (List<LeadStep> Steps, long Count)> steps = [];
        await using var command = new NpgsqlCommand(Steps, connection);
        command.Parameters.AddWithValue("visitors", shown.Select(m => m.Session!.VisitorId).Distinct().ToArray());
        command.Parameters.AddWithValue("sessions", shown.Select(m => m.Session!.Id).ToArray());
        command.Parameters.AddWithValue("from", shown.Min(m => m.At));
        command.Parameters.AddWithValue("to", shown.Max(m => m.Session!.EndedAt));
        command.Parameters.AddWithValue("most", MostSteps);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        while (await rows.ReadAsync(cancellationToken))
        {
            var id = rows.GetGuid(0);
            if (!steps.TryGetValue(id, out var known)) steps[id] = known = ([], rows.GetInt64(5));
            known.Steps.Add(new LeadStep(rows.GetFieldValue<DateTimeOffset>(1), rows.GetString(2), Text(rows, 3), rows.GetBoolean(4)));
        }
        return moments.ConvertAll(m => m.Session is { } s && steps.TryGetValue(s.Id, out var found) ? m with { Session = s with { Steps = found.Steps, StepCount = found.Count } } : m);
    }

    private static NpgsqlCommand Command(NpgsqlConnection connection, string sql, DateTimeOffset? before)
    {
        var command = new NpgsqlCommand(sql, connection);
        command.Parameters.Add(new NpgsqlParameter("before", NpgsqlDbType.TimestampTz) { Value = (object?)before ?? DBNull.Value });
        command.Parameters.AddWithValue("most", PageMoments + 1);
        return command;
    }

    private static string? Text(NpgsqlDataReader rows, int column) => rows.IsDBNull(column) ? null : rows.GetString(column);

    private static DateTimeOffset? Instant(NpgsqlDataReader rows, int column) => rows.IsDBNull(column) ? null : rows.GetFieldValue<DateTimeOffset>(column);
}
