using System.Text.Json;
using System.Text.Json.Serialization;
using Npgsql;

namespace Footfall.Leads;

/// <summary>What holds for rows that say nothing themselves.</summary>
/// <param name="Method">How the people consented, in words: "paper form, trade fair 2025".</param>
/// <param name="Purpose">What they consented to.</param>
internal sealed record ImportDefaults(string PropertyId, ConsentStatus Status, ConsentBasis Basis, string? Method, string? Purpose, DateTimeOffset? GivenAt);

/// <summary>One row of the file, checked.</summary>
internal sealed record ImportRow(long Line, EmailAddress Address, ConsentStatus Status, ConsentBasis Basis, string? Method, string? Purpose, DateTimeOffset? GivenAt);

/// <summary>How far an import is, and what it did. Rows that were rejected are named by their line, never by what they hold.</summary>
internal sealed class ImportOutcome
{
    public long Rows { get; set; }
    public long NewLeads { get; set; }
    public long ConsentChanges { get; set; }

    /// <summary>Rows that changed nothing, because what stands says as much.</summary>
    public long Unchanged { get; set; }

    public List<(long Line, string Reason)> Rejected { get; } = [];
}

/// <summary>
/// Stores rows of a file as leads. Consent goes by <see cref="ConsentRules"/> like everywhere: an older list brings nobody back who has said no
/// since, and the same file twice changes nothing. Each portion is one transaction.
/// </summary>
internal sealed class LeadImport(NpgsqlDataSource database, AuditLog audit, TimeProvider clock)
{
    public const int Portion = 1_000;

    private const string AddProperty = "insert into properties (id, name) values (@property, @property) on conflict (id) do nothing";

    // In the order of the addresses, as whoever else takes several leads does: nobody waits in a circle.
    private const string AddNew = """
        insert into leads (id, email_normalized, email, email_domain, consent_status, first_captured_at, last_captured_at, source_channel, property_id)
        select id, normalized, nullif(typed, normalized), domain, 'pending', @now, @now, source, @property
        from unnest(@ids, @normalized, @typed, @domains, @sources) as t (id, normalized, typed, domain, source)
        order by normalized
        on conflict (email_normalized) do nothing
        """;

    private const string Lock = $"""
        select {LeadStore.Columns}
        from leads
        where email_normalized = any (@normalized)
        order by email_normalized
        for update
        """;

    private const string SetConsent = """
        update leads l
        set consent_status = t.status::consent_status, consent_method = t.method, consent_purposes = coalesce(string_to_array(nullif(t.purposes, ''), E'\x1f'), '{}'),
            consent_changed_at = t.at, consent_expires_at = t.expires, consent_event_id = t.event
        from unnest(@leads, @statuses, @methods, @purposes, @ats, @expiries, @events) as t (lead, status, method, purposes, at, expires, event)
        where l.id = t.lead
        """;

    private const string VoidRequests = """
        update consent_requests
        set voided_at = @now, next_attempt_at = null
        where lead_id = any (@leads) and confirmed_at is null and voided_at is null
        """;

    private const string MarkDirty = """
        insert into dirty_days as d (property_id, day, marks, marked_at) values (@property, (@now at time zone 'UTC')::date, 1, @now)
        on conflict (property_id, day) do update set marks = d.marks + 1, marked_at = excluded.marked_at
        """;

    /// <param name="report">Called after each portion with the outcome so far.</param>
    public async Task<ImportOutcome> RunAsync(IEnumerable<ImportRow> rows, ImportDefaults defaults, ImportOutcome outcome, Action<ImportOutcome> report, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        foreach (var portion in rows.Chunk(Portion))
        {
            await StoreAsync(connection, portion, defaults, outcome, cancellationToken);
            outcome.Rows += portion.Length;
            report(outcome);
        }
        await audit.AddAsync(connection, AuditLog.CommandLine, AuditAction.LeadsImported, null,
            JsonSerializer.Serialize(new ImportAudit(defaults.PropertyId, outcome.Rows, outcome.NewLeads, outcome.ConsentChanges, outcome.Rejected.Count), ImportJson.Default.ImportAudit), cancellationToken);
        return outcome;
    }

