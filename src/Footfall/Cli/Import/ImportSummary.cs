namespace Footfall.Cli.Import;

/// <summary>Tells what an import did.</summary>
internal sealed class ImportSummary(TextWriter output)
{
    private DateOnly? firstDay;
    private DateOnly? lastDay;
    private bool imported;

    public void Add(string file, ImportResult result, TimeSpan took)
    {
        if (result.WasFinished)
        {
            output.WriteLine($"{file}: imported before ({result.State.FinishedAt!.Value.UtcDateTime:yyyy-MM-dd HH:mm} UTC, {result.State.Imported:N0} page views). Nothing changed.");
            return;
        }
        var tally = result.Tally;
        output.WriteLine($"{file}: {tally.Lines:N0} lines in {ProgressLine.Duration(took)}{(result.ResumedAt > 0 ? $", gone on after line {result.ResumedAt:N0}" : "")}");
        Row("imported", result.State.Imported, "page views");
        if (result.State.Duplicates > 0) Row("already there", result.State.Duplicates, "from another file, or an earlier import");
        foreach (var (reason, events) in tally.Dropped) Row("dropped", events, $"{reason}, as configured");
        var skipped = tally.Skipped.ToArray();
        Row("skipped", skipped.Sum(s => s.Lines) + tally.Blank, "no page views:");
        foreach (var (why, lines) in skipped) output.WriteLine($"{"",28}{lines,10:N0}  {PageViews.Name(why)}");
        if (tally.Blank > 0) output.WriteLine($"{"",28}{tally.Blank,10:N0}  empty line");
        Row("malformed", tally.MalformedCount, tally.MalformedCount == 0 ? "" : tally.MalformedCount > tally.Malformed.Count ? $"the first {tally.Malformed.Count}:" : "");
        foreach (var (line, problem) in tally.Malformed) output.WriteLine($"{"",28}line {line,-9:N0}  {problem}");
        if (tally.FirstDay is { } first) output.WriteLine($"  {"days",-14}{first,12:yyyy-MM-dd} to {tally.LastDay:yyyy-MM-dd} (UTC)");
        if (tally.LikelyOwnHost is { } host)
            output.WriteLine($"  Most referrers are on {host}. If that is the site itself, name it with\n  --hosts {host} when you import: then they count as internal.");
        Cover(tally);
    }

    public void End(string property)
    {
        if (!imported) return;
        output.WriteLine($"""

            The days are rolled up. Now ask for their summary (the server prints its admin key when it starts):

            curl 'http://localhost:5280/v1/metrics/summary?propertyId={property}&from={firstDay:yyyy-MM-dd}&to={lastDay:yyyy-MM-dd}' \
              -H 'x-admin-key: YOUR_ADMIN_KEY'
            """);
    }

    private void Row(string name, long count, string text) => output.WriteLine($"  {name,-14}{count,12:N0}  {text}".TrimEnd());

    private void Cover(ImportTally tally)
    {
        if (tally.FirstDay is not { } first || tally.LastDay is not { } last) return;
        imported = true;
        if (firstDay is null || first < firstDay) firstDay = first;
        if (lastDay is null || last > lastDay) lastDay = last;
    }
}
