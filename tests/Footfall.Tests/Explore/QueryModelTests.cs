using Footfall.Capture;
using Footfall.Explore;
using Footfall.Ingestion;
using Footfall.Postgres;
using Footfall.Rollups;
using Footfall.Tests.Infrastructure;
using Footfall.Tests.Model;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Xunit;
using Interval = Footfall.Explore.Interval;

namespace Footfall.Tests.Explore;

/// <summary>Random traffic and random questions: the SQL against plain C#, and against the day rows.</summary>
[Trait("Category", TestCluster.Category)]
public sealed class QueryModelTests : IAsyncLifetime
{
    private static readonly Metric[] Metrics = Enum.GetValues<Metric>();
    private static readonly DateOnly First = ReferenceModel.Day(RandomTraffic.Epoch);

    private static readonly Dimension[] Dimensions =
        [.. Enum.GetValues<DimensionKind>().Select(k => new Dimension(k, k == DimensionKind.Prop ? "ttfbMs" : null))];

    private TestDatabase database = null!;
    private int asked;

    public async ValueTask InitializeAsync() => database = await TestDatabase.CreateAsync();

    public ValueTask DisposeAsync() => database.DisposeAsync();

    [Fact]
    public void Every_answer_is_what_the_definitions_say()
    {
        var cases = from batches in RandomTraffic.Batches().Generator
                    from seed in Gen.Choose(0, int.MaxValue)
                    select (batches, seed);
        Prop.ForAll(Arb.From(cases), c => CheckAsync(c.batches, new Random(c.seed)).GetAwaiter().GetResult())
            .Check(Config.QuickThrowOnFailure.WithMaxTest(40).WithEndSize(14).WithQuietOnSuccess(true));
        Assert.True(asked > 1000, $"{asked} questions were asked.");
    }

    private async Task CheckAsync(List<List<PickedEvent>> batches, Random random)
    {
        await database.ExecuteAsync("""
            truncate events, event_keys, sessions, visitors, properties, leads, lead_identities, ingest_counts, dirty_days, rollup_versions,
                     daily_metric_rollups, daily_ingest_rollups, rollup_runs cascade
            """);
        var clock = TimeProvider.System;
        var options = Options.Create(new SessionsOptions());
        List<CapturedEvent> arrivals = [];
        var arrival = 0;
        await using (var writer = new BatchWriter(database.Source, new EventPartitions(clock), options, clock))
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
        var leads = await AddLeadsAsync();
        await new SessionSealer(database.Source, options, clock).SealAsync(default);
        var runner = new RollupRunner(database.Source, new RollupStore(database.Source), [new DailyMetrics(), new DailyIngest()], clock, NullLogger<RollupRunner>.Instance);
        Assert.Null((await runner.RunDirtyAsync(null, wait: true, default)).Error);

        var model = new ReferenceModel(arrivals, leads);
        using var snapshots = new Snapshots(database.Source, Options.Create(new ExploreOptions()));
        await using var snapshot = await snapshots.OpenAsync(default);
        await CompareWithDayRowsAsync(snapshot);
        for (var i = 0; i < 30; i++)
        {
            var query = RandomQuery(random, model);
            var expected = ReferenceAnswer.Of(query, model, leads);
            var answer = await snapshot.AnswerAsync(query, default);
            Assert.Equal(expected.Select(Text), answer.Select(Text));
            asked++;
        }
    }

