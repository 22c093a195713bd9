using Footfall.Rollups;

namespace Footfall.Metrics;

/// <summary>The sums of a window's day rows, and its visitors, each counted once.</summary>
internal sealed class WindowTotals(DateOnly from)
{
    private readonly VisitorUnion visitors = new();
    private readonly VisitorUnion firstSeenInWindow = new();

    public long PageViews { get; private set; }
    public long Sessions { get; private set; }
    public long Bounces { get; private set; }
    public long LandingSessions { get; private set; }
    public long LandingConversions { get; private set; }
    public long DurationMs { get; private set; }
    public long FormStarts { get; private set; }
    public long FormSubmits { get; private set; }
    public long NewLeads { get; private set; }
    public long FirstCaptureMs { get; private set; }
    public long FirstCaptureLeads { get; private set; }
    public SortedDictionary<string, long> Sources { get; } = new(StringComparer.Ordinal);
    public DateTimeOffset? GeneratedAt { get; private set; }

    public int UniqueVisitors { get; private set; }

    /// <summary>Of the unique visitors, those first seen before the window.</summary>
    public int ReturningVisitors { get; private set; }

    public void Add(DayRow day)
    {
        PageViews += day.PageViews;
        Sessions += day.Sessions;
        Bounces += day.Bounces;
        LandingSessions += day.LandingSessions;
        LandingConversions += day.LandingConversions;
        DurationMs += day.DurationMs;
        FormStarts += day.FormStarts;
        FormSubmits += day.FormSubmits;
        NewLeads += day.NewLeads;
        FirstCaptureMs += day.FirstCaptureMs;
        FirstCaptureLeads += day.FirstCaptureLeads;
        foreach (var (source, n) in day.Sources) Sources[source] = Sources.GetValueOrDefault(source) + n;
        if (GeneratedAt is null || day.GeneratedAt > GeneratedAt) GeneratedAt = day.GeneratedAt;
        visitors.Add(day.Visitors);
        firstSeenInWindow.Add(day.FirstTimeVisitors);
        SeenElsewhere.AddFrom(from, day.SeenElsewhere, firstSeenInWindow);
    }

    public WindowTotals Counted()
    {
        UniqueVisitors = visitors.Count;
        ReturningVisitors = UniqueVisitors - firstSeenInWindow.Count;
        return this;
    }

    public double? ReturningVisitorsPct => Ratio(ReturningVisitors, UniqueVisitors);
    public double? LeadCaptureRate => Ratio(NewLeads, UniqueVisitors);
    public double? FormCompletionRate => Ratio(FormSubmits, FormStarts);
    public double? LandingPageConversionRate => Ratio(LandingConversions, LandingSessions);
    public double? AvgTimeToFirstCaptureHrs => Ratio(FirstCaptureMs, FirstCaptureLeads) / 3_600_000;
    public double? BounceRate => Ratio(Bounces, Sessions);
    public double? AvgVisitDurationSec => Ratio(DurationMs, Sessions) / 1000;

    public static double? Ratio(long part, long whole) => whole == 0 ? null : (double)part / whole;
}
