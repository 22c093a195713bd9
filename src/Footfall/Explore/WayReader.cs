namespace Footfall.Explore;

/// <summary>From a query string to questions about returning and about ways. What cannot be asked is refused through the reader.</summary>
internal static class WayReader
{
    /// <summary><c>interval</c> (weeks when left out), <c>entry</c>, <c>return</c>.</summary>
    public static RetentionQuery Retention(ParameterReader reader, string propertyId, DateOnly today)
    {
        var window = reader.Window(today);
        Interval? interval = reader.Text("interval") switch
        {
            null or "week" => Interval.Week,
            "day" => Interval.Day,
            "month" => Interval.Month,
            _ => null,
        };
        if (interval is null) reader.Refuse("interval", "interval must be day, week or month.");
        else if (reader.Error is null && TimePieces.Of(window, interval.Value).Take(RetentionQuery.MostPieces + 1).Count() > RetentionQuery.MostPieces)
            reader.Refuse("interval", $"The window has more than {RetentionQuery.MostPieces} {interval.Value.ToString().ToLowerInvariant()}s. Ask for longer pieces, or a shorter window.");
        return new RetentionQuery(propertyId, window, interval ?? Interval.Week, QueryReader.ReadFilters(reader, "entry"), QueryReader.ReadFilters(reader, "return"), QueryReader.ReadFilters(reader));
    }

    /// <summary><c>path</c> is required.</summary>
    public static JourneyQuery Journeys(ParameterReader reader, string propertyId, DateOnly today)
    {
        var window = reader.Window(today);
        var path = reader.Text("path") ?? "";
        if (path.Length is 0 or > Filters.MaxCharacters) reader.Refuse("path", $"path is required: the page to go from, as the dimension path has it, at most {Filters.MaxCharacters} characters.");
        var steps = reader.Whole("steps", 1, JourneyQuery.MostSteps) ?? JourneyQuery.UsualSteps;
        var limit = reader.Whole("limit", 1, JourneyQuery.MostRows) ?? JourneyQuery.UsualRows;
        var filters = QueryReader.ReadFilters(reader);
        if (filters.Find(f => f.Dimension.IsOfEvent) is { } ofEvent) reader.Refuse("filters", $"Ways are filtered by facts of sessions; {ofEvent.Dimension.Name} is one of an event.");
        return new JourneyQuery(propertyId, window, path, steps, filters) { Limit = limit };
    }
}
