using System.CommandLine;
using System.CommandLine.Parsing;
using Footfall.Definitions;
using Footfall.Rollups;
using Microsoft.Extensions.Options;

namespace Footfall.Cli;

/// <summary><c>footfall rollups</c>: what the server does by its schedule, by hand.</summary>
internal static class RollupsCommand
{
    /// <summary>The server's jobs by name. A test holds it against their list.</summary>
    internal static readonly string[] JobNames = ["daily", "ingest", "hourly", "product", "experiment", "funnel", "visitors", "segments", "seal-sessions", "consent-expiry", "likely-links", "retention", "partitions", "discrepancy", "backup", "reports"];

    public static Command Build(CommandRun run) =>
        new("rollups", "Recompute and check the daily figures.") { Run(run), Backfill(run), Status(run), Discrepancies(run) };

    private static Option<string> Property() => new("--property-id") { Description = "Only this property; all of them when left out.", HelpName = "ID" };

    private static Option<DateOnly?> Day(string name, string description, bool required = false) =>
        new(name) { Description = description, HelpName = "YYYY-MM-DD", Required = required, CustomParser = DayArgument.Parse };

    private static Command Run(CommandRun run)
    {
        var job = new Option<string>("--job") { Description = "Only this: daily (visitors, sessions, page views), ingest (what arrived), hourly (views of entities), product (active users), experiment, funnel, visitors (who viewed entities), segments (columns that questions are answered from). All of these when left out. Also seal-sessions, consent-expiry, likely-links, retention, partitions, discrepancy, backup, reports, which have no window." };
        job.AcceptOnlyFromAmong(JobNames);
        var days = new Option<int?>("--window-days") { Description = "How many days, today included. Default: Rollups:BatchDays (7).", HelpName = "N", CustomParser = WindowDays };
        var property = Property();
        var command = new Command("run", "Recompute the last days.") { job, days, property };
        command.SetAction((parsed, stop) => run.WithDatabaseAsync(parsed, async (context, cancelled) =>
        {
            if (parsed.GetValue(job) is { } name && context.Get<Jobs>().All.Single(j => j.Name == name) is { IsModel: false } alone)
            {
                if (parsed.GetValue(days) is not null || parsed.GetValue(property) is not null) throw new CommandException($"The job {name} takes neither --window-days nor --property-id: it has no window.", exitCode: ExitCodes.Usage);
                return await RunAloneAsync(context, alone, cancelled);
            }
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
        var restart = new Option<bool>("--restart") { Description = "Begin anew, though an earlier run of the same window was interrupted." };
        var command = new Command("backfill", "Recompute the days of a window from raw events. An interrupted backfill goes on where it was: give the same window and property again.") { from, to, property, restart };
        command.SetAction((parsed, stop) =>
        {
            var (first, last) = (parsed.GetRequiredValue(from)!.Value, parsed.GetRequiredValue(to)!.Value);
            RequireOrder(first, last);
            RequireSize(first, last);
            return run.WithDatabaseAsync(parsed, (context, cancelled) => BackfillAsync(context, new BackfillKey(first, last, parsed.GetValue(property)), parsed.GetValue(restart), cancelled), stop);
        });
        return command;
    }

    private static async Task<int> RunAloneAsync(CommandContext context, Job job, CancellationToken stop)
    {
        try
        {
            await context.Output.WriteLineAsync(await job.Run(stop) ? $"{job.Name}: done." : $"{job.Name}: another process is at it. Nothing was done here.");
            return ExitCodes.Ok;
        }
        catch (JobFailedException e)
        {
            throw new CommandException(e.Message, e);
        }
    }

    private static async Task<int> BackfillAsync(CommandContext context, BackfillKey key, bool restart, CancellationToken stop)
    {
        await RequirePropertyAsync(context, key.PropertyId, stop);
        var line = context.Progress();
        var clock = context.Get<TimeProvider>();
        var started = clock.GetTimestamp();
        var report = await context.Get<Backfill>().RunAsync(key, restart, Progress(line), stop);
        line.Clear();
        if (report.BegunAt is { } begun) await context.Output.WriteLineAsync($"Went on with the backfill begun {begun.UtcDateTime:yyyy-MM-dd HH:mm} UTC, of which {report.DoneBefore} property-days were done. --restart begins anew.");
        return await TellAsync(context, report.Rollup, key.From, key.To, clock.GetElapsedTime(started));
    }

    private static Command Status(CommandRun run)
    {
        var command = new Command("status", "Every job with its schedule and lock, the latest runs, and what waits to be recomputed. Exit code 1 when the newest run of a job failed.");
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
            RequireSize(first, last);
            return CompareAsync(context, first, last, parsed.GetValue(property), cancelled);
        }, stop));
        return command;
    }

    private static void RequireOrder(DateOnly first, DateOnly last)
    {
        if (first > last) throw new CommandException($"The window begins on {first:yyyy-MM-dd}, after it ends on {last:yyyy-MM-dd}. Give --from the earlier day.", exitCode: ExitCodes.Usage);
    }

