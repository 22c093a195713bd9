using Npgsql;

namespace Footfall.Leads;

/// <summary>
/// Looks once more for visitors who are likely the submitters of late: those whose events were still on their way when the
/// form came, and those who came within the window behind it.
/// </summary>
internal sealed class LikelyLinks(NpgsqlDataSource database, TimeProvider time)
{
    private static readonly TimeSpan Slack = TimeSpan.FromMinutes(5);

    // A form of the visitor's own may have come in the same moment as the other one that it was linked to.
    private const string DropKnown = """
        delete from lead_identities likely
        using lead_identities known
        where likely.link_source = 'same_ip_ua_window' and likely.linked_at >= @since
          and known.visitor_id = likely.visitor_id and known.link_source in ('form_submit', 'manual_merge')
        """;

    // The visitors come first, in one look for all submissions: a cluster cannot ask its nodes once for each. An address and browser that
    // far more share in the whole time than may in a window are nobody's, and must not be paired with each of their forms.
    private const string Add = """
        with recent as materialized (
            select id, lead_id, submitted_at, ip_hash || ua_hash as agent
            from form_submissions
            where submitted_at >= @since and ip_hash is not null and ua_hash is not null
        ),
        near as materialized (
            select id, last_seen_at, last_ip_hash || last_ua_hash as agent, count(*) over (partition by last_ip_hash || last_ua_hash) as sharing
            from visitors
            where (last_ip_hash || last_ua_hash) in (select agent from recent)
              and last_seen_at >= @since - @window and last_seen_at <= @now + @window
        )
        insert into lead_identities as i (id, lead_id, visitor_id, link_source, confidence, linked_at)
        select distinct on (n.lead_id, n.id) gen_random_uuid(), n.lead_id, n.id, 'same_ip_ua_window'::link_source, 0.3 + 0.3 / n.sharing, @now
        from (select s.lead_id, s.submitted_at, v.id, count(*) over (partition by s.id) as sharing
              from recent s
              join near v on v.agent = s.agent and v.sharing <= 50 * @most
                         and v.last_seen_at >= s.submitted_at - @window and v.last_seen_at <= s.submitted_at + @window
              where not exists (select from lead_identities own
                                where own.lead_id = s.lead_id and own.visitor_id = v.id and own.link_source = 'form_submit')) n
        where n.sharing <= @most
          and not exists (select from lead_identities known
                          where known.visitor_id = n.id and known.link_source in ('form_submit', 'manual_merge'))
        order by n.lead_id, n.id, n.submitted_at desc
        on conflict (lead_id, visitor_id, link_source) do update set confidence = excluded.confidence, linked_at = excluded.linked_at
        where i.confidence <> excluded.confidence
        """;

    /// <summary>How many links were added, changed or dropped.</summary>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection);
        foreach (var sql in (string[])[DropKnown, Add])
        {
            var command = new NpgsqlBatchCommand(sql);
            command.Parameters.AddWithValue("now", now);
            command.Parameters.AddWithValue("since", now - LeadSql.LinkWindow - Slack);
            command.Parameters.AddWithValue("window", LeadSql.LinkWindow);
            command.Parameters.AddWithValue("most", LeadSql.MostSharing);
            batch.BatchCommands.Add(command);
        }
        return await batch.ExecuteNonQueryAsync(cancellationToken);
    }
}
