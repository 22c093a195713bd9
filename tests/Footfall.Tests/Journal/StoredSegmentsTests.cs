using Footfall.Capture;
using Footfall.Journal;
using Xunit;

namespace Footfall.Tests.Journal;

/// <summary>Segments that the database has stay beside the journal for a while, and come back to a database that was restored.</summary>
public sealed class StoredSegmentsTests : JournalFixture
{
    private string Stored => Path.Combine(Folder, StoredSegments.FolderName);

    [Fact]
    public async Task What_was_released_comes_back_to_a_database_that_knows_less()
    {
        JournalPosition known;
        await using (var journal = Open())
        {
            await Append(journal, Enumerable.Range(0, 1000));
            known = ReadAll(journal)[399].End;
            journal.Release(journal.End);
            Assert.Single(Segments());
            Assert.True(Segments(Stored).Length > 5);
        }
        await using (var journal = Open())
        {
            journal.TakeBack(known);
            journal.EnsureAfter(known);
            journal.Release(known);
            Assert.Equal(Enumerable.Range(400, 600), Numbers(journal, known));
            await Append(journal, 1000, 1001);
            Assert.Equal(Enumerable.Range(400, 602), Numbers(journal, known));
            Assert.True(journal.Status.BytesHeld > 600 * 40);
            journal.Release(journal.End);
            Assert.Equal(0, journal.Status.BytesHeld);
            journal.TakeBack(journal.End);
            Assert.Single(Segments());
        }
    }

    [Fact]
    public async Task A_reader_that_waits_is_told_when_segments_come_back()
    {
        await using var journal = Open();
        await Append(journal, Enumerable.Range(0, 500));
        var end = journal.End;
        journal.Release(end);
        journal.TakeBack(default);
        Assert.Equal(500, Numbers(journal).Count);
        Assert.True(journal.WaitForMoreAsync(default, TestContext.Current.CancellationToken).IsCompletedSuccessfully);
        Assert.Equal(end, journal.End);
    }

    [Fact]
    public async Task They_go_when_they_are_too_many_or_too_old()
    {
        Options.KeepBytes = 3 * 4096;
        var time = new Failure.ShiftedTime();
        await using var journal = Open(time: time);
        await Append(journal, Enumerable.Range(0, 2000));
        journal.Release(journal.End);
        Assert.InRange(Segments(Stored).Sum(f => new FileInfo(f).Length), 4096, 3 * 4096);
        Assert.True(string.CompareOrdinal(Path.GetFileName(Segments(Stored)[^1]), Path.GetFileName(Segments()[0])) < 0);   // the newest of them are kept
        time.Shift(TimeSpan.FromHours(Options.KeepHours + 1));
        journal.Release(journal.End);
        Assert.Empty(Segments(Stored));
    }

    [Fact]
    public async Task None_is_kept_where_none_is_wanted()
    {
        Options.KeepBytes = 0;
        await using var journal = Open();
        await Append(journal, Enumerable.Range(0, 500));
        journal.Release(journal.End);
        Assert.False(Directory.Exists(Stored));
        Assert.Single(Segments());
    }

    [Fact]
    public async Task They_give_their_room_to_what_comes_in_when_the_disk_is_full()
    {
        var disk = new FullDisk();
        await using var journal = Open(disk: disk);
        await Append(journal, Enumerable.Range(0, 500));
        journal.Release(journal.End);
        Assert.NotEmpty(Segments(Stored));
        disk.IsFull = true;
        Assert.Equal(AppendResult.Failed, await journal.AppendAsync(Payload(500), CancellationToken.None));
        Assert.Empty(Segments(Stored));
        disk.IsFull = false;
        await Append(journal, 501);
    }

    [Fact]
    public async Task Segments_of_another_journal_stay_where_they_are()
    {
        await using (var journal = Open())
        {
            await Append(journal, Enumerable.Range(0, 500));
            journal.Release(journal.End);
        }
        var other = NewFolder();
        Directory.CreateDirectory(Path.Combine(other, StoredSegments.FolderName));
        foreach (var file in Segments(Stored)) File.Copy(file, Path.Combine(other, StoredSegments.FolderName, Path.GetFileName(file)));
        await using var another = Open(other);
        another.TakeBack(default);
        Assert.Empty(Numbers(another));
        Assert.NotEmpty(Segments(Path.Combine(other, StoredSegments.FolderName)));
    }

    private sealed class FullDisk : JournalDisk
    {
        public bool IsFull { get; set; }

        public override void Write(Microsoft.Win32.SafeHandles.SafeFileHandle file, ReadOnlySpan<byte> bytes, long offset)
        {
            if (IsFull) throw new IOException("No space left on device");
            base.Write(file, bytes, offset);
        }
    }
}
