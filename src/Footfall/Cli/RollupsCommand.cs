using System.CommandLine;
using System.CommandLine.Parsing;
using Footfall.Rollups;
using Microsoft.Extensions.Options;

namespace Footfall.Cli;

/// <summary><c>footfall rollups</c>: what the server does by its schedule, by hand.</summary>
internal static class RollupsCommand
{
    private const string Daily = "daily";
    private const string Ingest = "ingest";

    public static Command Build(CommandRun run) =>
        new("rollups", "Recompute and check the daily figures.") { Run(run), Backfill(run), Status(run), Discrepancies(run) };

    private static Option<string> Property() => new("--property-id") { Description = "Only this property; all of them when left out.", HelpName = "ID" };

    private static Option<DateOnly?> Day(string name, string description, bool required = false) =>
        new(name) { Description = description, HelpName = "YYYY-MM-DD", Required = required, CustomParser = DayArgument.Parse };

    private static Command Run(CommandRun run)
    {
        var job = new Option<string>("--job") { Description = "daily (visitors, sessions, page views) or ingest (what arrived); both when left out." };
        job.AcceptOnlyFromAmong(Daily, Ingest);
        var days = new Option<int?>("--window-days") { Description = "How many days, today included. Default: Rollups:BatchDays (7).", HelpName = "N", CustomParser = WindowDays };
        var property = Property();
        var command = new Command("run", "Recompute the last days.") { job, days, property };
        command.SetAction((parsed, stop) => run.WithDatabaseAsync(parsed, async (context, cancelled) =>
        {
            var today = DateOnly.FromDateTime(context.Get<TimeProvider>().GetUtcNow().UtcDateTime);
            var window = parsed.GetValue(days) ?? context.Get<IOptions<RollupsOptions>>().Value.BatchDays;
            return await RollAsync(context, today.AddDays(1 - window), today, parsed.GetValue(property), parsed.GetValue(job), cancelled);
        }, stop));
        return command;
    }

    private static Command Backfill(CommandRun run)
    {
        var from = Day("--from", "First day (UTC).", required: true);
        var to = Day("--to", "Last day (UTC), itself included.", required: true);
        var property = Property();
        var command = new Command("backfill", "Recompute the days of a window from raw events.") { from, to, property };
        command.SetAction((parsed, stop) =>
        {
            var (first, last) = (parsed.GetValue(from)!.Value, parsed.GetValue(to)!.Value);
            RequireOrder(first, last);
            return run.WithDatabaseAsync(parsed, (context, cancelled) => RollAsync(context, first, last, parsed.GetValue(property), null, cancelled), stop);
        });
        return command;
    }

    private static Command Status(CommandRun run)
    {
        var command = new Command("status", "The latest runs, and what waits to be recomputed. Exit code 1 when the newest run of a job failed.");
        command.SetAction((parsed, stop) => run.WithDatabaseAsync(parsed, StatusAsync, stop));
        return command;
    }

    private static Command Discrepancies(CommandRun run)
    {
        var from = Day("--from", "First day (UTC). Default: 30 days ago.");
        var to = Day("--to", "Last day (UTC). Default: today.");
        var property = Property();
        var command = new Command("discrepancy", "Count raw events anew and compare with the rollups. Exit code 1 and a table where they differ.") { from, to, property };
        command.SetAction((parsed, stop) => run.WithDatabaseAsync(parsed, (context, cancelled) =>
        {
            var today = DateOnly.FromDateTime(context.Get<TimeProvider>().GetUtcNow().UtcDateTime);
            var last = parsed.GetValue(to) ?? today;
            var first = parsed.GetValue(from) ?? last.AddDays(-30);
            RequireOrder(first, last);
            return CompareAsync(context, first, last, parsed.GetValue(property), cancelled);
        }, stop));
        return command;
    }

    private static void RequireOrder(DateOnly first, DateOnly last)
    {
        if (first > last) throw new CommandException($"The window begins on {first:yyyy-MM-dd}, after it ends on {last:yyyy-MM-dd}. Give --from the earlier day.", exitCode: ExitCodes.Usage);
    }

    private static int? WindowDays(ArgumentResult result)
    {
        if (int.TryParse(result.Tokens[0].Value, out var days) && days is >= 1 and <= 3660) return days;
        result.AddError($"'{result.Tokens[0].Value}' is no number of days between 1 and 3660.");
        return null;
    }

