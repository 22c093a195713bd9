using Npgsql;
using NpgsqlTypes;

namespace Footfall.Leads;

/// <summary>
/// The append-only history of consent, one chain for all leads. A row is added under the lock of the chain's end, in the
/// transaction that changes the lead; the hashes are made as docs/leads.md says, so that anyone can check them.
/// </summary>
internal sealed class ConsentLedger(NpgsqlDataSource database)
{
    // The end moves on from where the last transaction left it, also one that was waited for: an update looks at the row as it is.
    private const string Grow = """
        with place as (
            update consent_chain
            set last_id = last_id + 1, previous_hash = hash, hash = sha256(hash || int8send(last_id + 1) || @content)
            returning last_id, previous_hash, hash
        ), added as (
            insert into consent_events (id, lead_id, status, method, basis, purpose, source, ip_hash, property_id, occurred_at, expires_at,
                                        salt, personal_digest, previous_hash, hash)
            select last_id, @lead, @status::consent_status, @method, @basis, @purpose, @source, @ip_hash, @property, @at, @expires,
                   @salt, @digest, previous_hash, hash
            from place
        )

        """;

    private const string LockEnd = "select last_id, hash from consent_chain for update";

    private const string SetEnd = "update consent_chain set last_id = @last_id, previous_hash = @previous, hash = @hash";

    private const string AddAll = """
        insert into consent_events (id, lead_id, status, method, basis, purpose, source, ip_hash, property_id, occurred_at, expires_at,
                                    salt, personal_digest, previous_hash, hash)
        select id, lead_id, status::consent_status, method, basis, purpose, source, ip_hash, property_id, occurred_at, expires_at,
               salt, personal_digest, previous_hash, hash
        from unnest(@ids, @leads, @statuses, @methods, @bases, @purposes, @sources, @ip_hashes, @properties, @ats, @expiries,
                    @salts, @digests, @previous, @hashes)
             as t (id, lead_id, status, method, basis, purpose, source, ip_hash, property_id, occurred_at, expires_at,
                   salt, personal_digest, previous_hash, hash)
        """;

    private const string OfLead = """
        select id, status::text, method, basis, purpose, source, property_id, occurred_at, expires_at, hash
        from consent_events
        where lead_id = @lead
        order by id
        """;

    private const string All = """
        select id, lead_id, status::text, method, basis, purpose, source, ip_hash, property_id, occurred_at, expires_at,
               salt, personal_digest, previous_hash, hash
        from consent_events
        order by id
        """;

    private const string End = "select last_id, hash from consent_chain";

    /// <summary>
    /// The statement that adds one row, for a transaction that holds the lead's row. From then to the transaction's end no
    /// other change is written, so let it come last.
    /// </summary>
    /// <param name="then">The rest of the statement. It knows the row's <c>@lead, @status, @method, @at, @expires</c>, and its number as <c>place.last_id</c>.</param>
    public static NpgsqlBatchCommand Adding(Guid leadId, ConsentChange change, string then = "select last_id from place")
    {
        var row = ConsentRow.Of(leadId, change);
        var add = new NpgsqlBatchCommand(Grow + then);
        var p = add.Parameters;
        p.AddWithValue("content", row.Content());
        p.AddWithValue("lead", leadId);
        p.AddWithValue("status", row.Status.Text());
        p.AddWithValue("method", row.Method.Text());
        p.Add(new NpgsqlParameter("basis", NpgsqlDbType.Text) { Value = Or(row.Basis?.Text()) });
        p.Add(new NpgsqlParameter("purpose", NpgsqlDbType.Text) { Value = Or(row.Purpose) });
        p.Add(new NpgsqlParameter("source", NpgsqlDbType.Text) { Value = Or(row.Source) });
        p.Add(new NpgsqlParameter("ip_hash", NpgsqlDbType.Bytea) { Value = Or(row.IpHash) });
        p.AddWithValue("property", row.PropertyId);
        p.AddWithValue("at", row.OccurredAt);
        p.Add(new NpgsqlParameter("expires", NpgsqlDbType.TimestampTz) { Value = Or(row.ExpiresAt) });
        p.AddWithValue("salt", row.Salt!);
        p.AddWithValue("digest", row.PersonalDigest);
        return add;
    }

