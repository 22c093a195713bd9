using Footfall.Explore;

namespace Footfall.Dashboard;

/// <summary>A measurement's 75th percentile as people read it.</summary>
/// <param name="Class">good, warn or bad.</param>
internal sealed record VitalText(Vital Vital, string Title, string Definition, string Value, string Rating, string Class)
{
    /// <summary>Those that were measured, the three core ones first.</summary>
    public static IReadOnlyList<VitalText> Of(VitalsRow row, Numbers numbers) =>
        [.. Enum.GetValues<Vital>().Where(v => row.Spreads[(int)v] is not null).Select(v => Of(v, row.Spreads[(int)v]!.P75, numbers))];

    public static VitalText Of(Vital vital, double p75, Numbers numbers) => VitalThresholds.Rating(vital, p75) switch
    {
        "good" => new(vital, TitleOf(vital), DefinitionOf(vital), Text(vital, p75, numbers), "good", "good"),
        "poor" => new(vital, TitleOf(vital), DefinitionOf(vital), Text(vital, p75, numbers), "poor", "bad"),
        _ => new(vital, TitleOf(vital), DefinitionOf(vital), Text(vital, p75, numbers), "needs improvement", "warn"),
    };

    public static string Text(Vital vital, double value, Numbers numbers) =>
        vital == Vital.Cls ? numbers.Decimal(value, 2) : value < 1000 ? $"{numbers.Decimal(value, 0)}\u00a0ms" : $"{numbers.Decimal(value / 1000, 1)}\u00a0s";

    public static string TitleOf(Vital vital) => vital switch
    {
        Vital.Lcp => "Largest paint",
        Vital.Inp => "Interaction",
        Vital.Cls => "Layout shift",
        Vital.Fcp => "First paint",
        Vital.Ttfb => "First byte",
        _ => throw new ArgumentOutOfRangeException(nameof(vital), vital, null),
    };

    public static string DefinitionOf(Vital vital) => vital switch
    {
        Vital.Lcp => "Largest Contentful Paint: when the largest part of the page was there.",
        Vital.Inp => "Interaction to Next Paint: how long the page took to answer a click or a key.",
        Vital.Cls => "Cumulative Layout Shift: how much the page moved under the reader's eyes; a score.",
        Vital.Fcp => "First Contentful Paint: when something of the page was there.",
        Vital.Ttfb => "Time To First Byte: when the server's answer began.",
        _ => throw new ArgumentOutOfRangeException(nameof(vital), vital, null),
    };
}
