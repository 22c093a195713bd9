using System.CommandLine;
using Footfall.Backups;
using Footfall.Ingestion;
using Footfall.Leads;
using Footfall.Rollups;

namespace Footfall.Cli;

/// <summary><c>footfall erase</c>: one person's data, whole, with a receipt.</summary>
internal static class EraseCommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(500);

    public static Command Build(CommandRun run)
    {
        var email = new Option<string?>("--email") { Description = "The person's address; - reads it from standard input, so that it stands in no shell's history.", HelpName = "ADDRESS" };
        var lead = new Option<Guid?>("--lead") { Description = "The id of the person's lead.", HelpName = "ID" };
        var dry = new Option<bool>("--dry-run") { Description = "Only tell what would be erased." };
        var command = new Command("erase", "Erase everything that is held on one person, and show the receipt. Asked again, it shows the same.") { email, lead, dry };
        command.SetAction((parsed, stop) =>
        {
            var (address, id) = (parsed.GetValue(email), parsed.GetValue(lead));
            if (address is null == id is null) throw new CommandException("Name the person by --email ADDRESS or by --lead ID.", exitCode: ExitCodes.Usage);
            return run.WithDatabaseAsync(parsed, (context, cancelled) => EraseAsync(context, address, id, parsed.GetValue(dry), cancelled), stop);
        });
        return command;
    }

    private static async Task<int> EraseAsync(CommandContext context, string? typed, Guid? lead, bool dryRun, CancellationToken stop)
    {
        EmailAddress? address = null;
        if (typed == "-") typed = await Console.In.ReadLineAsync(stop);
        if (lead is null && !EmailAddress.TryParse(typed, out address, out var fault)) throw new CommandException($"--email: {EmailAddress.Message(fault)}.", exitCode: ExitCodes.Usage);
        var erasure = context.Get<Erasure>();
        var done = await erasure.EraseAsync(new ErasureSubject(lead, address), dryRun, AuditLog.CommandLine, stop)
            ?? throw new CommandException("There is no lead of this id or address, and never was one that has been erased. Nothing was changed.");
        await TellAsync(context.Output, done);
        if (done.Receipt is not { } receipt || dryRun) return ExitCodes.Ok;
        await context.Get<RequestKeeper>().KeepAsync(stop);   // where no server does it
        await ScrubAsync(context, erasure, receipt, stop);
        return ExitCodes.Ok;
    }

    private static async Task TellAsync(TextWriter output, ErasureBody done)
    {
        var c = done.Counts;
        if (done.Receipt is { } receipt)
        {
            await output.WriteLineAsync($"receipt  {receipt.Id}");
            await output.WriteLineAsync($"erased   {receipt.ErasedAt.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC");
            await output.WriteLineAsync($"sha256   {receipt.Hash}");
        }
        else
        {
            await output.WriteLineAsync("Nothing was erased. This would go:");
        }
        (string Name, long Count)[] rows =
        [
            ("leads", c.Leads), ("submissions", c.Submissions), ("confirmations", c.ConsentRequests), ("links", c.Links), ("visitors", c.Visitors), ("sessions", c.Sessions),
            ("events", c.Events), ("dedupe keys", c.EventKeys), ("accounts", c.Accounts), ("rows of read models", c.ReadModelRows), ("files", c.Files),
        ];
        foreach (var (name, count) in rows) await output.WriteLineAsync($"  {name,-22}{count,10:N0}");
        await output.WriteLineAsync($"  {"consent rows",-22}{c.ConsentEvents,10:N0}  stay, without anything personal");
        await output.WriteLineAsync($"  {"days",-22}{c.Days,10:N0}  whose figures are computed anew");
    }

    /// <summary>What the transaction leaves on the disk. A running server does that; without one it is done here.</summary>
    private static async Task ScrubAsync(CommandContext context, Erasure erasure, ErasureReceipt receipt, CancellationToken stop)
    {
        if (await IsScrubbedAsync()) return;
        var clock = context.Get<TimeProvider>();
        var began = clock.GetTimestamp();
        if (JournalOfThisFolder(context) is { } drain)
        {
            await drain.DrainOnceAsync(stop);
            await context.Get<RollupRunner>().RunDirtyAsync(null, wait: true, stop);
            var journal = context.Get<JournalScrub>();
            while (!await journal.StepAsync(stop)) await Task.Delay(LookAgain, clock, stop);
            while (await context.Get<ErasureScrub>().RunAsync(wholly: true, stop) is { Waiting: not null } report)
            {
                if (clock.GetElapsedTime(began) > Patience) throw new CommandException($"The rows are erased; what deleted rows leave on the disk is not yet scrubbed: {report.Waiting} A server does it when it can, or the same command again.");
                await Task.Delay(LookAgain, clock, stop);
            }
        }
        else
        {
            await context.Error.WriteLineAsync("The running server scrubs what deleted rows leave on the disk...");
            while (!await IsScrubbedAsync())
            {
                if (clock.GetElapsedTime(began) > Patience)
                {
                    await context.Error.WriteLineAsync($"It is still at it, or waits for the quiet hour. GET /v1/leads/erasures/{receipt.Id} tells when it is done.");
                    return;
                }
                await Task.Delay(LookAgain, clock, stop);
            }
        }
        await context.Error.WriteLineAsync("Nothing of it is left on the disk.");

        async Task<bool> IsScrubbedAsync() => (await erasure.FindAsync(receipt.Id, stop))?.ScrubbedAt is not null;
    }

    /// <summary>Null while a server has the journal.</summary>
    private static JournalDrain? JournalOfThisFolder(CommandContext context)
    {
        try
        {
            return context.Get<JournalDrain>();
        }
        catch (IOException)
        {
            return null;
        }
    }
}
