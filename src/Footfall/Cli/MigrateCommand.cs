using System.CommandLine;
using Footfall.Postgres;
using Npgsql;
using Command = System.CommandLine.Command;

namespace Footfall.Cli;

/// <summary><c>footfall migrate</c>: the schema, for those who want to bring it up before the server does; and its distribution over a Citus cluster.</summary>
internal static class MigrateCommand
{
    private const int MostShards = 1024;

    public static Command Build(CommandRun run)
    {
        var dryRun = new Option<bool>("--dry-run") { Description = "Only show what is missing, with its SQL. Exit code 1 when something is." };
        var cluster = new Option<bool>("--cluster") { Description = "Then spread visitors, sessions and events over the workers of a Citus cluster (docs/cluster.md)." };
        var shards = new Option<int>("--shards") { Description = $"With --cluster: into how many parts. Default: {Distribution.UsualShards}.", HelpName = "N", DefaultValueFactory = _ => Distribution.UsualShards };
        shards.Validators.Add(value =>
        {
            if (value.Tokens.Count > 0 && int.TryParse(value.Tokens[0].Value, out var n) && n is < 1 or > MostShards) value.AddError($"--shards must be 1 to {MostShards}.");
        });
        var command = new Command("migrate", "Bring the database to this version's schema. The server does the same when it starts; as a step of a release this comes before, while servers of the version before go on.") { dryRun, cluster, shards };
        command.Validators.Add(values =>
        {
            if (values.GetResult(shards) is { Implicit: false } && !values.GetValue(cluster)) values.AddError("--shards goes with --cluster only.");
        });
        command.SetAction((parsed, stop) => run.RunAsync(parsed, async (context, cancelled) =>
        {
            var exit = await MigrateAsync(context, parsed.GetValue(dryRun), cancelled);
            if (exit == ExitCodes.Ok && parsed.GetValue(cluster)) exit = await DistributeAsync(context, parsed.GetValue(shards), parsed.GetValue(dryRun), cancelled);
            return exit;
        }, stop));
        return command;
    }

    private static async Task<int> MigrateAsync(CommandContext context, bool dryRun, CancellationToken stop)
    {
        await using var database = context.Get<Database>();
        if (database.Embedded is { } embedded) await embedded.StartAsync(stop);
        var source = context.Get<NpgsqlDataSource>();
        var migrations = dryRun ? await Migrator.PendingAsync(source, stop) : await Migrator.RunAsync(source, stop);
        foreach (var migration in migrations)
        {
            // A comment to SQL, so that all of it can be piped to psql.
            await context.Output.WriteLineAsync(dryRun
                ? $"-- missing {migration.File}: {(migration.Expands ? "only adds; servers of the version before go on" : "takes away or forbids; servers of the version before must be stopped first")}\nbegin;\n{migration.Sql.TrimEnd()}\ncommit;\n"
                : $"applied {migration.File}");
        }
        if (migrations.Count == 0) await context.Output.WriteLineAsync("The schema is up to date.");
        return dryRun && migrations.Count > 0 ? ExitCodes.Failed : ExitCodes.Ok;
    }

    private static async Task<int> DistributeAsync(CommandContext context, int shards, bool dryRun, CancellationToken stop)
    {
        if (context.Get<Database>().Embedded is not null) throw new CommandException("The embedded PostgreSQL is one machine. Name the coordinator of a Citus cluster with DATABASE_URL (docs/cluster.md).");
        var report = await Distribution.RunAsync(context.Get<NpgsqlDataSource>(), shards, dryRun, stop, new Waits(context.Output));
        var table = new TextTable(new("table"), new("distributed"), new(dryRun ? "rows to move" : "rows moved", IsNumber: true));
        foreach (var t in report.Tables) table.Add(t.Table, t.How, t.Rows is { } rows ? $"{rows:N0}" : "was already");
        table.Write(context.Output);
        await context.Output.WriteLineAsync($"Citus {report.CitusVersion}; shards on {string.Join(", ", report.Workers)}; {report.Shards} shards{(report.Weeks > 0 ? $", {report.Weeks} weeks of events in each" : "")}.");
        var changed = report.Tables.Any(t => t.Rows is not null);
        await context.Output.WriteLineAsync((changed, dryRun) switch
        {
            (true, true) => "Nothing was changed. While rows move, events wait in the journal and pages without filters answer.",
            (true, false) => "All other tables stay on the coordinator.",
            _ => "The tables were distributed before; nothing was changed.",
        });
        return dryRun && changed ? ExitCodes.Failed : ExitCodes.Ok;
    }

    /// <summary>Says at once, in its place among the other lines, for what the command waits.</summary>
    private sealed class Waits(TextWriter output) : IProgress<string>
    {
        public void Report(string value) => output.WriteLine(value);
    }
}
