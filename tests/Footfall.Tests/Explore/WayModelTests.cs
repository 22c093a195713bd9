using Footfall.Capture;
using Footfall.Explore;
using Footfall.Ingestion;
using Footfall.Postgres;
using Footfall.Rollups;
using Footfall.Segments;
using Footfall.Tests.Infrastructure;
using Footfall.Tests.Model;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Xunit;
using Interval = Footfall.Explore.Interval;

namespace Footfall.Tests.Explore;

/// <summary>Random traffic and random funnels, retention grids, journeys and sums: SQL and segments against plain C#.</summary>
public sealed class WayModelTests : IAsyncLifetime
{
    private static readonly DateOnly First = ReferenceModel.Day(RandomTraffic.Epoch);

    private TestDatabase database = null!;
    private int asked, throughAll, cameBack, went, assigned;

    public async ValueTask InitializeAsync() => database = await TestDatabase.CreateAsync();

    public ValueTask DisposeAsync() => database.DisposeAsync();

    [Fact]
    public async Task Every_way_is_what_the_definitions_say()
    {
        const int cases = 50;
        for (var seed = 0; seed < cases; seed++)
        {
            var random = new Random(seed);
            try
            {
                await CheckAsync(RandomWays.Batches(random), random);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                throw new InvalidOperationException($"Seed {seed}: {e.Message}", e);
            }
        }
        Assert.True(asked >= 1500, $"{asked} questions were asked.");
        Assert.True(throughAll > 100 && cameBack > 100 && went > 100 && assigned > 100, $"{throughAll} went through a whole funnel, {cameBack} came back, {went} went on, {assigned} groups were of a variant: too few to tell.");
    }