    private async Task CompareWithDayRowsAsync(Snapshot snapshot)
    {
        foreach (var property in RandomTraffic.Properties)
        {
            var window = new DayRange(First.AddDays(-1), First.AddDays(6));
            var cells = (await snapshot.AnswerAsync(new Query(property, window, Metrics, [], null, Interval.Day), default)).ToDictionary(c => TimePieces.FromKey(c.Key!).UtcDateTime);
            var expected = await database.RowsAsync($"""
                select day::text || ' ' || unique_visitors || ' ' || sessions || ' ' || page_views || ' ' || events || ' ' || bounces || ' ' || duration_ms || ' ' || engaged_ms
                       || ' ' || conversions || ' ' || converted_sessions || ' ' || new_leads
                from daily_metric_rollups
                where property_id = '{property}' and day between '{window.From:yyyy-MM-dd}' and '{window.To:yyyy-MM-dd}'
                  and (unique_visitors > 0 or sessions > 0 or new_leads > 0)
                order by day
                """);
            Assert.Equal(expected, cells.OrderBy(c => c.Key).Select(c =>
            {
                double Of(Metric m) => c.Value.Values[Array.IndexOf(Metrics, m)] ?? 0;
                var n = Of(Metric.Sessions);
                return string.Join(' ', c.Key.ToString("yyyy-MM-dd"), Of(Metric.Visitors), n, Of(Metric.PageViews), Of(Metric.Events), Math.Round(Of(Metric.BounceRate) * n),
                    Math.Round(Of(Metric.VisitDuration) * n * 1000), Math.Round(Of(Metric.EngagedTime) * n * 1000), Of(Metric.Conversions), Math.Round(Of(Metric.ConversionRate) * n), Of(Metric.Leads));
            }));
        }
    }

    private static Query RandomQuery(Random random, ReferenceModel model)
    {
        var from = First.AddDays(random.Next(-1, 5));
        var metrics = random.GetItems(Metrics, random.Next(1, 4)).Distinct().ToList();
        var filters = Enumerable.Range(0, random.Next(0, 3)).Select(_ => RandomFilter(random, model)).ToList();
        var query = new Query(RandomTraffic.Properties[random.Next(2)], new DayRange(from, from.AddDays(random.Next(0, 4))), metrics, filters);
        return random.Next(4) switch
        {
            0 => query,
            1 => query with { Per = random.GetItems(Enum.GetValues<Interval>(), 1)[0] },
            _ => query with { By = random.GetItems(Dimensions, 1)[0], Limit = random.Next(1, 20) },
        };
    }

    private static Filter RandomFilter(Random random, ReferenceModel model)
    {
        var dimension = random.GetItems(Dimensions, 1)[0];
        var values = model.Stored.Select(e => ReferenceAnswer.ValueOf(dimension, e, model)).Distinct().Append("nothing like it").Append(null).ToArray();
        var op = random.GetItems(Enum.GetValues<FilterOperator>(), 1)[0];
        if (op == FilterOperator.Contains) return new Filter(dimension, op, [values.OfType<string>().First(v => v.Length > 0) is var v && random.Next(2) == 0 ? v[..1] : v]);
        return new Filter(dimension, op, random.GetItems(values, random.Next(1, 4)));
    }

    private async Task<List<ModelLead>> AddLeadsAsync()
    {
        List<ModelLead> leads =
        [
            new("shop", RandomTraffic.Epoch.AddHours(30), [RandomTraffic.VisitorId(0)]),
            new("shop", RandomTraffic.Epoch.AddHours(60), [RandomTraffic.VisitorId(1), RandomTraffic.VisitorId(2)]),
            new("blog", RandomTraffic.Epoch.AddHours(61), []),
        ];
        foreach (var lead in leads)
        {
            var id = Guid.NewGuid();
            await database.ExecuteAsync("insert into leads values (@id, @id::text || '@example.org', 'example.org', 'express', @at, @at, null, @property)", ("id", id), ("at", lead.CapturedAt), ("property", lead.PropertyId));
            foreach (var visitor in lead.Visitors) await database.ExecuteAsync("insert into lead_identities values (gen_random_uuid(), @id, @visitor, 'form_submit', 1.0, @at)", ("id", id), ("visitor", visitor), ("at", lead.CapturedAt));
            await database.ExecuteAsync("insert into dirty_days values (@property, (@at at time zone 'UTC')::date, 1, @at) on conflict do nothing", ("property", lead.PropertyId), ("at", lead.CapturedAt));
        }
        return leads;
    }

