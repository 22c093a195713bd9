using System.CommandLine;
using Footfall.Backups;
using Footfall.Postgres;
using Microsoft.Extensions.Options;
using Command = System.CommandLine.Command;

namespace Footfall.Cli;

/// <summary><c>footfall backup</c>: everything into one file, beside a running server or without one.</summary>
internal static class BackupCommand
{
    public const string Standard = "-";

    public static Option<string?> KeyFile() => new("--key-file") { Description = "A file that holds the key to encrypt with. Default: Backup:Key, Backup:KeyFile.", HelpName = "FILE" };

    public static Command Build(CommandRun run)
    {
        var to = new Option<string?>("--to") { Description = "The folder to write to, or - for standard output. Default: Backup:Directory.", HelpName = "DIR|-" };
        var verify = new Option<bool>("--verify") { Description = "Then restore it into a scratch database, and compare every table." };
        var keyFile = KeyFile();
        var command = new Command("backup", "Write all tables as they are at one instant, what the journal holds beyond them, and (encrypted only) the data folder's keys.") { to, verify, keyFile };
        command.SetAction((parsed, stop) =>
        {
            var (target, check) = (parsed.GetValue(to), parsed.GetValue(verify));
            if (target == Standard && check) throw new CommandException("--verify needs the file: give --to a folder, or try the file later with `footfall restore --check`.", exitCode: ExitCodes.Usage);
            return run.RunAsync(parsed, (context, cancelled) => BackupAsync(context, target, check, KeyOf(context, parsed.GetValue(keyFile)), cancelled), stop);
        });
        return command;
    }

    public static string? KeyOf(CommandContext context, string? file) => file is null ? context.Get<IOptions<BackupOptions>>().Value.FindKey() : BackupOptions.ReadKey(file, "--key-file");

    /// <summary>The folder that was named, or is configured.</summary>
    public static string Folder(CommandContext context, string? named, string option) =>
        named ?? context.Get<IOptions<BackupOptions>>().Value.Directory switch
        {
            { Length: > 0 } configured => configured,
            _ => throw new CommandException($"Name the place with {option}, or configure Backup:Directory.", exitCode: ExitCodes.Usage),
        };

    public static Action<BackupProgress> Show(CommandContext context, ProgressLine line) =>
        p => line.Report(p.Done, p.Total, elapsed => $"{p.Step}, {p.Rows:N0} rows, {p.Rows / Math.Max(0.001, elapsed.TotalSeconds):N0}/s");

    private static async Task<int> BackupAsync(CommandContext context, string? named, bool verify, string? key, CancellationToken stop)
    {
        var target = Folder(context, named, "--to DIR");
        // Not migrated: a backup is what one takes before that.
        await using var database = context.Get<Database>();
        if (database.Embedded is { } embedded) await embedded.StartAsync(stop);
        var clock = context.Get<TimeProvider>();
        var began = clock.GetTimestamp();
        var line = context.Progress();
        if (key is null)
            await context.Error.WriteLineAsync("No key is given: the backup is not encrypted, and the data folder's keys (among them the pepper of the hashes) are not in it. Keep a copy of the folder keys elsewhere, or give --key-file.");
        if (target == Standard)
        {
            await using var output = Console.OpenStandardOutput();
            var streamed = await context.Get<BackupRun>().WriteAsync(output, key, Show(context, line), stop);
            line.Clear();
            await context.Error.WriteLineAsync(Said("Standard output", streamed, clock.GetElapsedTime(began)));
            return ExitCodes.Ok;
        }
        var files = context.Get<BackupFiles>();
        var (path, report) = await files.WriteAsync(target, key, Show(context, line), stop);
        line.Clear();
        await context.Output.WriteLineAsync(Said(path, report, clock.GetElapsedTime(began)));
        if (!verify) return ExitCodes.Ok;
        began = clock.GetTimestamp();
        line = context.Progress();
        var tables = await files.VerifyAsync(path, key, Show(context, line), stop);
        line.Clear();
        await context.Output.WriteLineAsync($"Verified in {ProgressLine.Duration(clock.GetElapsedTime(began))}: restored into a scratch database, {tables.Count} tables with {tables.Sum(t => t.Rows):N0} rows are the same.");
        return ExitCodes.Ok;
    }

    private static string Said(string where, BackupReport report, TimeSpan took) =>
        $"{where}: {report.Totals.Rows:N0} rows of {report.Totals.Tables} tables as of {report.Manifest.TakenAt.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC, {report.Totals.JournalSegments} pieces of the journal, {report.Totals.Files} files; {report.Bytes / 1e6:N1} MB in {ProgressLine.Duration(took)}, {(report.Manifest.HasKeys ? "encrypted" : "not encrypted")}.";
}