    private async Task CheckAsync(List<List<PickedEvent>> batches, Random random)
    {
        await database.ExecuteAsync("truncate events, event_keys, sessions, visitors, properties, ingest_counts, dirty_days, rollup_versions, daily_metric_rollups, daily_ingest_rollups, day_segments, rollup_runs cascade");
        List<CapturedEvent> arrivals = [];
        var arrival = 0;
        await using (var writer = new BatchWriter(database.Source, new EventPartitions(TimeProvider.System), Options.Create(new SessionsOptions()), TimeProvider.System))
        {
            foreach (var picked in batches)
            {
                var batch = new IngestBatch();
                var events = RandomTraffic.Build(picked, ref arrival);
                arrivals.AddRange(events);
                foreach (var e in events) batch.Add(e);
                if (!batch.IsEmpty) await writer.WriteAsync(batch, (_, _) => Task.CompletedTask, default);
            }
        }
        await new SessionSealer(database.Source, Options.Create(new SessionsOptions()), TimeProvider.System).SealAsync(default);
        IDayModel[] models = [new DailyMetrics(), new DailyIngest(), new SegmentModel(SegmentLimits.Usual, NullLogger<SegmentModel>.Instance)];
        var runner = new RollupRunner(database.Source, new RollupStore(database.Source), models, TimeProvider.System, NullLogger<RollupRunner>.Instance);
        Assert.Null((await runner.RunDirtyAsync(null, wait: true, default)).Error);

        // Some visitors, and the account of some, are in a variant from some day on.
        await database.ExecuteAsync("""
            truncate experiment_assignments, account_numbers;
            insert into account_numbers (account_id, number) select distinct account_id, row_number() over (order by account_id)::int from visitors where account_id is not null group by account_id;
            insert into experiment_assignments
            select p, 'x1', v.number * 2, 'v' || v.number % 2, date '2026-03-02' + v.number % 4, timestamptz '2026-03-02T10:00Z' + v.number % 4 * interval '1 day', false
            from visitors v, unnest(array['shop', 'blog']) p where v.number % 3 <> 0
            union all
            select p, 'x1', a.number * 2 + 1, 'w' || a.number % 2, date '2026-03-02' + a.number % 3, timestamptz '2026-03-02T09:00Z' + a.number % 3 * interval '1 day', false
            from account_numbers a, unnest(array['shop', 'blog']) p
            """);
        var model = new ReferenceModel(arrivals, []);
        using var snapshots = new Snapshots(database.Source, Options.Create(new ExploreOptions()));
        await using var snapshot = await snapshots.OpenAsync(default);
        var cache = new SegmentCache(new SegmentStore(database.Source), Options.Create(new SegmentOptions()), TimeProvider.System, NullLogger<SegmentCache>.Instance);
        var moments = new Moments(cache, snapshots, Options.Create(new ExploreOptions()));
        for (var i = 0; i < 10; i++)
        {
            var funnel = RandomWays.Funnel(random, model, First);
            var answer = await FunnelSql.AnswerAsync(snapshot, funnel, default);
            Assert.Equal(ReferenceWays.Text(ReferenceWays.Of(funnel, model)), ReferenceWays.Text(answer));
            Assert.Equal(ReferenceWays.Text(answer), ReferenceWays.Text(await FromSegmentsAsync(moments, funnel.PropertyId, m => Ways.AnswerAsync(m, funnel, null, default))));
            Assert.Equal(ReferenceWays.Text(answer), ReferenceWays.Text(FunnelEngine.Answer(funnel, null, await WindowAsync(cache, funnel.PropertyId, FunnelEngine.Days(funnel)), default, portion: 3)));
            var byVariant = funnel with { By = null, Experiment = "x1" };
            var variants = await new Assignments(database.Source).ReadAsync(funnel.PropertyId, "x1", default);
            var ofVariants = await FunnelSql.AnswerAsync(snapshot, byVariant, default);
            Assert.Equal(ReferenceWays.Text(ofVariants), ReferenceWays.Text(await FromSegmentsAsync(moments, funnel.PropertyId, m => Ways.AnswerAsync(m, byVariant, variants, default))));
            assigned += ofVariants.Groups.Count(g => g.Key is not null);
            throughAll += (int)answer.Overall.Visitors[^1];

            var retention = RandomWays.Retention(random, model, First);
            var cohorts = await RetentionSql.AnswerAsync(snapshot, retention, default);
            Assert.Equal(ReferenceWays.Text(ReferenceWays.Of(retention, model)), ReferenceWays.Text(cohorts));
            Assert.Equal(ReferenceWays.Text(cohorts), ReferenceWays.Text(await FromSegmentsAsync(moments, retention.PropertyId, m => Ways.AnswerAsync(m, retention, default))));
            Assert.Equal(ReferenceWays.Text(cohorts), ReferenceWays.Text(RetentionEngine.Answer(retention, await WindowAsync(cache, retention.PropertyId, retention.Window), default, portion: 3)));
            cameBack += cohorts.Sum(c => c.Returned.Count(r => r.Key > c.Start));

            var journeys = RandomWays.Journeys(random, model, First);
            var ways = await JourneySql.AnswerAsync(snapshot, journeys, default);
            Assert.Equal(ReferenceWays.Text(ReferenceWays.Of(journeys, model)), ReferenceWays.Text(ways));
            Assert.Equal(ReferenceWays.Text(ways), ReferenceWays.Text(await FromSegmentsAsync(moments, journeys.PropertyId, m => Ways.AnswerAsync(m, journeys, default))));
            Assert.Equal(ReferenceWays.Text(ways), ReferenceWays.Text(JourneyEngine.Answer(journeys, await WindowAsync(cache, journeys.PropertyId, journeys.Window), default, portion: 3)));
            went += ways.Next.Count(n => n.Path is not null);
            var sums = RandomWays.Sums(random, model, First);
            Assert.Equal((await snapshot.AnswerAsync(sums, default)).Select(QueryModelTests.Text), (await FromSegmentsAsync(moments, sums.PropertyId, m => m.AnswerAsync(sums, default))).Select(QueryModelTests.Text));
            asked += 4;
        }
    }

    // With portions so small that visitors come to lie in ranges of their own, on all threads.
    private static async Task<SegmentWindow> WindowAsync(SegmentCache cache, string property, DayRange days)
    {
        using var segments = cache.Open(property);
        return (await segments.WindowAsync(days.From, days.To, default)).Window!;
    }

    private static async Task<T> FromSegmentsAsync<T>(Moments moments, string property, Func<Moment, Task<T>> ask)
    {
        await using var moment = moments.Open(property);
        var answer = await ask(moment);
        Assert.Equal("segments", moment.Engine);
        return answer;
    }
}

