using System.Text;
using Footfall.Journal;
using Xunit;

namespace Footfall.Tests.Journal;

/// <summary>After a turn no file keeps a record that the database has.</summary>
public sealed class JournalTurnTests : JournalFixture
{
    [Fact]
    public async Task A_turn_lets_the_newest_segment_go_once_it_is_released()
    {
        await using var journal = Open();
        Assert.Equal(JournalPosition.Start, journal.Turn());   // nothing to turn
        await journal.AppendAsync(Encoding.UTF8.GetBytes("someone who wants to be forgotten"), CancellationToken.None);
        var end = journal.End;
        journal.Release(end);
        Assert.True(Holds("forgotten"));   // the newest segment stays
        Assert.Equal(end, journal.Turn());
        Assert.True(Holds("forgotten"));   // until it is released
        journal.Release(end);
        Assert.False(Holds("forgotten"));
        Assert.Single(Segments());

        Assert.Equal(end, journal.Turn());   // again: an empty segment needs no other behind it
        Assert.Single(Segments());
        Assert.Equal(0, journal.Status.BytesHeld);
        Assert.Null(journal.Status.OldestWaitingSince);
    }

    [Fact]
    public async Task Records_that_are_not_released_survive_a_turn_and_a_restart()
    {
        JournalPosition released;
        await using (var journal = Open())
        {
            await Append(journal, 1, 2);
            released = ReadAll(journal)[0].End;
            journal.Turn();
            journal.Release(released);
            Assert.Equal([2], Numbers(journal, released));
            await Append(journal, 3);
            Assert.Equal([2, 3], Numbers(journal, released));
        }
        await using var again = Open();
        again.EnsureAfter(released);
        Assert.Equal([2, 3], Numbers(again, released));
    }

    [Fact]
    public async Task A_journal_whose_only_segment_is_an_empty_one_goes_on_behind_it()
    {
        JournalPosition released;
        await using (var journal = Open())
        {
            await Append(journal, 1);
            released = journal.Turn();
            journal.Release(released);
        }
        Assert.Single(Segments());
        await using var again = Open();
        again.EnsureAfter(released);
        again.Release(released);
        Assert.Empty(Numbers(again, released));
        await Append(again, 2);
        Assert.Equal([2], Numbers(again, released));
        Assert.DoesNotContain(Log.Lines, l => l.Text.Contains("missing", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_reader_that_waits_is_not_woken_by_a_turn()
    {
        await using var journal = Open();
        await Append(journal, 1);
        var more = journal.WaitForMoreAsync(journal.End, CancellationToken.None);
        journal.Turn();
        await Task.Delay(30);
        Assert.False(more.IsCompleted);
        await Append(journal, 2);
        await more.WaitAsync(TimeSpan.FromSeconds(10));
    }

    private bool Holds(string text) => Segments().Any(file =>
    {
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var reader = new StreamReader(stream, Encoding.Latin1);
        return reader.ReadToEnd().Contains(text, StringComparison.Ordinal);
    });
}
