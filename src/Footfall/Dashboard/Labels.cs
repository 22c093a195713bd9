using System.Text;
using Footfall.Explore;

namespace Footfall.Dashboard;

/// <summary>What dimensions and their values are called on pages.</summary>
internal static class Labels
{
    public const string None = "(none)";

    /// <summary>Dimensions that people filter by, in the order of the form.</summary>
    public static IReadOnlyList<Dimension> Offered { get; } =
    [
        new(DimensionKind.Path), new(DimensionKind.EntryPath), new(DimensionKind.ExitPath), new(DimensionKind.Source), new(DimensionKind.Channel), new(DimensionKind.ReferrerHost),
        new(DimensionKind.UtmSource), new(DimensionKind.UtmMedium), new(DimensionKind.UtmCampaign), new(DimensionKind.UtmTerm), new(DimensionKind.UtmContent),
        new(DimensionKind.Country), new(DimensionKind.Device), new(DimensionKind.Browser), new(DimensionKind.Os), new(DimensionKind.EventType),
    ];

    public static string Of(Dimension dimension) => dimension.Kind switch
    {
        DimensionKind.EntryPath => "Entry page",
        DimensionKind.ExitPath => "Exit page",
        DimensionKind.Source => "Source",
        DimensionKind.Channel => "Channel",
        DimensionKind.ReferrerHost => "Referrer",
        DimensionKind.UtmSource => "UTM source",
        DimensionKind.UtmMedium => "UTM medium",
        DimensionKind.UtmCampaign => "Campaign",
        DimensionKind.UtmTerm => "UTM term",
        DimensionKind.UtmContent => "UTM content",
        DimensionKind.Country => "Country",
        DimensionKind.Device => "Device",
        DimensionKind.Browser => "Browser",
        DimensionKind.Os => "Operating system",
        DimensionKind.Path => "Page",
        DimensionKind.EventType => "Event",
        DimensionKind.Prop => $"Property {Visible(dimension.Key!)}",
        DimensionKind.Goal => "Goal",
        _ => throw new ArgumentOutOfRangeException(nameof(dimension)),
    };

    /// <summary>The value as people read it, harmless however it was sent.</summary>
    public static string Of(Dimension dimension, string? value) => value is null
        ? dimension.Kind switch
        {
            DimensionKind.Source or DimensionKind.ReferrerHost => "Direct or unknown",
            DimensionKind.Country => "Unknown country",
            DimensionKind.Browser or DimensionKind.Os or DimensionKind.Device => "Unknown",
            _ => None,
        }
        : dimension.Kind switch
        {
            DimensionKind.Country => Countries.Name(value),
            DimensionKind.Channel or DimensionKind.Device => Sentence(value),
            DimensionKind.EventType => Visible(value),
            _ => Visible(value),
        };

    /// <summary>"organic_search" as "Organic search".</summary>
    public static string Sentence(string code) => code.Length == 0 ? code : char.ToUpperInvariant(code[0]) + code[1..].Replace('_', ' ');

    /// <summary>
    /// A visitor's text with what cannot be seen made visible: control characters, marks that turn the writing direction and
    /// characters without width could make one text pass for another.
    /// </summary>
    public static string Visible(string text)
    {
        StringBuilder? shown = null;
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            var hidden = char.IsControl(c) || c is '\u00ad' or '\u061c' or '\u180e' or (>= '\u200b' and <= '\u200f') or (>= '\u202a' and <= '\u202e') or (>= '\u2060' and <= '\u206f') or '\ufeff' or (>= '\ufff9' and <= '\ufffb');
            // The joiner between two symbols of an emoji belongs to it.
            if (c == '\u200d' && i > 0 && char.IsLowSurrogate(text[i - 1])) hidden = false;
            if (hidden && shown is null) shown = new StringBuilder(text, 0, i, text.Length + 16);
            if (hidden) shown!.Append('\u2423');
            else shown?.Append(c);
        }
        return shown?.ToString() ?? text;
    }
}
