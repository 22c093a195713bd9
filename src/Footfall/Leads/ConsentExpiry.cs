using Npgsql;

namespace Footfall.Leads;

/// <summary>Notes in the ledger that implied consent has come to its end. Nobody is mailed in between: whoever asks compares the time.</summary>
internal sealed class ConsentExpiry(NpgsqlDataSource database, TimeProvider time, ILogger<ConsentExpiry> log)
{
    private const int Batch = 500;

    // In the order of ids, as all who lock several leads do.
    private const string Take = $"""
        select {LeadStore.Columns}
        from leads
        where id in (select id from leads
                     where consent_status = 'implied' and consent_expires_at <= @now
                     order by consent_expires_at
                     limit @most)
          and consent_status = 'implied' and consent_expires_at <= @now
        order by id
        for update
        """;

    private const string Set = """
        update leads l
        set consent_status = 'pending', consent_method = 'expiry', consent_purposes = '{}', consent_changed_at = @now, consent_expires_at = null,
            consent_event_id = e.id
        from unnest(@leads, @events) as e (lead_id, id)
        where l.id = e.lead_id
        """;

    /// <summary>How many leads it was.</summary>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var all = 0;
        for (int n; (n = await BatchAsync(cancellationToken)) > 0;) all += n;
        if (all > 0) log.ConsentExpired(all);
        return all;
    }

    private async Task<int> BatchAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        List<(Guid LeadId, ConsentChange Change)> changes = [];
        await using (var take = new NpgsqlCommand(Take, connection))
        {
            take.Parameters.AddWithValue("now", now);
            take.Parameters.AddWithValue("most", Batch);
            await using var rows = await take.ExecuteReaderAsync(cancellationToken);
            while (await rows.ReadAsync(cancellationToken))
            {
                var lead = LeadStore.Read(rows);
                if (ConsentRules.Expire(lead.Consent, lead.PropertyId, now) is { } change) changes.Add((lead.Id, change));
            }
        }
        if (changes.Count == 0) return 0;
        var first = await ConsentLedger.AddManyAsync(connection, changes, cancellationToken);
        await using (var set = new NpgsqlCommand(Set, connection))
        {
            set.Parameters.AddWithValue("now", now);
            set.Parameters.AddWithValue("leads", changes.ConvertAll(c => c.LeadId));
            set.Parameters.AddWithValue("events", changes.Select((_, i) => first + i).ToArray());
            await set.ExecuteNonQueryAsync(cancellationToken);
        }
        await transaction.CommitAsync(cancellationToken);
        return changes.Count;
    }
}