/// <summary>Random questions about ways; values are such that they meet the random traffic.</summary>
internal static class RandomWays
{
    private static readonly Dimension[] Groups =
        [.. Enum.GetValues<DimensionKind>().Select(k => new Dimension(k, k == DimensionKind.Prop ? "ttfbMs" : null)).Where(d => d.IsGroup)];

    private static readonly Filter[] Conditions =
    [
        new(new Dimension(DimensionKind.EventType), FilterOperator.Is, ["page_view"]),
        new(new Dimension(DimensionKind.EventType), FilterOperator.Is, ["signup", "form_submit", "engagement"]),
        new(new Dimension(DimensionKind.EventType), FilterOperator.IsNot, ["page_view"]),
        new(new Dimension(DimensionKind.Path), FilterOperator.Matches, ["/p1"]),
        new(new Dimension(DimensionKind.Path), FilterOperator.Matches, ["/p*"]),
        new(new Dimension(DimensionKind.Device), FilterOperator.IsNot, ["mobile"]),
        new(new Dimension(DimensionKind.Goal), FilterOperator.Is, ["goal"]) { Goals = [new("goal", "signup", null), new("goal", "page_view", "/p2")] },
    ];

    /// <summary>Visits of several pages by few people, some over midnight, some late, some at the same instant.</summary>
    public static List<List<PickedEvent>> Batches(Random random)
    {
        List<PickedEvent> events = [];
        for (var visit = random.Next(6) == 0 ? 150 : random.Next(1, 25); visit > 0; visit--)
        {
            var (visitor, property, oddity) = (random.Next(5), random.Next(4) / 3, random.Next(8) == 0 ? random.Next(20) : 10);
            var second = random.Next(5) == 0 ? (random.Next(1, 4) * 86_400) - random.Next(900) : random.Next(0, 4 * 86_400);
            for (var n = random.Next(1, 9); n > 0; n--)
            {
                events.Add(new PickedEvent(visitor, property, second, random.Next(3) == 0 ? random.Next(13) : 0, random.Next(31, 61), oddity));
                second += random.GetItems([0, 1, 60, 400, 1799], 1)[0];
            }
        }
        var shuffled = events.ToArray();
        if (random.Next(3) == 0) random.Shuffle(shuffled);
        return [.. shuffled.Chunk(random.Next(5, 60)).Select(c => c.ToList())];
    }

    public static FunnelQuery Funnel(Random random, ReferenceModel model, DateOnly first)
    {
        var steps = Enumerable.Range(0, random.Next(2, 5)).Select(n => new FunnelQueryStep($"step {n}", random.GetItems(Conditions, random.Next(1, 3)))).ToList();
        return new FunnelQuery(Property(random), Window(random, first), steps, random.GetItems([1, 3, 12, 24, 48], 1)[0], Filters(random, model), random.Next(2) == 0 ? null : random.GetItems(Groups, 1)[0], null);
    }

    public static RetentionQuery Retention(Random random, ReferenceModel model, DateOnly first) => new(
        Property(random), Window(random, first), random.GetItems([Interval.Day, Interval.Day, Interval.Week, Interval.Month], 1)[0],
        random.GetItems(Conditions, random.Next(0, 2)), random.GetItems(Conditions, random.Next(0, 2)), Filters(random, model));

    public static JourneyQuery Journeys(Random random, ReferenceModel model, DateOnly first) =>
        new(Property(random), Window(random, first), $"/p{random.Next(5)}", random.Next(1, 6), [.. Filters(random, model).Where(f => !f.Dimension.IsOfEvent)]) { Limit = random.Next(1, 12) };

    /// <summary>Sums, goals and page patterns: what a question can have beside what all could have before.</summary>
    public static Query Sums(Random random, ReferenceModel model, DateOnly first)
    {
        Metric[] metrics = random.GetItems([Metric.PropSum("ttfbMs"), Metric.PropSum("engagedTimeMs"), Metric.Visitors, Metric.Events, Metric.Sessions], 3).Distinct().ToArray();
        var query = new Query(Property(random), Window(random, first), metrics, [.. Filters(random, model), .. random.GetItems(Conditions, random.Next(0, 2))]);
        return random.Next(3) switch
        {
            0 => query,
            1 => query with { Per = random.GetItems(Enum.GetValues<Interval>(), 1)[0] },
            _ => query with { By = random.GetItems(Groups, 1)[0], Limit = random.Next(1, 20) },
        };
    }

