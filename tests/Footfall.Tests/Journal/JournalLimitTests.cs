using Footfall.Capture;
using Footfall.Hosting;
using Footfall.Journal;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Xunit;

namespace Footfall.Tests.Journal;

/// <summary>How much is held, what is let go, and how positions stay in step with the database.</summary>
public sealed class JournalLimitTests : JournalFixture
{
    private const int RecordBytes = JournalFormat.RecordHeaderBytes + 40;

    [Fact]
    public async Task A_full_journal_takes_no_more_until_the_database_has_taken_some()
    {
        Options.MaxBytes = 10_000;
        await using var journal = Open();
        var taken = 0;
        while (await journal.AppendAsync(Payload(taken), CancellationToken.None) == AppendResult.Durable) taken++;
        Assert.Equal(10_000 / RecordBytes, taken);
        Assert.Equal(AppendResult.Full, await journal.AppendAsync(Payload(99), CancellationToken.None));
        Assert.True(journal.Status.IsFull);
        Assert.Equal(taken * RecordBytes, journal.Status.BytesHeld);
        Assert.Single(Log.Of(3012));

        var all = ReadAll(journal);
        Assert.Equal(Enumerable.Range(0, taken), all.ConvertAll(NumberOf));
        journal.Release(all[49].End);
        Assert.Equal((taken - 50) * RecordBytes, journal.Status.BytesHeld);
        Assert.False(journal.Status.IsFull);
        await Append(journal, Enumerable.Range(taken, 50));
        Assert.Equal(AppendResult.Full, await journal.AppendAsync(Payload(99), CancellationToken.None));

        journal.Release(journal.End);
        Assert.Equal(0, journal.Status.BytesHeld);
        await Append(journal, Enumerable.Range(500, taken));
        Assert.Equal(AppendResult.Full, await journal.AppendAsync(Payload(99), CancellationToken.None));
    }

    [Fact]
    public async Task Failed_writes_do_not_count_as_held()
    {
        Options.MaxBytes = 10_000;
        var disk = new FailingDisk { WriteFailsAfter = 0 };
        await using var journal = Open(disk: disk);
        for (var i = 0; i < 500; i++) Assert.Equal(AppendResult.Failed, await journal.AppendAsync(Payload(i), CancellationToken.None));
        disk.WriteFailsAfter = null;
        await Append(journal, Enumerable.Range(0, 10_000 / RecordBytes));
    }

    [Fact]
    public async Task What_was_held_counts_again_after_a_restart()
    {
        Options.MaxBytes = 10_000;
        await using (var journal = Open()) await Append(journal, Enumerable.Range(0, 150));
        await using (var journal = Open())
        {
            Assert.Equal(150 * RecordBytes, journal.Status.BytesHeld);
            await Append(journal, Enumerable.Range(150, 10_000 / RecordBytes - 150));
            Assert.Equal(AppendResult.Full, await journal.AppendAsync(Payload(99), CancellationToken.None));
        }
    }

    [Fact]
    public async Task Released_segments_are_deleted_and_the_rest_is_kept()
    {
        JournalPosition end;
        await using (var journal = Open())
        {
            await Append(journal, Enumerable.Range(0, 1000));
            var segments = Segments();
            var all = ReadAll(journal);
            Assert.Equal(new JournalPosition(all[0].End.Segment, JournalFormat.HeaderBytes), journal.First);

            journal.Release(all[500].End);
            Assert.Equal(segments.Where(s => SegmentFile.TryNumber(s, out var n) && n >= all[500].End.Segment), Segments());
            Assert.Equal(all[500].End.Segment, journal.First.Segment);
            Assert.Equal(Enumerable.Range(501, 499), Numbers(journal, all[500].End));
            journal.Release(all[100].End);   // an older position changes nothing
            Assert.Equal(499 * RecordBytes, journal.Status.BytesHeld);

            journal.Release(journal.End);
            Assert.Single(Segments());
            Assert.Empty(ReadAll(journal, journal.End));
            Assert.Equal(0, journal.Status.BytesHeld);
            end = journal.End;
        }
        await using (var journal = Open())
        {
            Assert.Equal(end, journal.End);   // what the database has stored still is the end
            journal.EnsureAfter(end);
            journal.Release(end);
            await Append(journal, 2000);
            Assert.Equal([2000], Numbers(journal, end));
            journal.Release(journal.End);
            Assert.Single(Segments());
        }
        Assert.Empty(Log.Of(3015));
    }

    [Fact]
    public async Task The_oldest_waiting_record_has_an_age()
    {
        var time = new SetTime();
        await using var journal = Open(time: time);
        Assert.Null(journal.Status.OldestWaitingSince);
        var began = time.Now;
        await Append(journal, 1);
        var first = journal.End;
        time.Now += TimeSpan.FromMinutes(5);
        await Append(journal, 2);
        time.Now += TimeSpan.FromMinutes(5);
        await Append(journal, 3);
        Assert.Equal(began, journal.Status.OldestWaitingSince);
        journal.Release(first);
        Assert.Equal(began.AddMinutes(5), journal.Status.OldestWaitingSince);
        journal.Release(journal.End);
        Assert.Null(journal.Status.OldestWaitingSince);
        time.Now += TimeSpan.FromMinutes(1);
        await Append(journal, 4);
        Assert.Equal(began.AddMinutes(11), journal.Status.OldestWaitingSince);
    }

