using System.Buffers;
using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace Footfall.Journal;

/// <summary>A segment that is part of the journal, and how much of it is on disk for good.</summary>
internal sealed class SegmentFile(string path, long number, Guid journalId, DateTimeOffset createdAt, long durableEnd)
{
    public const string Extension = ".segment";

    private long durableEnd = durableEnd;

    public string Path { get; } = path;
    public long Number { get; } = number;
    public uint Seed { get; } = JournalFormat.Seed(journalId, number);
    public DateTimeOffset CreatedAt { get; } = createdAt;

    /// <summary>Nothing behind this offset may be read.</summary>
    public long DurableEnd
    {
        get => Volatile.Read(ref durableEnd);
        set => Volatile.Write(ref durableEnd, value);
    }

    public bool HasRecords => DurableEnd > JournalFormat.HeaderBytes;
    public JournalPosition Begin => new(Number, JournalFormat.HeaderBytes);
    public JournalPosition End => new(Number, DurableEnd);

    public static string PathOf(string folder, long number) =>
        System.IO.Path.Combine(folder, number.ToString("D16", CultureInfo.InvariantCulture) + Extension);

    /// <summary>The number in the file's name, also where the file was put aside under a longer one.</summary>
    public static bool TryNumber(string path, out long number) =>
        long.TryParse(System.IO.Path.GetFileName(path).Split('.')[0], NumberStyles.None, CultureInfo.InvariantCulture, out number) && number > 0;
}

/// <summary>Reads the records of one segment file. What it hands out stays valid; it never writes into a buffer twice.</summary>
internal sealed class SegmentReader(SafeFileHandle file, uint seed) : IDisposable
{
    // Below the size at which arrays go to the large object heap: what a reader hands on dies young and cheaply.
    private const int ChunkBytes = 80_000;

    private Memory<byte> chunk;
    private long chunkAt;

    public static SegmentReader Open(SegmentFile segment) => new(OpenHandle(segment.Path), segment.Seed);

    public static SafeFileHandle OpenHandle(string path, FileAccess access = FileAccess.Read) =>
        File.OpenHandle(path, FileMode.Open, access, FileShare.ReadWrite | FileShare.Delete);

    /// <summary>The record at <paramref name="offset"/>; false when none begins there that is whole and undamaged before <paramref name="limit"/>.</summary>
    public bool TryRead(long offset, long limit, out ReadOnlyMemory<byte> payload)
    {
        payload = default;
        var bytes = At(offset, JournalFormat.RecordHeaderBytes, limit);
        if (bytes.Length < JournalFormat.RecordHeaderBytes) return false;
        var length = JournalFormat.ClaimedLength(bytes.Span);
        if (length < 0 || length > limit - offset - JournalFormat.RecordHeaderBytes) return false;
        bytes = At(offset, JournalFormat.RecordHeaderBytes + length, limit);
        if (!JournalFormat.IsRecord(bytes.Span, seed, offset, out _)) return false;
        payload = bytes.Slice(JournalFormat.RecordHeaderBytes, length);
        return true;
    }

    /// <summary>Where the next undamaged record begins, at <paramref name="from"/> or behind it; -1 when there is none.</summary>
    /// <param name="from">Where to begin.</param>
    /// <param name="limit">Where to end.</param>
    /// <param name="onlyZeros">Whether all bytes passed over are zero.</param>
    public long Find(long from, long limit, out bool onlyZeros)
    {
        // A window is twice as long as the longest record, and candidates are taken from its first half only:
        // so every candidate lies wholly inside it.
        const int Half = JournalFormat.MaxPayloadBytes + JournalFormat.RecordHeaderBytes;
        onlyZeros = true;
        var buffer = ArrayPool<byte>.Shared.Rent(2 * Half);
        try
        {
            for (var at = from; at < limit; at += Half)
            {
                var window = buffer.AsSpan(0, ReadFully(buffer.AsSpan(0, (int)Math.Min(2 * Half, limit - at)), at));
                for (var i = 0; i < Math.Min(Half, window.Length); i++)
                {
                    var zeros = window[i..].IndexOfAnyExcept((byte)0);
                    if (zeros < 0) break;
                    i = Math.Max(i, i + zeros - 3);   // a length that is not 0 has one of its four bytes set
                    if (i >= Half) break;
                    if (JournalFormat.IsRecord(window[i..], seed, at + i, out _)) return at + i;
                    if (window[i] != 0) onlyZeros = false;
                }
            }
            return -1;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    public void Dispose() => file.Dispose();

    private ReadOnlyMemory<byte> At(long offset, int count, long limit)
    {
        var skip = offset - chunkAt;
        if (skip < 0 || skip + count > chunk.Length)
        {
            var fresh = GC.AllocateUninitializedArray<byte>((int)Math.Min(Math.Max(ChunkBytes, count), limit - offset));
            chunk = fresh.AsMemory(0, ReadFully(fresh, offset));
            chunkAt = offset;
            skip = 0;
        }
        return chunk[(int)skip..];
    }

    private int ReadFully(Span<byte> into, long offset)
    {
        var total = 0;
        while (total < into.Length)
        {
            var n = RandomAccess.Read(file, into[total..], offset + total);
            if (n == 0) break;
            total += n;
        }
        return total;
    }
}