    private static async Task<int> RollAsync(CommandContext context, DateOnly from, DateOnly to, string? property, string? job, CancellationToken stop)
    {
        await RequirePropertyAsync(context, property, stop);
        var line = context.Progress();
        var clock = context.Get<TimeProvider>();
        var started = clock.GetTimestamp();
        var progress = new Forward<RollupProgress>(p => line.Report(p.DaysDone, p.DaysTotal, _ => $"{p.DaysDone}/{p.DaysTotal} days, {p.PropertyId} {p.Day:yyyy-MM-dd}"));
        var report = await context.Get<RollupRunner>().RunAsync(from, to, property, job, progress, stop);
        line.Clear();
        if (report.Error is { } error)
            throw new CommandException($"{report.Failed} of {report.Days} days could not be recomputed; the others are. The first: {error}");
        await context.Output.WriteLineAsync(report.Days == 0
            ? $"Nothing to do: no property has events or rollups from {from:yyyy-MM-dd} to {to:yyyy-MM-dd}."
            : $"Recomputed {report.Days} property-days from {from:yyyy-MM-dd} to {to:yyyy-MM-dd} in {ProgressLine.Duration(clock.GetElapsedTime(started))}.");
        return ExitCodes.Ok;
    }

    private static async Task<int> StatusAsync(CommandContext context, CancellationToken stop)
    {
        const int runsPerJob = 3;
        var store = context.Get<RollupStore>();
        var runs = await store.LatestRunsAsync(runsPerJob, stop);
        var dirty = await store.DirtyDaysAsync(null, stop);
        var (output, clock) = (context.Output, context.Get<TimeProvider>());
        if (runs.Count == 0)
        {
            await output.WriteLineAsync("No rollup has run yet. The server runs them by itself; `footfall rollups run` does it now.");
        }
        else
        {
            var table = new TextTable(new("job", MayBeCut: true), new("days"), new("started (UTC)"), new("took", IsNumber: true), new("rows", IsNumber: true), new("status"));
            foreach (var r in runs)
            {
                var took = (r.FinishedAt ?? clock.GetUtcNow()) - r.StartedAt;
                table.Add(r.Job, $"{r.From:yyyy-MM-dd}..{r.To:MM-dd}", $"{r.StartedAt.UtcDateTime:yyyy-MM-dd HH:mm}", ProgressLine.Duration(took), $"{r.RowsWritten:N0}", r.Status);
            }
            table.Write(output);
            foreach (var r in runs.Where(r => r.Error is not null)) await output.WriteLineAsync($"{r.Job}, {r.StartedAt.UtcDateTime:yyyy-MM-dd HH:mm}: {r.Error}");
        }
        await output.WriteLineAsync(dirty.Count == 0
            ? "Every day is up to date."
            : $"{dirty.Count} property-days wait to be recomputed, the oldest {dirty.Min(d => d.Day):yyyy-MM-dd}.");
        return runs.GroupBy(r => r.Job, StringComparer.Ordinal).Any(j => j.MaxBy(r => r.StartedAt)!.Status == "failed") ? ExitCodes.Failed : ExitCodes.Ok;
    }

    private static async Task<int> CompareAsync(CommandContext context, DateOnly from, DateOnly to, string? property, CancellationToken stop)
    {
        await RequirePropertyAsync(context, property, stop);
        var differences = await context.Get<Discrepancy>().FindAsync(from, to, property, stop);
        if (differences.Count == 0)
        {
            await context.Output.WriteLineAsync($"Raw events and rollups agree from {from:yyyy-MM-dd} to {to:yyyy-MM-dd}.");
            return ExitCodes.Ok;
        }
        var table = new TextTable(new("property", MayBeCut: true), new("day"), new("figure"), new("raw", IsNumber: true), new("rollup", IsNumber: true), new("difference", IsNumber: true));
        foreach (var d in differences) table.Add(d.PropertyId, $"{d.Day:yyyy-MM-dd}", d.Figure, $"{d.Raw:N0}", $"{d.Rollup:N0}", $"{d.Rollup - d.Raw:+#,0;-#,0}");
        table.Write(context.Output);
        await context.Error.WriteLineAsync($"{differences.Count} figures differ. `footfall rollups backfill --from {differences.Min(d => d.Day):yyyy-MM-dd} --to {differences.Max(d => d.Day):yyyy-MM-dd}` recomputes these days.");
        return ExitCodes.Failed;
    }

    private static async Task RequirePropertyAsync(CommandContext context, string? property, CancellationToken stop)
    {
        if (property is not null && await context.Get<PropertySettings>().FindAsync(property, stop) is null)
            throw new CommandException($"There is no property {property}. `footfall properties list` shows those that exist.");
    }

    // Progress<T> would report from another thread, and late.
    private sealed class Forward<T>(Action<T> report) : IProgress<T>
    {
        public void Report(T value) => report(value);
    }
}

/// <summary>Reads a day; other forms than YYYY-MM-DD are refused, because they mean different days to different people.</summary>
internal static class DayArgument
{
    public static DateOnly? Parse(ArgumentResult result)
    {
        if (result.Tokens is [var token] && DateOnly.TryParseExact(token.Value, "yyyy-MM-dd", out var day)) return day;
        result.AddError($"'{string.Join(' ', result.Tokens)}' is no day: write it as YYYY-MM-DD, such as 2026-01-31.");
        return null;
    }
}
