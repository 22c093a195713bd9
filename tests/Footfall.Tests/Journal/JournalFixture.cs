using System.Buffers.Binary;
using System.Collections.Concurrent;
using Footfall.Capture;
using Footfall.Journal;
using Footfall.Tests.Infrastructure;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace Footfall.Tests.Journal;

/// <summary>A folder of its own for each test, journals on it, and what they logged.</summary>
public abstract class JournalFixture : IDisposable
{
    private readonly List<string> folders = [];

    protected JournalFixture() => Folder = NewFolder();

    internal string Folder { get; }
    internal RecordedLog Log { get; } = new();
    internal JournalOptions Options { get; } = new() { MaxBytes = 1 << 20, SegmentBytes = 4096 };

    internal string NewFolder()
    {
        var folder = TestFolder.New("journal-test");
        folders.Add(folder);
        return folder;
    }

    internal EventJournal Open(string? folder = null, JournalDisk? disk = null, TimeProvider? time = null) =>
        EventJournal.Open(folder ?? Folder, Options, time ?? TimeProvider.System, Log, disk ?? new JournalDisk());

    /// <summary>A payload that says which it is and can be checked whole.</summary>
    internal static byte[] Payload(int number, int length = 40)
    {
        var bytes = new byte[Math.Max(length, 4)];
        new Random(number).NextBytes(bytes);
        BinaryPrimitives.WriteInt32LittleEndian(bytes, number);
        return bytes;
    }

    /// <summary>The number of the payload, after checking every byte of it.</summary>
    internal static int NumberOf(JournalEntry entry)
    {
        var number = BinaryPrimitives.ReadInt32LittleEndian(entry.Payload.Span);
        Xunit.Assert.Equal(Payload(number, entry.Payload.Length), entry.Payload.ToArray());
        return number;
    }

    internal static async Task Append(EventJournal journal, params IEnumerable<int> numbers)
    {
        foreach (var number in numbers) Xunit.Assert.Equal(AppendResult.Durable, await journal.AppendAsync(Payload(number), CancellationToken.None));
    }

    internal static List<JournalEntry> ReadAll(EventJournal journal, JournalPosition after = default, int maxBytes = 1000)
    {
        List<JournalEntry> all = [];
        while (journal.Read(after, maxBytes, all) > 0) after = all[^1].End;
        for (var i = 1; i < all.Count; i++) Xunit.Assert.True(all[i - 1].End < all[i].End);
        return all;
    }

    internal static List<int> Numbers(EventJournal journal, JournalPosition after = default) => ReadAll(journal, after).ConvertAll(NumberOf);

    internal string[] Segments(string? folder = null)
    {
        var files = Directory.GetFiles(folder ?? Folder, "*" + SegmentFile.Extension);
        Array.Sort(files, StringComparer.Ordinal);
        return files;
    }

    internal string CopyOf(string folder)
    {
        var copy = NewFolder();
        foreach (var file in Directory.GetFiles(folder)) File.WriteAllBytes(Path.Combine(copy, Path.GetFileName(file)), ReadShared(file));
        return copy;
    }

    private static byte[] ReadShared(string file)
    {
        if (Path.GetFileName(file) == "lock") return [];
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var memory = new MemoryStream();
        stream.CopyTo(memory);
        return memory.ToArray();
    }

    public void Dispose()
    {
        GC.SuppressFinalize(this);
        foreach (var folder in folders.Where(Directory.Exists)) Directory.Delete(folder, recursive: true);
    }
}

internal sealed class RecordedLog : ILogger<EventJournal>
{
    public ConcurrentQueue<(int Id, LogLevel Level, string Text)> Lines { get; } = new();

    public List<string> Of(int id) => [.. Lines.Where(l => l.Id == id).Select(l => l.Text)];

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;
    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Lines.Enqueue((eventId.Id, logLevel, formatter(state, exception)));
}

/// <summary>A disk that fails when told to, in the ways disks fail.</summary>
internal sealed class FailingDisk : JournalDisk
{
    public const int NoSpace = 28;

    /// <summary>How many bytes of a write still reach the file before it fails; null: all, no failure.</summary>
    public int? WriteFailsAfter { get; set; }

    public bool FlushFails { get; set; }
    public bool TruncateFails { get; set; }
    public bool CreateFails { get; set; }
    public bool DeleteFails { get; set; }

    /// <summary>Set while flushes shall not return.</summary>
    public ManualResetEventSlim Flowing { get; } = new(initialState: true);

    public int Flushes;

    /// <summary>Bytes the disk has in all; null: as many as the real one.</summary>
    public long? Quota { get; set; }

    private readonly ConcurrentDictionary<SafeFileHandle, string> names = new();

    public override SafeFileHandle Create(string file)
    {
        if (CreateFails) throw Error("Read-only file system", 30);
        var handle = base.Create(file);
        names[handle] = file;
        return handle;
    }

    public override void Write(SafeFileHandle file, ReadOnlySpan<byte> bytes, long offset)
    {
        var room = WriteFailsAfter is { } n ? n : int.MaxValue;
        if (Quota is { } quota && names.TryGetValue(file, out var name))
        {
            var used = Directory.GetFiles(Path.GetDirectoryName(name)!, "*" + SegmentFile.Extension).Where(f => f != name).Sum(f => new FileInfo(f).Length);
            room = (int)Math.Clamp(quota - used - offset, 0, room);
        }
        if (room >= bytes.Length && WriteFailsAfter is null)
        {
            base.Write(file, bytes, offset);
            return;
        }
        base.Write(file, bytes[..Math.Min(room, bytes.Length)], offset);
        throw Error("No space left on device", NoSpace);
    }

    public override void Flush(SafeFileHandle file)
    {
        Flowing.Wait();
        Interlocked.Increment(ref Flushes);
        if (FlushFails) throw Error("Input/output error", 5);
        base.Flush(file);
    }

    public override void Truncate(SafeFileHandle file, long length)
    {
        if (TruncateFails) throw Error("Read-only file system", 30);
        base.Truncate(file, length);
    }

    public override void Delete(string file)
    {
        if (DeleteFails) throw Error("Input/output error", 5);
        base.Delete(file);
    }

    private static IOException Error(string text, int errno) => new(text, errno);
}
