using System.Buffers.Binary;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Footfall.Backups;

/// <summary>Writes a backup's records, compressed, into a stream that seals them.</summary>
internal sealed class BackupWriter : IAsyncDisposable
{
    private const int PackBytes = 256 << 10;
    private readonly SealedStream target;
    private readonly BufferedStream packed;
    private readonly byte[] head = new byte[5];

    private BackupWriter(SealedStream target)
    {
        this.target = target;
        // Rows come in pieces of a few KiB: the compressor works better on many at once.
        packed = new BufferedStream(new GZipStream(target, CompressionLevel.Fastest, leaveOpen: true), PackBytes);
    }

    public long Written => target.Written;

    public static async Task<BackupWriter> BeginAsync(Stream target, Guid id, string? key, CancellationToken cancellationToken) =>
        new(await SealedStream.BeginAsync(target, id, key, cancellationToken));

    public Task WriteAsync<T>(RecordKind kind, T body, JsonTypeInfo<T> type, CancellationToken cancellationToken) =>
        WriteAsync(kind, JsonSerializer.SerializeToUtf8Bytes(body, type), cancellationToken);

    public async Task WriteAsync(RecordKind kind, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        head[0] = (byte)kind;
        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(1), payload.Length);
        await packed.WriteAsync(head, cancellationToken);
        await packed.WriteAsync(payload, cancellationToken);
    }

    /// <summary>A section of plain bytes: a file, or a piece of the journal.</summary>
    public async Task WriteBytesAsync(SectionBegin begin, Stream bytes, CancellationToken cancellationToken)
    {
        await WriteAsync(RecordKind.Begin, begin, BackupJson.Default.SectionBegin, cancellationToken);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[64 << 10];
        long total = 0;
        for (int n; (n = await bytes.ReadAsync(buffer, cancellationToken)) > 0; total += n)
        {
            hash.AppendData(buffer.AsSpan(0, n));
            await WriteAsync(RecordKind.Data, buffer.AsMemory(0, n), cancellationToken);
        }
        await WriteAsync(RecordKind.End, new SectionEnd(0, Convert.ToHexStringLower(hash.GetHashAndReset()), total), BackupJson.Default.SectionEnd, cancellationToken);
    }

    /// <summary>Only now is it a backup.</summary>
    public async Task CompleteAsync(CancellationToken cancellationToken)
    {
        await packed.DisposeAsync();   // and with it the compressor, which writes its end
        await target.CompleteAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync() => await target.DisposeAsync();
}

/// <summary>Reads a backup's records.</summary>
internal sealed class BackupReader : IAsyncDisposable
{
    private const int MostRecordBytes = 64 << 20;
    private readonly OpenedStream source;
    private readonly GZipStream packed;
    private readonly string name;
    private readonly byte[] head = new byte[5];
    private byte[] payload = new byte[128 << 10];

    private BackupReader(OpenedStream source, string name)
    {
        this.source = source;
        this.name = name;
        packed = new GZipStream(source, CompressionMode.Decompress);
    }

    public BackupHeader Header => source.Header;

    /// <summary>For messages.</summary>
    public string Name => name;

    public long Taken => source.Taken;

    public RecordKind Kind { get; private set; }

    /// <summary>Of the record that was read last; until the next one is.</summary>
    public ReadOnlyMemory<byte> Payload { get; private set; }

    public static async Task<BackupReader> OpenAsync(Stream source, string name, string? key, CancellationToken cancellationToken) =>
        new(await OpenedStream.OpenAsync(source, name, key, cancellationToken), name);

    /// <summary>The next record, which must be there: a backup ends with its totals.</summary>
    public async Task<RecordKind> ReadAsync(CancellationToken cancellationToken)
    {
        await FillAsync(head, cancellationToken);
        Kind = (RecordKind)head[0];
        var length = BinaryPrimitives.ReadInt32LittleEndian(head.AsSpan(1));
        if (length is < 0 or > MostRecordBytes || !Enum.IsDefined(Kind)) throw Unreadable();
        if (payload.Length < length) payload = new byte[length];
        await FillAsync(payload.AsMemory(0, length), cancellationToken);
        Payload = payload.AsMemory(0, length);
        return Kind;
    }

    public T Body<T>(JsonTypeInfo<T> type)
    {
        try
        {
            return JsonSerializer.Deserialize(Payload.Span, type) ?? throw Unreadable();
        }
        catch (JsonException e)
        {
            throw Unreadable(e);
        }
    }

    /// <summary>To be called behind the totals.</summary>
    public async Task EndAsync(CancellationToken cancellationToken)
    {
        if (await packed.ReadAsync(head.AsMemory(0, 1), cancellationToken) > 0) throw Unreadable();
        await source.DrainAsync(cancellationToken);
    }

    public InvalidDataException Unreadable(Exception? cause = null) => new($"{name} holds a record that cannot be read, though its checksums are right: it was not written by this version of Footfall. Restore it with the version that wrote it.", cause);

    public async ValueTask DisposeAsync()
    {
        await packed.DisposeAsync();
        await source.DisposeAsync();
    }

    private async Task FillAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (await packed.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken) < buffer.Length) throw Unreadable();
    }
}
