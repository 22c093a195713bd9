using System.Text.Json;
using Footfall.Capture;
using Footfall.Hosting;
using Footfall.Ingestion;
using Footfall.Postgres;
using Npgsql;

namespace Footfall.Leads;

/// <summary>Whom to erase: a lead by its id, or an address. Exactly one of the two.</summary>
internal sealed record ErasureSubject(Guid? LeadId, EmailAddress? Address);

/// <summary>
/// Erases one person: everything that is certainly theirs goes in one transaction, under the lock that ingestion takes, so that nothing
/// of theirs is stored meanwhile or after; a rollup that is at work on rows of theirs begins its day again. What is still under way in journals and files is turned away from then on. What is left
/// of deleted rows on the disk goes soon after: <see cref="ErasureScrub"/>.
/// </summary>
internal sealed class Erasure(
    NpgsqlDataSource database, PersonalHashes hashes, DataFolder folder, ErasedFiles files, IEnumerable<IPersonalTrace> traces, AuditLog audit, TimeProvider clock, ILogger<Erasure> log)
{
    public const string KeyName = "erasure-scrub";

    /// <summary>Null when there is nobody to erase, and never was. Asked again for somebody who was erased, the answer is that erasure's.</summary>
    /// <param name="dryRun">Does everything and takes it back: the counts are exact, and nothing is gone.</param>
    public async Task<ErasureBody?> EraseAsync(ErasureSubject subject, bool dryRun, string actor, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await LockAsync(connection, cancellationToken);
        var leads = await ErasureStore.PersonAsync(connection, subject.LeadId, subject.Address?.Normalized, cancellationToken);
        if (leads.Count == 0)
        {
            var known = await AgainAsync(connection, subject, dryRun, actor, cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            return known;
        }

        var (counts, work, visitors, rests) = await RemoveAsync(connection, leads, [], cancellationToken);
        if (dryRun)
        {
            await transaction.RollbackAsync(cancellationToken);
            await audit.AddAsync(actor, AuditAction.ErasureTried, leads[0].Id, JsonSerializer.Serialize(counts, ErasureJson.Default.ErasureCounts), cancellationToken);
            return new ErasureBody(DryRun: true, counts, null);
        }
        var now = Now();
        var receipt = ErasureReceipt.Of(Guid.CreateVersion7(now), now, counts);
        await ErasureStore.RememberAsync(
            connection, receipt.Id, now, JsonSerializer.Serialize(receipt, ErasureJson.Default.ErasureReceipt), work.Encrypt(folder.Secret(KeyName)),
            [.. leads.Select(l => l.Id)], [.. leads.Select(l => hashes.OfEmail(l.Normalized))], visitors, cancellationToken);
        await audit.AddAsync(connection, actor, AuditAction.PersonErased, leads[0].Id, $$"""{"receipt":"{{receipt.Id}}","hash":"{{receipt.Hash}}"}""", cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        ErasedFiles.Delete(rests);
        log.PersonErased(receipt.Id, counts.Leads, counts.Visitors, counts.Events, receipt.Hash);
        return new ErasureBody(DryRun: false, counts, receipt);
    }

    /// <summary>Nothing of the person is stored by ingestion, or by a rollup that saw the rows, from here to the end of the transaction or after.</summary>
    private static async Task LockAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using (var alone = new NpgsqlCommand("select pg_advisory_xact_lock(@key)", connection))
        {
            alone.Parameters.AddWithValue("key", Locks.Erasures);
            await alone.ExecuteNonQueryAsync(cancellationToken);
        }
        await BatchWriter.LockAsync(connection, cancellationToken);
    }

    /// <summary>A receipt by its id, and whether nothing is left on the disk; null when there is none.</summary>
    public async Task<ErasureStateReply?> FindAsync(Guid receipt, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("select receipt::text, scrubbed_at from erasures where id = @id");
        command.Parameters.AddWithValue("id", receipt);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        return await rows.ReadAsync(cancellationToken)
            ? new ErasureStateReply(true, JsonSerializer.Deserialize(rows.GetString(0), ErasureJson.Default.ErasureReceipt)!, rows.IsDBNull(1) ? null : rows.GetFieldValue<DateTimeOffset>(1))
            : null;
    }

    private async Task<ErasureBody?> AgainAsync(NpgsqlConnection connection, ErasureSubject subject, bool dryRun, string actor, CancellationToken cancellationToken)
    {
        byte[][] hash = subject.Address is { } address ? hashes.EveryHashOfEmail(address.Normalized) : [];
        if (await ErasureStore.ReceiptAsync(connection, subject.LeadId, hash, cancellationToken) is not { } stored) return null;
        var receipt = JsonSerializer.Deserialize(stored, ErasureJson.Default.ErasureReceipt)!;
        await audit.AddAsync(connection, actor, AuditAction.ErasureAskedAgain, null, $$"""{"receipt":"{{receipt.Id}}"}""", cancellationToken);
        return new ErasureBody(dryRun, receipt.Counts, receipt);
    }

    /// <summary>
    /// Erases in the connection's open transaction who was erased before, and is back from a backup that was taken before that: with the
    /// receipt that was handed out. Returns the files to delete once it is committed; null when the database knows of that erasure.
    /// </summary>
    public async Task<List<string>?> EraseAgainAsync(NpgsqlConnection connection, KnownErasure known, CancellationToken cancellationToken)
    {
        if (await ErasureStore.IsKnownAsync(connection, known.Id, cancellationToken)) return null;
        await LockAsync(connection, cancellationToken);
        var leads = await ErasureStore.LeadsAsync(connection, known.Leads, cancellationToken);
        var (_, work, visitors, rests) = await RemoveAsync(connection, leads, known.Visitors, cancellationToken);
        await ErasureStore.RememberAsync(
            connection, known.Id, known.ErasedAt, known.Receipt, work.Encrypt(folder.Secret(KeyName)), [.. known.Leads], [.. known.AddressHashes], [.. visitors.Union(known.Visitors)], cancellationToken);
        await audit.AddAsync(connection, AuditLog.CommandLine, AuditAction.PersonErased, known.Leads.Count > 0 ? known.Leads[0] : null, $$"""{"receipt":"{{known.Id}}","again":"after a restore"}""", cancellationToken);
        return rests;
    }

    private async Task<(ErasureCounts Counts, ScrubWork Work, Guid[] Visitors, List<string> Files)> RemoveAsync(
        NpgsqlConnection connection, List<ErasedLead> leads, IReadOnlyList<Guid> others, CancellationToken cancellationToken)
    {
        Guid[] leadIds = [.. leads.Select(l => l.Id)];
        var found = await ErasureStore.VisitorsAsync(connection, leadIds, others, cancellationToken);
        Guid[] visitors = [.. found.Select(v => v.Id)];
        string[] addresses = [.. leads.SelectMany(l => AddressForms.Of(l.Normalized, l.Address)).Distinct(StringComparer.Ordinal)];
        string[] anonIds = [.. found.Select(v => v.AnonId).OfType<string>()];
        string[] needles = [.. addresses.Concat(anonIds).Select(n => n.ToLowerInvariant()).Distinct(StringComparer.Ordinal)];

        var facts = await ErasureStore.FactsAsync(connection, visitors, needles, cancellationToken);
        facts.Accounts.UnionWith(found.Select(v => v.AccountId).OfType<string>());
        if (facts.Accounts.Count > 0) facts.Accounts.ExceptWith(await ErasureStore.SharedAccountsAsync(connection, leadIds, visitors, [.. facts.Accounts], cancellationToken));
        string[] accounts = [.. facts.Accounts];
        facts.Days.UnionWith(leads.Select(l => (l.PropertyId, l.CapturedOn)));
        var numbers = accounts.Length > 0 ? await ErasureStore.TakeAccountNumbersAsync(connection, accounts, cancellationToken) : [];

        var gone = await ErasureStore.DeleteAsync(connection, leadIds, visitors, accounts, needles, cancellationToken);
        if (accounts.Length > 0) facts.Days.UnionWith(await ErasureStore.ForgetAccountsAsync(connection, accounts, cancellationToken));
        var person = new ErasedPerson(
            leadIds, [.. found.Select(v => v.Number).OfType<int>()], numbers, [.. facts.Days.Select(d => d.Property).Distinct(StringComparer.Ordinal)], facts.Entities, [.. facts.Days]);
        long rows = 0;
        foreach (var trace in traces) rows += await trace.EraseAsync(connection, person, cancellationToken);
        await ErasureStore.MarkDirtyAsync(connection, facts.Days, Now(), cancellationToken);

        var rests = files.Find(visitors, [.. addresses, .. anonIds]);
        var counts = new ErasureCounts(
            gone["leads"], gone["submissions"], gone["requests"], gone["consent"], gone["links"], gone["visitors"], gone["sessions"], gone["events"], gone["keys"],
            gone["accounts"], rows, rests.Count, facts.Days.Count);
        return (counts, new ScrubWork(addresses, accounts, person.VisitorNumbers, person.AccountNumbers, [.. facts.Tables]), visitors, rests);
    }

    // Whole microseconds, which is what the database keeps: the receipt reads the same when it is asked for again.
    private DateTimeOffset Now()
    {
        var now = clock.GetUtcNow();
        return now.AddTicks(-(now.Ticks % TimeSpan.TicksPerMicrosecond));
    }
}

/// <summary>An erasure that was done, as it is known outside of the database: with nothing in it that says who it was.</summary>
/// <param name="Receipt">As it was handed out.</param>
/// <param name="AddressHashes">Of each lead, in the same order.</param>
internal sealed record KnownErasure(Guid Id, DateTimeOffset ErasedAt, string Receipt, IReadOnlyList<Guid> Leads, IReadOnlyList<byte[]> AddressHashes, IReadOnlyList<Guid> Visitors);

/// <summary>The ways in which one address may be written down.</summary>
internal static class AddressForms
{
    private static readonly System.Globalization.IdnMapping Idn = new();

    /// <summary>As it is compared, as it was typed, and with its domain in letters where that is an international one.</summary>
    public static IEnumerable<string> Of(string normalized, string typed)
    {
        foreach (var form in new[] { normalized, typed })
        {
            yield return form;
            var at = form.LastIndexOf('@');
            if (at < 0 || !form.AsSpan(at).Contains("xn--", StringComparison.Ordinal)) continue;
            yield return $"{form[..at]}@{Idn.GetUnicode(form[(at + 1)..])}";
        }
    }
}
