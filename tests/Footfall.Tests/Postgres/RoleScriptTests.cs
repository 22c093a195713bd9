using System.Text.RegularExpressions;
using Footfall.Tests.Backups;
using Footfall.Tests.Failure;
using Footfall.Tests.Infrastructure;
using Npgsql;
using Xunit;

namespace Footfall.Tests.Postgres;

/// <summary>deploy/roles.sql and deploy/reader.sql, run for real: with no more rights than these the server does all of its work, and the reader sees figures only.</summary>
public sealed class RoleScriptTests : IAsyncLifetime
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private readonly string name = $"footfall_role_{Environment.ProcessId}";
    private NpgsqlConnectionStringBuilder administrator = null!;

    public async ValueTask InitializeAsync()
    {
        administrator = await TestPostgres.AdministratorAsync();
        await TestPostgres.NeedsSuperuserAsync();
    }

    public async ValueTask DisposeAsync()
    {
        NpgsqlConnection.ClearAllPools();
        await TestPostgres.ExecuteAsync(administrator, $"drop database if exists {name} with (force)");
        foreach (var role in new[] { name, $"{name}_reader" }) await TestPostgres.ExecuteAsync(administrator, $"drop role if exists {role}");
    }

    [Fact]
    public async Task The_server_s_role_does_everything_that_the_server_does_and_owns_nothing_else()
    {
        await RunAsync("roles.sql", administrator, null);
        // The cluster of tests knows its users by the system's: there the roles are put on, elsewhere they have passwords.
        var server = As(name);
        var folder = TestFolder.New("role");
        await using (var app = await TestServer.StartAsync(folder, null, "--Postgres:ConnectionString", server.ConnectionString, "--Rollups:DirtySchedule", "* * * * * ?"))
        {
            await using var database = NpgsqlDataSource.Create(server);
            await Eventually.IsTrueAsync("the server is ready", async () => (await app.Client.GetAsync("/v1/readyz", Ct)).IsSuccessStatusCode, Ct);
            var old = TimeProvider.System.GetUtcNow().AddDays(-20);
            await app.Client.TakenAsync($$"""{"eventType":"page_view","eventId":"old","anonId":"visitor-of-roles","timestamp":"{{old:O}}"}""");   // a week of its own
            await StoredFacts.DrainAsync(app.Client, database, Ct);
            await Eventually.IsTrueAsync("figures are computed", async () => await StoredFacts.ScalarAsync(database, "select count(*) from daily_metric_rollups where property_id = 'default'") > 0, Ct);
            Assert.Empty(app.Log.Errors);
        }
        var csv = Path.Combine(folder, "leads.csv");
        File.WriteAllText(csv, "email\ngone@example.org\n");
        foreach (var command in new[] { "purge", "leads import " + csv + " --consent-method fair --purpose letter", "erase --email gone@example.org", $"backup --to {folder}/shelf --verify", $"restore --replace --from {folder}/shelf" })
        {
            var (exit, output, error) = await BackupFixture.RunAsync(folder, server.ConnectionString, command.Split(' '));
            Assert.True(exit == 0, $"{command}: {output}\n{error}");
        }

        await RunAsync("reader.sql", administrator, name);
        await using (var own = NpgsqlDataSource.Create(server))
        {
            Assert.Equal(0, await StoredFacts.ScalarAsync(own, "select count(*) from pg_database where datname = current_database() and datdba <> (select oid from pg_roles where rolname = current_user)"));
            await RefusedAsync(own, "create role another", "create database another", "copy properties to '/tmp/x'", "select pg_read_file('/etc/passwd')", "alter system set work_mem = '1GB'");
        }
        await using var reader = NpgsqlDataSource.Create(As($"{name}_reader"));
        Assert.True(await StoredFacts.ScalarAsync(reader, "select count(page_views) from daily_metric_rollups") > 0);
        await RefusedAsync(reader, "select * from events", "select * from visitors", "select email_normalized from leads", "select hash from access_tokens", "select visitors from daily_metric_rollups", "delete from daily_metric_rollups", "create table mine (a int)", "select * from audit_log");
    }

    private NpgsqlConnectionStringBuilder As(string role) => new(administrator.ConnectionString) { Database = name, Pooling = true, MaxPoolSize = 20, Options = $"-c role={role}" };

    private static async Task RefusedAsync(NpgsqlDataSource database, params string[] statements)
    {
        foreach (var sql in statements)
        {
            await using var command = database.CreateCommand(sql);
            var e = await Assert.ThrowsAsync<PostgresException>(() => command.ExecuteNonQueryAsync(Ct));
            Assert.True(e.SqlState is PostgresErrorCodes.InsufficientPrivilege or PostgresErrorCodes.ReadOnlySqlTransaction, $"{sql}: {e.SqlState} {e.MessageText}");
        }
    }

    /// <summary>As psql does: a statement at a time, and \connect changes the database.</summary>
    private async Task RunAsync(string script, NpgsqlConnectionStringBuilder where, string? database)
    {
        var text = Regex.Replace(File.ReadAllText(Path.Combine(Repository(), "deploy", script)), @"\bfootfall\b(?=[_ ;\n])|\bfootfall(?=_reader\b)", name);
        foreach (var part in Regex.Split(text, @"(?m)^\\connect \w+$"))
        {
            await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(where.ConnectionString) { Database = database ?? where.Database, Pooling = false }.ConnectionString);
            await connection.OpenAsync(Ct);
            foreach (var statement in part.Contains("do $$", StringComparison.Ordinal) ? [part] : Regex.Replace(part, "--[^\n]*", "").Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            {
                await using var command = new NpgsqlCommand(statement, connection);
                await command.ExecuteNonQueryAsync(Ct);
            }
            database = name;
        }
    }

    private static string Repository()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Footfall.slnx"))) folder = folder.Parent!;
        return folder.FullName;
    }
}
