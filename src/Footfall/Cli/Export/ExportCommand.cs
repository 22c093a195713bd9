using System.CommandLine;
using System.Text;
using Footfall.Capture;
using Footfall.Definitions;

namespace Footfall.Cli.Export;

/// <summary><c>footfall export</c>: what is stored, for other programs.</summary>
internal static class ExportCommand
{
    private const string Csv = "csv";
    private const string Ndjson = "ndjson";

    public static Command Build(CommandRun run)
    {
        var command = new Command("export", "Write what is stored to standard output or a file, a day at a time.");
        foreach (var set in ExportSets.All) command.Subcommands.Add(Of(set, run));
        return command;
    }

    private static Command Of(ExportSet set, CommandRun run)
    {
        var from = new Option<DateOnly?>("--from") { Description = "First day (UTC).", HelpName = "YYYY-MM-DD", Required = true, CustomParser = DayArgument.Parse };
        var to = new Option<DateOnly?>("--to") { Description = "Last day (UTC), itself included.", HelpName = "YYYY-MM-DD", Required = true, CustomParser = DayArgument.Parse };
        var property = new Option<string>("--property", "--property-id") { Description = "Only this property; all of them when left out.", HelpName = "ID" };
        property.Validators.Add(r =>
        {
            if (r.Tokens is [var token] && !PropertyId.IsValid(token.Value)) r.AddError($"'{token.Value}' is no property id: it must have {PropertyId.Rule}.");
        });
        var format = new Option<string>("--format") { Description = "ndjson: one JSON object a line. csv: for spreadsheets.", HelpName = $"{Csv}|{Ndjson}", DefaultValueFactory = _ => Ndjson };
        format.AcceptOnlyFromAmong(Csv, Ndjson);
        var file = new Option<string>("--out") { Description = "The file to write, readable by this user only; it appears when it is complete. Default: standard output.", HelpName = "FILE" };
        var command = new Command(set.Name, set.About) { from, to, property, format, file };
        command.SetAction((parsed, stop) =>
        {
            var (first, last) = (parsed.GetValue(from)!.Value, parsed.GetValue(to)!.Value);
            if (first > last) throw new CommandException($"The window begins on {first:yyyy-MM-dd}, after it ends on {last:yyyy-MM-dd}. Give --from the earlier day.", exitCode: ExitCodes.Usage);
            if (last == DateOnly.MaxValue) throw new CommandException("There is no day after 9999-12-31, which the last day's end is. Give --to an earlier day.", exitCode: ExitCodes.Usage);
            return run.WithDatabaseAsync(parsed, async (context, cancelled) =>
            {
                var only = parsed.GetValue(property);
                if (only is not null && await context.Get<PropertySettings>().FindAsync(only, cancelled) is null)
                    throw new CommandException($"There is no property {only}. `footfall properties list` shows those that exist.");
                var request = new ExportRequest(set, first, last, only, parsed.GetRequiredValue(format) == Csv);
                return await ExportAsync(context, request, parsed.GetValue(file), cancelled);
            }, stop);
        });
        return command;
    }

    private static async Task<int> ExportAsync(CommandContext context, ExportRequest request, string? file, CancellationToken stop)
    {
        var clock = context.Get<TimeProvider>();
        var started = clock.GetTimestamp();
        var line = context.Progress();
        long rows;
        if (file is null)
        {
            rows = await context.Get<Exporter>().WriteAsync(request, context.Output, Report, stop);
        }
        else
        {
            var unfinished = $"{file}.part";
            try
            {
                await using (var output = new StreamWriter(Open(unfinished), new UTF8Encoding(false))) rows = await context.Get<Exporter>().WriteAsync(request, output, Report, stop);
                File.Move(unfinished, file, overwrite: true);
            }
            catch
            {
                File.Delete(unfinished);
                throw;
            }
        }
        line.Clear();
        await context.Error.WriteLineAsync($"{rows:N0} {request.Set.Name} from {request.From:yyyy-MM-dd} to {request.To:yyyy-MM-dd} in {ProgressLine.Duration(clock.GetElapsedTime(started))}.");
        return ExitCodes.Ok;

        void Report(int day, int days, long written) => line.Report(day, days, elapsed => $"{written:N0} {request.Set.Name}, {written / Math.Max(0.001, elapsed.TotalSeconds):N0}/s");
    }

    private static FileStream Open(string path)
    {
        try
        {
            return new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.Create,
                Access = FileAccess.Write,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            });
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandException($"{path} cannot be written: {e.Message}", e);
        }
    }
}
