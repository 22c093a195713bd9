using System.CommandLine;
using Footfall.Rollups;

namespace Footfall.Cli;

/// <summary><c>footfall purge</c>: what the server does every night, now; or what it would do.</summary>
internal static class PurgeCommand
{
    public static Command Build(CommandRun run)
    {
        var dry = new Option<bool>("--dry-run") { Description = "Only tell what would be removed." };
        var command = new Command("purge", "Remove raw events and rollups that are past their time (Retention:RawDays, Retention:RollupMonths).") { dry };
        command.SetAction((parsed, stop) => run.WithDatabaseAsync(parsed, async (context, cancelled) =>
        {
            var dryRun = parsed.GetValue(dry);
            await TellAsync(context.Output, await context.Get<Retention>().RunAsync(dryRun, cancelled), dryRun);
            return ExitCodes.Ok;
        }, stop));
        return command;
    }

    private static async Task TellAsync(TextWriter output, PurgeReport report, bool dryRun)
    {
        if (report.Properties.Count == 0)
        {
            await output.WriteLineAsync("There is no property yet, and nothing to remove.");
            return;
        }
        TextColumn[] columns =
        [
            new("property", MayBeCut: true), new("raw rows before"), .. dryRun ? [new("events", IsNumber: true), new("sessions", IsNumber: true)] : new TextColumn[] { new("removed", IsNumber: true) },
            new("rollups before"), new(dryRun ? "rollup rows" : "removed", IsNumber: true),
        ];
        var table = new TextTable(columns);
        foreach (var p in report.Properties)
        {
            string[] cells =
            [
                p.Plan.PropertyId, $"{p.Plan.RawBefore:yyyy-MM-dd}", $"{p.Events:N0}", .. dryRun ? [$"{p.Sessions:N0}"] : Array.Empty<string>(),
                p.Plan.RollupsBefore is { } before ? $"{before:yyyy-MM-dd}" : "kept", $"{p.Rollups:N0}",
            ];
            table.Add(cells);
        }
        table.Write(output);
        if (report.Weeks.Count > 0) await output.WriteLineAsync($"Weeks {(dryRun ? "to be dropped" : "dropped")} whole, by their Monday: {string.Join(", ", report.Weeks.Select(w => $"{w:yyyy-MM-dd}"))}.");
        if (report.Busy.Count > 0) await output.WriteLineAsync($"Weeks still being read, to be dropped by the next run: {string.Join(", ", report.Busy.Select(w => $"{w:yyyy-MM-dd}"))}.");
        foreach (var p in report.Properties.Where(p => p.Plan.HeldBy is not null))
            await output.WriteLineAsync($"{p.Plan.PropertyId}: {p.Plan.HeldBy:yyyy-MM-dd} still waits to be rolled up, and nothing from then on is removed. `footfall rollups status` tells why.");
        await output.WriteLineAsync(dryRun
            ? "Nothing was removed. Dedupe keys of these events, and visitors of whom nothing is left, would go with them."
            : $"Removed beside: {report.Keys:N0} dedupe keys, {report.Visitors:N0} visitors of whom nothing was left.");
    }
}