    /// <summary>Adds many rows at once, in the caller's transaction, which must hold the leads' rows. Gives the id of the first; the others follow it.</summary>
    public static async Task<long> AddManyAsync(NpgsqlConnection connection, IReadOnlyList<(Guid LeadId, ConsentChange Change)> changes, CancellationToken cancellationToken)
    {
        long last;
        byte[] hash;
        await using (var end = new NpgsqlCommand(LockEnd, connection))
        await using (var rows = await end.ExecuteReaderAsync(cancellationToken))
        {
            await rows.ReadAsync(cancellationToken);
            (last, hash) = (rows.GetInt64(0), rows.GetFieldValue<byte[]>(1));
        }
        var first = last + 1;
        if (changes.Count == 0) return first;
        List<(ConsentRow Row, long Id, byte[] Previous, byte[] Hash)> added = new(changes.Count);
        foreach (var (leadId, change) in changes)
        {
            var row = ConsentRow.Of(leadId, change);
            var previous = hash;
            hash = ConsentRow.HashOf(previous, ++last, row.Content());
            added.Add((row, last, previous, hash));
        }
        await using var batch = new NpgsqlBatch(connection);
        var add = new NpgsqlBatchCommand(AddAll);
        add.Parameters.AddWithValue("ids", added.ConvertAll(a => a.Id));
        add.Parameters.AddWithValue("leads", added.ConvertAll(a => a.Row.LeadId!.Value));
        add.Parameters.AddWithValue("statuses", added.ConvertAll(a => a.Row.Status.Text()));
        add.Parameters.AddWithValue("methods", added.ConvertAll(a => a.Row.Method.Text()));
        add.Parameters.AddWithValue("bases", added.ConvertAll(a => a.Row.Basis?.Text()));
        add.Parameters.AddWithValue("purposes", added.ConvertAll(a => a.Row.Purpose));
        add.Parameters.AddWithValue("sources", added.ConvertAll(a => a.Row.Source));
        add.Parameters.AddWithValue("ip_hashes", added.ConvertAll(a => a.Row.IpHash));
        add.Parameters.AddWithValue("properties", added.ConvertAll(a => a.Row.PropertyId));
        add.Parameters.AddWithValue("ats", added.ConvertAll(a => a.Row.OccurredAt));
        add.Parameters.AddWithValue("expiries", added.ConvertAll(a => a.Row.ExpiresAt));
        add.Parameters.AddWithValue("salts", added.ConvertAll(a => a.Row.Salt!));
        add.Parameters.AddWithValue("digests", added.ConvertAll(a => a.Row.PersonalDigest));
        add.Parameters.AddWithValue("previous", added.ConvertAll(a => a.Previous));
        add.Parameters.AddWithValue("hashes", added.ConvertAll(a => a.Hash));
        var set = new NpgsqlBatchCommand(SetEnd);
        set.Parameters.AddWithValue("last_id", last);
        set.Parameters.AddWithValue("previous", added[^1].Previous);
        set.Parameters.AddWithValue("hash", hash);
        batch.BatchCommands.Add(add);
        batch.BatchCommands.Add(set);
        await batch.ExecuteNonQueryAsync(cancellationToken);
        return first;
    }

    /// <summary>A lead's history, oldest first.</summary>
    public async Task<List<ConsentEntry>> OfLeadAsync(Guid leadId, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(OfLead);
        command.Parameters.AddWithValue("lead", leadId);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        List<ConsentEntry> entries = [];
        while (await rows.ReadAsync(cancellationToken))
        {
            entries.Add(new ConsentEntry(
                rows.GetInt64(0), rows.GetString(1), rows.GetString(2), Text(rows, 3), Text(rows, 4), Text(rows, 5), rows.GetString(6),
                rows.GetFieldValue<DateTimeOffset>(7), Instant(rows, 8), Convert.ToHexStringLower(rows.GetFieldValue<byte[]>(9))));
        }
        return entries;
    }

    /// <summary>
    /// Reads the whole ledger and finds where it was tampered with: a changed row, one that is missing, one that was put
    /// between. Rows whose personal part was erased are still checked for all else. Reads one state of the database.
    /// </summary>
    public async Task<LedgerReport> VerifyAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, cancellationToken);
        var check = new LedgerCheck();
        await using (var read = new NpgsqlCommand(All, connection))
        await using (var rows = await read.ExecuteReaderAsync(cancellationToken))
        {
            while (await rows.ReadAsync(cancellationToken)) check.Next(rows.GetInt64(0), Row(rows), rows.GetFieldValue<byte[]>(13), rows.GetFieldValue<byte[]>(14));
        }
        await using (var end = new NpgsqlCommand(End, connection))
        await using (var rows = await end.ExecuteReaderAsync(cancellationToken))
        {
            if (await rows.ReadAsync(cancellationToken)) check.Ended(rows.GetInt64(0), rows.GetFieldValue<byte[]>(1));
            else check.Ended(-1, []);
        }
        return check.Report();
    }

    private static ConsentRow Row(NpgsqlDataReader rows) => new(
        rows.IsDBNull(1) ? null : rows.GetGuid(1), ConsentNames.Status(rows.GetString(2))!.Value, ConsentNames.Method(rows.GetString(3))!.Value, ConsentNames.Basis(Text(rows, 4)),
        Text(rows, 5), Text(rows, 6), rows.IsDBNull(7) ? null : rows.GetFieldValue<byte[]>(7), rows.GetString(8),
        rows.GetFieldValue<DateTimeOffset>(9), Instant(rows, 10), rows.IsDBNull(11) ? null : rows.GetFieldValue<byte[]>(11), rows.GetFieldValue<byte[]>(12));

    private static string? Text(NpgsqlDataReader rows, int column) => rows.IsDBNull(column) ? null : rows.GetString(column);

    private static DateTimeOffset? Instant(NpgsqlDataReader rows, int column) => rows.IsDBNull(column) ? null : rows.GetFieldValue<DateTimeOffset>(column);

    private static object Or(object? value) => value ?? DBNull.Value;
}

/// <summary>A row of a lead's consent history, as the API shows it.</summary>
/// <param name="Id">Its place in the ledger, which other leads' rows share.</param>
/// <param name="Hash">In hexadecimal; the row after it in the ledger repeats it.</param>
internal sealed record ConsentEntry(
    long Id, string Status, string Method, string? Basis, string? Purpose, string? Source, string PropertyId,
    DateTimeOffset OccurredAt, DateTimeOffset? ExpiresAt, string Hash);
