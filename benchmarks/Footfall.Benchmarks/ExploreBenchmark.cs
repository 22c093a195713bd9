using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Footfall.Explore;
using Footfall.Rollups;
using Footfall.Segments;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Footfall.Benchmarks;

/// <summary>
/// Eight questions about thirty days with ten million page views: from segments in this process, through HTTP of a server in a process of its own, from
/// raw rows, and from the ClickHouse engine with exact counts; all of them must agree. Then what segments cost: building, memory, storage, cold, and
/// with ten times the history.
/// </summary>
internal static class ExploreBenchmark
{
    private const int Rounds = 15;
    private const int Requests = 100;
    private const int HistoryDays = 300;

    /// <param name="scale">1 is the data set of docs/performance.md; less is for trying the benchmark out.</param>
    public static async Task RunAsync(double scale, bool withRows)
    {
        var folder = Folders.Named(scale == 1 ? "explore" : string.Create(CultureInfo.InvariantCulture, $"explore-{scale}"));
        await using var house = await ClickHouse.StartAsync(Path.Combine(folder, "clickhouse"));
        Dictionary<string, List<string>> answers;
        await using (var database = await BenchDatabase.OpenAsync(folder))
        {
            await ExploreLoad.FillAsync(database, house, scale);
            await BuildAsync(database);
            Figures.Title($"Explore: {await database.NumberAsync("select events from benchmark_explore"):N0} page views of {ExploreTraffic.Days} days");
            await CostsAsync(database);
            answers = await CompareAsync(database, house, withRows);
            await ColdAsync(database);
            await HistoryAsync(database);
        }
        await HttpAsync(folder, answers);
    }

    private static async Task BuildAsync(BenchDatabase database)
    {
        if (await database.NumberAsync("select count(*) from dirty_days") == 0) return;
        var watch = Stopwatch.StartNew();
        var report = await Runner(database, new DailyMetrics(), new DailyIngest(), Model()).RunDirtyAsync(null, wait: true, CancellationToken.None);
        if (report.Failed > 0) throw new InvalidOperationException(report.Error);
        Console.WriteLine($"  rolled up and made segments of {ExploreTraffic.Days} days in {watch.Elapsed.TotalSeconds:N0} s");
        await database.CheckpointAsync();
    }

    private static SegmentModel Model() => new(SegmentLimits.Usual, NullLogger<SegmentModel>.Instance);

    private static RollupRunner Runner(BenchDatabase database, params IDayModel[] models) =>
        new(database.Source, new RollupStore(database.Source), models, TimeProvider.System, NullLogger<RollupRunner>.Instance);

    private static SegmentCache Cache(BenchDatabase database) =>
        new(new SegmentStore(database.Source), Options.Create(new SegmentOptions()), TimeProvider.System, NullLogger<SegmentCache>.Instance);

    private static Moments Moments(SegmentCache cache, Snapshots snapshots) => new(cache, snapshots, Options.Create(Patient));

    private static readonly ExploreOptions Patient = new() { StatementTimeoutSeconds = 600 };

    private static async Task CostsAsync(BenchDatabase database)
    {
        const string ofMonth = $"from day_segments where property_id = '{ExploreLoad.Property}'";
        var (hits, bytes) = (await database.NumberAsync($"select sum(hits) {ofMonth}"), await database.NumberAsync($"select sum(length(payload)) {ofMonth}"));
        Figures.Line("stored (under 12 bytes an event)", $"{(double)bytes / hits,8:N2} bytes an event, {bytes / 1e6:N1} MB");

        // The day that is nearest to 350,000 events.
        var day = ExploreTraffic.From.AddDays((int)await database.NumberAsync($"select day - date '{ExploreTraffic.From:yyyy-MM-dd}' {ofMonth} order by abs(hits - 350000) limit 1"));
        var runner = Runner(database, Model());
        List<double> times = [];
        long most = 0;
        for (var round = 0; round <= 3; round++)
        {
            GC.Collect();
            var before = GC.GetTotalMemory(forceFullCollection: true);
            using var stop = new CancellationTokenSource();
            var watching = Task.Run(async () =>
            {
                while (!stop.IsCancellationRequested)
                {
                    most = Math.Max(most, GC.GetTotalMemory(false) - before);
                    await Task.Delay(5);
                }
            });
            var watch = Stopwatch.StartNew();
            var report = await runner.RunAsync(day, day, ExploreLoad.Property, null, null, CancellationToken.None);
            if (report.Failed > 0) throw new InvalidOperationException(report.Error);
            if (round > 0) times.Add(watch.Elapsed.TotalMilliseconds);
            await stop.CancelAsync();
            await watching;
        }
        Figures.Line($"building a day of {await database.NumberAsync($"select hits {ofMonth} and day = '{day:yyyy-MM-dd}'"):N0} (under 1.5 s)", $"{Figures.Median(times),8:N0} ms, {most / 1e6:N0} MB more on the heap at most");
    }

