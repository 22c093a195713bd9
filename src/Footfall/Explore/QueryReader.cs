using System.Globalization;

namespace Footfall.Explore;

/// <summary>A question with what it is to be compared with.</summary>
internal sealed record Question(Query Query, DayRange? CompareTo)
{
    /// <summary>The same question about the other window; null when there is none.</summary>
    public Query? Comparison => CompareTo is { } window ? Query with { Window = window, After = null, Limit = null } : null;
}

/// <summary>From a query string to the question. What cannot be asked is refused through the reader.</summary>
internal static class QueryReader
{
    public const int UsualLimit = 100;
    public const int MaxLimit = 1_000;

    /// <summary>Pieces of time that one answer may have.</summary>
    public const int MostPieces = 2_500;

    private static readonly Metric[] UsualMetrics = [Metric.Visitors, Metric.Sessions, Metric.PageViews];

    /// <summary><c>dimension</c> is required; <c>limit</c> and <c>cursor</c> page.</summary>
    public static Question Breakdown(ParameterReader reader, string propertyId, DateOnly today)
    {
        var question = Common(reader, propertyId, today);
        var dimension = ReadDimension(reader);
        var limit = reader.Whole("limit", 1, MaxLimit) ?? UsualLimit;
        var query = question.Query with { By = dimension, Limit = limit };
        if (reader.Text("cursor") is { Length: > 0 } cursor && reader.Error is null)
        {
            query = query with { After = Position.Decode(cursor, query.Fingerprint()) };
            if (query.After is null) reader.Refuse("cursor", "cursor must be the nextCursor of an answer to the same question: same property, window, dimension, metrics and filters. Leave it out to begin anew.");
        }
        return question with { Query = query };
    }

    /// <summary><c>interval</c>; without it hours for up to two days, then days.</summary>
    public static Question Timeseries(ParameterReader reader, string propertyId, DateOnly today)
    {
        var question = Common(reader, propertyId, today);
        Interval? interval = reader.Text("interval") switch
        {
            null => question.Query.Window.Days <= 2 ? Interval.Hour : Interval.Day,
            "hour" => Interval.Hour,
            "day" => Interval.Day,
            "week" => Interval.Week,
            "month" => Interval.Month,
            _ => null,
        };
        if (interval is null) reader.Refuse("interval", "interval must be hour, day, week or month.");
        else if (reader.Error is null && TimePieces.CountOf(question.Query.Window, interval.Value) > MostPieces) reader.Refuse("interval", $"The window has more than {MostPieces} {interval.Value.ToString().ToLowerInvariant()}s. Ask for longer pieces, or a shorter window.");
        return question with { Query = question.Query with { Per = interval } };
    }

    public static List<Filter> ReadFilters(ParameterReader reader, string name = "filters")
    {
        if (reader.Text(name) is not { Length: > 0 } json) return [];
        var (filters, problem) = Filters.Read(json, name);
        if (filters is null) reader.Refuse(name, problem!);
        return filters ?? [];
    }

    /// <summary>A question that has <c>dimension</c>, or <c>interval</c>, or neither: then it is about the totals alone.</summary>
    public static Question Any(ParameterReader reader, string propertyId, DateOnly today)
    {
        var (grouped, overTime) = (reader.Text("dimension") is not null, reader.Text("interval") is not null);
        if (grouped && overTime) reader.Refuse("interval", "Give either dimension or interval, not both.");
        if (grouped) return Breakdown(reader, propertyId, today);
        foreach (var name in (string[])["limit", "cursor"])
        {
            if (reader.Text(name) is not null) reader.Refuse(name, $"{name} goes with dimension; without it there are no pages.");
        }
        return overTime ? Timeseries(reader, propertyId, today) : Common(reader, propertyId, today);
    }

    private static Question Common(ParameterReader reader, string propertyId, DateOnly today)
    {
        var window = reader.Window(today);
        var metrics = ReadMetrics(reader);
        var filters = ReadFilters(reader);
        return new Question(new Query(propertyId, window, metrics, filters), reader.Comparison(window));
    }

    private static IReadOnlyList<Metric> ReadMetrics(ParameterReader reader)
    {
        if (reader.Text("metrics") is not { } text) return UsualMetrics;
        List<Metric> metrics = [];
        foreach (var name in text.Split(',', StringSplitOptions.TrimEntries))
        {
            var metric = Metrics.Find(name);
            if (metric is null)
            {
                reader.Refuse("metrics", $"metrics must be one or more of {string.Join(", ", Metrics.Names)}, separated by commas.");
                return UsualMetrics;
            }
            if (metrics.Contains(metric.Value))
            {
                reader.Refuse("metrics", $"metrics names {name} twice.");
                return UsualMetrics;
            }
            metrics.Add(metric.Value);
        }
        return metrics;
    }

    private static Dimension ReadDimension(ParameterReader reader)
    {
        var given = reader.Text("dimension");
        if (given is not null && Dimension.Find(given) is { IsGroup: true } dimension) return dimension;
        reader.Refuse("dimension", $"dimension {(given is null ? "is required: one" : "must be one")} of {string.Join(", ", Dimension.GroupNames)}.");
        return default;
    }
}

/// <summary>A window cut into pieces of time.</summary>
internal static class TimePieces
{
    /// <summary>The starts of the pieces that touch the window, in order. The first and the last may reach over its edges; what lies outside is not counted in them.</summary>
    public static IEnumerable<DateTimeOffset> Of(DayRange window, Interval interval)
    {
        for (var at = StartOf(window.Start, interval); at < window.End; at = Next(at, interval)) yield return at;
    }

    public static int CountOf(DayRange window, Interval interval) => interval switch
    {
        Interval.Hour => window.Days * 24,
        Interval.Day => window.Days,
        Interval.Week => (window.Days / 7) + 2,
        Interval.Month => (window.Days / 28) + 2,
        _ => throw new ArgumentOutOfRangeException(nameof(interval), interval, null),
    };

    /// <summary>A piece's start as a cell's key tells it.</summary>
    public static DateTimeOffset FromKey(string key) => DateTimeOffset.FromUnixTimeSeconds(long.Parse(key, CultureInfo.InvariantCulture));

    private static DateTimeOffset StartOf(DateTimeOffset midnight, Interval interval) => interval switch
    {
        Interval.Hour or Interval.Day => midnight,
        Interval.Week => midnight.AddDays(-(((int)midnight.DayOfWeek + 6) % 7)),
        Interval.Month => new DateTimeOffset(midnight.Year, midnight.Month, 1, 0, 0, 0, TimeSpan.Zero),
        _ => throw new ArgumentOutOfRangeException(nameof(interval), interval, null),
    };

    /// <summary>The end of the piece that begins there.</summary>
    public static DateTimeOffset Next(DateTimeOffset at, Interval interval) => interval switch
    {
        Interval.Hour => at.AddHours(1),
        Interval.Day => at.AddDays(1),
        Interval.Week => at.AddDays(7),
        Interval.Month => at.AddMonths(1),
        _ => throw new ArgumentOutOfRangeException(nameof(interval), interval, null),
    };
}