    private static string Property(Random random) => RandomTraffic.Properties[random.Next(3) / 2];

    private static DayRange Window(Random random, DateOnly first) => first.AddDays(random.Next(-1, 3)) is var from ? new DayRange(from, from.AddDays(random.Next(0, 5))) : default;

    private static Filter[] Filters(Random random, ReferenceModel model) => random.Next(3) > 0 ? [] : [QueryModelTests.RandomFilter(random, model)];
}

/// <summary>The doc comments of the questions in plain C#.</summary>
internal static class ReferenceWays
{
    public static FunnelResult Of(FunnelQuery query, ReferenceModel model)
    {
        var within = TimeSpan.FromHours(query.WindowHours);
        var visitors = ReferenceAnswer.Counted(query.PropertyId, model)
            .Where(c => c.Event.OccurredAt >= query.Window.Start && ReferenceAnswer.Keeps(query.Filters, c.Event, c.Session, model)).GroupBy(c => c.Event.VisitorId);
        List<(string? Key, List<DateTimeOffset> Times)> counted = [];
        foreach (var visitor in visitors)
        {
            bool Is(int step, (CapturedEvent Event, ModelSession Session) c) => ReferenceAnswer.Keeps(query.Steps[step].Filters, c.Event, c.Session, model);
            var attempts = visitor.Where(c => c.Event.OccurredAt < query.Window.End && Is(0, c)).Select(entry =>
            {
                List<DateTimeOffset> times = [entry.Event.OccurredAt];
                while (times.Count < query.Steps.Count)
                {
                    var next = visitor.Where(c => c.Event.OccurredAt >= times[^1] && c.Event.OccurredAt <= times[0] + within && Is(times.Count, c)).Select(c => (DateTimeOffset?)c.Event.OccurredAt).Min();
                    if (next is null) break;
                    times.Add(next.Value);
                }
                var key = query.By is { } by ? by.IsOfEvent ? ReferenceAnswer.ValueOf(by, entry.Event, model) : ReferenceAnswer.ValueOf(by, entry.Session) : null;
                return (Key: key, Times: times);
            });
            counted.AddRange(attempts.OrderByDescending(a => a.Times.Count).ThenBy(a => a.Times[0]).ThenBy(a => a.Key is null).ThenBy(a => a.Key, StringComparer.Ordinal).Take(1));
        }
        FunnelCounts Counts(string? key, IEnumerable<(string? Key, List<DateTimeOffset> Times)> of)
        {
            var all = of.Select(a => a.Times).ToList();
            return new FunnelCounts(key,
                [.. query.Steps.Select((_, i) => (long)all.Count(t => t.Count > i))],
                [.. query.Steps.Skip(1).Select((_, i) => Median([.. all.Where(t => t.Count > i + 1).Select(t => (t[i + 1] - t[i]).TotalSeconds).Order()]))]);
        }
        var groups = query.By is null ? [] : counted.GroupBy(c => c.Key).Select(g => Counts(g.Key, g)).OrderByDescending(c => c.Visitors[0]).ThenBy(c => c.Key is null).ThenBy(c => c.Key, StringComparer.Ordinal).ToList();
        return new FunnelResult(Counts(null, counted), [.. groups.Take(query.Limit)], groups.Count > query.Limit);
    }

