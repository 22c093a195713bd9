using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Footfall.Backups;

/// <summary>
/// Counts and sums up the rows of a stream in PostgreSQL's binary COPY format. The sum, of each row's SHA-256 modulo 2^128, is the
/// same in whatever order the rows come, so that a table can be compared with its copy. Holds no more than one row.
/// </summary>
internal sealed class CopyDigest
{
    private const int SignatureBytes = 19;   // signature, flags, length of the extension

    private byte[] carried = new byte[4096];
    private int held;
    private bool begun;
    private bool ended;
    private UInt128 sum;

    public long Rows { get; private set; }

    public string Text => sum.ToString("x32", System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>Whether the stream's end has been seen.</summary>
    public bool IsWhole => ended;

    /// <exception cref="InvalidDataException">It is not in that format.</exception>
    public void Add(ReadOnlySpan<byte> bytes)
    {
        if (held > 0)
        {
            Carry(bytes);
            var used = Take(carried.AsSpan(0, held));
            carried.AsSpan(used, held - used).CopyTo(carried);
            held -= used;
            return;
        }
        Carry(bytes[Take(bytes)..]);
    }

    private void Carry(ReadOnlySpan<byte> bytes)
    {
        if (held + bytes.Length > carried.Length) Array.Resize(ref carried, Math.Max(2 * carried.Length, held + bytes.Length));
        bytes.CopyTo(carried.AsSpan(held));
        held += bytes.Length;
    }

    /// <summary>Takes whole rows; says how many bytes they were.</summary>
    private int Take(ReadOnlySpan<byte> bytes)
    {
        var at = 0;
        if (!begun)
        {
            if (bytes.Length < SignatureBytes) return 0;
            var header = SignatureBytes + BinaryPrimitives.ReadInt32BigEndian(bytes[15..]);
            if (!bytes.StartsWith("PGCOPY\n"u8) || header < SignatureBytes) throw new InvalidDataException("The rows of a table do not begin as PostgreSQL's binary COPY format does.");
            if (bytes.Length < header) return 0;
            at = header;
            begun = true;
        }
        Span<byte> hash = stackalloc byte[32];
        while (!ended && RowAt(bytes[at..]) is { } length and > 0)
        {
            if (length > 2)
            {
                SHA256.HashData(bytes.Slice(at, length), hash);
                sum += BinaryPrimitives.ReadUInt128LittleEndian(hash);
                Rows++;
            }
            else
            {
                ended = true;
            }
            at += length;
        }
        if (ended && at < bytes.Length) throw new InvalidDataException("Bytes follow the end of a table's rows.");
        return at;
    }

    /// <summary>The length of the row that begins here, 2 for the end's mark, 0 when it is not here whole.</summary>
    private static int RowAt(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 2) return 0;
        var fields = BinaryPrimitives.ReadInt16BigEndian(bytes);
        if (fields == -1) return 2;
        if (fields < 0) throw new InvalidDataException("A row of a table has a negative number of columns.");
        var at = 2;
        for (var i = 0; i < fields; i++)
        {
            if (bytes.Length - at < 4) return 0;
            var length = BinaryPrimitives.ReadInt32BigEndian(bytes[at..]);
            at += 4;
            if (length < 0) continue;
            if (bytes.Length - at < length) return 0;
            at += length;
        }
        return at;
    }
}
