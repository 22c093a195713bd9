using Footfall.Journal;
using Xunit;

namespace Footfall.Tests.Journal;

/// <summary>What crashes and broken disks leave in the folder.</summary>
public sealed class JournalDamageTests : JournalFixture
{
    private const int RecordBytes = JournalFormat.RecordHeaderBytes + 40;

    [Theory]
    [InlineData("cut")]
    [InlineData("zeros")]
    [InlineData("garbage")]
    [InlineData("longer garbage")]
    public async Task A_tail_torn_at_any_byte_costs_only_the_records_it_hits(string how)
    {
        await using (var journal = Open()) await Append(journal, Enumerable.Range(0, 6));
        var length = JournalFormat.HeaderBytes + 6 * RecordBytes;
        Assert.Equal(length, new FileInfo(Assert.Single(Segments())).Length);

        for (var cut = JournalFormat.HeaderBytes; cut <= length; cut++)
        {
            var copy = CopyOf(Folder);
            var file = Assert.Single(Segments(copy));
            var bytes = await File.ReadAllBytesAsync(file);
            var garbage = new byte[length - cut + (how == "longer garbage" ? 100 : 0)];
            if (how != "zeros") new Random(cut).NextBytes(garbage);
            if (garbage.Length > 0 && cut < length && how != "zeros" && garbage[0] == bytes[cut]) garbage[0] ^= 1;
            await File.WriteAllBytesAsync(file, how == "cut" ? bytes[..cut] : [.. bytes[..cut], .. garbage]);
            // A byte of a record may happen to be zero already: then a tail of zeros leaves the record whole.
            var expected = how != "zeros" ? (cut - JournalFormat.HeaderBytes) / RecordBytes
                : Enumerable.Range(0, 6).TakeWhile(n => bytes.AsSpan(cut)[..Math.Clamp(JournalFormat.HeaderBytes + (n + 1) * RecordBytes - cut, 0, length - cut)].IndexOfAnyExcept((byte)0) < 0).Count();

            await using (var journal = Open(copy))
            {
                Assert.Equal(Enumerable.Range(0, expected), Numbers(journal));
                Assert.Equal(expected == 0 ? JournalFormat.HeaderBytes : JournalFormat.HeaderBytes + expected * RecordBytes, journal.End.Offset);
                Assert.Equal(journal.End.Offset, new FileInfo(file).Length);
                await Append(journal, 1000);
            }
            await using (var journal = Open(copy)) Assert.Equal([.. Enumerable.Range(0, expected), 1000], Numbers(journal));
            Directory.Delete(copy, recursive: true);
        }
        Assert.Contains(Log.Of(3002), l => l.Contains(".segment", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_flipped_bit_costs_one_record_and_is_named()
    {
        await using (var journal = Open()) await Append(journal, Enumerable.Range(0, 400));
        var segments = Segments();
        Assert.InRange(segments.Length, 4, 10);
        var random = new Random(7);
        for (var round = 0; round < 300; round++)
        {
            var copy = CopyOf(Folder);
            var file = Segments(copy)[random.Next(segments.Length)];
            var bytes = await File.ReadAllBytesAsync(file);
            var at = random.Next(JournalFormat.HeaderBytes, bytes.Length);
            bytes[at] ^= (byte)(1 << random.Next(8));
            await File.WriteAllBytesAsync(file, bytes);

            var log = Log.Lines.Count;
            List<int> numbers;
            await using (var journal = Open(copy)) numbers = Numbers(journal);

            Assert.Equal(399, numbers.Count);
            Assert.Equal(numbers.Order(), numbers);
            var line = Assert.Single(Log.Lines.Skip(log), l => l.Id is 3002 or 3003);
            Assert.Contains(file, line.Text, StringComparison.Ordinal);
            Assert.Contains($"offset {at - (at - JournalFormat.HeaderBytes) % RecordBytes}", line.Text, StringComparison.Ordinal);
            Directory.Delete(copy, recursive: true);
        }
    }

    [Fact]
    public async Task A_lost_block_costs_the_records_in_it()
    {
        Options.SegmentBytes = 1 << 20;
        await using (var journal = Open()) await Append(journal, Enumerable.Range(0, 1000));
        var file = Assert.Single(Segments());
        var bytes = await File.ReadAllBytesAsync(file);
        bytes.AsSpan(8192, 4096).Clear();
        new Random(1).NextBytes(bytes.AsSpan(20480, 4096));
        await File.WriteAllBytesAsync(file, bytes);

        await using var again = Open();
        var lost = Enumerable.Range(0, 1000).Where(n => Hits(n, 8192) || Hits(n, 20480));
        Assert.Equal(Enumerable.Range(0, 1000).Except(lost), Numbers(again));

        static bool Hits(int n, int block) => JournalFormat.HeaderBytes + (n + 1) * RecordBytes > block && JournalFormat.HeaderBytes + n * RecordBytes < block + 4096;
    }

    [Fact]
    public async Task Bytes_that_a_sender_shaped_like_a_record_are_not_taken_for_one()
    {
        await using (var journal = Open()) await Append(journal, 1);
        var inner = (await File.ReadAllBytesAsync(Segments()[0]))[JournalFormat.HeaderBytes..];
        await using (var journal = Open())
        {
            await journal.AppendAsync(inner, CancellationToken.None);
            await Append(journal, 2);
        }
        var file = Segments()[1];
        var bytes = await File.ReadAllBytesAsync(file);
        bytes[JournalFormat.HeaderBytes] ^= 0x40;   // the outer record's length is damaged: the search passes over the inner one
        await File.WriteAllBytesAsync(file, bytes);
        await using var again = Open();
        Assert.Equal([1, 2], Numbers(again));
    }

    [Fact]
    public async Task A_damaged_header_costs_no_record()
    {
        await using (var journal = Open()) await Append(journal, Enumerable.Range(0, 200));
        var segments = Segments();
        for (var at = 0; at < JournalFormat.HeaderBytes; at++)
        {
            var copy = CopyOf(Folder);
            var file = Segments(copy)[at % segments.Length];
            var bytes = await File.ReadAllBytesAsync(file);
            bytes[at] ^= 0x11;
            await File.WriteAllBytesAsync(file, bytes);
            await using (var journal = Open(copy)) Assert.Equal(Enumerable.Range(0, 200), Numbers(journal));
            Assert.Contains(file, Log.Of(3004)[^1], StringComparison.Ordinal);
            var before = Log.Of(3004).Count;
            await using (var journal = Open(copy)) Assert.Equal(Enumerable.Range(0, 200), Numbers(journal));
            Assert.Equal(before, Log.Of(3004).Count);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(-1)]
    public async Task A_segment_of_garbage_is_put_aside_and_the_others_are_kept(int which)
    {
        await using (var journal = Open()) await Append(journal, Enumerable.Range(0, 400));
        var segments = Segments();
        var file = segments[which < 0 ? ^1 : which];
        var perSegment = (4096 - JournalFormat.HeaderBytes) / RecordBytes;
        var first = Array.IndexOf(segments, file) * perSegment;
        await File.WriteAllBytesAsync(file, Garbage(4096));

        await using (var journal = Open())
        {
            Assert.Equal(Enumerable.Range(0, 400).Where(n => n < first || n >= first + perSegment), Numbers(journal));
            await Append(journal, 1000);
            Assert.Equal(1000, Numbers(journal)[^1]);
        }
        Assert.False(File.Exists(file));
        Assert.True(File.Exists(file + ".damaged"));
        Assert.Contains(file, Assert.Single(Log.Of(3005)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_segment_is_named_and_the_others_are_kept()
    {
        await using (var journal = Open()) await Append(journal, Enumerable.Range(0, 400));
        var segments = Segments();
        File.Delete(segments[2]);
        await using var again = Open();
        var perSegment = (4096 - JournalFormat.HeaderBytes) / RecordBytes;
        Assert.Equal(Enumerable.Range(0, 400).Where(n => n / perSegment != 2), Numbers(again));
        Assert.Contains(segments[2], Assert.Single(Log.Of(3006)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_segment_deleted_under_a_running_server_is_named_once_and_passed_over()
    {
        await using var journal = Open();
        await Append(journal, Enumerable.Range(0, 400));
        var segments = Segments();
        File.Delete(segments[1]);
        var perSegment = (4096 - JournalFormat.HeaderBytes) / RecordBytes;
        for (var i = 0; i < 2; i++) Assert.Equal(Enumerable.Range(0, 400).Where(n => n / perSegment != 1), Numbers(journal));
        Assert.Contains(segments[1], Assert.Single(Log.Of(3006)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(63)]
    [InlineData(64)]
    public async Task A_segment_that_was_only_just_begun_is_no_harm(int length)
    {
        JournalPosition end;
        await using (var journal = Open())
        {
            await Append(journal, 1, 2);
            end = journal.End;
        }
        var next = SegmentFile.PathOf(Folder, end.Segment + 1);
        var header = new byte[JournalFormat.HeaderBytes];
        await File.WriteAllBytesAsync(next, header[..length]);
        await using (var journal = Open())
        {
            Assert.Equal([1, 2], Numbers(journal));
            await Append(journal, 3);
            Assert.Equal([1, 2, 3], Numbers(journal));
        }
        Assert.DoesNotContain(Log.Lines, l => l.Level >= Microsoft.Extensions.Logging.LogLevel.Error);
    }

    [Fact]
    public async Task A_segment_of_a_newer_version_stops_the_start_and_is_left_alone()
    {
        await using (var journal = Open()) await Append(journal, 1);
        var file = Assert.Single(Segments());
        var bytes = await File.ReadAllBytesAsync(file);
        Assert.True(JournalFormat.TryReadHeader(bytes, out var header));
        JournalFormat.WriteHeader(bytes, header with { Version = 2 });
        await File.WriteAllBytesAsync(file, bytes);
        for (var i = 0; i < 2; i++)   // the second time: the first refusal let go of the lock
        {
            var e = Assert.Throws<InvalidDataException>(() => Open());
            Assert.Contains(file, e.Message, StringComparison.Ordinal);
            Assert.Contains("newer version", e.Message, StringComparison.Ordinal);
        }
        Assert.Equal(bytes, await File.ReadAllBytesAsync(file));
    }

    [Fact]
    public async Task A_segment_of_another_journal_is_put_aside()
    {
        await using (var journal = Open()) await Append(journal, 1);
        var other = NewFolder();
        await using (var journal = Open(other)) await Append(journal, 2);
        var stranger = Segments(other)[0];
        var file = SegmentFile.PathOf(Folder, 5);
        File.Copy(stranger, file);
        await using var again = Open();
        Assert.Equal([1], Numbers(again));
        Assert.Contains("belongs to journal", Assert.Single(Log.Of(3005)), StringComparison.Ordinal);
        Assert.True(File.Exists(file + ".damaged"));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("not an id")]
    public async Task A_lost_id_is_taken_from_the_segments(string? text)
    {
        Guid id;
        await using (var journal = Open())
        {
            id = journal.Id;
            await Append(journal, 1);
        }
        var file = Path.Combine(Folder, "journal-id");
        if (text is null) File.Delete(file);
        else await File.WriteAllTextAsync(file, text);
        for (var i = 0; i < 2; i++)
        {
            await using var journal = Open();
            Assert.Equal(id, journal.Id);
            Assert.Equal([1], Numbers(journal));
        }
        Assert.Single(Log.Of(3007));
    }

    [Fact]
    public async Task An_unreadable_id_without_segments_stops_the_start()
    {
        await using (Open()) { }
        var file = Path.Combine(Folder, "journal-id");
        await File.WriteAllTextAsync(file, "?");
        Assert.Contains(file, Assert.Throws<InvalidDataException>(() => Open()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_lost_id_with_unreadable_segments_stops_the_start()
    {
        await File.WriteAllBytesAsync(SegmentFile.PathOf(Folder, 1), Garbage(500));
        Assert.Contains("journal-id", Assert.Throws<InvalidDataException>(() => Open()).Message, StringComparison.Ordinal);
        Assert.True(File.Exists(SegmentFile.PathOf(Folder, 1)));
    }

    [Fact]
    public async Task A_reader_before_damaged_bytes_waits_for_the_next_record_instead_of_spinning()
    {
        await using var journal = Open();
        await Append(journal, 1);
        var after = journal.End;
        await Append(journal, 2);
        using (var file = SegmentReader.OpenHandle(Segments()[0], FileAccess.ReadWrite)) RandomAccess.Write(file, [0xFF, 0xFF], after.Offset + 20);

        await journal.WaitForMoreAsync(after, CancellationToken.None);
        Assert.Equal(0, journal.Read(after, 1000, []));
        var more = journal.WaitForMoreAsync(after, CancellationToken.None);
        await Task.Delay(30);
        Assert.False(more.IsCompleted);
        await Append(journal, 3);
        await more.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.Equal([3], Numbers(journal, after));
        Assert.Single(Log.Of(3003));
    }

    private static byte[] Garbage(int length)
    {
        var bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        return bytes;
    }
}
