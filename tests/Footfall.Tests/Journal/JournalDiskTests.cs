using System.Diagnostics;
using Footfall.Capture;
using Footfall.Journal;
using Xunit;

namespace Footfall.Tests.Journal;

/// <summary>The disk refuses: full, read-only, broken.</summary>
public sealed class JournalDiskTests : JournalFixture
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(9)]
    [InlineData(47)]
    public async Task A_failed_write_keeps_nothing_and_the_next_one_works(int reachTheFile)
    {
        var disk = new FailingDisk();
        await using (var journal = Open(disk: disk))
        {
            await Append(journal, 1, 2);
            var end = journal.End;
            disk.WriteFailsAfter = reachTheFile;
            for (var i = 0; i < 5; i++) Assert.Equal(AppendResult.Failed, await journal.AppendAsync(Payload(99), CancellationToken.None));
            Assert.Equal(end, journal.End);
            Assert.Equal(end.Offset, new FileInfo(Segments()[0]).Length);
            Assert.Contains("No space left", journal.Status.Fault, StringComparison.Ordinal);

            disk.WriteFailsAfter = null;
            await Append(journal, 3);
            Assert.Null(journal.Status.Fault);
            Assert.Equal([1, 2, 3], Numbers(journal));
        }
        await using var again = Open();
        Assert.Equal([1, 2, 3], Numbers(again));
        var line = Assert.Single(Log.Of(3010));   // one line for the change, not one for each event
        Assert.Contains(Segments()[0], line, StringComparison.Ordinal);
        Assert.Contains("bytes free", line, StringComparison.Ordinal);
        Assert.Single(Log.Of(3011));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task After_a_failed_flush_the_segment_is_given_up(bool truncateFailsToo)
    {
        var disk = new FailingDisk();
        await using (var journal = Open(disk: disk))
        {
            await Append(journal, 1, 2);
            disk.FlushFails = true;
            disk.TruncateFails = truncateFailsToo;
            for (var i = 0; i < 3; i++) Assert.Equal(AppendResult.Failed, await journal.AppendAsync(Payload(99), CancellationToken.None));
            disk.FlushFails = disk.TruncateFails = false;
            await Append(journal, 3, 4);
            Assert.Equal(2, Segments().Length);
            Assert.Equal([1, 2, 3, 4], Numbers(journal));
        }
        await using var again = Open();
        Assert.Equal([1, 2, 3, 4], Numbers(again).Where(n => n != 99));   // 99 was refused, and may have survived
        Assert.True(truncateFailsToo || !Numbers(again).Contains(99));
    }

    [Fact]
    public async Task A_disk_that_was_read_only_is_used_again_once_it_is_not()
    {
        var disk = new FailingDisk { CreateFails = true };
        await using var journal = Open(disk: disk);
        for (var i = 0; i < 3; i++) Assert.Equal(AppendResult.Failed, await journal.AppendAsync(Payload(99), CancellationToken.None));
        Assert.Empty(Segments());
        Assert.Contains("Read-only", Assert.Single(Log.Of(3010)), StringComparison.Ordinal);
        disk.CreateFails = false;
        await Append(journal, 1);
        Assert.Equal([1], Numbers(journal));
        Assert.Equal(48, journal.Status.BytesHeld);
    }

    [Fact]
    public async Task A_segment_that_cannot_be_deleted_is_named_and_harmless()
    {
        Options.KeepBytes = 0;
        var disk = new FailingDisk { DeleteFails = true };
        await using var journal = Open(disk: disk);
        await Append(journal, Enumerable.Range(0, 200));
        var first = Segments()[0];
        journal.Release(journal.End);
        Assert.Contains(Log.Of(3014), l => l.Contains(first, StringComparison.Ordinal));
        Assert.Equal(0, journal.Status.BytesHeld);
        await Append(journal, 1000);
    }

    [Fact]
    public async Task A_folder_in_an_impossible_place_is_named()
    {
        var file = Path.Combine(Folder, "file");
        await File.WriteAllTextAsync(file, "");
        var e = Assert.ThrowsAny<IOException>(() => Open(Path.Combine(file, "journal")));
        Assert.Contains(file, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_disk_that_fails_while_the_journal_is_opened_is_named_and_may_be_tried_again()
    {
        await using (var journal = Open()) await Append(journal, 1);
        var e = Assert.Throws<IOException>(() => Open(disk: new FailingDisk { FlushFails = true }));
        Assert.Contains(Segments()[0], e.Message, StringComparison.Ordinal);
        await using var again = Open();
        Assert.Equal([1], Numbers(again));
    }

    [Fact]
    public async Task A_segment_that_cannot_be_read_is_named_and_can_be_moved_away()
    {
        await using var journal = Open();
        await Append(journal, Enumerable.Range(0, 100));
        var file = Segments()[0];
        File.Delete(file);
        Directory.CreateDirectory(file);   // opens or reads as an error, also for root
        var e = Assert.Throws<IOException>(() => ReadAll(journal));
        Assert.Contains(file, e.Message, StringComparison.Ordinal);
        Directory.Delete(file);
        Assert.Equal(Enumerable.Range(84, 16), Numbers(journal));
    }

    [Fact]
    public async Task Segments_are_for_the_servers_user_only()
    {
        await using var journal = Open();
        await Append(journal, 1);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Segments()[0]));
    }

    [Fact]
    public async Task A_full_disk_fails_events_and_loses_none_and_is_used_again_once_it_has_room()
    {
        // A real small file system where the test may mount one (root in most containers); else a disk that keeps a quota:
        // the journal's side of it is the same.
        const int Size = 1 << 20;
        Options.MaxBytes = 64 << 20;
        Options.SegmentBytes = 128 << 10;
        var mounted = Run("mount", "-t", "tmpfs", "-o", "size=1m", "none", Folder);
        var disk = mounted ? new JournalDisk() : new FailingDisk { Quota = Size };
        List<int> durable = [];
        try
        {
            await using (var journal = Open(disk: disk))
            {
                var n = 0;
                for (var failures = 0; failures < 20 && n < 10_000; n++)
                {
                    var result = await journal.AppendAsync(Payload(n, 1000), CancellationToken.None);
                    Assert.NotEqual(AppendResult.Full, result);
                    if (result == AppendResult.Durable) durable.Add(n);
                    else failures++;
                }
                Assert.InRange(durable.Count, 700, Size / 1000);
                Assert.Contains("No space left", journal.Status.Fault, StringComparison.Ordinal);
                var all = ReadAll(journal);
                Assert.Equal(durable, all.ConvertAll(NumberOf));

                journal.Release(all[durable.Count / 2].End);
                for (var more = 0; more < 100; more++, n++)
                {
                    Assert.Equal(AppendResult.Durable, await journal.AppendAsync(Payload(n, 1000), CancellationToken.None));
                    durable.Add(n);
                }
                Assert.Null(journal.Status.Fault);
                Assert.Equal(durable[^100..], Numbers(journal)[^100..]);
            }
            await using (var again = Open(disk: disk))
            {
                var left = Numbers(again);
                Assert.Equal(durable[^left.Count..], left);
                Assert.True(left.Count >= durable.Count / 2);
            }
            Assert.Single(Log.Of(3010));
            Assert.Single(Log.Of(3011));
        }
        finally
        {
            if (mounted) Assert.True(Run("umount", Folder));
        }
    }

    private static bool Run(string command, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(command, arguments) { UseShellExecute = false, RedirectStandardError = true, RedirectStandardOutput = true })!;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
