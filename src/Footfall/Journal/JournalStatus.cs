namespace Footfall.Journal;

/// <summary>How the journal is doing, for readyz.</summary>
/// <param name="BytesHeld">Bytes of records that the database does not have yet, as far as this journal was told.</param>
/// <param name="MaxBytes">How many it may hold.</param>
/// <param name="OldestWaitingSince">When the oldest of those records was written, to about a second; null when none waits.</param>
/// <param name="IsFull">True when the last event found no room.</param>
/// <param name="Fault">Why the last write failed; null while writing works.</param>
public sealed record JournalStatus(long BytesHeld, long MaxBytes, DateTimeOffset? OldestWaitingSince, bool IsFull, string? Fault);