    private async Task StoreAsync(NpgsqlConnection connection, ImportRow[] portion, ImportDefaults defaults, ImportOutcome outcome, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using (var property = new NpgsqlCommand(AddProperty, connection))
        {
            property.Parameters.AddWithValue("property", defaults.PropertyId);
            await property.ExecuteNonQueryAsync(cancellationToken);
        }
        var distinct = portion.DistinctBy(r => r.Address.Normalized).ToArray();
        var ids = distinct.ToDictionary(r => r.Address.Normalized, _ => Guid.CreateVersion7(now), StringComparer.Ordinal);
        await using (var add = new NpgsqlCommand(AddNew, connection))
        {
            add.Parameters.AddWithValue("ids", distinct.Select(r => ids[r.Address.Normalized]).ToArray());
            add.Parameters.AddWithValue("normalized", distinct.Select(r => r.Address.Normalized).ToArray());
            add.Parameters.AddWithValue("typed", distinct.Select(r => r.Address.Address).ToArray());
            add.Parameters.AddWithValue("domains", distinct.Select(r => r.Address.Domain).ToArray());
            add.Parameters.AddWithValue("sources", distinct.Select(_ => "import").ToArray());
            add.Parameters.AddWithValue("property", defaults.PropertyId);
            add.Parameters.AddWithValue("now", now);
            await add.ExecuteNonQueryAsync(cancellationToken);
        }
        Dictionary<string, (Guid Id, ConsentStanding? Standing)> leads = new(StringComparer.Ordinal);
        await using (var command = new NpgsqlCommand(Lock, connection))
        {
            command.Parameters.AddWithValue("normalized", ids.Keys.ToArray());
            await using var rows = await command.ExecuteReaderAsync(cancellationToken);
            while (await rows.ReadAsync(cancellationToken))
            {
                var lead = LeadStore.Read(rows);
                var isNew = ids[lead.Normalized] == lead.Id;
                leads[lead.Normalized] = (lead.Id, isNew ? null : lead.Consent);
                if (isNew) outcome.NewLeads++;
            }
        }

        List<(Guid LeadId, ConsentChange Change)> changes = [];
        foreach (var row in portion)
        {
            var (lead, standing) = leads[row.Address.Normalized];
            if (Change(standing, row, defaults, now) is { } change)
            {
                changes.Add((lead, change));
                leads[row.Address.Normalized] = (lead, change.Standing);
            }
            else
            {
                outcome.Unchanged++;
            }
        }
        if (changes.Count > 0) await ChangeAsync(connection, changes, now, cancellationToken);
        outcome.ConsentChanges += changes.Count;
        await using (var mark = new NpgsqlCommand(MarkDirty, connection))
        {
            mark.Parameters.AddWithValue("property", defaults.PropertyId);
            mark.Parameters.AddWithValue("now", now);
            await mark.ExecuteNonQueryAsync(cancellationToken);
        }
        await transaction.CommitAsync(cancellationToken);
    }

    private static ConsentChange? Change(ConsentStanding? standing, ImportRow row, ImportDefaults defaults, DateTimeOffset now)
    {
        var given = new ConsentGiven(row.Status, ConsentMethod.Import, row.Basis, row.Purpose, row.Method, null, defaults.PropertyId, row.GivenAt ?? now);
        if (row.Status != ConsentStatus.Withdrawn) return ConsentRules.Give(standing, given, now);
        // Somebody else's list of those who said no: it takes nothing back that was given since.
        var stands = standing ?? new ConsentStanding(ConsentStatus.Pending, null, [], null, null);
        if (row.GivenAt is { } at && stands.ChangedAt > at) return null;
        return ConsentRules.Withdraw(stands, ConsentMethod.Import, row.Method, null, defaults.PropertyId, row.GivenAt ?? now);
    }

    private static async Task ChangeAsync(NpgsqlConnection connection, List<(Guid LeadId, ConsentChange Change)> changes, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var first = await ConsentLedger.AddManyAsync(connection, changes, cancellationToken);
        // Of several changes of one lead the last one stands.
        Dictionary<Guid, (ConsentChange Change, long Event)> last = [];
        for (var i = 0; i < changes.Count; i++) last[changes[i].LeadId] = (changes[i].Change, first + i);
        await using (var set = new NpgsqlCommand(SetConsent, connection))
        {
            set.Parameters.AddWithValue("leads", last.Keys.ToArray());
            set.Parameters.AddWithValue("statuses", last.Values.Select(l => l.Change.Status.Text()).ToArray());
            set.Parameters.AddWithValue("methods", last.Values.Select(l => l.Change.Method.Text()).ToArray());
            set.Parameters.AddWithValue("purposes", last.Values.Select(l => string.Join('\x1f', l.Change.Purposes)).ToArray());
            set.Parameters.AddWithValue("ats", last.Values.Select(l => l.Change.OccurredAt).ToArray());
            set.Parameters.AddWithValue("expiries", last.Values.Select(l => l.Change.ExpiresAt).ToArray());
            set.Parameters.AddWithValue("events", last.Values.Select(l => l.Event).ToArray());
            await set.ExecuteNonQueryAsync(cancellationToken);
        }
        Guid[] withdrawn = [.. last.Where(l => l.Value.Change.Status == ConsentStatus.Withdrawn).Select(l => l.Key)];
        if (withdrawn.Length == 0) return;
        await using var nullify = new NpgsqlCommand(VoidRequests, connection);
        nullify.Parameters.AddWithValue("leads", withdrawn);
        nullify.Parameters.AddWithValue("now", now);
        await nullify.ExecuteNonQueryAsync(cancellationToken);
    }
}

internal sealed record ImportAudit(string PropertyId, long Rows, long NewLeads, long ConsentChanges, long Rejected);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ImportAudit))]
internal sealed partial class ImportJson : JsonSerializerContext;
