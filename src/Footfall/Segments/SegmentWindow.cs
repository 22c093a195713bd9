namespace Footfall.Segments;

/// <summary>Why a window is not answered from segments.</summary>
internal enum SegmentGap
{
    None,

    /// <summary>A day has changed, or come, and its segment is not built yet.</summary>
    NotBuilt,

    /// <summary>The window's segments do not fit into the memory that they may take (Explore:MemoryMb).</summary>
    TooLarge,

    /// <summary>A segment cannot be read, and waits to be built anew.</summary>
    Unreadable,
}

/// <summary>The segments of consecutive days as they were at one moment.</summary>
/// <param name="Segments">Ascending by day; days on which nothing happened have none.</param>
internal sealed record SegmentWindow(DateOnly From, DateOnly To, IReadOnlyList<DaySegment> Segments, Vocabulary Vocabulary)
{
    private readonly Dictionary<DateOnly, int> byDay = Segments.Select((s, i) => (s.Day, i)).ToDictionary(d => d.Day, d => d.i);

    /// <summary>Where a guest's session began: index of the segment and row in it. Null where that is before the window, so that the session is not counted in it.</summary>
    public (int Segment, int Row)? HomeOf(DaySegment segment, int guest)
    {
        const int secondsOfDay = 86_400;
        var start = segment.Start[guest];
        var days = -((-start + secondsOfDay - 1) / secondsOfDay);
        if (!byDay.TryGetValue(segment.Day.AddDays(days), out var home)) return null;
        var row = Segments[home].FindHome(segment.Visitor[guest], start - (days * secondsOfDay));
        return row < 0 ? null : (home, row);
    }
}