    private static void RequireSize(DateOnly first, DateOnly last)
    {
        const int most = 3660;
        if (last.DayNumber - first.DayNumber + 1 > most) throw new CommandException($"The window has {last.DayNumber - first.DayNumber + 1:N0} days; at most {most} are recomputed at once.", exitCode: ExitCodes.Usage);
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
        var report = await context.Get<RollupRunner>().RunAsync(from, to, property, job, Progress(line), stop);
        line.Clear();
        return await TellAsync(context, report, from, to, clock.GetElapsedTime(started));
    }

    private static Forward<RollupProgress> Progress(ProgressLine line) =>
        new(p => line.Report(p.DaysDone, p.DaysTotal, _ => $"{p.DaysDone}/{p.DaysTotal} days, {p.PropertyId} {p.Day:yyyy-MM-dd}"));

    private static async Task<int> TellAsync(CommandContext context, RollupReport report, DateOnly from, DateOnly to, TimeSpan took)
    {
        if (report.Error is { } error)
            throw new CommandException($"{report.Failed} of {report.Days} days could not be recomputed; the others are. The first: {error}");
        if (report.Skipped > 0) await context.Output.WriteLineAsync($"{report.Skipped} property-days are left as they are: their raw events are past retention.");
        await context.Output.WriteLineAsync(report.Days == 0 && report.Skipped == 0
            ? $"Nothing to do: no property has events or rollups from {from:yyyy-MM-dd} to {to:yyyy-MM-dd}."
            : $"Recomputed {report.Days} property-days from {from:yyyy-MM-dd} to {to:yyyy-MM-dd} in {ProgressLine.Duration(took)}.");
        return ExitCodes.Ok;
    }

    private static async Task<int> StatusAsync(CommandContext context, CancellationToken stop)
    {
        const int runsPerJob = 3;
        var (store, jobs) = (context.Get<RollupStore>(), context.Get<Jobs>());
        var runs = await store.LatestRunsAsync(jobs.All.Select(j => j.Name), runsPerJob, stop);
        var dirty = await store.DirtyDaysAsync(null, stop);
        var output = context.Output;
        var list = new TextTable(new("job"), new("schedule (UTC)"), new("lock"), new("what it does", MayBeCut: true));
        foreach (var job in jobs.All) list.Add(job.Name, job.Schedule, job.Lock, job.What);
        list.Write(output);
        await output.WriteLineAsync($"Days that changed are recomputed by {jobs.All.First(j => j.IsModel).Name} to {jobs.All.Last(j => j.IsModel).Name}: {context.Get<IOptions<RollupsOptions>>().Value.DirtySchedule}");
        await output.WriteLineAsync();
        if (runs.Count == 0) await output.WriteLineAsync("No job has run yet. The server runs them by itself; `footfall rollups run` does it now.");
        else await WriteRunsAsync(context, runs);
        await output.WriteLineAsync(dirty.Count == 0
            ? "Every day is up to date."
            : $"{dirty.Count} property-days wait to be recomputed, the oldest {dirty.Min(d => d.Day):yyyy-MM-dd}.");
        return runs.GroupBy(r => r.Job, StringComparer.Ordinal).Any(j => j.First().Status == "failed") ? ExitCodes.Failed : ExitCodes.Ok;
    }

    private static async Task WriteRunsAsync(CommandContext context, List<RollupRun> runs)
    {
        var now = context.Get<TimeProvider>().GetUtcNow();
        var table = new TextTable(new("job", MayBeCut: true), new("days"), new("started (UTC)"), new("took", IsNumber: true), new("rows", IsNumber: true), new("status"));
        foreach (var r in runs)
            table.Add(r.Job, $"{r.From:yyyy-MM-dd}..{r.To:MM-dd}", $"{r.StartedAt.UtcDateTime:yyyy-MM-dd HH:mm}", ProgressLine.Duration((r.FinishedAt ?? now) - r.StartedAt), $"{r.RowsWritten:N0}", r.Status);
        table.Write(context.Output);
        foreach (var r in runs)
        {
            var run = $"{r.Job}, {r.StartedAt.UtcDateTime:yyyy-MM-dd HH:mm}";
            if (r.Error is not null) await context.Output.WriteLineAsync($"{run}: {r.Error}");
            if (r.IgnoredCount > 0) await context.Output.WriteLineAsync($"{run}: {r.IgnoredCount:N0} events out of range were left out.");
            foreach (var (reason, n) in r.LeftOut) await context.Output.WriteLineAsync($"{run}: {n:N0} left out, {reason}: {LimitOf(reason)}");
        }
    }

    private static string LimitOf(string reason) => reason switch
    {
        RollupLimits.EntityLimit => "views of entities beyond a day's most viewed (Rollups:MaxEntities).",
        RollupLimits.ExperimentLimit => "users told of undefined experiments beyond a day's most used (Rollups:MaxExperiments).",
        RollupLimits.VariantLimit => "users told of variants beyond an experiment's most used.",
        RollupLimits.EventTypeLimit => "events of types beyond a day's most frequent (Rollups:MaxEventTypes).",
        _ => "docs/configuration.md.",
    };

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
