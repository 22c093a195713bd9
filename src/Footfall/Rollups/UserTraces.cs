using Footfall.Leads;
using Npgsql;

namespace Footfall.Rollups;

/// <summary>
/// What the read models keep of single users. The figures of days whose raw rows are there are computed anew by themselves; of older
/// days the rows about one user go, counts and sets stay as they are: the numbers in them belong to nobody any more.
/// </summary>
internal sealed class UserTraces : IPersonalTrace
{
    private const string Entities = """
        delete from entity_visitor_days d
        using unnest(@properties, @types, @ids) as t (property_id, entity_type, entity_id)
        where d.property_id = t.property_id and d.entity_type = t.entity_type and d.entity_id = t.entity_id and d.user_number = any (@users)
        """;

    private const string EntityTotal = """
        delete from entity_visitors v
        using unnest(@properties, @types, @ids) as t (property_id, entity_type, entity_id)
        where v.property_id = t.property_id and v.entity_type = t.entity_type and v.entity_id = t.entity_id and v.user_number = any (@users)
        """;

    private const string FirstDays = "delete from product_users where property_id = any (@of) and user_number = any (@users)";

    private const string Exposures = """
        delete from experiment_exposures x
        using experiment_assignments a
        where a.property_id = any (@of) and a.user_number = any (@users)
          and x.property_id = a.property_id and x.experiment_id = a.experiment_id and x.user_number = a.user_number
        """;

    private const string Assignments = "delete from experiment_assignments where property_id = any (@of) and user_number = any (@users)";

    // Leads outlive raw rows: how many were new on a day is counted anew also where nothing else can be.
    private const string NewLeads = """
        with purged as materialized (
            select t.property_id, t.day, l.id as lead_id, l.first_captured_at
            from unnest(@day_properties, @days) as t (property_id, day)
            join purged_days p on p.property_id = t.property_id and t.day <= p.through
            left join leads l on l.property_id = t.property_id
                and l.first_captured_at >= t.day::timestamp at time zone 'UTC' and l.first_captured_at < (t.day + 1)::timestamp at time zone 'UTC'
        ),
        links as materialized (
            select i.lead_id, i.visitor_id
            from lead_identities i
            where i.lead_id in (select lead_id from purged) and i.link_source = 'form_submit'
        ),
        seen as materialized (
            select i.lead_id, min(v.first_seen_at) as at
            from links i
            join visitors v on v.id = i.visitor_id
            group by i.lead_id
        ),
        counted as materialized (
            select c.property_id, c.day, count(c.lead_id) as new_leads,
                   coalesce(sum(greatest(extract(epoch from c.first_captured_at - s.at) * 1000, 0)), 0)::bigint as first_capture_ms,
                   count(s.at) as first_capture_leads
            from purged c
            left join seen s on s.lead_id = c.lead_id
            group by c.property_id, c.day
        )
        update daily_metric_rollups m
        set new_leads = c.new_leads, first_capture_ms = c.first_capture_ms, first_capture_leads = c.first_capture_leads
        from counted c
        where m.property_id = c.property_id and m.day = c.day
          and (m.new_leads, m.first_capture_ms, m.first_capture_leads) <> (c.new_leads, c.first_capture_ms, c.first_capture_leads)
        """;

    private static readonly string[] WholeTables = ["entity_visitor_days", "entity_visitors", "product_users", "experiment_exposures", "experiment_assignments"];

    public async Task<long> EraseAsync(NpgsqlConnection connection, ErasedPerson person, CancellationToken cancellationToken)
    {
        var users = Users(person.VisitorNumbers, person.AccountNumbers);
        long rows = 0;
        if (users.Length > 0)
        {
            foreach (var sql in new[] { Entities, EntityTotal, FirstDays, Exposures, Assignments })
            {
                await using var command = new NpgsqlCommand(sql, connection);
                command.Parameters.AddWithValue("users", users);
                if (sql.Contains("@types", StringComparison.Ordinal))
                {
                    command.Parameters.AddWithValue("properties", person.Entities.Select(e => e.Property).ToArray());
                    command.Parameters.AddWithValue("types", person.Entities.Select(e => e.Type).ToArray());
                    command.Parameters.AddWithValue("ids", person.Entities.Select(e => e.Id).ToArray());
                }
                else
                {
                    command.Parameters.AddWithValue("of", person.Properties.ToArray());
                }
                rows += await command.ExecuteNonQueryAsync(cancellationToken);
            }
        }
        await using var leads = new NpgsqlCommand(NewLeads, connection);
        leads.Parameters.AddWithValue("day_properties", person.Days.Select(d => d.Property).ToArray());
        leads.Parameters.AddWithValue("days", person.Days.Select(d => d.Day).ToArray());
        await leads.ExecuteNonQueryAsync(cancellationToken);
        return rows;
    }

    public async Task SweepAsync(NpgsqlConnection connection, IReadOnlyList<int> visitorNumbers, IReadOnlyList<int> accountNumbers, CancellationToken cancellationToken)
    {
        var users = Users(visitorNumbers, accountNumbers);
        if (users.Length == 0) return;
        foreach (var table in WholeTables)
        {
            await using var command = new NpgsqlCommand($"delete from {table} where user_number = any (@users)", connection) { CommandTimeout = 0 };
            command.Parameters.AddWithValue("users", users);
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
    }

    private static int[] Users(IReadOnlyList<int> visitors, IReadOnlyList<int> accounts) => [.. visitors.Select(UserNumber.OfVisitor), .. accounts.Select(UserNumber.OfAccount)];
}
