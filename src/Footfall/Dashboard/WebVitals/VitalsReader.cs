using Footfall.Explore;

namespace Footfall.Dashboard.WebVitals;

/// <summary>How fast pages are where people use them.</summary>
/// <param name="Chosen">The measurement that is shown from day to day.</param>
internal sealed record VitalsModel(Vital Chosen, string? Device, string? Path, VitalsRow Overall, IReadOnlyList<VitalDay> Days, IReadOnlyList<VitalsRow> Rows);

internal sealed class VitalsReader(CurrentPage page, Questions questions)
{
    public static readonly string[] Devices = ["desktop", "mobile", "tablet"];
    private const int Rows = 100;

    public async Task<VitalsModel> ReadAsync(CancellationToken cancellationToken)
    {
        await using var _ = questions;
        var chosen = Enum.GetValues<Vital>().FirstOrDefault(v => Key(v) == page.Address["vital"]);
        var device = Devices.Contains(page.Address["device"]) ? page.Address["device"] : null;
        var path = page.Address["path"] is { Length: <= Filters.MaxCharacters } text && StorableText.Is(text) ? text : null;
        var query = new VitalsQuery(page.Property.Id, page.Period.Days, path, device) { Limit = Rows };
        var key = query.Fingerprint();
        return new VitalsModel(
            chosen, device, path,
            await questions.KeptAsync($"{key} overall", s => VitalsSql.OverallAsync(s, query, cancellationToken), cancellationToken),
            await questions.KeptAsync($"{key} {chosen}", s => VitalsByDaySql.ReadAsync(s, query, chosen, cancellationToken), cancellationToken),
            await questions.KeptAsync($"{key} rows", s => VitalsSql.RowsAsync(s, query, cancellationToken), cancellationToken));
    }

    public static string Key(Vital vital) => vital switch
    {
        Vital.Lcp => "lcp",
        Vital.Inp => "inp",
        Vital.Cls => "cls",
        Vital.Fcp => "fcp",
        Vital.Ttfb => "ttfb",
        _ => throw new ArgumentOutOfRangeException(nameof(vital), vital, null),
    };
}
