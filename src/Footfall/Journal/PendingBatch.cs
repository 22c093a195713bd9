using System.Buffers.Binary;
using Footfall.Capture;

namespace Footfall.Journal;

/// <summary>The records that go to disk with the next write and flush. Not thread-safe: its owner locks.</summary>
internal sealed class PendingBatch
{
    private const int UsualBytes = 256 << 10;
    private const int KeptBytes = 4 << 20;

    private byte[] bytes = new byte[UsualBytes];
    private TaskCompletionSource<AppendResult> done = NewDone();

    public int Length { get; private set; }

    /// <summary>Laid out as in the segment file, checksums not yet filled in.</summary>
    public Span<byte> Records => bytes.AsSpan(0, Length);

    /// <summary>One task for all of the batch: a task for each writer would cost more than its share of the write.</summary>
    public Task<AppendResult> Done => done.Task;

    public void Add(ReadOnlySpan<byte> payload)
    {
        var needed = Length + JournalFormat.RecordHeaderBytes + payload.Length;
        if (needed > bytes.Length) Array.Resize(ref bytes, Math.Max(needed, 2 * bytes.Length));
        var record = bytes.AsSpan(Length);
        BinaryPrimitives.WriteInt32LittleEndian(record, payload.Length);
        payload.CopyTo(record[JournalFormat.RecordHeaderBytes..]);
        Length = needed;
    }

    /// <summary>Tells all writers of the batch, and makes it ready for the next.</summary>
    public void Complete(AppendResult result)
    {
        var told = done;
        Length = 0;
        if (bytes.Length > KeptBytes) bytes = new byte[UsualBytes];
        done = NewDone();
        told.SetResult(result);
    }

    private static TaskCompletionSource<AppendResult> NewDone() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
