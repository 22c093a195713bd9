using Footfall.Metrics;

namespace Footfall.Dashboard.Overview;

/// <summary>The figures at the head of the overview.</summary>
internal enum Kpi
{
    Visitors,
    Sessions,
    PageViews,
    BounceRate,
    VisitDuration,
    Leads,
    LeadRate,
    FormCompletion,
    TimeToCapture,
}

internal enum Unit
{
    Count,
    Rate,
    Seconds,
}

/// <summary>What a figure is called, what it means, and whether more of it is better.</summary>
/// <param name="Definition">One sentence; docs/definitions.md has the formula.</param>
internal sealed record KpiInfo(Kpi Kpi, string Key, string Title, Unit Unit, bool MoreIsBetter, string Definition)
{
    public static IReadOnlyList<KpiInfo> All { get; } =
    [
        new(Kpi.Visitors, "visitors", "Unique visitors", Unit.Count, true, "Visitors with an event in these days, each counted once."),
        new(Kpi.Sessions, "sessions", "Sessions", Unit.Count, true, "Visits that began in these days; 30 minutes without an event end one."),
        new(Kpi.PageViews, "page_views", "Page views", Unit.Count, true, "Pages that were looked at."),
        new(Kpi.BounceRate, "bounce_rate", "Bounce rate", Unit.Rate, false, "Sessions with one page view, no conversion and under 10 s of attention, of all sessions."),
        new(Kpi.VisitDuration, "visit_duration", "Visit duration", Unit.Seconds, true, "Mean time between a session's first and last event."),
        new(Kpi.Leads, "leads", "Leads", Unit.Count, true, "E-mail addresses captured here for the first time."),
        new(Kpi.LeadRate, "lead_rate", "Lead rate", Unit.Rate, true, "New leads for each unique visitor."),
        new(Kpi.FormCompletion, "form_completion", "Form completion", Unit.Rate, true, "Forms that were submitted, of those that were started."),
        new(Kpi.TimeToCapture, "time_to_capture", "Time to capture", Unit.Seconds, false, "Mean time from a lead's first visit to its first capture."),
    ];

    public static int Count => All.Count;

    /// <summary>As the address calls it; unique visitors where it calls none.</summary>
    public static KpiInfo Find(string? key) => All.FirstOrDefault(k => k.Key == key) ?? All[0];

    /// <summary>One value for each figure, from day rows.</summary>
    public static double?[] Of(WindowTotals t) =>
    [
        t.UniqueVisitors, t.Sessions, t.PageViews, t.BounceRate, t.AvgVisitDurationSec, t.NewLeads, t.LeadCaptureRate, t.FormCompletionRate, t.AvgTimeToFirstCaptureHrs * 3_600,
    ];
}
