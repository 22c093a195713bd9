using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Footfall.Backups;

/// <summary>Cuts what is written to it into chunks, encrypts or checksums each, and passes it on. Without <see cref="CompleteAsync"/> the result is told from a whole one.</summary>
internal sealed class SealedStream : Stream
{
    private readonly Stream target;
    private readonly byte[] header;
    private readonly AesGcm? cipher;
    private readonly byte[] chunk;
    private readonly byte[] sealedChunk;
    private int filled;
    private long index;

    private SealedStream(Stream target, BackupHeader header, string? key)
    {
        this.target = target;
        this.header = BackupFormat.Write(header);
        cipher = key is null ? null : BackupFormat.Cipher(header, key);
        chunk = new byte[header.ChunkBytes];
        sealedChunk = new byte[4 + header.ChunkBytes + BackupFormat.TagBytes];
    }

    /// <summary>Bytes that were passed on.</summary>
    public long Written { get; private set; }

    /// <param name="target">Not disposed of.</param>
    /// <param name="id">Of the backup.</param>
    /// <param name="key">Null: not encrypted.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task<SealedStream> BeginAsync(Stream target, Guid id, string? key, CancellationToken cancellationToken)
    {
        var salt = key is null ? new byte[BackupFormat.SaltBytes] : RandomNumberGenerator.GetBytes(BackupFormat.SaltBytes);
        var stream = new SealedStream(target, new BackupHeader(BackupFormat.Version, key is not null, salt, key is null ? 0 : BackupFormat.Iterations, BackupFormat.ChunkBytes, id), key);
        await target.WriteAsync(stream.header, cancellationToken);
        stream.Written = stream.header.Length;
        return stream;
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (!buffer.IsEmpty)
        {
            if (filled == chunk.Length) await PassOnAsync(last: false, cancellationToken);
            var n = Math.Min(buffer.Length, chunk.Length - filled);
            buffer[..n].CopyTo(chunk.AsMemory(filled));
            filled += n;
            buffer = buffer[n..];
        }
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <summary>Writes the last chunk, which says that it is the last.</summary>
    public Task CompleteAsync(CancellationToken cancellationToken) => PassOnAsync(last: true, cancellationToken);

    private async Task PassOnAsync(bool last, CancellationToken cancellationToken)
    {
        var length = (uint)filled | (last ? BackupFormat.LastChunk : 0);
        Seal(length);
        var bytes = 4 + filled + BackupFormat.TagBytes;
        await target.WriteAsync(sealedChunk.AsMemory(0, bytes), cancellationToken);
        Written += bytes;
        index++;
        filled = 0;
    }

    private void Seal(uint length)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(sealedChunk, length);
        var associated = BackupFormat.Associated(header, index, length);
        var plain = chunk.AsSpan(0, filled);
        var body = sealedChunk.AsSpan(4, filled);
        var tag = sealedChunk.AsSpan(4 + filled, BackupFormat.TagBytes);
        if (cipher is null)
        {
            plain.CopyTo(body);
            BackupFormat.PlainTag(associated, plain, tag);
            return;
        }
        Span<byte> nonce = stackalloc byte[BackupFormat.NonceBytes];
        BackupFormat.Nonce(index, nonce);
        cipher.Encrypt(nonce, plain, body, tag, associated);
    }

    // A chunk is passed on when it is full: its size tells nothing of what is in it.
    public override void Flush()
    {
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    protected override void Dispose(bool disposing)
    {
        cipher?.Dispose();
        base.Dispose(disposing);
    }

    public override bool CanRead => false;
    public override bool CanSeek => false;
    public override bool CanWrite => true;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => WriteAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();
}