    private static async Task<Dictionary<string, List<string>>> CompareAsync(BenchDatabase database, ClickHouse house, bool withRows)
    {
        Dictionary<string, List<string>> answers = [];
        var cache = Cache(database);
        using var snapshots = new Snapshots(database.Source, Options.Create(Patient));
        var moments = Moments(cache, snapshots);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        await AskAsync(moments, ExploreQuestions.All[0]);
        var decoded = GC.GetTotalMemory(forceFullCollection: true) - before;
        foreach (var question in ExploreQuestions.All) await AskAsync(moments, question);
        var lent = GC.GetTotalMemory(forceFullCollection: true) - before - decoded;
        Figures.Line("decoded (under 160 MB)", $"{decoded / 1e6,8:N0} MB on the heap, {cache.UsedBytes / 1e6:N0} MB by the cache's own count; questions lend each other {lent / 1e6:N0} MB more");
        Console.WriteLine($"  {"ms, medians",-26} {"engine",9} {"ClickHouse",11} {"times",8} {"at least",9}   {(withRows ? "raw rows" : "")}");
        foreach (var question in ExploreQuestions.All)
        {
            List<double> engine = [], clickHouse = [];
            List<string> answer = [];
            for (var round = 0; round < Rounds; round++)
            {
                var (ms, lines) = await AskAsync(moments, question);
                var (houseMs, rows) = await house.QueryAsync(question.ClickHouse);
                Agree(question, "the ClickHouse engine", lines, [.. rows.Select(r => string.Join('\t', r))]);
                answers[question.Name] = answer = lines;
                if (round < 3) continue;   // until both are warm
                engine.Add(ms);
                clickHouse.Add(houseMs);
            }
            double? rowsMs = null;
            if (withRows)
            {
                await using var moment = new Moment(OnlyRows(database), snapshots, Patient);
                var watch = Stopwatch.StartNew();
                var fromRows = await question.Ask(moment, CancellationToken.None);
                rowsMs = watch.Elapsed.TotalMilliseconds;
                Agree(question, "raw rows", answer, fromRows);
            }
            var (mine, its) = (Figures.Median(engine), Figures.Median(clickHouse));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {question.Name,-26} {mine,9:N1} {its,11:N1} {its / mine,8:N1} {question.Least,9:N0}   {rowsMs,8:N0}"));
        }
        Figures.Line("resident memory of the ClickHouse engine", $"{house.Memory,8:N0} MB");
        return answers;
    }

    // A cache that holds nothing: whatever is asked is too large for it.
    private static SegmentMoment OnlyRows(BenchDatabase database) =>
        new SegmentCache(new SegmentStore(database.Source), Options.Create(new SegmentOptions { MemoryMb = 0 }), TimeProvider.System, NullLogger<SegmentCache>.Instance).Open(ExploreLoad.Property);

    private static async Task<(double Ms, List<string> Lines)> AskAsync(Moments moments, ExploreQuestion question)
    {
        var watch = Stopwatch.StartNew();
        await using var moment = moments.Open(ExploreLoad.Property);
        var lines = await question.Ask(moment, CancellationToken.None);
        var ms = watch.Elapsed.TotalMilliseconds;
        if (moment.Engine != "segments") throw new InvalidOperationException($"{question.Name} was answered from raw rows.");
        return (ms, lines);
    }

    private static void Agree(ExploreQuestion question, string who, List<string> mine, List<string> its)
    {
        if (mine.SequenceEqual(its)) return;
        var at = Enumerable.Range(0, Math.Max(mine.Count, its.Count)).First(i => i >= mine.Count || i >= its.Count || mine[i] != its[i]);
        throw new InvalidOperationException($"{question.Name}: the engine says \"{mine.ElementAtOrDefault(at)}\", {who} \"{its.ElementAtOrDefault(at)}\" (line {at + 1}).");
    }

    private static async Task ColdAsync(BenchDatabase database)
    {
        using var snapshots = new Snapshots(database.Source, Options.Create(Patient));
        List<double> times = [];
        for (var round = 0; round < 5; round++) times.Add((await AskAsync(Moments(Cache(database), snapshots), ExploreQuestions.All[0])).Ms);
        Figures.Line("cold, totals over 30 days (under 1.5 s)", $"{Figures.Median(times),8:N0} ms");
    }

