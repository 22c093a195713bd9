using System.CommandLine;
using Footfall.Leads;

namespace Footfall.Cli;

/// <summary><c>footfall audit</c>: what was done with personal data, who was let in, and by whom.</summary>
internal static class AuditCommand
{
    private const int Usual = 50;

    public static Command Build(CommandRun run)
    {
        var lead = new Option<Guid?>("--lead") { Description = "Only what concerned this lead.", HelpName = "ID" };
        var action = new Option<string?>("--action") { Description = "Only this, such as person_erased." };
        action.AcceptOnlyFromAmong([.. Enum.GetValues<AuditAction>().Select(AuditLog.Text)]);
        var most = new Option<int>("--limit") { Description = $"How many, the newest first. Default: {Usual}.", HelpName = "N", DefaultValueFactory = _ => Usual };
        most.Validators.Add(r =>
        {
            if (r.Tokens is [var token] && (!int.TryParse(token.Value, out var n) || n is < 1 or > 100_000)) r.AddError("--limit must be 1 to 100000.");
        });
        var command = new Command("audit", "Who did what with personal data, or let others in by tokens and shared links, and when. Nothing in the log is personal.") { lead, action, most };
        command.SetAction((parsed, stop) => run.WithDatabaseAsync(parsed, async (context, cancelled) =>
        {
            var entries = await context.Get<AuditLog>().ListAsync(null, parsed.GetValue(lead), parsed.GetValue(action) is { } text ? AuditLog.Action(text) : null, parsed.GetValue(most), cancelled);
            if (entries.Count == 0)
            {
                await context.Output.WriteLineAsync("Nothing was done with personal data.");
                return ExitCodes.Ok;
            }
            foreach (var e in entries)
                await context.Output.WriteLineAsync($"{e.At.UtcDateTime:yyyy-MM-dd HH:mm:ss}  {e.Action,-20}{e.Actor}{(e.ActorName is { } name ? $" ({name})" : "")}{(e.LeadId is { } id ? $"  lead {id}" : "")}  {e.Detail.GetRawText()}");
            return ExitCodes.Ok;
        }, stop));
        return command;
    }
}
