using System.CommandLine;
using Footfall.Backups;
using Footfall.Hosting;
using Footfall.Postgres;
using Command = System.CommandLine.Command;

namespace Footfall.Cli;

/// <summary><c>footfall restore</c>: a backup in the place of what is there, or a look whether it could be.</summary>
internal static class RestoreCommand
{
    public static Command Build(CommandRun run)
    {
        var from = new Option<string?>("--from") { Description = "The file, a folder (its newest backup), or - for standard input. Default: Backup:Directory.", HelpName = "FILE|DIR|-" };
        var replace = new Option<bool>("--replace") { Description = "Though the database holds data: it goes." };
        var check = new Option<bool>("--check") { Description = "Only read it to the end and tell what is in it. Touches no database." };
        var requests = new Option<string[]>("--requests") { Description = $"A list of erasures, withdrawals, revocations and deletions ({RequestList.FileName}) to meet again, beside those of the data folder, of the database that is there, and of the folder of the backup.", HelpName = "FILE" };
        var keyFile = BackupCommand.KeyFile();
        keyFile.Description = "A file that holds the key that it was encrypted with. Default: Backup:Key, Backup:KeyFile.";
        var command = new Command("restore", "Put a backup in the place of what is there: all tables, or, when anything fails, nothing. Stop every server first.") { from, replace, check, requests, keyFile };
        command.SetAction((parsed, stop) => run.RunAsync(parsed, async (context, cancelled) =>
        {
            var (source, name, folder) = Open(context, parsed.GetValue(from));
            await using (source)
            {
                var key = BackupCommand.KeyOf(context, parsed.GetValue(keyFile));
                return parsed.GetValue(check)
                    ? await CheckAsync(context, source, name, key, cancelled)
                    : await RestoreAsync(context, source, name, key, parsed.GetValue(replace), [.. folder is null ? [] : new[] { folder }, .. parsed.GetValue(requests) ?? []], cancelled);
            }
        }, stop));
        return command;
    }

    private static (Stream Source, string Name, string? RequestsBeside) Open(CommandContext context, string? named)
    {
        if (named == BackupCommand.Standard) return (Console.OpenStandardInput(), "The backup on standard input", null);
        var path = Path.GetFullPath(BackupCommand.Folder(context, named, "--from FILE"));
        if (Directory.Exists(path))
        {
            if (BackupShelf.In(path) is not [.., var newest]) throw new CommandException($"{path} holds no backup: no file footfall-*{BackupShelf.Extension}.");
            path = newest.Path;
        }
        if (!File.Exists(path)) throw new CommandException($"There is no {path}.");
        return (File.OpenRead(path), path, Path.Combine(Path.GetDirectoryName(path)!, RequestList.FileName));
    }

    private static async Task<int> CheckAsync(CommandContext context, Stream source, string name, string? key, CancellationToken stop)
    {
        var line = context.Progress();
        var (manifest, tables, totals) = await BackupFiles.CheckAsync(source, name, key, BackupCommand.Show(context, line), stop);
        line.Clear();
        await context.Output.WriteLineAsync($"{name}\ntaken     {manifest.TakenAt.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC by Footfall {manifest.Program} from PostgreSQL {manifest.Server}, {manifest.Migrations.Count} migrations\nholds     {totals.Rows:N0} rows of {totals.Tables} tables, {totals.JournalSegments} pieces of the journal, {totals.Files} files{(manifest.HasKeys ? ", keys among them" : ", no keys: it is not encrypted")}");
        var table = new TextTable([new("table", MayBeCut: true), new("rows", IsNumber: true), new("checksum")]);
        foreach (var t in tables.Where(t => t.Rows > 0)) table.Add([t.Name, $"{t.Rows:N0}", t.Digest]);
        table.Write(context.Output);
        await context.Output.WriteLineAsync("Every checksum is right.");
        return ExitCodes.Ok;
    }

    private static async Task<int> RestoreAsync(CommandContext context, Stream source, string name, string? key, bool replace, IReadOnlyList<string> lists, CancellationToken stop)
    {
        var folder = context.Get<DataFolder>();
        using var alone = new ServeLock(folder);
        alone.Take();
        await using var database = context.Get<Database>();
        if (database.Embedded is { } embedded) await embedded.StartAsync(stop);
        var clock = context.Get<TimeProvider>();
        var began = clock.GetTimestamp();
        List<PersonRequest> known = [];
        var found = false;
        foreach (var list in lists.Append(Path.Combine(folder.Path, RequestList.FileName)).Distinct(StringComparer.Ordinal))
        {
            found |= File.Exists(list);
            known.AddRange(RequestList.Read(list));
        }
        var line = context.Progress();
        var report = await context.Get<RestoreRun>().RunAsync(source, name, key, replace, known, BackupCommand.Show(context, line), stop);
        line.Clear();

        var (m, output) = (report.Manifest, context.Output);
        await output.WriteLineAsync($"Restored {name} of {m.TakenAt.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC in {ProgressLine.Duration(clock.GetElapsedTime(began))}: {report.Totals.Rows:N0} rows of {report.Totals.Tables} tables{(report.Migrated > 0 ? $", brought up by {report.Migrated} migrations" : "")}.");
        if (report.Totals.JournalSegments > 0) await output.WriteLineAsync($"Journal: {report.Records:N0} records that came after the tables were stored.");
        await output.WriteLineAsync(report.Requests is { Erasures: 0, Withdrawals: 0, Revocations: 0, Others: [] }
            ? "Erasures, withdrawals, revoked keys and deleted properties since then: none is known."
            : $"Met again, as asked for since then: {string.Join(", ", new (string What, int Count)[] { ("erasures", report.Requests.Erasures), ("withdrawals of consent", report.Requests.Withdrawals), ("revoked tokens", report.Requests.Revocations) }.Concat(report.Requests.Others).Select(r => $"{r.Count} {r.What}"))}.");
        if (!found) await context.Error.WriteLineAsync($"No list {RequestList.FileName} was found, neither in the data folder nor beside the backup: persons erased after the backup may be back. Where there is such a list, restore again with --requests FILE.");
        if (!m.HasKeys) await context.Error.WriteLineAsync("The backup holds no keys. With other keys than before, address hashes do not match those of the backup, and links in mails that were sent are void: put the folder keys back, or IP_HASH_PEPPER and Leads:LinkKey.");
        foreach (var kept in report.Kept) await context.Error.WriteLineAsync($"{kept} stays as it is in the data folder: the backup's is older, or was changed since.");
        foreach (var replaced in report.Replaced) await context.Error.WriteLineAsync($"{replaced} is the backup's now; what was there is kept beside it.");
        await output.WriteLineAsync("Start the server: what its journal holds beyond this is stored then, and the figures are computed anew.");
        return ExitCodes.Ok;
    }
}
