using System.Buffers.Binary;
using System.Numerics;

namespace Footfall.Journal;

/// <summary>
/// The bytes of a segment file, version 1; integers are little-endian. Header, 64 bytes: magic (8), version (4), zero (4),
/// journal id (16), segment number (8), number of the segment before it (8, 0: none), created, in Unix milliseconds (8),
/// zero (4), CRC-32C of the 60 bytes before it (4). Then records: payload length (4, never 0), CRC-32C (4), payload.
/// Every later version keeps the place of magic, version and header checksum.
/// </summary>
internal static class JournalFormat
{
    public const int HeaderBytes = 64;
    public const int RecordHeaderBytes = 8;
    public const uint Version = 1;

    /// <summary>Bounds the search for the next good record behind damaged bytes, so it is part of the format.</summary>
    public const int MaxPayloadBytes = 1 << 20;

    private static ReadOnlySpan<byte> Magic => "FOOTFALL"u8;

    public static void WriteHeader(Span<byte> header, SegmentHeader value)
    {
        header[..HeaderBytes].Clear();
        Magic.CopyTo(header);
        BinaryPrimitives.WriteUInt32LittleEndian(header[8..], value.Version);
        value.JournalId.TryWriteBytes(header[16..]);
        BinaryPrimitives.WriteInt64LittleEndian(header[32..], value.Number);
        BinaryPrimitives.WriteInt64LittleEndian(header[40..], value.Previous);
        BinaryPrimitives.WriteInt64LittleEndian(header[48..], value.CreatedAt.ToUnixTimeMilliseconds());
        BinaryPrimitives.WriteUInt32LittleEndian(header[60..], ~Extend(~0u, header[..60]));
    }

    /// <summary>False when the bytes are no segment header, or a damaged one.</summary>
    public static bool TryReadHeader(ReadOnlySpan<byte> header, out SegmentHeader value)
    {
        value = default;
        if (header.Length < HeaderBytes || !header.StartsWith(Magic)) return false;
        if (BinaryPrimitives.ReadUInt32LittleEndian(header[60..]) != ~Extend(~0u, header[..60])) return false;
        value = new SegmentHeader(
            BinaryPrimitives.ReadUInt32LittleEndian(header[8..]),
            new Guid(header.Slice(16, 16)),
            BinaryPrimitives.ReadInt64LittleEndian(header[32..]),
            BinaryPrimitives.ReadInt64LittleEndian(header[40..]),
            DateTimeOffset.FromUnixTimeMilliseconds(BinaryPrimitives.ReadInt64LittleEndian(header[48..])));
        return true;
    }

    /// <summary>
    /// The state of the checksum before any record of this segment. Each record's checksum goes on from here over its offset,
    /// length and payload: bytes of another journal, segment or place never pass for a record, not even those of a payload
    /// that a sender shaped like one.
    /// </summary>
    public static uint Seed(Guid journalId, long segment)
    {
        Span<byte> id = stackalloc byte[16];
        journalId.TryWriteBytes(id);
        return BitOperations.Crc32C(Extend(~0u, id), (ulong)segment);
    }

    public static uint Checksum(uint seed, long offset, ReadOnlySpan<byte> payload) =>
        ~Extend(BitOperations.Crc32C(BitOperations.Crc32C(seed, (ulong)offset), (uint)payload.Length), payload);

    /// <summary>The payload length that the record header claims, or -1 when no record of this format can begin like that.</summary>
    public static int ClaimedLength(ReadOnlySpan<byte> recordHeader)
    {
        var length = BinaryPrimitives.ReadUInt32LittleEndian(recordHeader);
        return length is 0 or > MaxPayloadBytes ? -1 : (int)length;
    }

    /// <summary>True when a whole, undamaged record begins at the start of <paramref name="bytes"/>, which lie at <paramref name="offset"/> of the segment.</summary>
    public static bool IsRecord(ReadOnlySpan<byte> bytes, uint seed, long offset, out int payloadLength)
    {
        payloadLength = bytes.Length < RecordHeaderBytes ? -1 : ClaimedLength(bytes);
        if (payloadLength < 0 || bytes.Length - RecordHeaderBytes < payloadLength) return false;
        return BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]) == Checksum(seed, offset, bytes.Slice(RecordHeaderBytes, payloadLength));
    }

    /// <summary>Fills in the checksums of records laid out one behind the other, to be written at <paramref name="offset"/>.</summary>
    public static void Seal(Span<byte> records, uint seed, long offset)
    {
        while (!records.IsEmpty)
        {
            var length = (int)BinaryPrimitives.ReadUInt32LittleEndian(records);
            BinaryPrimitives.WriteUInt32LittleEndian(records[4..], Checksum(seed, offset, records.Slice(RecordHeaderBytes, length)));
            records = records[(RecordHeaderBytes + length)..];
            offset += RecordHeaderBytes + length;
        }
    }

    private static uint Extend(uint crc, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length >= 8)
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[8..];
        }
        foreach (var b in bytes) crc = BitOperations.Crc32C(crc, b);
        return crc;
    }
}

/// <param name="Version">Of the format.</param>
/// <param name="JournalId">The journal that wrote the segment.</param>
/// <param name="Number">Its own number.</param>
/// <param name="Previous">The number of the segment that was written before it, 0 for none: how a missing file is noticed.</param>
/// <param name="CreatedAt">No record in it is older.</param>
internal readonly record struct SegmentHeader(uint Version, Guid JournalId, long Number, long Previous, DateTimeOffset CreatedAt);
