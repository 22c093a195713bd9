using Footfall.Segments;
using Npgsql;

namespace Footfall.Explore;

/// <summary>A lead first captured in the window.</summary>
/// <param name="Facts">Of its session, by <see cref="SessionFact"/>; null where it has none.</param>
/// <param name="Visitor">Number of the session's visitor.</param>
/// <param name="Start">The second in which the session began, since 1970.</param>
internal sealed record LeadRow(DateTimeOffset At, string?[]? Facts, int Visitor, long Start);

/// <summary>Leads are few, and of a table of their own: they are read when they are asked for, each with the session that the visitor who gave the address had begun last by then.</summary>
internal static class LeadRows
{
    private const int FirstFact = 3;

    // The facts in the order of the enum. A cluster looks the sessions up for all leads at once; it takes no lateral join.
    private const string Select = $"""
        select l.first_captured_at, s.number, floor(extract(epoch from s.started_at))::bigint,
               s.landing_path, s.exit_path, {SegmentModel.Source}, s.traffic_source::text, s.referrer_host,
               s.utm_source, s.utm_medium, s.utm_campaign, s.utm_term, s.utm_content,
               s.country_code, s.device_type::text, s.browser, s.os
        from leads l
        left join (
            select distinct on (c.lead_id) c.lead_id, v.number, s.*
            from (select l.id as lead_id, l.first_captured_at, i.visitor_id
                  from leads l
                  join lead_identities i on i.lead_id = l.id and i.link_source = 'form_submit'
                  where l.property_id = @property and l.first_captured_at >= @start and l.first_captured_at < @end) c
            join sessions s on s.visitor_id = c.visitor_id
            join visitors v on v.id = s.visitor_id
            where s.property_id = @property and s.device_type <> 'bot' and s.started_at <= c.first_captured_at
            order by c.lead_id, s.started_at desc, s.id) s on s.lead_id = l.id
        where l.property_id = @property and l.first_captured_at >= @start and l.first_captured_at < @end
        """;

    public static async Task<List<LeadRow>> ReadAsync(Snapshot snapshot, string propertyId, DayRange window, CancellationToken cancellationToken)
    {
        List<LeadRow> leads = [];
        await using var command = snapshot.Command(Select);
        command.Parameters.AddWithValue("property", propertyId);
        command.Parameters.AddWithValue("start", window.Start);
        command.Parameters.AddWithValue("end", window.End);
        await snapshot.ReadAsync(command, row => leads.Add(LeadOf(row)), cancellationToken);
        return leads;
    }

    private static LeadRow LeadOf(NpgsqlDataReader row)
    {
        var at = row.GetFieldValue<DateTimeOffset>(0);
        if (row.IsDBNull(1)) return new LeadRow(at, null, 0, 0);
        var facts = new string?[Enum.GetValues<SessionFact>().Length];
        for (var fact = 0; fact < facts.Length; fact++) facts[fact] = row.IsDBNull(FirstFact + fact) ? null : row.GetString(FirstFact + fact);
        return new LeadRow(at, facts, row.GetInt32(1), row.GetInt64(2));
    }
}
