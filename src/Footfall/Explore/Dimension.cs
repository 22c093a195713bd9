namespace Footfall.Explore;

/// <summary>What things can be told apart by.</summary>
internal enum DimensionKind
{
    // Facts of a session.
    EntryPath,
    ExitPath,
    Source,
    Channel,
    ReferrerHost,
    UtmSource,
    UtmMedium,
    UtmCampaign,
    UtmTerm,
    UtmContent,
    Country,
    Device,
    Browser,
    Os,

    // Facts of an event.
    Path,
    EventType,
    Prop,

    /// <summary>A goal of the property that the event meets. An event can meet several, so that one can filter by it and not group by it.</summary>
    Goal,
}

/// <summary>One dimension.</summary>
/// <param name="Key">The prop's key, where <paramref name="Kind"/> is <see cref="DimensionKind.Prop"/>; else null.</param>
internal readonly record struct Dimension(DimensionKind Kind, string? Key = null)
{
    private const string PropPrefix = "prop:";

    /// <summary>As many characters as an event's props allow for a key.</summary>
    public const int MaxKeyCharacters = 120;

    /// <summary>True for a fact of an event, false for one of a session.</summary>
    public bool IsOfEvent => Kind is DimensionKind.Path or DimensionKind.EventType or DimensionKind.Prop or DimensionKind.Goal;

    /// <summary>False for what can only be filtered by.</summary>
    public bool IsGroup => Kind != DimensionKind.Goal;

    /// <summary>True for pages: where a pattern is one of pages.</summary>
    public bool IsPage => Kind is DimensionKind.Path or DimensionKind.EntryPath or DimensionKind.ExitPath;

    /// <summary>How the API calls it.</summary>
    public string Name => Kind == DimensionKind.Prop ? PropPrefix + Key : NameOf(Kind);

    /// <summary>Every name, with <c>prop:KEY</c> for the props.</summary>
    public static IEnumerable<string> Names => Enum.GetValues<DimensionKind>().Select(k => k == DimensionKind.Prop ? PropPrefix + "KEY" : NameOf(k));

    /// <summary>The same of those that can be grouped by.</summary>
    public static IEnumerable<string> GroupNames => Names.Where(n => n != NameOf(DimensionKind.Goal));

    public static Dimension? Find(string name)
    {
        if (name.StartsWith(PropPrefix, StringComparison.Ordinal))
        {
            var key = name[PropPrefix.Length..];
            return key.Length is >= 1 and <= MaxKeyCharacters && StorableText.Is(key) ? new Dimension(DimensionKind.Prop, key) : null;
        }
        foreach (var kind in Enum.GetValues<DimensionKind>())
        {
            if (kind != DimensionKind.Prop && NameOf(kind) == name) return new Dimension(kind);
        }
        return null;
    }

    private static string NameOf(DimensionKind kind) => kind switch
    {
        DimensionKind.EntryPath => "entry_path",
        DimensionKind.ExitPath => "exit_path",
        DimensionKind.Source => "source",
        DimensionKind.Channel => "channel",
        DimensionKind.ReferrerHost => "referrer_host",
        DimensionKind.UtmSource => "utm_source",
        DimensionKind.UtmMedium => "utm_medium",
        DimensionKind.UtmCampaign => "utm_campaign",
        DimensionKind.UtmTerm => "utm_term",
        DimensionKind.UtmContent => "utm_content",
        DimensionKind.Country => "country",
        DimensionKind.Device => "device",
        DimensionKind.Browser => "browser",
        DimensionKind.Os => "os",
        DimensionKind.Path => "path",
        DimensionKind.EventType => "event_type",
        DimensionKind.Prop => "prop",
        DimensionKind.Goal => "goal",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, null),
    };
}

/// <summary>Text that PostgreSQL can hold: no NUL, no half of a surrogate pair.</summary>
internal static class StorableText
{
    public static bool Is(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\0' || char.IsLowSurrogate(text[i])) return false;
            if (char.IsHighSurrogate(text[i]) && (++i == text.Length || !char.IsLowSurrogate(text[i]))) return false;
        }
        return true;
    }
}
