using System.CommandLine;
using Footfall.Capture;
using Footfall.Definitions;
using Footfall.Hosting;
using Footfall.Ingestion;
using Footfall.Rollups;
using Microsoft.Extensions.Options;

namespace Footfall.Cli.Import;

/// <summary><c>footfall import</c>: what happened before Footfall was there.</summary>
internal static class ImportCommand
{
    private const string Combined = "combined";
    private const string Common = "common";
    private const string NginxJson = "nginx-json";

    public static Command Build(CommandRun run) => new("import", "Bring in what happened before.") { AccessLog(run), Events(run) };

    private static Command AccessLog(CommandRun run)
    {
        var files = new Argument<string[]>("FILE") { Description = "Log files, plain or gzip, oldest first; - for standard input.", Arity = ArgumentArity.OneOrMore };
        var property = new Option<string>("--property", "--property-id") { Description = "The property that the page views belong to. Default: the default property.", HelpName = "ID" };
        property.Validators.Add(r =>
        {
            if (r.Tokens is [var token] && !PropertyId.IsValid(token.Value)) r.AddError($"'{token.Value}' is no property id: it must have {PropertyId.Rule}.");
        });
        var format = new Option<string>("--format") { Description = "How the log is written. Default: told from its first line.", HelpName = $"{Combined}|{Common}|{NginxJson}" };
        format.AcceptOnlyFromAmong(Combined, Common, NginxJson);
        var shift = new Option<bool>("--shift-to-yesterday") { Description = "Move all times by whole days, so that the last day of the log is yesterday." };
        var hosts = new Option<string[]?>("--hosts") { Description = "The site's own hosts, separated by commas, so that referrers on them are internal. They are added to the property's.", HelpName = "A,B", CustomParser = HostsArgument.Parse };
        var command = new Command("access-log", "Import page views from a web server's access log. The same file twice changes nothing; an interrupted import goes on.") { files, property, format, shift, hosts };
        command.SetAction((parsed, stop) => run.WithDatabaseAsync(parsed, (context, cancelled) => ImportAsync(
            context,
            parsed.GetRequiredValue(files),
            new ImportRequest(
                "",
                parsed.GetValue(property) ?? context.Get<IOptions<CaptureOptions>>().Value.DefaultPropertyId,
                FormatOf(parsed.GetValue(format)),
                parsed.GetValue(shift)),
            parsed.GetValue(hosts) ?? [],
            cancelled), stop));
        return command;
    }

    private static Command Events(CommandRun run)
    {
        var files = new Argument<string[]>("FILE") { Description = "Files of one JSON object a line, plain or gzip; - for standard input.", Arity = ArgumentArity.OneOrMore };
        var property = new Option<string>("--property", "--property-id") { Description = "The property of events that name none. Default: the default property.", HelpName = "ID" };
        property.Validators.Add(r =>
        {
            if (r.Tokens is [var token] && !PropertyId.IsValid(token.Value)) r.AddError($"'{token.Value}' is no property id: it must have {PropertyId.Rule}.");
        });
        var command = new Command("events", "Import events in the form that POST /v1/events takes, each with receivedAt. The same file twice changes nothing; an interrupted import goes on.") { files, property };
        command.SetAction((parsed, stop) => run.WithDatabaseAsync(parsed, (context, cancelled) => ImportEventsAsync(
            context, parsed.GetRequiredValue(files), parsed.GetValue(property) ?? context.Get<IOptions<CaptureOptions>>().Value.DefaultPropertyId, cancelled), stop));
        return command;
    }

    private static async Task<int> ImportEventsAsync(CommandContext context, string[] files, string property, CancellationToken stop)
    {
        await PrepareAsync(context, property, [], stop);
        var clock = context.Get<TimeProvider>();
        foreach (var file in files)
        {
            var started = clock.GetTimestamp();
            var line = context.Progress();
            using var input = file == "-" ? await SpooledInput.ReadAsync(context.Get<DataFolder>(), stop) : null;
            var result = await context.Get<EventImport>().RunAsync(input?.Path ?? file, property, p => line.Report(p.BytesDone, p.BytesTotal, elapsed => Describe(p, elapsed)), stop);
            line.Clear();
            result.Write(context.Output, input is null ? file : "standard input", clock.GetElapsedTime(started));
        }
        await RollUpAsync(context, null, stop);
        return ExitCodes.Ok;
    }

    private static AccessLogFormat? FormatOf(string? name) => name switch
    {
        Combined => AccessLogFormat.Combined,
        Common => AccessLogFormat.Common,
        NginxJson => AccessLogFormat.NginxJson,
        _ => null,
    };

    private static async Task<int> ImportAsync(CommandContext context, string[] files, ImportRequest like, string[] hosts, CancellationToken stop)
    {
        await PrepareAsync(context, like.PropertyId, hosts, stop);
        var clock = context.Get<TimeProvider>();
        var import = context.Get<AccessLogImport>();
        var summary = new ImportSummary(context.Output);
        foreach (var file in files)
        {
            var started = clock.GetTimestamp();
            var line = context.Progress();
            using var input = file == "-" ? await SpooledInput.ReadAsync(context.Get<DataFolder>(), stop) : null;
            var result = await import.RunAsync(like with { Path = input?.Path ?? file }, p => line.Report(p.BytesDone, p.BytesTotal, elapsed => Describe(p, elapsed)), stop);
            line.Clear();
            summary.Add(input is null ? file : "standard input", result, clock.GetElapsedTime(started));
        }
        await RollUpAsync(context, like.PropertyId, stop);
        summary.End(like.PropertyId);
        return ExitCodes.Ok;
    }

    private static async Task PrepareAsync(CommandContext context, string property, string[] hosts, CancellationToken stop)
    {
        if (hosts.Length > 0)
        {
            var settings = context.Get<PropertySettings>();
            var known = (await settings.FindAsync(property, stop))?.Hosts ?? [];
            await settings.SaveAsync(property, null, [.. known.Union(hosts, StringComparer.OrdinalIgnoreCase)], null, null, stop);
        }
        context.Get<PropertyRegistry>().Refresh(await context.Get<PropertyStore>().LoadAsync(stop));
    }

    private static string Describe(ImportProgress p, TimeSpan elapsed) =>
        p.Lines == 0 ? p.Doing : $"{p.Lines:N0} {p.Doing}, {p.Lines / Math.Max(0.001, elapsed.TotalSeconds):N0}/s";

    // Sessions of past days have ended: closing them now makes exits and day rows right at once, not in a minute.
    private static async Task RollUpAsync(CommandContext context, string? property, CancellationToken stop)
    {
        await context.Get<SessionSealer>().SealAsync(stop);
        var report = await context.Get<RollupRunner>().RunDirtyAsync(property, wait: true, stop);
        if (report.Error is { } error)
            throw new CommandException($"What was imported is stored, but {report.Failed} of {report.Days} days could not be rolled up: {error} Run `footfall rollups run` when that is mended; a running server tries by itself.");
    }
}
