using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Footfall.Backups;

/// <summary>Reads what <see cref="SealedStream"/> wrote. Hands out no byte that was not checked; what is damaged, cut off, changed or of another key is an <see cref="InvalidDataException"/>.</summary>
internal sealed class OpenedStream : Stream
{
    private readonly Stream source;
    private readonly string name;
    private readonly byte[] header;
    private readonly AesGcm? cipher;
    private readonly byte[] chunk;
    private readonly byte[] plain;
    private ReadOnlyMemory<byte> rest;
    private long index;
    private bool ended;

    private OpenedStream(Stream source, string name, byte[] bytes, BackupHeader header, AesGcm? cipher)
    {
        this.source = source;
        this.name = name;
        this.header = bytes;
        this.cipher = cipher;
        Header = header;
        chunk = new byte[header.ChunkBytes + BackupFormat.TagBytes];
        plain = cipher is null ? [] : new byte[header.ChunkBytes];
        Taken = bytes.Length;
    }

    public BackupHeader Header { get; }

    /// <summary>Bytes read from the source.</summary>
    public long Taken { get; private set; }

    /// <param name="source">Not disposed of.</param>
    /// <param name="name">For messages.</param>
    /// <param name="key">What the backup was encrypted with; null when none is known.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task<OpenedStream> OpenAsync(Stream source, string name, string? key, CancellationToken cancellationToken)
    {
        var bytes = new byte[BackupFormat.HeaderBytes];
        var n = await source.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellationToken);
        var read = BackupFormat.Read(bytes.AsSpan(0, n), name);
        if (read.IsEncrypted && key is null)
            throw new InvalidDataException($"{name} is encrypted, and no key is given. Name the file that holds it with --key-file, or set Backup:Key or Backup:KeyFile (BACKUP_KEY, BACKUP_KEY_FILE).");
        return new OpenedStream(source, name, bytes, read, read.IsEncrypted ? BackupFormat.Cipher(read, key!) : null);
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (rest.IsEmpty && !ended) await NextAsync(cancellationToken);
        var n = Math.Min(buffer.Length, rest.Length);
        rest[..n].CopyTo(buffer);
        rest = rest[n..];
        return n;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <summary>Reads to the last chunk, checking each, and sees that nothing follows it.</summary>
    public async Task DrainAsync(CancellationToken cancellationToken)
    {
        while (!ended) await NextAsync(cancellationToken);
        if (await source.ReadAsync(chunk.AsMemory(0, 1), cancellationToken) > 0) throw new InvalidDataException($"Bytes follow the end of {name}: it is not as it was written. Take another backup.");
    }

    private async Task NextAsync(CancellationToken cancellationToken)
    {
        var prefix = new byte[4];
        if (await source.ReadAtLeastAsync(prefix, 4, throwOnEndOfStream: false, cancellationToken) < 4) throw CutOff();
        var length = BinaryPrimitives.ReadUInt32LittleEndian(prefix);
        var bytes = length & ~BackupFormat.LastChunk;
        if (bytes > Header.ChunkBytes) throw Changed();
        var whole = (int)bytes + BackupFormat.TagBytes;
        if (await source.ReadAtLeastAsync(chunk.AsMemory(0, whole), whole, throwOnEndOfStream: false, cancellationToken) < whole) throw CutOff();
        Taken += 4 + whole;
        Check(length, (int)bytes);
        rest = (cipher is null ? chunk : plain).AsMemory(0, (int)bytes);
        ended = (length & BackupFormat.LastChunk) != 0;
        index++;
    }

    private void Check(uint length, int bytes)
    {
        var associated = BackupFormat.Associated(header, index, length);
        var tag = chunk.AsSpan(bytes, BackupFormat.TagBytes);
        if (cipher is null)
        {
            Span<byte> right = stackalloc byte[BackupFormat.TagBytes];
            BackupFormat.PlainTag(associated, chunk.AsSpan(0, bytes), right);
            if (!right.SequenceEqual(tag)) throw Changed();
            return;
        }
        Span<byte> nonce = stackalloc byte[BackupFormat.NonceBytes];
        BackupFormat.Nonce(index, nonce);
        try
        {
            cipher.Decrypt(nonce, chunk.AsSpan(0, bytes), tag, plain.AsSpan(0, bytes), associated);
        }
        catch (AuthenticationTagMismatchException e)
        {
            throw index == 0 ? new InvalidDataException($"{name} cannot be decrypted: the key is not the one that it was encrypted with, or the file was damaged. Give the right key with --key-file or Backup:KeyFile, or take another backup.", e) : Changed();
        }
    }

    private InvalidDataException CutOff() => new($"{name} ends before its end, after {Taken} bytes: it was cut off while it was written or copied. Take another backup.");

    private InvalidDataException Changed() => new($"{name} is damaged: the checksum of the chunk at byte {Taken} is wrong. Take another backup.");

    protected override void Dispose(bool disposing)
    {
        cipher?.Dispose();
        base.Dispose(disposing);
    }

    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => false;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }
    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => ReadAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
