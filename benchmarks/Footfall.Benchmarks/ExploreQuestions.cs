using System.Globalization;
using System.Text.Json;
using Footfall.Explore;

namespace Footfall.Benchmarks;

/// <summary>One of the eight questions, for each who answers it; answers as lines, so that they can be compared.</summary>
/// <param name="Ask">Of segments or raw rows.</param>
/// <param name="Path">Of the HTTP API, with a body where it is a POST.</param>
/// <param name="Least">How many times faster than the ClickHouse engine the engine is to be.</param>
/// <param name="MostMs">What 95 of 100 answers through HTTP are to take at most.</param>
internal sealed record ExploreQuestion(
    string Name, double Least, double MostMs, string ClickHouse, Func<Moment, CancellationToken, Task<List<string>>> Ask, string Path, string? Body, Func<JsonElement, List<string>> Read);

internal static class ExploreQuestions
{
    private const string Property = ExploreLoad.Property;
    private static readonly DayRange Month = new(ExploreTraffic.From, ExploreTraffic.To);
    private static readonly string Window = $"property={Property}&from={Month.From:yyyy-MM-dd}&to={Month.To:yyyy-MM-dd}";
    private static readonly string WindowBody = $"\"property\":\"{Property}\",\"from\":\"{Month.From:yyyy-MM-dd}\",\"to\":\"{Month.To:yyyy-MM-dd}\"";

    private static readonly Metric[] Totals = [Metric.Visitors, Metric.Sessions, Metric.PageViews];
    private static readonly Filter[] MobileFromCanada = [Is(DimensionKind.Device, "mobile"), Is(DimensionKind.Country, "CA")];
    private static readonly Filter[] FromGoogle = [Is(DimensionKind.Source, "google.com")];
    private static readonly string[] Steps = [ExploreTraffic.Paths[0], ExploreTraffic.Paths[3], ExploreTraffic.Paths[10]];