    private static string Text(Cell cell) => $"{cell.Key ?? "-"}: {string.Join(' ', cell.Values.Select(v => v is null ? "null" : Math.Round(v.Value, 6).ToString(System.Globalization.CultureInfo.InvariantCulture)))}";
}

/// <summary>The doc comment of <see cref="Query"/> in plain C#.</summary>
internal static class ReferenceAnswer
{
    public static List<Cell> Of(Query query, ReferenceModel model, List<ModelLead> leads)
    {
        bool InWindow(DateTimeOffset at) => at >= query.Window.Start && at < query.Window.End;
        bool Keeps(bool ofEvent, Func<Dimension, string?> value) => query.Filters.Where(f => f.Dimension.IsOfEvent == ofEvent).All(f => Holds(f, value(f.Dimension)));

        var sessions = model.Sessions.Where(s => s.PropertyId == query.PropertyId && !s.IsBot).ToList();
        var kept = (from e in model.Stored
                    where e.PropertyId == query.PropertyId && !e.IsOutOfRange && e.DeviceType != DeviceType.Bot && InWindow(e.OccurredAt)
                    let session = sessions.Single(s => Holds(s, e))
                    where Keeps(false, d => ValueOf(d, session)) && Keeps(true, d => ValueOf(d, e, model))
                    select (Event: e, Session: session)).ToList();
        var throughEvents = query.Filters.Any(f => f.Dimension.IsOfEvent) || query.By is { IsOfEvent: true };

        IEnumerable<string?> Groups(ModelSession? s, DateTimeOffset at)
        {
            var through = kept.Where(k => k.Session == s).ToList();
            if (throughEvents && through.Count == 0) return [];
            if (query.By is { IsOfEvent: true } d) return through.Select(k => ValueOf(d, k.Event, model)).Distinct();
            return [query.By is { } f ? s is null ? null : ValueOf(f, s) : Piece(query.Per, at)];
        }

        var hits = kept.Select(k => (Key: query.By is { } d ? d.IsOfEvent ? ValueOf(d, k.Event, model) : ValueOf(d, k.Session) : Piece(query.Per, k.Event.OccurredAt), k.Event)).ToList();
        var visits = (from s in sessions where InWindow(s.StartedAt) && Keeps(false, d => ValueOf(d, s)) from key in Groups(s, s.StartedAt) select (Key: key, Session: s)).ToList();
        var captured = (from l in leads
                        where l.PropertyId == query.PropertyId && InWindow(l.CapturedAt)
                        let session = sessions.Where(s => l.Visitors.Contains(s.VisitorId) && s.StartedAt <= l.CapturedAt).MaxBy(s => s.StartedAt)
                        where Keeps(false, d => session is null ? null : ValueOf(d, session))
                        from key in Groups(session, l.CapturedAt)
                        select key).ToList();

        List<string?> keys = [];
        if (query.Metrics.Any(m => m is Metric.Visitors or Metric.PageViews or Metric.Events or Metric.Conversions)) keys.AddRange(hits.Select(h => h.Key));
        if (query.Metrics.Any(m => m == Metric.Sessions || m.IsRatio())) keys.AddRange(visits.Select(v => v.Key));
        if (query.Metrics.Contains(Metric.Leads)) keys.AddRange(captured);
        if (query is { By: null, Per: null }) keys = [null];
        var cells = keys.Distinct().Select(key =>
        {
            var (events, people) = (hits.Where(h => h.Key == key).Select(h => h.Event).ToList(), visits.Where(v => v.Key == key).Select(v => v.Session).ToList());
            double? Mean(Func<ModelSession, double> of) => people.Count == 0 ? null : people.Sum(of) / people.Count;
            return new Cell(key, [.. query.Metrics.Select(m => m switch
            {
                Metric.Visitors => events.Select(e => e.VisitorId).Distinct().Count(),
                Metric.PageViews => events.Count(e => e.EventType == "page_view"),
                Metric.Events => events.Count,
                Metric.Conversions => events.Count(e => e.IsConversion),
                Metric.Sessions => people.Count,
                Metric.BounceRate => Mean(s => s.IsBounce ? 1 : 0),
                Metric.ConversionRate => Mean(s => s.HasConversion ? 1 : 0),
                Metric.VisitDuration => Mean(s => (s.EndedAt - s.StartedAt).TotalSeconds),
                Metric.EngagedTime => Mean(s => s.EngagedMs / 1000.0),
                Metric.Leads => captured.Count(c => c == key),
                _ => throw new ArgumentOutOfRangeException(nameof(query), m, null),
            })]);
        });
        var ordered = cells.OrderByDescending(c => c.Values[0] ?? -1).ThenBy(c => c.Key is null).ThenBy(c => c.Key, StringComparer.Ordinal);
        return [.. query.Limit is { } n ? ordered.Take(n) : ordered];
    }

