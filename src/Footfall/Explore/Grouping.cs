using System.Globalization;
using Footfall.Segments;

namespace Footfall.Explore;

/// <summary>The groups of an answer by number, and what each is called.</summary>
internal sealed class Grouping
{
    private readonly Words? words;
    private readonly DateTimeOffset[] pieces = [];
    private readonly Interval? interval;
    private readonly DateOnly from;

    public Grouping(Query query, Vocabulary vocabulary)
    {
        (By, interval, from) = (query.By, query.Per, query.Window.From);
        if (By is { } dimension) words = WordsOf(dimension, vocabulary);
        else if (interval is { } pieceOf) pieces = [.. TimePieces.Of(query.Window, pieceOf)];
        Count = words?.Count ?? (interval is null ? 1 : pieces.Length);
    }

    public Dimension? By { get; }

    public int Count { get; }

    public bool IsHourly => interval == Interval.Hour;

    /// <summary>True where all of a day is in one group.</summary>
    public bool IsByDay => By is null && !IsHourly;

    public string? Key(int group) => words is not null ? words[group] : interval is null ? null : pieces[group].ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);

    /// <summary>Of a day, and by hours of its first one.</summary>
    public int OfDay(DateOnly day) => interval switch
    {
        null => 0,
        Interval.Hour => (day.DayNumber - from.DayNumber) * 24,
        Interval.Day => day.DayNumber - from.DayNumber,
        Interval.Week => ((day.DayNumber - from.DayNumber) + ((int)from.DayOfWeek + 6) % 7) / 7,
        Interval.Month => ((day.Year - from.Year) * 12) + day.Month - from.Month,
        _ => throw new ArgumentOutOfRangeException(nameof(day), interval, null),
    };

    public static Words WordsOf(Dimension dimension, Vocabulary vocabulary) => dimension.Kind switch
    {
        DimensionKind.Path => vocabulary[SegmentWords.Path],
        DimensionKind.EventType => vocabulary[SegmentWords.EventType],
        DimensionKind.Prop => vocabulary.Prop(dimension.Key!),
        _ => vocabulary[Vocabulary.KindOf(SegmentFilters.FactOf(dimension.Kind))],
    };
}
