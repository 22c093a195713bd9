using System.CommandLine;
using Footfall.Capture;
using Footfall.Cli.Import;
using Footfall.Leads;
using Microsoft.Extensions.Options;

namespace Footfall.Cli;

/// <summary><c>footfall leads</c>: addresses from files, and whether the ledger of consent is as it was written.</summary>
internal static class LeadsCommand
{
    private const int Named = 20;

    public static Command Build(CommandRun run) => new("leads", "Import addresses with their consent; check the ledger of consent.") { Import(run), Verify(run) };

    private static Command Import(CommandRun run)
    {
        var file = new Argument<string>("FILE.csv") { Description = "CSV whose first line names its columns: email; consent_status, consent_method, consent_purpose, consent_at, consent_basis as far as rows differ." };
        var property = new Option<string>("--property", "--property-id") { Description = "The property that the leads belong to. Default: the default property.", HelpName = "ID" };
        property.Validators.Add(r =>
        {
            if (r.Tokens is [var token] && !PropertyId.IsValid(token.Value)) r.AddError($"'{token.Value}' is no property id: it must have {PropertyId.Rule}.");
        });
        var status = new Option<string>("--consent") { Description = "Of rows that name none: express, implied, pending or withdrawn. Default: express.", DefaultValueFactory = _ => ConsentStatus.Express.Text() };
        status.AcceptOnlyFromAmong([.. Enum.GetValues<ConsentStatus>().Select(s => s.Text())]);
        var basis = new Option<string>("--basis") { Description = "Of implied consent: inquiry (6 months) or business_relationship (24). Default: inquiry.", DefaultValueFactory = _ => ConsentBasis.Inquiry.Text() };
        basis.AcceptOnlyFromAmong([.. Enum.GetValues<ConsentBasis>().Select(s => s.Text())]);
        var method = new Option<string?>("--consent-method") { Description = "How the people consented, of rows that do not say: \"paper form, trade fair 2025\". A row without is not imported.", HelpName = "TEXT" };
        var purpose = new Option<string?>("--purpose") { Description = "What they consented to, of rows that do not say: newsletter. A row without is not imported.", HelpName = "TEXT" };
        var at = new Option<string?>("--consented-at") { Description = "When, of rows that do not say. Default: now.", HelpName = "YYYY-MM-DD" };
        at.Validators.Add(r =>
        {
            if (r.Tokens is [var token] && !LeadCsv.TryInstant(token.Value, out _)) r.AddError("--consented-at must be a day such as 2026-02-13, or an ISO 8601 instant with zone.");
        });
        var rejected = new Option<string?>("--rejected") { Description = "Write line and reason of rows that were not imported to this file.", HelpName = "FILE" };
        var command = new Command("import", "Import addresses from CSV. Each needs how and to what its owner consented: a list without that is not imported. The same file twice changes nothing.") { file, property, status, basis, method, purpose, at, rejected };
        command.SetAction((parsed, stop) => run.WithDatabaseAsync(parsed, (context, cancelled) => ImportAsync(
            context, parsed.GetRequiredValue(file), new ImportDefaults(
                parsed.GetValue(property) ?? context.Get<IOptions<CaptureOptions>>().Value.DefaultPropertyId,
                ConsentNames.Status(parsed.GetValue(status))!.Value, ConsentNames.Basis(parsed.GetValue(basis))!.Value,
                parsed.GetValue(method), parsed.GetValue(purpose), parsed.GetValue(at) is { } text && LeadCsv.TryInstant(text, out var instant) ? instant : null),
            parsed.GetValue(rejected), cancelled), stop));
        return command;
    }

    private static async Task<int> ImportAsync(CommandContext context, string path, ImportDefaults defaults, string? rejectedPath, CancellationToken stop)
    {
        var clock = context.Get<TimeProvider>();
        var began = clock.GetTimestamp();
        var progress = context.Progress();
        var outcome = new ImportOutcome();
        await using var file = LogLines.Open(path);
        using (var csv = new LeadCsv(file, defaults, outcome, clock.GetUtcNow()))
        {
            await context.Get<LeadImport>().RunAsync(csv.Rows(stop), defaults, outcome, done => progress.Report(csv.Position, csv.Length, elapsed => $"{done.Rows:N0} rows, {done.Rows / Math.Max(elapsed.TotalSeconds, 0.001):N0} a second"), stop);
        }
        progress.Clear();
        var output = context.Output;
        await output.WriteLineAsync($"{path}: {outcome.Rows + outcome.Rejected.Count:N0} rows in {ProgressLine.Duration(clock.GetElapsedTime(began))}");
        await output.WriteLineAsync($"  {"new leads",-18}{outcome.NewLeads,10:N0}");
        await output.WriteLineAsync($"  {"consent changed",-18}{outcome.ConsentChanges,10:N0}");
        await output.WriteLineAsync($"  {"nothing new",-18}{outcome.Unchanged,10:N0}");
        await output.WriteLineAsync($"  {"rejected",-18}{outcome.Rejected.Count,10:N0}");
        foreach (var reason in outcome.Rejected.GroupBy(r => r.Reason, StringComparer.Ordinal).OrderByDescending(g => g.Count())) await output.WriteLineAsync($"{"",20}{reason.Count(),10:N0}  {reason.Key}");
        foreach (var (line, reason) in outcome.Rejected.Take(Named)) await output.WriteLineAsync($"{"",20}line {line:N0}: {reason}");
        if (outcome.Rejected.Count > Named) await output.WriteLineAsync($"{"",20}and {outcome.Rejected.Count - Named:N0} more{(rejectedPath is null ? "; --rejected FILE writes all of them" : "")}");
        if (rejectedPath is not null) await WriteRejectedAsync(rejectedPath, outcome, stop);
        return outcome.Rows == 0 && outcome.Rejected.Count > 0 ? ExitCodes.Failed : ExitCodes.Ok;
    }

    private static async Task WriteRejectedAsync(string path, ImportOutcome outcome, CancellationToken stop)
    {
        var table = new Hosting.CsvTable("line", "reason");
        foreach (var (line, reason) in outcome.Rejected) table.Add(line, reason);
        await File.WriteAllBytesAsync(path, table.ToBytes(withByteOrderMark: false), stop);
    }

    private static Command Verify(CommandRun run)
    {
        var command = new Command("verify", "Check that the ledger of consent is as it was written: no row changed, missing or put between. Exit code 1 when it is not.");
        command.SetAction((parsed, stop) => run.WithDatabaseAsync(parsed, async (context, cancelled) =>
        {
            var report = await context.Get<ConsentLedger>().VerifyAsync(cancelled);
            await context.Get<AuditLog>().AddAsync(AuditLog.CommandLine, AuditAction.LedgerVerified, null, $$"""{"rows":{{report.Rows}},"faults":{{report.FaultCount}}}""", cancelled);
            await context.Output.WriteLineAsync($"{report.Rows:N0} rows, {report.Erased:N0} of them without their personal part, which was erased.");
            foreach (var fault in report.Faults) await context.Output.WriteLineAsync(fault.What);
            if (report.FaultCount > report.Faults.Count) await context.Output.WriteLineAsync($"And {report.FaultCount - report.Faults.Count:N0} more faults.");
            await context.Output.WriteLineAsync(report.IsWhole
                ? $"The ledger is whole. Its end is {report.EndHash}: kept elsewhere, that proves later that nothing before it has changed."
                : "The ledger is NOT as it was written. Compare it with a backup.");
            return report.IsWhole ? ExitCodes.Ok : ExitCodes.Failed;
        }, stop));
        return command;
    }
}
