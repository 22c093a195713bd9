using Footfall.Capture;
using Footfall.Explore;
using Footfall.Ingestion;
using Footfall.Postgres;
using Footfall.Rollups;
using Footfall.Segments;
using Footfall.Tests.Infrastructure;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Xunit;

namespace Footfall.Tests.Segments;

/// <summary>Segments and raw rows give the same answer, cell by cell and to the last bit, whatever happened and whatever is asked.</summary>
public sealed class SegmentOracleTests : IAsyncLifetime
{
    private static readonly TimeProvider Clock = TimeProvider.System;
    private TestDatabase database = null!;
    private int asked;

    public async ValueTask InitializeAsync() => database = await TestDatabase.CreateAsync();

    public ValueTask DisposeAsync() => database.DisposeAsync();

    [Fact]
    public void Segments_answer_what_raw_rows_answer()
    {
        var cases = from seed in Gen.Choose(0, int.MaxValue) from events in Gen.Choose(0, 400) select (seed, events);
        Prop.ForAll(Arb.From(cases), c => CheckAsync(new Random(c.seed), c.events).GetAwaiter().GetResult())
            .Check(Config.QuickThrowOnFailure.WithMaxTest(24).WithQuietOnSuccess(true));
        Assert.True(asked > 2_000, $"{asked} questions were asked.");
    }

    private async Task CheckAsync(Random random, int count)
    {
        await database.ExecuteAsync("""
            truncate events, event_keys, sessions, visitors, properties, leads, lead_identities, ingest_counts, dirty_days, rollup_versions,
                     daily_metric_rollups, daily_ingest_rollups, rollup_runs, day_segments cascade
            """);
        var sessions = Options.Create(new SessionsOptions());
        var runner = new RollupRunner(database.Source, new RollupStore(database.Source), [new SegmentModel(SegmentLimits.Usual, NullLogger<SegmentModel>.Instance)], Clock, NullLogger<RollupRunner>.Instance);
        var cache = new SegmentCache(new SegmentStore(database.Source), Options.Create(new SegmentOptions()), Clock, NullLogger<SegmentCache>.Instance);
        await using var writer = new BatchWriter(database.Source, new EventPartitions(Clock), sessions, Clock);
        var arrivals = 0;
        // Rolled up and asked in between: what comes late changes days that were built, and cached, before.
        for (var round = 0; round < 3; round++)
        {
            var batch = new IngestBatch();
            foreach (var e in SegmentTraffic.Events(random, count / 3, ref arrivals)) batch.Add(e);
            if (!batch.IsEmpty) await writer.WriteAsync(batch, (_, _) => Task.CompletedTask, default);
            await new SessionSealer(database.Source, sessions, Clock).SealAsync(default);
            if (round == 1) await AddLeadsAsync(random);
            if (round == 2) await EraseAsync(random.Next(25));
            Assert.Null((await runner.RunDirtyAsync(null, wait: true, default)).Error);
            await CompareAsync(random, cache, round == 2 ? 60 : 20);
        }
    }

    private async Task AddLeadsAsync(Random random)
    {
        for (var i = 0; i < 12; i++)
        {
            var id = Guid.NewGuid();
            await database.ExecuteAsync("insert into leads values (@id, @id::text || '@example.org', 'example.org', 'express', @at, @at, null, @property)",
                ("id", id), ("at", SegmentTraffic.Epoch.AddMinutes(random.Next(-1_000, 9_000))), ("property", SegmentTraffic.Properties[i % 3 == 0 ? 1 : 0]));
            for (var n = random.Next(3); n > 0; n--)
                await database.ExecuteAsync("insert into lead_identities values (gen_random_uuid(), @id, @visitor, 'form_submit', 1.0, now()) on conflict do nothing", ("id", id), ("visitor", SegmentTraffic.Visitor(random.Next(15))));
        }
    }

    private async Task EraseAsync(int visitor) => await database.ExecuteAsync("""
        insert into dirty_days select distinct property_id, (occurred_at at time zone 'UTC')::date, 1, now() from events where visitor_id = @visitor and session_id is not null
        on conflict (property_id, day) do update set marks = dirty_days.marks + 1;
        delete from events where visitor_id = @visitor;
        delete from sessions where visitor_id = @visitor;
        delete from visitors where id = @visitor
        """, ("visitor", SegmentTraffic.Visitor(visitor)));

    private async Task CompareAsync(Random random, SegmentCache cache, int questions)
    {
        using var snapshots = new Snapshots(database.Source, Options.Create(new ExploreOptions { StatementTimeoutSeconds = 60 }));
        await using var snapshot = await snapshots.OpenAsync(default);
        var seen = await SeenAsync(snapshot);
        foreach (var property in SegmentTraffic.Properties)
        {
            using var moment = cache.Open(property);
            for (var i = 0; i < questions; i++)
            {
                var query = SegmentTraffic.Question(random, seen) with { PropertyId = property };
                var (window, gap) = await moment.WindowAsync(query.Window.From, query.Window.To, default);
                Assert.Equal(SegmentGap.None, gap);
                Assert.True(SegmentEngine.Covers(query, window!));
                await SameAsync(snapshot, query, window!);
            }
        }
    }

    private async Task SameAsync(Snapshot snapshot, Query query, SegmentWindow window)
    {
        for (var page = 0; page < 3; page++)
        {
            var expected = await snapshot.AnswerAsync(query, default);
            var answer = SegmentEngine.Answer(query, window, await LeadRows.ReadAsync(snapshot, query.PropertyId, query.Window, default), default);
            Assert.True(expected.Select(SegmentTraffic.Text).SequenceEqual(answer.Select(SegmentTraffic.Text)), $"""
                {SegmentTraffic.Text(query)}
                raw rows: {string.Join(", ", expected.Select(SegmentTraffic.Text))}
                segments: {string.Join(", ", answer.Select(SegmentTraffic.Text))}
                """);
            asked++;
            if (query.Limit is null || answer.Count < query.Limit) return;
            query = query with { After = Position.Of(answer[^1].Values[0], answer[^1].Key) };
        }
    }

    /// <summary>For each dimension, values that there are.</summary>
    private static async Task<Dictionary<Dimension, List<string?>>> SeenAsync(Snapshot snapshot)
    {
        Dictionary<Dimension, List<string?>> seen = [];
        var window = new DayRange(SegmentTraffic.First, SegmentTraffic.First.AddDays(8));
        foreach (var kind in Enum.GetValues<DimensionKind>())
        {
            foreach (var key in kind == DimensionKind.Prop ? new string?[] { "plan", "seats", "price", "nested", "flag", "quote", "list" } : [(string?)null])
            {
                var dimension = new Dimension(kind, key);
                if (dimension.IsGroup) seen[dimension] = [.. (await snapshot.AnswerAsync(new Query("shop", window, [Metric.Events], [], dimension), default)).Select(c => c.Key)];
            }
        }
        return seen;
    }
}
