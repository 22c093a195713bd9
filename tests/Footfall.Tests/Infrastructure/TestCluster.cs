using Npgsql;
using Xunit;

namespace Footfall.Tests.Infrastructure;

/// <summary>
/// The Citus cluster of CITUS_URL, for tests that are to run on one. The URL names a superuser and a database of the coordinator in which the
/// workers are added; the same user reaches the workers. Every test database is made on every node and joined as that one is.
/// </summary>
internal static class TestCluster
{
    /// <summary>The xunit trait, <c>Category=Cluster</c>, of suites that hold on a cluster too.</summary>
    public const string Category = "Cluster";

    /// <summary>Few, since each test class has tables of its own.</summary>
    public const int Shards = 4;

    private static readonly List<NpgsqlConnectionStringBuilder> Nodes = [];   // the coordinator first
    private static readonly SemaphoreSlim OneAtATime = new(1, 1);

    public static string? Url { get; } = Environment.GetEnvironmentVariable("CITUS_URL") is { Length: > 0 } url ? url : null;

    public static bool IsUsed => Url is not null;

    /// <summary>For a test that is about clusters alone.</summary>
    public static void Require() => Assert.SkipUnless(IsUsed, "Needs a Citus cluster: set CITUS_URL (docs/cluster.md, Tests).");

    /// <summary>The same database on the first worker.</summary>
    public static string OnWorker(string connection) =>
        new NpgsqlConnectionStringBuilder(connection) { Host = Nodes[1].Host, Port = Nodes[1].Port, Pooling = false }.ConnectionString;

    public static async Task BeginAsync(NpgsqlConnectionStringBuilder coordinator)
    {
        Nodes.Add(coordinator);
        await using var connection = new NpgsqlConnection(coordinator.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("select nodename, nodeport from pg_dist_node where groupid <> 0 and isactive order by nodeid", connection);
        await using var rows = await command.ExecuteReaderAsync();
        while (await rows.ReadAsync()) Nodes.Add(new NpgsqlConnectionStringBuilder(coordinator.ConnectionString) { Host = rows.GetString(0), Port = rows.GetInt32(1) });
        Assert.True(Nodes.Count > 1, "The database of CITUS_URL has no workers: select citus_add_node('host', port).");
        await CreateAsync(TestPostgres.Template, null);
    }

    /// <summary>A copy of a distributed database is a distributed database, if every node's part is copied: shards keep their names.</summary>
    public static async Task CreateAsync(string name, string? template)
    {
        await OneAtATime.WaitAsync();
        try
        {
            foreach (var node in Nodes) await CreateAsync(node, name, template);
            if (template is null) await JoinAsync(name);
        }
        finally
        {
            OneAtATime.Release();
        }
    }

    public static async Task DropAsync(string name)
    {
        await OneAtATime.WaitAsync();
        try
        {
            // The coordinator first: its sessions hold those on the workers.
            foreach (var node in Nodes) await AloneAsync(node, null, $"drop database if exists {name} with (force)");
        }
        finally
        {
            OneAtATime.Release();
        }
    }

    private static async Task CreateAsync(NpgsqlConnectionStringBuilder node, string name, string? template)
    {
        await AloneAsync(node, template, $"create database {name} template {template ?? "template0"}");
        if (template is null) await OnNodeAsync(node, name, "create extension citus");
    }

    /// <summary>Citus's own process holds a database, and comes back a while after it was ended.</summary>
    private static async Task AloneAsync(NpgsqlConnectionStringBuilder node, string? template, string sql)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                if (template is not null) await OnNodeAsync(node, "postgres", $"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{template}'");
                await OnNodeAsync(node, "postgres", sql);
                return;
            }
            catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.ObjectInUse && attempt < 20)
            {
                await Task.Delay(50);
            }
        }
    }

    private static async Task JoinAsync(string name)
    {
        await OnNodeAsync(Nodes[0], name, $"select citus_set_coordinator_host('{Nodes[0].Host}', {Nodes[0].Port})");
        foreach (var worker in Nodes.Skip(1)) await OnNodeAsync(Nodes[0], name, $"select citus_add_node('{worker.Host}', {worker.Port})");
    }

    private static async Task OnNodeAsync(NpgsqlConnectionStringBuilder node, string database, string sql)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(node.ConnectionString) { Database = database, Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        foreach (var setting in (string[])["set citus.enable_ddl_propagation = off", "set citus.enable_create_database_propagation = off", sql])
        {
            // What belongs to the cluster as a whole is made by Citus itself.
            if (setting != sql && sql.StartsWith("select citus_", StringComparison.Ordinal)) continue;
            await using var command = new NpgsqlCommand(setting, connection) { CommandTimeout = 120 };
            await command.ExecuteNonQueryAsync();
        }
    }
}
