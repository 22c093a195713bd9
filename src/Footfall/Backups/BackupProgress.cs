namespace Footfall.Backups;

/// <summary>How far a backup or a restore is.</summary>
/// <param name="Step">What it is at: <c>events_2026w05</c>, <c>indexes</c>.</param>
/// <param name="Done">Bytes of tables.</param>
/// <param name="Total">As many, about.</param>
/// <param name="Rows">In all.</param>
internal sealed record BackupProgress(string Step, long Done, long Total, long Rows);

/// <summary>What a backup holds.</summary>
/// <param name="Bytes">Of the backup itself.</param>
internal sealed record BackupReport(Manifest Manifest, BackupTotals Totals, long Bytes);
