using System.Globalization;
using Footfall.Ingestion;
using Footfall.Leads;
using Npgsql;

namespace Footfall.Rollups;

/// <summary>How much of what a property has.</summary>
/// <param name="Visitors">Who were seen on it; those who were seen elsewhere too stay there.</param>
/// <param name="Leads">Whose address nobody else's form on another property has: they go. The others stay with that property.</param>
/// <param name="Days">Days with figures.</param>
internal sealed record PropertyContents(
    long Events, long Sessions, long Visitors, long Submissions, long Leads, long Days, long Funnels, long Experiments, long Notes, long Tokens, long SharedLinks);

/// <summary>
/// Deletes a property with all that is about it, in one transaction, under the locks of ingestion and of the rollups, so that nothing of it
/// is stored meanwhile. What had arrived before and comes from a journal later is turned away by ingestion.
/// </summary>
internal sealed class PropertyRemoval(NpgsqlDataSource database, AuditLog audit, TimeProvider clock)
{
    /// <summary>Tables whose rows are of one property each, and of nothing else. Those of raw events, people and consent have steps of their own.</summary>
    internal static readonly string[] Tables =
    [
        .. RetentionStore.RollupTables, "product_users", "entity_visitor_days", "entity_visitors", "dirty_days", "purged_days", "backfill_days", "rollup_runs", "imports",
        "experiments", "funnels", "day_notes", "report_deliveries", "report_recipients", "report_settings", "shared_links", "access_tokens",
    ];

    /// <summary>
    /// Tables that keep the property's name, and why: the ledger of consent is only ever added to, and who consented is taken out of it; what
    /// has a version must not begin again at 1, or remembered answers would pass for new ones; and that it is gone must be known.
    /// </summary>
    internal static readonly string[] Keeping = ["consent_events", "rollup_versions", "removed_properties"];

    private const string Count = """
        select (select count(*) from events where property_id = @property),
               (select count(*) from sessions where property_id = @property),
               (select count(distinct visitor_id) from sessions where property_id = @property),
               (select count(*) from form_submissions where property_id = @property),
               (select count(*) from leads l
                where l.property_id = @property and not exists (select from form_submissions s where s.lead_id = l.id and s.property_id <> @property)),
               (select count(*) from daily_metric_rollups where property_id = @property),
               (select count(*) from funnels where property_id = @property),
               (select count(*) from experiments where property_id = @property),
               (select count(*) from day_notes where property_id = @property),
               (select count(*) from access_tokens where property_id = @property),
               (select count(*) from shared_links where property_id = @property)
        """;

    // In this order. What lies with the visitors is asked for by itself and not joined with the rest: a cluster has it elsewhere.
    private static readonly string[] Steps =
    [
        """
        create temporary table gone_leads on commit drop as
        select l.id
        from leads l
        where l.property_id = @property and not exists (select from form_submissions s where s.lead_id = l.id and s.property_id <> @property)
        """,
        // Whoever was seen here, or gave an address here: those of them of whom nothing else is left go.
        """
        create temporary table seen_visitors on commit drop as
        select visitor_id as id from sessions where property_id = @property
        union
        select visitor_id from events where property_id = @property
        union
        select visitor_id from form_submissions where property_id = @property and visitor_id is not null
        union
        select visitor_id from lead_identities where lead_id in (select id from gone_leads)
        """,
        "delete from event_keys k using events e where e.property_id = @property and k.visitor_id = e.visitor_id and k.dedupe_key = e.dedupe_key",
        "delete from events where property_id = @property",
        "delete from sessions where property_id = @property",
        "delete from form_submissions where property_id = @property",
        "delete from consent_requests where property_id = @property",
        "update consent_events set lead_id = null, ip_hash = null, source = null, salt = null, purpose = null where lead_id in (select id from gone_leads)",
        "delete from leads where id in (select id from gone_leads)",
        // Who gave the address elsewhere as well is a lead of that property from then on.
        """
        with moved as (
            update leads l
            set property_id = s.property_id, first_captured_at = s.submitted_at
            from (select distinct on (lead_id) lead_id, property_id, submitted_at from form_submissions order by lead_id, submitted_at, id) s
            where s.lead_id = l.id and l.property_id = @property
            returning l.property_id, (l.first_captured_at at time zone 'UTC')::date as day
        )
        insert into dirty_days as d (property_id, day, marks, marked_at)
        select distinct property_id, day, 1, @now from moved order by property_id, day
        on conflict (property_id, day) do update set marks = d.marks + 1, marked_at = excluded.marked_at
        """,
        """
        create temporary table kept_visitors on commit drop as
        select visitor_id as id from sessions where visitor_id in (select id from seen_visitors)
        union
        select visitor_id from events where visitor_id in (select id from seen_visitors)
        """,
        """
        delete from lead_identities i
        using seen_visitors v
        where i.visitor_id = v.id
          and not exists (select from kept_visitors k where k.id = v.id)
          and not exists (select from form_submissions s where s.visitor_id = v.id)
        """,
        """
        create temporary table gone_visitors on commit drop as
        select v.id, v.number
        from visitors v
        where v.id in (select g.id
                       from seen_visitors g
                       where not exists (select from kept_visitors k where k.id = g.id)
                         and not exists (select from lead_identities i where i.visitor_id = g.id))
        """,
        "delete from visitors where id in (select id from gone_visitors)",
        "delete from event_keys where visitor_id in (select id from gone_visitors)",
        "delete from product_users where user_number in (select 2 * number from gone_visitors)",   // UserNumber.OfVisitor
        """
        create temporary table gone_accounts on commit drop as
        select id
        from accounts
        where property_id = @property
          and id not in (select account_id from visitors where account_id in (select id from accounts where property_id = @property))
        """,
        "delete from accounts where id in (select id from gone_accounts)",
        "update accounts set property_id = null where property_id = @property",
        .. Tables.Select(t => $"delete from {t} where property_id = @property"),
        // UserNumber.OfAccount: a number that another property's figures still hold stays with its name.
        """
        create temporary table gone_numbers on commit drop as
        select n.account_id
        from (select account_id, number from account_numbers where account_id in (select id from gone_accounts)) n
        where not exists (select from product_users u where u.user_number = 2 * n.number + 1)
        """,
        "delete from account_numbers where account_id in (select account_id from gone_numbers)",
        """
        insert into rollup_versions as v (property_id, version) values (@property, 1)
        on conflict (property_id) do update set version = v.version + 1
        """,
        """
        insert into removed_properties (property_id, removed_at) values (@property, @removed)
        on conflict (property_id) do update set removed_at = excluded.removed_at
        """,
        "delete from properties where id = @property",
        "drop table gone_leads, seen_visitors, kept_visitors, gone_visitors, gone_accounts, gone_numbers",   // another one may go in the same transaction
    ];

