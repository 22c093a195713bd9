using System.IO.Compression;

namespace Footfall.Cli.Import;

/// <summary>The lines of a plain or gzip-compressed file, without their line ends, in one pass and with one buffer.</summary>
internal sealed class LogLines : IDisposable
{
    private static readonly (byte[] Magic, string Name, string Unpack)[] Foreign =
    [
        ([0x28, 0xB5, 0x2F, 0xFD], "zstd", "zstd -dc"),
        ([0xFD, 0x37, 0x7A, 0x58, 0x5A], "xz", "xz -dc"),
        ([0x42, 0x5A, 0x68], "bzip2", "bzip2 -dc"),
        ([0x50, 0x4B, 0x03, 0x04], "zip", "unzip -p"),
    ];

    private readonly FileStream file;
    private readonly Stream text;
    private readonly byte[] buffer = new byte[4 * AccessLogParser.LongestLine];
    private int start;
    private int end;
    private bool ended;

    /// <exception cref="CommandException">The file cannot be read, or is compressed in a way that is not read here.</exception>
    public LogLines(string path)
    {
        file = Open(path);
        Span<byte> head = stackalloc byte[5];
        head = head[..file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false)];
        foreach (var (magic, name, unpack) in Foreign)
        {
            if (!head.StartsWith(magic)) continue;
            file.Dispose();
            throw new CommandException($"{path} is compressed with {name}. Unpack it on the way in: {unpack} {path} | footfall import access-log -");
        }
        file.Position = 0;
        text = head is [0x1F, 0x8B, ..] ? new GZipStream(file, CompressionMode.Decompress) : file;
        if (Fill() && buffer.AsSpan(start, end - start).StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF])) start += 3;   // a byte order mark
    }

    /// <summary>Bytes of the file, compressed as it is, read so far; for progress.</summary>
    public long Position => file.Position;

    public long Length => file.Length;

    /// <summary>Lines handed out so far; the number of the line that was read last.</summary>
    public long LineNumber { get; private set; }

    public static FileStream Open(string path)
    {
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 128 * 1024, FileOptions.SequentialScan);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(e switch
            {
                FileNotFoundException or DirectoryNotFoundException => $"There is no file {path}.",
                UnauthorizedAccessException when Directory.Exists(path) => $"{path} is a folder. Name the log files in it: {path.TrimEnd('/')}/*.log",
                UnauthorizedAccessException => $"{path} may not be read by this user. Change its permissions, or run the import as a user who may.",
                _ => $"{path} cannot be read: {e.Message}",
            }, e);
        }
    }

    /// <summary>The next line; one of more than 64 KiB comes cut, with one byte more than a line may have. False at the end.</summary>
    /// <exception cref="CommandException">The compressed file is damaged.</exception>
    public bool TryRead(out ReadOnlySpan<byte> line)
    {
        while (true)
        {
            var rest = buffer.AsSpan(start, end - start);
            var feed = rest.IndexOf((byte)'\n');
            if (feed >= 0)
            {
                line = rest[..Math.Min(feed, AccessLogParser.LongestLine + 1)];
                start += feed + 1;
                LineNumber++;
                return true;
            }
            if (rest.Length > AccessLogParser.LongestLine + 1)   // only its length is of interest any more: make room
            {
                end = start + AccessLogParser.LongestLine + 1;
            }
            if (Fill()) continue;
            line = rest;
            start = end;
            if (line.IsEmpty) return false;
            LineNumber++;
            return true;
        }
    }

    public void Dispose()
    {
        text.Dispose();
        file.Dispose();
    }

    private bool Fill()
    {
        if (ended) return false;
        buffer.AsSpan(start, end - start).CopyTo(buffer);
        (start, end) = (0, end - start);
        try
        {
            var read = text.Read(buffer, end, buffer.Length - end);
            end += read;
            ended = read == 0;
            return !ended;
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            throw new CommandException($"{file.Name} is damaged after line {LineNumber}: {e.Message} What came before it is imported; repair the file (gzip -t names the damage) and run the same command again.", e);
        }
    }
}
