using Footfall.Capture;

namespace Footfall.Cli.Import;

/// <summary>What an import met in its file.</summary>
internal sealed class ImportTally
{
    private const int Named = 20;
    private const int MostHosts = 10_000;

    private readonly List<(long Line, string Problem)> malformed = [];
    private readonly long[] skipped = new long[Enum.GetValues<Skip>().Length];
    private readonly SortedDictionary<string, long> dropped = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> referrers = new(StringComparer.Ordinal);

    public long Lines { get; set; }
    public long Blank { get; set; }
    public long PageViews { get; private set; }
    public long MalformedCount { get; private set; }
    public long InternalViews { get; private set; }
    public DateOnly? FirstDay { get; private set; }
    public DateOnly? LastDay { get; private set; }

    /// <summary>The first of them, with what is wrong.</summary>
    public IReadOnlyList<(long Line, string Problem)> Malformed => malformed;

    public IEnumerable<(Skip Why, long Lines)> Skipped =>
        skipped.Select((n, why) => ((Skip)why, n)).Where(s => s.n > 0);

    /// <summary>Page views that the server's own settings turn away, by reason.</summary>
    public IReadOnlyDictionary<string, long> Dropped => dropped;

    /// <summary>The host that most page views came from, when these are so many that it must be the site itself.</summary>
    public string? LikelyOwnHost =>
        InternalViews == 0 && referrers.Count > 0 && referrers.MaxBy(r => r.Value) is var top && top.Value * 10 >= PageViews && top.Value >= 20 ? top.Key : null;

    public void AddMalformed(long line, string problem)
    {
        MalformedCount++;
        if (malformed.Count < Named) malformed.Add((line, problem));
    }

    public void AddSkipped(Skip why) => skipped[(int)why]++;

    public void AddDropped(string reason) => dropped[reason] = dropped.GetValueOrDefault(reason) + 1;

    public void AddPageView(DateOnly day, string? referrerHost, bool isInternal)
    {
        PageViews++;
        if (FirstDay is null || day < FirstDay) FirstDay = day;
        if (LastDay is null || day > LastDay) LastDay = day;
        if (isInternal)
        {
            InternalViews++;
            return;
        }
        if (referrerHost is null) return;
        var host = Property.WithoutWww(referrerHost).ToString();
        if (referrers.Count < MostHosts || referrers.ContainsKey(host)) referrers[host] = referrers.GetValueOrDefault(host) + 1;
    }
}
