using Footfall.Capture;
using Footfall.Journal;
using Xunit;

namespace Footfall.Tests.Journal;

public sealed class JournalTests : JournalFixture
{
    [Fact]
    public async Task Records_come_back_in_order_and_whole()
    {
        await using var journal = Open();
        var sizes = new[] { 1, 4, 7, 8, 9, 600, 4096, 79_990, 80_000, 80_001, 200_000, JournalFormat.MaxPayloadBytes / 2 };
        foreach (var size in sizes) Assert.Equal(AppendResult.Durable, await journal.AppendAsync(Filled(size), CancellationToken.None));

        var all = ReadAll(journal);

        Assert.Equal(sizes, all.Select(e => e.Payload.Length));
        Assert.All(all, e => Assert.Equal(Filled(e.Payload.Length), e.Payload.ToArray()));
        Assert.Equal(journal.End, all[^1].End);

        static byte[] Filled(int size)
        {
            var bytes = new byte[size];
            new Random(size).NextBytes(bytes);
            return bytes;
        }
    }

    [Fact]
    public async Task Reading_goes_on_behind_any_position_it_gave()
    {
        await using var journal = Open();
        await Append(journal, Enumerable.Range(0, 300));
        var all = ReadAll(journal);
        Assert.Equal(Enumerable.Range(0, 300), all.ConvertAll(NumberOf));
        for (var i = 0; i < all.Count; i += 7) Assert.Equal(Enumerable.Range(i + 1, 299 - i), Numbers(journal, all[i].End));
    }

    [Fact]
    public async Task Every_durable_record_of_many_writers_is_read_once_and_each_writers_own_in_order()
    {
        Options.SegmentBytes = 64 << 10;
        Options.MaxBytes = 64 << 20;
        const int Writers = 64, Each = 400;
        List<JournalEntry> all = [];
        await using (var journal = Open())
        {
            using var stop = new CancellationTokenSource();
            var reader = Task.Run(async () =>
            {
                var after = JournalPosition.Start;
                while (all.Count < Writers * Each)
                {
                    await journal.WaitForMoreAsync(after, stop.Token);
                    Assert.NotEqual(0, journal.Read(after, 10_000, all));
                    after = all[^1].End;
                }
            });
            await Task.WhenAll(Enumerable.Range(0, Writers).Select(w => Task.Run(() => Append(journal, Enumerable.Range(w * Each, Each)))));
            await reader.WaitAsync(TimeSpan.FromSeconds(60));
            Assert.Equal(journal.End, all[^1].End);
        }

        var numbers = all.ConvertAll(NumberOf);
        Assert.Equal(Enumerable.Range(0, Writers * Each), numbers.Order());
        Assert.All(numbers.GroupBy(n => n / Each), g => Assert.Equal(g.Order(), g));
        await using var again = Open();
        Assert.Equal(numbers, Numbers(again));
        Assert.True(Segments().Length > 10);
    }

    [Fact]
    public async Task Writers_who_wait_are_taken_by_one_flush()
    {
        var disk = new FailingDisk();
        await using var journal = Open(disk: disk);
        await Append(journal, 0);
        var before = disk.Flushes;
        disk.Flowing.Reset();
        var first = journal.AppendAsync(Payload(1), CancellationToken.None).AsTask();
        await Task.Delay(50);   // the committer is now in the flush of the first
        var rest = Enumerable.Range(2, 100).Select(n => journal.AppendAsync(Payload(n), CancellationToken.None).AsTask()).ToArray();
        Assert.False(first.IsCompleted);
        Assert.Equal([0], Numbers(journal));   // what is not flushed is not read
        disk.Flowing.Set();

        Assert.All(await Task.WhenAll([first, .. rest]), r => Assert.Equal(AppendResult.Durable, r));
        Assert.InRange(disk.Flushes - before, 1, 6);   // one or two batches, and the new segments they may need
    }

