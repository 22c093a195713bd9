using System.CommandLine;
using Footfall.Capture;
using Footfall.Ingestion;
using Footfall.Leads;
using Footfall.Rollups;
using Npgsql;

namespace Footfall.Cli.Demo;

/// <summary><c>footfall demo</c>: 90 days of a made-up shop's history, so that there is something to look at.</summary>
internal static class DemoCommand
{
    public const string PropertyId = "demo";
    public const int Days = 90;
    private const int DaysPerBatch = 10;

    public static Command Build(CommandRun run)
    {
        var command = new Command("demo", $"Fill the property {PropertyId} with {Days} days of made-up history, up to yesterday. The same days again change nothing.");
        command.SetAction((parsed, stop) => run.WithDatabaseAsync(parsed, FillAsync, stop));
        return command;
    }

    private static async Task<int> FillAsync(CommandContext context, CancellationToken stop)
    {
        await context.Get<PropertySettings>().SaveAsync(PropertyId, "Halda (demo)", DemoHistory.Hosts, DemoHistory.Goals, null, stop);
        context.Get<PropertyRegistry>().Refresh(await context.Get<PropertyStore>().LoadAsync(stop));

        var clock = context.Get<TimeProvider>();
        var started = clock.GetTimestamp();
        var yesterday = DateOnly.FromDateTime(clock.GetUtcNow().UtcDateTime).AddDays(-1);
        var history = new DemoHistory(new DemoAddresses(context.Get<Countries>()), context.Get<ImportDayKeys>());
        var pipeline = context.Get<CapturePipeline>();
        var leads = new DemoLeads(context.Services);
        var (events, added, taken) = (0, 0, 0);
        var line = context.Progress();
        await using (var writer = context.Get<BatchWriter>())
        {
            for (var done = 0; done < Days; done += DaysPerBatch)
            {
                var batch = new IngestBatch();
                List<(LeadRequest, Sender)> forms = [];
                for (var i = done; i < Math.Min(Days, done + DaysPerBatch); i++)
                {
                    List<CapturedEvent> day = [];
                    List<(LeadRequest, Sender)> sent = [];
                    foreach (var (request, sender) in history.Of(yesterday.AddDays(i + 1 - Days), sent))
                    {
                        if (pipeline.Run(request, sender).Event is { } e) day.Add(e);
                    }
                    events += day.Count;
                    // A day is stored whole or not at all: its first event speaks for it.
                    if (day.Count > 0 && await IsStoredAsync(context.Get<NpgsqlDataSource>(), day[0], stop)) continue;
                    added += day.Count;
                    day.ForEach(batch.Add);
                    forms.AddRange(sent);
                }
                if (!batch.IsEmpty) await writer.WriteAsync(batch, (_, _) => Task.CompletedTask, stop);     // the events' own ids are the mark
                var (some, submits) = await leads.TakeAsync(forms, stop);
                taken += some;
                if (!submits.IsEmpty) await writer.WriteAsync(submits, (_, _) => Task.CompletedTask, stop);
                line.Report(done + DaysPerBatch, Days, _ => $"{done + DaysPerBatch}/{Days} days, {events:N0} events");
            }
        }
        line.Clear();
        await context.Get<SessionSealer>().SealAsync(stop);
        var report = await context.Get<RollupRunner>().RunDirtyAsync(PropertyId, wait: true, stop);
        if (report.Error is { } error)
            throw new CommandException($"The history is stored, but {report.Failed} of {report.Days} days could not be rolled up: {error} Run `footfall rollups run` when that is mended; a running server tries by itself.");
        var window = $"{events:N0} events of {Days} days, {yesterday.AddDays(1 - Days):yyyy-MM-dd} to {yesterday:yyyy-MM-dd}";
        await context.Output.WriteLineAsync(added == 0
            ? $"Nothing to do: {window}, are in the property {PropertyId} already."
            : $"{window}, are in the property {PropertyId}: {added:N0} added, with {taken:N0} leads, in {ProgressLine.Duration(clock.GetElapsedTime(started))}, {report.Days} days rolled up.");
        await context.Output.WriteLineAsync("Start the server with --demo and click around at /demo/ to see live ones beside them.");
        return ExitCodes.Ok;
    }

    private static async Task<bool> IsStoredAsync(NpgsqlDataSource database, CapturedEvent e, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("select true from event_keys where visitor_id = @visitor and dedupe_key = @key");
        command.Parameters.AddWithValue("visitor", e.VisitorId);
        command.Parameters.AddWithValue("key", e.DedupeKey!.Value);
        return await command.ExecuteScalarAsync(cancellationToken) is true;
    }
}
