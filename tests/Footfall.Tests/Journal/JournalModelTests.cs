using Footfall.Capture;
using Footfall.Journal;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Footfall.Tests.Journal;

/// <summary>Random operations on a journal, against a list that does the same: every acknowledged record is there once, in order, whatever crashed.</summary>
public sealed class JournalModelTests : JournalFixture
{
    public abstract record Operation;
    public sealed record AppendSome(int Records, int Bytes) : Operation;
    public sealed record AppendTogether(int Records, int Bytes) : Operation;
    public sealed record ReadSome(int MaxBytes) : Operation;
    public sealed record ReleaseRead : Operation;
    public sealed record Reopen : Operation;
    /// <summary>The machine dies while records are written; so many bytes of them reach the disk, then so many of garbage or zeros.</summary>
    public sealed record Crash(int Records, int Reached, int Tail, bool Zeros) : Operation;
    public sealed record DiskFullOnce(int Reached) : Operation;
    public sealed record FlushFailsOnce(bool TruncateToo) : Operation;

    private static readonly Gen<Operation> Steps = Gen.Frequency(
        (6, from n in Gen.Choose(1, 20) from b in Gen.Choose(4, 900) select (Operation)new AppendSome(n, b)),
        (4, from n in Gen.Choose(2, 60) from b in Gen.Choose(4, 300) select (Operation)new AppendTogether(n, b)),
        (6, from b in Gen.Choose(1, 6000) select (Operation)new ReadSome(b)),
        (3, Gen.Constant((Operation)new ReleaseRead())),
        (2, Gen.Constant((Operation)new Reopen())),
        (3, from n in Gen.Choose(1, 5) from r in Gen.Choose(0, 1500) from t in Gen.Choose(0, 200) from z in Gen.Elements(true, false) select (Operation)new Crash(n, r, t, z)),
        (1, from r in Gen.Choose(0, 500) select (Operation)new DiskFullOnce(r)),
        (1, from t in Gen.Elements(true, false) select (Operation)new FlushFailsOnce(t)));

    [Fact]
    public void Whatever_happens_every_acknowledged_record_is_read_once_and_in_order() =>
        Prop.ForAll(Steps.ListOf().ToArbitrary(), steps => RunAsync(steps).GetAwaiter().GetResult())
            .Check(Config.QuickThrowOnFailure.WithMaxTest(150).WithEndSize(60));

    private async Task RunAsync(IEnumerable<Operation> steps)
    {
        var folder = NewFolder();
        var disk = new FailingDisk();
        var journal = Open(folder, disk);
        var next = 0;
        List<int> expected = [];          // acknowledged and not read yet
        HashSet<int> perhaps = [];        // answered Failed, or never: may be there or not
        var position = JournalPosition.Start;
        try
        {
            foreach (var step in steps)
            {
                switch (step)
                {
                    case AppendSome s:
                        for (var i = 0; i < s.Records; i++) await AppendOne(s.Bytes);
                        break;
                    case AppendTogether s:
                        var first = next;
                        next += s.Records;
                        var results = await Task.WhenAll(Enumerable.Range(first, s.Records).Select(n => journal.AppendAsync(Payload(n, s.Bytes), CancellationToken.None).AsTask()));
                        Assert.All(results, r => Assert.Equal(AppendResult.Durable, r));
                        expected.AddRange(Enumerable.Range(first, s.Records));
                        break;
                    case ReadSome s:
                        List<JournalEntry> entries = [];
                        var count = journal.Read(position, s.MaxBytes, entries);
                        Assert.Equal(count, entries.Count);
                        Take(entries);
                        break;
                    case ReleaseRead:
                        journal.Release(position);
                        break;
                    case Reopen:
                        await journal.DisposeAsync();
                        journal = Open(folder, disk);
                        break;
                    case Crash s:
                        await DieWriting(s);
                        break;
                    case DiskFullOnce s:
                        disk.WriteFailsAfter = s.Reached;
                        perhaps.Add(next);
                        Assert.Equal(AppendResult.Failed, await journal.AppendAsync(Payload(next++, 600), CancellationToken.None));
                        disk.WriteFailsAfter = null;
                        break;
                    case FlushFailsOnce s:
                        disk.FlushFails = true;
                        disk.TruncateFails = s.TruncateToo;
                        perhaps.Add(next);
                        Assert.Equal(AppendResult.Failed, await journal.AppendAsync(Payload(next++), CancellationToken.None));
                        disk.FlushFails = disk.TruncateFails = false;
                        break;
                }
                Assert.True(journal.End >= position);
            }
            Take(ReadAll(journal, position, 5000));
            Assert.Empty(expected);
            journal.Release(journal.End);
            Assert.Equal(0, journal.Status.BytesHeld);
            Assert.InRange(Segments(folder).Length, 0, 1);
        }
        finally
        {
            await journal.DisposeAsync();
            Directory.Delete(folder, recursive: true);
        }

        async Task AppendOne(int bytes)
        {
            Assert.Equal(AppendResult.Durable, await journal.AppendAsync(Payload(next, bytes), CancellationToken.None));
            expected.Add(next++);
        }

        void Take(List<JournalEntry> entries)
        {
            foreach (var entry in entries)
            {
                Assert.True(entry.End > position);
                position = entry.End;
                var number = NumberOf(entry);
                if (perhaps.Remove(number)) continue;
                Assert.Equal(expected[0], number);
                expected.RemoveAt(0);
            }
        }

        async Task DieWriting(Crash s)
        {
            disk.Flowing.Reset();
            var lost = Enumerable.Range(next, s.Records).Select(n => journal.AppendAsync(Payload(n, 200), CancellationToken.None).AsTask()).ToArray();
            perhaps.UnionWith(Enumerable.Range(next, s.Records));
            next += s.Records;
            // Whatever the writer has got to by now, the machine may have put on disk any first part of what lies behind the durable end.
            var end = journal.End;
            var dead = CopyOf(folder);
            disk.Flowing.Set();
            await Task.WhenAll(lost);
            await journal.DisposeAsync();

            foreach (var file in Segments(dead))
            {
                Assert.True(SegmentFile.TryNumber(file, out var number));
                var written = await File.ReadAllBytesAsync(Path.Combine(folder, Path.GetFileName(file)));
                if (number < end.Segment || written.Length < JournalFormat.HeaderBytes) continue;
                var durable = number == end.Segment ? (int)end.Offset : 0;
                var tail = new byte[s.Tail];
                if (!s.Zeros) new Random(s.Tail).NextBytes(tail);
                await File.WriteAllBytesAsync(file, [.. written[..Math.Min(written.Length, durable + s.Reached)], .. tail]);
            }
            Directory.Delete(folder, recursive: true);
            folder = dead;
            journal = Open(folder, disk);
        }
    }
}
