namespace Footfall.Dashboard.Reports;

/// <summary>How a property's reports go out.</summary>
/// <param name="Way">Through what mail goes; null while nothing is configured.</param>
/// <param name="IsProgram">Through the operator's own program.</param>
internal sealed record ReportsModel(string? Way, bool IsProgram, ReportSchedule Schedule, IReadOnlyList<ReportRecipient> Recipients, IReadOnlyList<ReportOutcome> Outcomes);
