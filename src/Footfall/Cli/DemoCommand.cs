using System.CommandLine;
using Footfall.Demo;

namespace Footfall.Cli;

/// <summary><c>footfall demo</c>: 90 days of a made-up shop's history, so that there is something to look at.</summary>
internal static class DemoCommand
{
    public static Command Build(CommandRun run)
    {
        var command = new Command("demo", $"Fill the property {DemoFiller.PropertyId} with {DemoFiller.Days} days of made-up history, up to yesterday. The same days again change nothing.");
        command.SetAction((parsed, stop) => run.WithDatabaseAsync(parsed, FillAsync, stop));
        return command;
    }

    private static async Task<int> FillAsync(CommandContext context, CancellationToken stop)
    {
        var clock = context.Get<TimeProvider>();
        var started = clock.GetTimestamp();
        var line = context.Progress();
        var report = await context.Get<DemoFiller>().FillAsync(p => line.Report(p.Days, DemoFiller.Days, _ => $"{p.Days}/{DemoFiller.Days} days, {p.Events:N0} events"), stop);
        line.Clear();
        if (report.Error is { } error)
            throw new CommandException($"The history is stored, but {report.Failed} of {report.RolledUp} days could not be rolled up: {error} Run `footfall rollups run` when that is mended; a running server tries by itself.");
        var window = $"{report.Events:N0} events of {DemoFiller.Days} days, {report.From:yyyy-MM-dd} to {report.To:yyyy-MM-dd}";
        await context.Output.WriteLineAsync(report.Added == 0
            ? $"Nothing to do: {window}, are in the property {DemoFiller.PropertyId} already."
            : $"{window}, are in the property {DemoFiller.PropertyId}: {report.Added:N0} added, with {report.Leads:N0} leads, in {ProgressLine.Duration(clock.GetElapsedTime(started))}, {report.RolledUp} days rolled up.");
        await context.Output.WriteLineAsync("Start the server with --demo and click around at /demo/ to see live ones beside them.");
        return ExitCodes.Ok;
    }
}