    /// <summary>The month over and over again, as days before it; the questions about the month must not notice.</summary>
    private static async Task HistoryAsync(BenchDatabase database)
    {
        const string ofProperty = $"where property_id = '{ExploreLoad.Property}'";
        using var snapshots = new Snapshots(database.Source, Options.Create(Patient));
        var alone = await MediansAsync(Moments(Cache(database), snapshots));
        try
        {
            await using (var connection = await database.Source.OpenConnectionAsync())
            {
                var store = new SegmentStore(database.Source);
                var month = await store.ListAsync(ExploreLoad.Property, ExploreTraffic.From, ExploreTraffic.To, CancellationToken.None);
                await store.PayloadsAsync(ExploreLoad.Property, [.. month.Segments.Select(s => s.Version)], async (day, payload) =>
                {
                    for (var back = ExploreTraffic.Days; back < HistoryDays; back += ExploreTraffic.Days)
                    {
                        await SegmentStore.WriteAsync(connection, ExploreLoad.Property, day.AddDays(-back), SegmentCodec.Encode(Moved(SegmentCodec.Decode(payload), -back)), TimeProvider.System.GetUtcNow(), CancellationToken.None);
                    }
                }, CancellationToken.None);
            }
            await database.RunAsync("vacuum analyze day_segments");
            var longer = await MediansAsync(Moments(Cache(database), snapshots));
            var events = await database.NumberAsync($"select sum(hits) from day_segments {ofProperty}");
            Figures.Line($"30-day questions among {HistoryDays} days, {events:N0} events", string.Join(", ", longer.Zip(alone, (l, a) => string.Create(CultureInfo.InvariantCulture, $"{l / a:N2}"))) + " times those alone");
        }
        finally
        {
            await database.RunAsync($"delete from day_segments {ofProperty} and day < '{ExploreTraffic.From:yyyy-MM-dd}'");
        }
    }

    private static async Task<List<double>> MediansAsync(Moments moments)
    {
        List<double> medians = [];
        foreach (var question in ExploreQuestions.All)
        {
            List<double> times = [];
            for (var round = 0; round < Rounds; round++) times.Add((await AskAsync(moments, question)).Ms);
            medians.Add(Figures.Median(times.Skip(3)));
        }
        return medians;
    }

    private static SegmentData Moved(SegmentData data, int days) => new()
    {
        Day = data.Day.AddDays(days),
        Homes = data.Homes,
        Visitor = data.Visitor,
        Start = data.Start,
        Duration = data.Duration,
        DurationMicros = data.DurationMicros,
        Engaged = data.Engaged,
        LongSessions = data.LongSessions,
        Flags = data.Flags,
        Texts = data.Texts,
        Facts = data.Facts,
        Events = data.Events,
        PageViews = data.PageViews,
        Conversions = data.Conversions,
        Groups = data.Groups,
        HitRow = data.HitRow,
        HitTime = data.HitTime,
        HitMicros = data.HitMicros,
        HitConverted = data.HitConverted,
        Props = data.Props,
    };

    private static async Task HttpAsync(string folder, Dictionary<string, List<string>> answers)
    {
        await using var server = Server.StartProduct(folder, "--Rollups:Enabled", "false");
        await server.ReadyAsync();
        using var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{server.Port}") };
        client.DefaultRequestHeaders.Add("x-admin-key", Server.AdminKey);
        var first = await RequestAsync(client, ExploreQuestions.All[0]);
        Figures.Line("first question to a server that has just started", $"{first.Ms,8:N0} ms");
        Console.WriteLine($"  {"through HTTP, warm, ms",-26} {"p50",9} {"p95",11} {"at most",8}");
        foreach (var question in ExploreQuestions.All)
        {
            List<double> times = [];
            for (var n = 0; n < Requests + 20; n++)
            {
                var (ms, answer) = await RequestAsync(client, question);
                if (n >= 20) times.Add(ms);
                if (n == 0) Agree(question, "the HTTP API", answers[question.Name], question.Read(answer));
                if (answer.GetProperty("engine").GetString() != "segments") throw new InvalidOperationException($"{question.Name} was answered from raw rows.");
            }
            times.Sort();
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {question.Name,-26} {Figures.Percentile(times, 0.5),9:N1} {Figures.Percentile(times, 0.95),11:N1} {question.MostMs,8:N0}"));
        }
        Figures.Line("resident memory of the server", $"{server.Memory("VmRSS"),8:N0} MB");
    }

    private static async Task<(double Ms, JsonElement Answer)> RequestAsync(HttpClient client, ExploreQuestion question)
    {
        using var request = new HttpRequestMessage(question.Body is null ? HttpMethod.Get : HttpMethod.Post, question.Path);
        if (question.Body is { } body) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        var watch = Stopwatch.StartNew();
        using var response = await client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        var ms = watch.Elapsed.TotalMilliseconds;
        if (response.StatusCode != HttpStatusCode.OK) throw new InvalidOperationException($"{question.Name} was answered with {(int)response.StatusCode}: {text}");
        return (ms, JsonDocument.Parse(text).RootElement);
    }
}
