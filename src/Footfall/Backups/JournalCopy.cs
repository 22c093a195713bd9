using Footfall.Hosting;
using Footfall.Journal;
using Microsoft.Win32.SafeHandles;

namespace Footfall.Backups;

/// <summary>
/// The data folder's journal as files, a running server's too: opened before the snapshot is taken, so that what the server deletes
/// meanwhile can still be read. Of a segment only what lies behind the snapshot's position is copied: the rest is in the tables.
/// </summary>
internal sealed class JournalCopy : IDisposable
{
    private readonly DataFolder folder;
    private readonly SortedDictionary<long, (SafeFileHandle File, SegmentHeader Header)> open = [];

    private JournalCopy(DataFolder folder) => this.folder = folder;

    public static JournalCopy Open(DataFolder folder)
    {
        var copy = new JournalCopy(folder);
        copy.Look();
        return copy;
    }

    /// <summary>Opens what has come since.</summary>
    public void Look()
    {
        foreach (var path in Directory.EnumerateFiles(folder.Journal, "*" + SegmentFile.Extension))
        {
            if (!SegmentFile.TryNumber(path, out var number) || open.ContainsKey(number)) continue;
            try
            {
                var file = SegmentReader.OpenHandle(path);
                var bytes = new byte[JournalFormat.HeaderBytes];
                if (JournalFormat.TryReadHeader(bytes.AsSpan(0, RandomAccess.Read(file, bytes, 0)), out var header)) open.Add(number, (file, header));
                else file.Dispose();   // just being made, without a record yet; or damaged, which the server tells
            }
            catch (FileNotFoundException)
            {
                // The database has all of it.
            }
        }
    }

    /// <summary>Writes what the snapshot's tables do not hold. Returns how many segments.</summary>
    public async Task<int> WriteAsync(BackupWriter writer, IReadOnlyList<JournalMark> marks, CancellationToken cancellationToken)
    {
        var written = 0;
        foreach (var (number, (file, header)) in open)
        {
            var mark = marks.FirstOrDefault(m => m.Journal == header.JournalId);
            if (mark is not null && number < mark.Segment) continue;
            var from = Math.Max(mark is not null && number == mark.Segment ? mark.Offset : 0, JournalFormat.HeaderBytes);
            var length = RandomAccess.GetLength(file);
            if (length <= from) continue;
            using var bytes = new SegmentPart(file, from, length);
            await writer.WriteBytesAsync(new SectionBegin(SectionBegin.Journal, header.JournalId.ToString(), Segment: number, From: from), bytes, cancellationToken);
            written++;
        }
        return written;
    }

    public void Dispose()
    {
        foreach (var (file, _) in open.Values) file.Dispose();
    }

    /// <summary>The segment's header, then its bytes from an offset on.</summary>
    private sealed class SegmentPart(SafeFileHandle file, long from, long length) : Stream
    {
        private long at;

        public override int Read(Span<byte> buffer)
        {
            var until = at < JournalFormat.HeaderBytes ? JournalFormat.HeaderBytes : length;
            if (at >= until) return 0;
            var n = RandomAccess.Read(file, buffer[..(int)Math.Min(buffer.Length, until - at)], at);
            at += n;
            if (at == JournalFormat.HeaderBytes) at = from;
            return n;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => ValueTask.FromResult(Read(buffer.Span));

        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }
        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
