using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Footfall.Backups;

/// <summary>
/// The bytes of a backup, version 1; described for others in docs/backup.md. A header of 64 bytes, then chunks: length (4, its
/// highest bit set on the last), so many bytes, a tag (16). The chunks together are one gzip stream of records: kind (1), length (4), payload.
/// Integers are little-endian.
/// </summary>
internal static class BackupFormat
{
    public const uint Version = 1;
    public const int HeaderBytes = 64;
    public const int TagBytes = 16;
    public const int NonceBytes = 12;
    public const int SaltBytes = 16;
    public const int ChunkBytes = 1 << 20;
    public const int MostChunkBytes = 16 << 20;
    public const uint LastChunk = 0x8000_0000;

    /// <summary>OWASP's figure of 2023 for PBKDF2 with HMAC-SHA256.</summary>
    public const int Iterations = 600_000;

    private const int MostIterations = 10_000_000;

    private static ReadOnlySpan<byte> Magic => "FFBACKUP"u8;

    public static byte[] Write(BackupHeader header)
    {
        var bytes = new byte[HeaderBytes];
        Magic.CopyTo(bytes);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(8), header.Version);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(12), header.IsEncrypted ? 1u : 0u);
        header.Salt.CopyTo(bytes.AsSpan(16));
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(32), header.Iterations);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(36), header.ChunkBytes);
        header.Id.TryWriteBytes(bytes.AsSpan(40));
        SHA256.HashData(bytes.AsSpan(0, 60)).AsSpan(0, 4).CopyTo(bytes.AsSpan(60));
        return bytes;
    }

    /// <exception cref="InvalidDataException">It is no backup, a damaged one, or one of a newer version; the message says which.</exception>
    public static BackupHeader Read(ReadOnlySpan<byte> bytes, string name)
    {
        if (bytes.Length < 8 || !bytes.StartsWith(Magic)) throw new InvalidDataException($"{name} is no backup of Footfall: it does not begin like one. Name the file that `footfall backup` wrote.");
        if (bytes.Length < HeaderBytes) throw new InvalidDataException($"{name} ends within its header: it was cut off. Take another backup.");
        if (!SHA256.HashData(bytes[..60]).AsSpan(0, 4).SequenceEqual(bytes[60..64])) throw new InvalidDataException($"The header of {name} is damaged. Take another backup.");
        var version = BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]);
        if (version > Version) throw new InvalidDataException($"{name} was written by a newer version of Footfall (backup format {version}, this one knows {Version}). Restore it with that version.");
        var (iterations, chunk) = (BinaryPrimitives.ReadInt32LittleEndian(bytes[32..]), BinaryPrimitives.ReadInt32LittleEndian(bytes[36..]));
        var encrypted = (BinaryPrimitives.ReadUInt32LittleEndian(bytes[12..]) & 1) != 0;
        if (chunk is < 1 or > MostChunkBytes || (encrypted && iterations is < 1 or > MostIterations)) throw new InvalidDataException($"The header of {name} cannot be right. Take another backup.");
        return new BackupHeader(version, encrypted, bytes.Slice(16, SaltBytes).ToArray(), iterations, chunk, new Guid(bytes.Slice(40, 16)));
    }

    /// <summary>What a chunk's tag covers beside its bytes: the header, which chunk it is, how long, and whether it is the last.</summary>
    public static byte[] Associated(byte[] header, long index, uint length)
    {
        var bytes = new byte[HeaderBytes + 12];
        header.CopyTo(bytes, 0);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(HeaderBytes), index);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(HeaderBytes + 8), length);
        return bytes;
    }

    /// <summary>Each backup has a key of its own by its salt, so that counting is enough.</summary>
    public static void Nonce(long index, Span<byte> nonce)
    {
        nonce.Clear();
        BinaryPrimitives.WriteInt64LittleEndian(nonce, index);
    }

    /// <summary>The tag of a chunk that is not encrypted.</summary>
    public static void PlainTag(byte[] associated, ReadOnlySpan<byte> bytes, Span<byte> tag)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(associated);
        hash.AppendData(bytes);
        Span<byte> whole = stackalloc byte[32];
        hash.GetHashAndReset(whole);
        whole[..TagBytes].CopyTo(tag);
    }

    public static AesGcm Cipher(BackupHeader header, string key) =>
        new(Rfc2898DeriveBytes.Pbkdf2(key, header.Salt, header.Iterations, HashAlgorithmName.SHA256, 32), TagBytes);
}

/// <param name="Version">Of the format.</param>
/// <param name="IsEncrypted">Else chunks are only checksummed.</param>
/// <param name="Salt">Of the key.</param>
/// <param name="Iterations">Of PBKDF2; 0 where not encrypted.</param>
/// <param name="ChunkBytes">No chunk is longer.</param>
/// <param name="Id">Of this backup.</param>
internal sealed record BackupHeader(uint Version, bool IsEncrypted, byte[] Salt, int Iterations, int ChunkBytes, Guid Id);

/// <summary>The kinds of records.</summary>
internal enum RecordKind : byte
{
    /// <summary>The first: <see cref="Manifest"/>.</summary>
    Manifest = 1,

    /// <summary>A table, a piece of the journal or a file begins: <see cref="SectionBegin"/>.</summary>
    Begin = 2,

    /// <summary>Bytes of what has begun.</summary>
    Data = 3,

    /// <summary>It ends: <see cref="SectionEnd"/>.</summary>
    End = 4,

    /// <summary>Where sequences stand: <see cref="SequenceStates"/>.</summary>
    Sequences = 5,

    /// <summary>The last: <see cref="BackupTotals"/>.</summary>
    Totals = 6,
}