    [Fact]
    public async Task The_payloads_memory_may_be_used_again_as_soon_as_the_task_ends()
    {
        await using var journal = Open();
        var memory = new byte[40];
        for (var n = 0; n < 50; n++)
        {
            Payload(n).CopyTo(memory, 0);
            await journal.AppendAsync(memory, CancellationToken.None);
            Array.Fill(memory, (byte)0xEE);
        }
        Assert.Equal(Enumerable.Range(0, 50), Numbers(journal));
    }

    [Fact]
    public async Task A_reopened_journal_goes_on_where_it_ended()
    {
        Guid id;
        JournalPosition end;
        await using (var journal = Open())
        {
            id = journal.Id;
            await Append(journal, Enumerable.Range(0, 200));
            end = journal.End;
        }
        for (var round = 1; round <= 3; round++)
        {
            await using var journal = Open();
            Assert.Equal(id, journal.Id);
            Assert.Equal(end, journal.End);
            await Append(journal, 199 + round);
            Assert.True(journal.End > end);
            end = journal.End;
            Assert.Equal(Enumerable.Range(0, 200 + round), Numbers(journal));
        }
        Assert.DoesNotContain(Log.Lines, l => l.Level >= Microsoft.Extensions.Logging.LogLevel.Warning);
    }

    [Fact]
    public async Task An_emptied_folder_is_a_new_journal()
    {
        Guid id;
        await using (var journal = Open()) id = journal.Id;
        foreach (var file in Directory.GetFiles(Folder)) File.Delete(file);
        await using var fresh = Open();
        Assert.NotEqual(id, fresh.Id);
        Assert.Equal(JournalPosition.Start, fresh.End);
    }

    [Fact]
    public async Task A_second_server_on_the_folder_is_refused()
    {
        await using var journal = Open();
        var e = Assert.Throws<IOException>(() => Open());
        Assert.Contains(Folder, e.Message, StringComparison.Ordinal);
        Assert.Contains("another server", e.Message, StringComparison.Ordinal);
        await Append(journal, 1);
    }

    [Fact]
    public async Task The_lock_goes_with_the_server()
    {
        await using (Open()) { }
        await using (Open()) { }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1001)]
    public async Task A_record_of_an_impossible_size_is_refused(int size)
    {
        Options.MaxRecordBytes = 1000;
        await using var journal = Open();
        await Assert.ThrowsAsync<ArgumentException>(async () => await journal.AppendAsync(new byte[size], CancellationToken.None));
        Assert.Equal(0, journal.Status.BytesHeld);
    }

    [Fact]
    public async Task A_cancelled_append_keeps_nothing_and_a_closed_journal_takes_nothing()
    {
        var journal = Open();
        await Assert.ThrowsAsync<TaskCanceledException>(async () => await journal.AppendAsync(Payload(1), new CancellationToken(canceled: true)));
        Assert.Empty(ReadAll(journal));
        await journal.DisposeAsync();
        await journal.DisposeAsync();
        Assert.Equal(AppendResult.Failed, await journal.AppendAsync(Payload(1), CancellationToken.None));
    }

    [Fact]
    public async Task Closing_answers_everyone_first()
    {
        var journal = Open();
        var waiting = Enumerable.Range(0, 500).Select(n => journal.AppendAsync(Payload(n), CancellationToken.None).AsTask()).ToArray();
        await journal.DisposeAsync();
        Assert.All(await Task.WhenAll(waiting), r => Assert.Equal(AppendResult.Durable, r));
        await using var again = Open();
        Assert.Equal(Enumerable.Range(0, 500), Numbers(again));
    }

    [Fact]
    public async Task Waiting_for_more_ends_with_the_next_record_and_not_before()
    {
        await using var journal = Open();
        await Append(journal, 1);
        await journal.WaitForMoreAsync(JournalPosition.Start, CancellationToken.None);
        var more = journal.WaitForMoreAsync(journal.End, CancellationToken.None);
        await Task.Delay(30);
        Assert.False(more.IsCompleted);
        await Append(journal, 2);
        await more.WaitAsync(TimeSpan.FromSeconds(10));

        using var stop = new CancellationTokenSource();
        var cancelled = journal.WaitForMoreAsync(journal.End, stop.Token);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
    }
}
