using System.CommandLine;
using Footfall.Postgres;
using Npgsql;
using Command = System.CommandLine.Command;

namespace Footfall.Cli;

/// <summary><c>footfall migrate</c>: the schema, for those who want to bring it up before the server does.</summary>
internal static class MigrateCommand
{
    public static Command Build(CommandRun run)
    {
        var dryRun = new Option<bool>("--dry-run") { Description = "Only show what is missing, with its SQL. Exit code 1 when something is." };
        var command = new Command("migrate", "Bring the database to this version's schema. The server does the same when it starts; as a step of a release this comes before, while servers of the version before go on.") { dryRun };
        command.SetAction((parsed, stop) => run.RunAsync(parsed, (context, cancelled) => MigrateAsync(context, parsed.GetValue(dryRun), cancelled), stop));
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
}
