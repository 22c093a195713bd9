namespace Footfall.Leads;

/// <summary>A place where the ledger is not as it was written.</summary>
/// <param name="Id">Of the row, or of the one that is missing.</param>
internal sealed record LedgerFault(long Id, string What);

/// <param name="Erased">Rows without their personal part.</param>
/// <param name="Faults">At most <see cref="LedgerCheck.MostFaults"/>; <paramref name="FaultCount"/> has all.</param>
/// <param name="EndHash">Of the last row, in hexadecimal. Whoever keeps it elsewhere can tell later that nothing before it has changed.</param>
internal sealed record LedgerReport(long Rows, long Erased, long FaultCount, IReadOnlyList<LedgerFault> Faults, string EndHash)
{
    public bool IsWhole => FaultCount == 0;
}

/// <summary>Walks the ledger from its first row to its end. A fault is told once: the rows behind it are checked against what stands, not against what should.</summary>
internal sealed class LedgerCheck
{
    public const int MostFaults = 100;

    private readonly List<LedgerFault> faults = [];
    private long rows, erased, faultCount, lastId;
    private byte[] lastHash = [];

    public void Next(long id, ConsentRow row, byte[] previousHash, byte[] hash)
    {
        rows++;
        if (row.Salt is null) erased++;
        if (id != lastId + 1) Fault(lastId + 1, id == lastId + 2 ? "is missing" : $"and the rows up to {id - 1} are missing");
        else if (!previousHash.AsSpan().SequenceEqual(lastHash)) Fault(id, "does not follow from the row before it: one of the two was changed");
        if (!ConsentRow.HashOf(previousHash, id, row.Content()).AsSpan().SequenceEqual(hash)) Fault(id, "was changed: its content does not have its hash");
        if (!row.PersonalPartHolds()) Fault(id, "was changed: lead, purpose, source or address hash is not what was written");
        (lastId, lastHash) = (id, hash);
    }

    /// <param name="id">The last row, as the chain's end says; -1 when the end is gone.</param>
    public void Ended(long id, byte[] hash)
    {
        if (id < 0) Fault(lastId, "may not be the last: the table consent_chain, which tells where the ledger ends, is empty");
        else if (id != lastId) Fault(Math.Min(id, lastId) + 1, id > lastId ? $"and the rows up to {id} are missing at the end" : "was added without its place in the chain");
        else if (!hash.AsSpan().SequenceEqual(lastHash)) Fault(id, "is not the row that the chain ended with: it was changed");
    }

    public LedgerReport Report() => new(rows, erased, faultCount, faults, Convert.ToHexStringLower(lastHash));

    private void Fault(long id, string what)
    {
        faultCount++;
        if (faults.Count < MostFaults) faults.Add(new LedgerFault(id, $"Row {id} {what}."));
    }
}