    [Fact]
    public async Task The_age_stays_right_over_many_hours_without_a_database()
    {
        var time = new SetTime();
        await using var journal = Open(time: time);
        var began = time.Now;
        List<(JournalPosition End, DateTimeOffset At)> written = [];
        for (var i = 0; i < 5000; i++)
        {
            written.Add((journal.End, time.Now));
            await Append(journal, i);
            time.Now += TimeSpan.FromSeconds(10);
        }
        Assert.Equal(began, journal.Status.OldestWaitingSince);
        journal.Release(written[2500].End);
        var since = Assert.NotNull(journal.Status.OldestWaitingSince);
        Assert.InRange(since, written[2500].At.AddHours(-1), written[2500].At);
    }

    [Fact]
    public async Task A_restored_older_folder_gives_new_records_numbers_that_the_database_does_not_know()
    {
        await using (var journal = Open()) await Append(journal, 1, 2);
        var backup = CopyOf(Folder);
        JournalPosition known;
        await using (var journal = Open())
        {
            await Append(journal, 3, 4, 5);
            known = journal.End;
        }
        await Task.Delay(2);   // numbers follow the clock in milliseconds
        await using (var journal = Open(backup))
        {
            await Append(journal, 6);   // the database is not there yet, capture goes on
            journal.EnsureAfter(known);
            await Append(journal, 7);
            Assert.Equal([6, 7], Numbers(journal, known));
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(3000)]
    public async Task A_database_that_knows_more_than_the_folder_is_overtaken_and_nothing_is_taken_for_stored(int appendedBefore)
    {
        Options.MaxBytes = 4 << 20;
        var known = new JournalPosition(long.MaxValue / 4, 700);   // as after the clock was set back
        await using (var journal = Open()) await Append(journal, 1, 2);
        await using (var journal = Open())
        {
            await Append(journal, Enumerable.Range(100, appendedBefore));
            journal.EnsureAfter(known);
            journal.EnsureAfter(known);
            Assert.Equal(Enumerable.Range(100, appendedBefore), Numbers(journal, known));
            if (appendedBefore == 0)
            {
                var more = journal.WaitForMoreAsync(known, CancellationToken.None);
                Assert.False(more.IsCompleted);
                journal.Release(known);
                Assert.Equal(0, journal.Status.BytesHeld);
            }
            await Append(journal, 50);
            Assert.Equal([.. Enumerable.Range(100, appendedBefore), 50], Numbers(journal, known));
            journal.Release(journal.End);
            Assert.Single(Segments());
            Assert.Equal(0, journal.Status.BytesHeld);
        }
        Assert.Single(Log.Of(3015));
        await using (var journal = Open()) Assert.True(journal.End > known);
    }

    [Fact]
    public async Task Overtaking_goes_on_where_a_failing_disk_stopped_it()
    {
        var disk = new FailingDisk();
        var known = new JournalPosition(long.MaxValue / 4, 700);
        await using var journal = Open(disk: disk);
        await Append(journal, Enumerable.Range(0, 100));
        disk.CreateFails = true;
        Assert.Throws<IOException>(() => journal.EnsureAfter(known));
        disk.CreateFails = false;
        journal.EnsureAfter(known);
        Assert.Equal(Enumerable.Range(0, 100), Numbers(journal, known));
    }

    [Theory]
    [InlineData(4095, 1 << 20, 1000, "Journal:SegmentBytes")]
    [InlineData(1L << 31, 1L << 40, 1000, "Journal:SegmentBytes")]
    [InlineData(4096, 4095, 1000, "Journal:MaxBytes")]
    [InlineData(4096, -1, 1000, "Journal:MaxBytes")]
    [InlineData(4096, 1 << 20, 0, "Journal:MaxRecordBytes")]
    [InlineData(4096, 1 << 20, (1 << 20) + 1, "Journal:MaxRecordBytes")]
    public void Options_out_of_range_are_refused_by_name(long segment, long max, int record, string key)
    {
        var result = new ValidateJournalOptions().Validate(null, new JournalOptions { SegmentBytes = segment, MaxBytes = max, MaxRecordBytes = record });
        Assert.Contains(key + " is ", Assert.Single(result.Failures!), StringComparison.Ordinal);
    }

    [Fact]
    public void The_defaults_are_valid() => Assert.True(new ValidateJournalOptions().Validate(null, new JournalOptions()).Succeeded);

    [Fact]
    public async Task The_room_opens_the_journal_with_the_host_and_hands_it_to_capture()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection([new("Journal:MaxBytes", "200000"), new("Journal:SegmentBytes", "5000")]);
        builder.Services.AddSingleton(TimeProvider.System).AddSingleton(new DataFolder(Folder)).AddJournal(builder.Configuration);
        using (var host = builder.Build())
        {
            await host.StartAsync();
            Assert.True(File.Exists(Path.Combine(Folder, "journal", "journal-id")));
            Assert.Equal(AppendResult.Durable, await host.Services.GetRequiredService<ICaptureLog>().AppendAsync(Payload(1), CancellationToken.None));
            Assert.Equal(200_000, host.Services.GetRequiredService<EventJournal>().Status.MaxBytes);
            await host.StopAsync();
            await ((IAsyncDisposable)host).DisposeAsync();
        }

        builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection([new("Journal:MaxBytes", "1")]);
        builder.Services.AddSingleton(TimeProvider.System).AddSingleton(new DataFolder(Folder)).AddJournal(builder.Configuration);
        using var wrong = builder.Build();
        await Assert.ThrowsAsync<OptionsValidationException>(() => wrong.StartAsync());
    }

    private sealed class SetTime : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
        public override DateTimeOffset GetUtcNow() => Now;
    }
}