    public static List<Cohort> Of(RetentionQuery query, ReferenceModel model)
    {
        DateTimeOffset Piece(DateTimeOffset at) => TimePieces.FromKey(ReferenceAnswer.Piece(query.Per, at)!);
        var people = from c in ReferenceAnswer.Counted(query.PropertyId, model)
                     where c.Event.OccurredAt >= query.Window.Start && c.Event.OccurredAt < query.Window.End && ReferenceAnswer.Keeps(query.Filters, c.Event, c.Session, model)
                     group c by c.Event.VisitorId into visitor
                     let entries = visitor.Where(c => ReferenceAnswer.Keeps(query.Entry, c.Event, c.Session, model)).Select(c => c.Event.OccurredAt).ToList()
                     where entries.Count > 0
                     let entered = entries.Min()
                     select (Cohort: Piece(entered), Returned: visitor.Where(c => c.Event.OccurredAt >= entered && ReferenceAnswer.Keeps(query.Return, c.Event, c.Session, model)).Select(c => Piece(c.Event.OccurredAt)).Distinct().ToList());
        return [.. people.GroupBy(p => p.Cohort).OrderBy(g => g.Key).Select(g => new Cohort(g.Key, g.Count(), g.SelectMany(p => p.Returned).GroupBy(r => r).ToDictionary(r => r.Key, r => r.LongCount())))];
    }

    public static JourneyResult Of(JourneyQuery query, ReferenceModel model)
    {
        List<(string? Previous, string? Next, string[] Pages, ModelSession Session, int Nth)> seen = [];
        var sessions = ReferenceAnswer.Counted(query.PropertyId, model)
            .Where(c => c.Event.OccurredAt >= query.Window.Start && c.Event.OccurredAt < query.Window.End && c.Event is { EventType: "page_view", Path: not null } && ReferenceAnswer.Keeps(query.Filters, c.Event, c.Session, model))
            .GroupBy(c => c.Session);
        foreach (var session in sessions)
        {
            List<string> way = [];
            foreach (var page in session.OrderBy(c => c.Event.OccurredAt).ThenBy(c => c.Event.Path, StringComparer.Ordinal).Select(c => c.Event.Path!))
            {
                if (way.Count == 0 || way[^1] != page) way.Add(page);
            }
            var nth = 0;
            for (var i = 0; i < way.Count; i++)
            {
                if (way[i] == query.Path) seen.Add((i == 0 ? null : way[i - 1], i + 1 < way.Count ? way[i + 1] : null, [.. way.Skip(i).Take(query.Steps + 1)], session.Key, nth++));
            }
        }
        List<JourneyNeighbour> Neighbours(Func<(string? Previous, string? Next, string[] Pages, ModelSession Session, int Nth), string?> of) =>
            [.. seen.GroupBy(of).Select(g => new JourneyNeighbour(g.Key, g.Count(), g.Select(s => s.Session).Distinct().Count())).OrderByDescending(n => n.Views).ThenBy(n => n.Path is null).ThenBy(n => n.Path, StringComparer.Ordinal).Take(query.Limit)];
        return new JourneyResult(
            seen.Count, seen.Select(s => s.Session).Distinct().Count(), Neighbours(s => s.Next), Neighbours(s => s.Previous),
            [.. seen.Where(s => s.Nth == 0).GroupBy(s => string.Join('\n', s.Pages)).OrderByDescending(g => g.Count()).ThenBy(g => g.Key, StringComparer.Ordinal).Take(query.Limit).Select(g => new JourneyPath(g.Key.Split('\n'), g.Count()))]);
    }

    public static string Text(FunnelResult result) =>
        string.Join('\n', result.Groups.Prepend(result.Overall).Select(c => $"{c.Key ?? "-"}: {string.Join(' ', c.Visitors)} | {string.Join(' ', c.MedianSeconds.Select(m => m is null ? "-" : Math.Round(m.Value, 4).ToString(System.Globalization.CultureInfo.InvariantCulture)))}")) + (result.HasMore ? "\nmore" : "");

    public static string Text(IEnumerable<Cohort> cohorts) =>
        string.Join('\n', cohorts.Select(c => $"{c.Start:yyyy-MM-dd}: {c.Visitors} | {string.Join(' ', c.Returned.OrderBy(r => r.Key).Select(r => $"{r.Key:MM-dd}={r.Value}"))}"));

    public static string Text(JourneyResult r) =>
        $"{r.Views} {r.Sessions}\n{string.Join(' ', r.Next)}\n{string.Join(' ', r.Previous)}\n{string.Join('\n', r.Paths.Select(p => $"{string.Join('>', p.Pages)} {p.Sessions}"))}";

    private static double? Median(List<double> sorted) => sorted.Count == 0 ? null : (sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2;
}