    public static readonly IReadOnlyList<ExploreQuestion> All =
    [
        OfQuery("totals", 5, 20, "select uniqExact(visitor), count(), sum(page_views) from explore.sessions",
            new Query(Property, Month, Totals, []), "/v1/metrics/query", $$"""{{{WindowBody}},"metrics":["visitors","sessions","page_views"]}"""),
        OfQuery("daily series", 5, 20, "select day, uniqExact(visitor), count() from explore.hits group by day order by day",
            new Query(Property, Month, [Metric.Visitors, Metric.PageViews], [], Per: Interval.Day), $"/v1/metrics/timeseries?{Window}&interval=day&metrics=visitors,page_views", null),
        OfQuery("top pages by visitors", 4, 60, "select path, uniqExact(visitor) as visitors, count() from explore.hits group by path order by visitors desc, path limit 10",
            new Query(Property, Month, [Metric.Visitors, Metric.PageViews], [], new Dimension(DimensionKind.Path)) { Limit = 10 }, $"/v1/metrics/breakdown?{Window}&dimension=path&metrics=visitors,page_views&limit=10", null),
        OfQuery("sources by visitors", 5, 20, "select source, uniqExact(visitor) as visitors from explore.sessions group by source order by visitors desc",
            new Query(Property, Month, [Metric.Visitors], [], new Dimension(DimensionKind.Source)) { Limit = 10 }, $"/v1/metrics/breakdown?{Window}&dimension=source&metrics=visitors&limit=10", null),
        OfQuery("totals, mobile and CA", 5, 20, "select uniqExact(visitor), count(), sum(page_views) from explore.sessions where device = 'mobile' and country = 'CA'",
            new Query(Property, Month, Totals, MobileFromCanada), "/v1/metrics/query",
            $$"""{{{WindowBody}},"metrics":["visitors","sessions","page_views"],"filters":[{"dimension":"device","operator":"is","value":"mobile"},{"dimension":"country","operator":"is","value":"CA"}]}"""),
        OfQuery("top pages from Google", 4, 60, "select path, uniqExact(visitor) as visitors, count() from explore.hits where source = 'google.com' group by path order by visitors desc, path limit 10",
            new Query(Property, Month, [Metric.Visitors, Metric.PageViews], FromGoogle, new Dimension(DimensionKind.Path)) { Limit = 10 },
            $"/v1/metrics/breakdown?{Window}&dimension=path&metrics=visitors,page_views&limit=10&filters={Uri.EscapeDataString("""[{"dimension":"source","operator":"is","value":"google.com"}]""")}", null),
        Funnel(),
        Retention(),
    ];

    private static Filter Is(DimensionKind kind, string value) => new(new Dimension(kind), FilterOperator.Is, [value]);

    private static ExploreQuestion OfQuery(string name, double least, double mostMs, string clickHouse, Query query, string path, string? body) => new(
        name, least, mostMs, clickHouse,
        async (moment, stop) =>
        {
            var cells = await moment.AnswerAsync(query, stop);
            IEnumerable<Cell> named = query.Per is null ? cells : cells.Select(c => c with { Key = TimePieces.FromKey(c.Key!).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) }).OrderBy(c => c.Key, StringComparer.Ordinal);
            return [.. named.Select(c => Line(c.Key, query.By is null && query.Per is null, c.Values.Select(v => v!.Value)))];
        },
        path, body,
        answer => query.By is not null ? [.. answer.GetProperty("rows").EnumerateArray().Select(r => Line(r.GetProperty("value").GetString(), false, Figures(r.GetProperty("metrics"))))]
            : query.Per is not null ? [.. answer.GetProperty("points").EnumerateArray().Select(p => Line(p.GetProperty("start").GetString(), false, Figures(p.GetProperty("metrics"))))]
            : [Line(null, true, Figures(answer.GetProperty("totals")))]);

    private static ExploreQuestion Funnel()
    {
        var query = new FunnelQuery(Property, Month, [.. Steps.Select((s, i) => new FunnelQueryStep($"step {i + 1}", [Is(DimensionKind.Path, s)]))], 24, [], null, null);
        var steps = string.Join(',', Steps.Select(s => $$"""{"filters":[{"dimension":"path","operator":"is","value":"{{s}}"}]}"""));
        return new ExploreQuestion(
            "funnel of 3 steps", 5, 20,
            $"""
            select countIf(level >= 1), countIf(level >= 2), countIf(level >= 3) from (
                select windowFunnel(86400000)(toUInt64(toUnixTimestamp64Milli(at)), {string.Join(", ", Steps.Select(s => $"path = '{s}'"))}) as level
                from explore.hits where path in ({string.Join(", ", Steps.Select(s => $"'{s}'"))}) group by visitor)
            """,
            async (moment, stop) => [string.Join('\t', (await Ways.AnswerAsync(moment, query, null, stop)).Overall.Visitors)],
            "/v1/metrics/funnel", $$"""{{{WindowBody}},"windowHours":24,"steps":[{{steps}}]}""",
            answer => [string.Join('\t', answer.GetProperty("steps").EnumerateArray().Select(s => s.GetProperty("visitors")))]);
    }

    private static ExploreQuestion Retention()
    {
        var query = new RetentionQuery(Property, Month, Interval.Week, [], [], []);
        return new ExploreQuestion(
            "weekly retention", 5, 20,
            "select cohort, week, count() from (select arraySort(groupUniqArray(toMonday(day))) as weeks, weeks[1] as cohort from explore.hits group by visitor) array join weeks as week group by cohort, week order by cohort, week",
            async (moment, stop) => [.. (await Ways.AnswerAsync(moment, query, stop)).SelectMany(c => c.Returned.OrderBy(r => r.Key).Select(r => $"{c.Start:yyyy-MM-dd}\t{r.Key:yyyy-MM-dd}\t{r.Value}"))],
            $"/v1/metrics/retention?{Window}&interval=week", null,
            answer => [.. answer.GetProperty("cohorts").EnumerateArray().SelectMany(c => c.GetProperty("cells").EnumerateArray().Where(x => x.GetProperty("visitors").GetInt64() > 0).Select(x =>
                $"{c.GetProperty("start")}\t{DateOnly.Parse(c.GetProperty("start").GetString()!, CultureInfo.InvariantCulture).AddDays(7 * x.GetProperty("offset").GetInt32()):yyyy-MM-dd}\t{x.GetProperty("visitors")}"))]);
    }

    private static IEnumerable<double> Figures(JsonElement metrics) => metrics.EnumerateObject().Select(m => m.Value.GetProperty("value").GetDouble());

    private static string Line(string? key, bool withoutKey, IEnumerable<double> values)
    {
        var figures = string.Join('\t', values.Select(v => v.ToString(CultureInfo.InvariantCulture)));
        return withoutKey ? figures : $"{key}\t{figures}";
    }
}