    private const string KnownAsRemoved = "select exists (select from removed_properties where property_id = @property and removed_at >= @removed)";

    /// <summary>What deleting it would take.</summary>
    public async Task<PropertyContents> CountAsync(string property, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return await CountAsync(connection, property, cancellationToken);
    }

    /// <summary>What it took; null when there is no such property.</summary>
    /// <param name="actor">Who does it, for the audit log: leads go with it.</param>
    public async Task<PropertyContents?> RemoveAsync(string property, string actor, CancellationToken cancellationToken)
    {
        await using var rollups = await JobLock.TakeAsync(database, RollupRunner.LockKey, wait: true, cancellationToken);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await BatchWriter.LockAsync(connection, cancellationToken);
        await using (var hold = Command(connection, "select true from properties where id = @property for update", property))
        {
            if (await hold.ExecuteScalarAsync(cancellationToken) is not true) return null;
        }
        var contents = await CountAsync(connection, property, cancellationToken);
        await DeleteAsync(connection, property, clock.GetUtcNow(), cancellationToken);
        await audit.AddAsync(connection, actor, AuditAction.PropertyRemoved, null, Detail(property, contents, ""), cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return contents;
    }

    /// <summary>
    /// Deletes in the connection's open transaction what was deleted at that time, and is back from a backup that was taken before. Also where the
    /// backup has no such property: events of it may come from a journal. False when the database knows of that deletion.
    /// </summary>
    public async Task<bool> RemoveAgainAsync(NpgsqlConnection connection, string property, DateTimeOffset at, CancellationToken cancellationToken)
    {
        await BatchWriter.LockAsync(connection, cancellationToken);
        await using (var known = Command(connection, KnownAsRemoved, property))
        {
            known.Parameters.AddWithValue("removed", at);
            if (await known.ExecuteScalarAsync(cancellationToken) is true) return false;
        }
        var contents = await CountAsync(connection, property, cancellationToken);
        await DeleteAsync(connection, property, at, cancellationToken);
        await audit.AddAsync(connection, AuditLog.CommandLine, AuditAction.PropertyRemoved, null, Detail(property, contents, ",\"again\":\"after a restore\""), cancellationToken);
        return true;
    }

    private async Task DeleteAsync(NpgsqlConnection connection, string property, DateTimeOffset removed, CancellationToken cancellationToken)
    {
        foreach (var step in Steps)
        {
            await using var command = Command(connection, step, property);
            if (step.Contains("@now", StringComparison.Ordinal)) command.Parameters.AddWithValue("now", clock.GetUtcNow());
            if (step.Contains("@removed", StringComparison.Ordinal)) command.Parameters.AddWithValue("removed", removed);
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
    }

    private static string Detail(string property, PropertyContents contents, string more) =>
        string.Create(CultureInfo.InvariantCulture, $$"""{"property":"{{property}}","leads":{{contents.Leads}},"visitors":{{contents.Visitors}},"events":{{contents.Events}}{{more}}}""");

    private static async Task<PropertyContents> CountAsync(NpgsqlConnection connection, string property, CancellationToken cancellationToken)
    {
        await using var command = Command(connection, Count, property);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        await rows.ReadAsync(cancellationToken);
        return new PropertyContents(
            rows.GetInt64(0), rows.GetInt64(1), rows.GetInt64(2), rows.GetInt64(3), rows.GetInt64(4), rows.GetInt64(5), rows.GetInt64(6), rows.GetInt64(7), rows.GetInt64(8), rows.GetInt64(9), rows.GetInt64(10));
    }

    private static NpgsqlCommand Command(NpgsqlConnection connection, string sql, string property)
    {
        var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        if (sql.Contains("@property", StringComparison.Ordinal)) command.Parameters.AddWithValue("property", property);
        return command;
    }
}