    public static string? ValueOf(Dimension dimension, CapturedEvent e, ReferenceModel model) => dimension.Kind switch
    {
        DimensionKind.Path => e.Path,
        DimensionKind.EventType => e.EventType,
        DimensionKind.Prop => e.Props is not null && System.Text.Json.JsonDocument.Parse(e.Props).RootElement.TryGetProperty(dimension.Key!, out var prop) ? prop.GetRawText() : null,
        _ => model.Sessions.FirstOrDefault(s => Holds(s, e)) is { } session ? ValueOf(dimension, session) : null,
    };

    private static string? ValueOf(Dimension dimension, ModelSession s) => dimension.Kind switch
    {
        DimensionKind.EntryPath => s.LandingPath,
        DimensionKind.ExitPath => s.ExitPath,
        DimensionKind.Channel => Names.Of(s.Source),
        DimensionKind.Country => s.Country,
        DimensionKind.Device => Names.Of(s.Device),
        DimensionKind.Browser => s.Browser,
        DimensionKind.Source or DimensionKind.ReferrerHost => s.Referrer is null ? null : new Uri(s.Referrer).Host,
        _ => null,   // the traffic has no tags and no operating systems
    };

    private static bool Holds(ModelSession s, CapturedEvent e) =>
        s.VisitorId == e.VisitorId && s.PropertyId == e.PropertyId && s.IsBot == (e.DeviceType == DeviceType.Bot) && !e.IsOutOfRange && e.OccurredAt >= s.StartedAt && e.OccurredAt <= s.EndedAt;

    private static bool Holds(Filter filter, string? value) => filter.Operator switch
    {
        FilterOperator.Is => filter.Values.Contains(value),
        FilterOperator.IsNot => !filter.Values.Contains(value),
        FilterOperator.Contains => value is not null && value.Contains(filter.Values[0]!, StringComparison.Ordinal),
        _ => throw new ArgumentOutOfRangeException(nameof(filter), filter.Operator, null),
    };

    private static string? Piece(Interval? interval, DateTimeOffset at)
    {
        if (interval is null) return null;
        var t = at.UtcDateTime;
        var start = interval switch
        {
            Interval.Hour => t.Date.AddHours(t.Hour),
            Interval.Day => t.Date,
            Interval.Week => t.Date.AddDays(-(((int)t.DayOfWeek + 6) % 7)),
            Interval.Month => new DateTime(t.Year, t.Month, 1, 0, 0, 0, DateTimeKind.Utc),
            _ => throw new ArgumentOutOfRangeException(nameof(interval), interval, null),
        };
        return new DateTimeOffset(start, TimeSpan.Zero).ToUnixTimeSeconds().ToString(System.Globalization.CultureInfo.InvariantCulture);
    }
}
