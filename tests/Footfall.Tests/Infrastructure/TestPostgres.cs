using Footfall.Hosting;
using Footfall.Postgres;
using Footfall.Tests.Infrastructure;
using Microsoft.Extensions.Logging;
using Npgsql;
using Xunit;

[assembly: AssemblyFixture(typeof(TestPostgres))]

namespace Footfall.Tests.Infrastructure;

/// <summary>
/// The PostgreSQL of the test run: one embedded cluster for all tests, started when the first one asks, with the binaries that
/// FOOTFALL_TEST_POSTGRES names (auto, system, npm), or the server of FOOTFALL_TEST_DATABASE_URL, whose user must be allowed to create databases.
/// With CITUS_URL, the coordinator of a Citus cluster in a database that has its workers, every database is a distributed one: docs/cluster.md.
/// Each test class makes its own databases from one migrated template: <see cref="TestDatabase"/>.
/// </summary>
public sealed class TestPostgres : IAsyncLifetime
{
    private static readonly SemaphoreSlim Once = new(1, 1);
    private static EmbeddedPostgres? cluster;
    private static NpgsqlConnectionStringBuilder? administrator;

    /// <summary>A crash of the machine may eat a test database; a crash of PostgreSQL may not.</summary>
    private static readonly Dictionary<string, string> Fast = new()
    {
        ["fsync"] = "off",
        ["synchronous_commit"] = "off",
        ["full_page_writes"] = "off",
        ["max_connections"] = "300",
    };

    internal static string Template { get; } = $"footfall_template_{Environment.ProcessId}";

    /// <summary>auto, system or npm.</summary>
    internal static BinarySource Binaries { get; } = Environment.GetEnvironmentVariable("FOOTFALL_TEST_POSTGRES") is { Length: > 0 } asked
        ? Enum.Parse<BinarySource>(asked, ignoreCase: true)
        : BinarySource.Auto;

    /// <summary>A connection string for the user that may make databases, to its own database.</summary>
    internal static async Task<NpgsqlConnectionStringBuilder> AdministratorAsync()
    {
        await Once.WaitAsync();
        try
        {
            return administrator ??= await BeginAsync();
        }
        finally
        {
            Once.Release();
        }
    }

    /// <summary>For what only a superuser can try: skipped where FOOTFALL_TEST_DATABASE_URL names another; the embedded cluster of CI has one.</summary>
    internal static async Task NeedsSuperuserAsync()
    {
        await using var connection = new NpgsqlConnection((await AdministratorAsync()).ConnectionString);
        await connection.OpenAsync();
        await using var super = new NpgsqlCommand("select rolsuper from pg_roles where rolname = current_user", connection);
        Assert.SkipUnless(await super.ExecuteScalarAsync() is true, "This needs a superuser, and FOOTFALL_TEST_DATABASE_URL names none.");
    }

    /// <summary>An embedded PostgreSQL on a folder, as the product makes it; the caller stops it. Durable unless <paramref name="fast"/>.</summary>
    internal static EmbeddedPostgres Embedded(string folder, bool fast = false, BinarySource? binaries = null, ILogger? log = null, TimeProvider? time = null)
    {
        var settings = PostgresRoom.Settings(new PostgresOptions { Binaries = binaries ?? Binaries }, new DataFolder(folder), time ?? TimeProvider.System, log);
        return new EmbeddedPostgres(fast ? settings with { Extra = Fast } : settings, time ?? TimeProvider.System, log);
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await Tracker.TrackedSite.StopAsync();      // its database is here
        if (cluster is not null)
            await cluster.DisposeAsync();
        else if (administrator is not null)
            await DropAsync(Template);
        TestFolder.RemoveAll();
    }

    internal static async Task ExecuteAsync(NpgsqlConnectionStringBuilder where, string sql)
    {
        await using var connection = new NpgsqlConnection(where.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 120 };
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<NpgsqlConnectionStringBuilder> BeginAsync()
    {
        NpgsqlConnectionStringBuilder admin;
        if (TestCluster.Url is { } coordinator)
        {
            admin = PostgresConnection.Parse(coordinator);
        }
        else if (Environment.GetEnvironmentVariable("FOOTFALL_TEST_DATABASE_URL") is { Length: > 0 } url)
        {
            admin = PostgresConnection.Parse(url);
        }
        else
        {
            var folder = TestFolder.New("run");
            cluster = Embedded(folder, fast: true);
            await cluster.StartAsync(CancellationToken.None);
            admin = EmbeddedPostgres.Connection(new DataFolder(folder), EmbeddedPostgres.SuperRole, "postgres");
        }
        admin.Pooling = false;
        admin.Timezone = "UTC";

        if (TestCluster.IsUsed)
            await TestCluster.BeginAsync(admin);
        else
            await ExecuteAsync(admin, $"create database {Template}");
        // Unpooled: a template with open connections cannot be copied.
        await using var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(admin.ConnectionString) { Database = Template });
        await Migrator.RunAsync(source, CancellationToken.None);
        if (TestCluster.IsUsed)
            await Distribution.RunAsync(source, TestCluster.Shards, dryRun: false, CancellationToken.None);
        return admin;
    }

    internal static async Task CreateAsync(string name, bool migrated)
    {
        var admin = await AdministratorAsync();
        if (TestCluster.IsUsed)
            await TestCluster.CreateAsync(name, migrated ? Template : null);
        else
            await ExecuteAsync(admin, $"create database {name} template {(migrated ? Template : "template0")}");
    }

    internal static async Task DropAsync(string name)
    {
        if (TestCluster.IsUsed)
            await TestCluster.DropAsync(name);
        else
            await ExecuteAsync(administrator!, $"drop database if exists {name} with (force)");
    }
}

/// <summary>A database of its own for a test class: migrated, empty, dropped at the end.</summary>
public sealed class TestDatabase : IAsyncDisposable
{
    private static int count;

    private TestDatabase(string name, NpgsqlConnectionStringBuilder administrator)
    {
        Name = name;
        var connection = new NpgsqlConnectionStringBuilder(administrator.ConnectionString) { Database = name, Pooling = true, MaxPoolSize = 30 };
        ConnectionString = connection.ConnectionString;
        Source = NpgsqlDataSource.Create(connection);
    }

    public string Name { get; }

    public string ConnectionString { get; }

    public NpgsqlDataSource Source { get; }

    /// <summary>A copy of the migrated template; <paramref name="migrated"/> false: an empty database.</summary>
    public static async Task<TestDatabase> CreateAsync(bool migrated = true)
    {
        var admin = await TestPostgres.AdministratorAsync();
        var name = $"footfall_test_{Environment.ProcessId}_{Interlocked.Increment(ref count)}";
        await TestPostgres.CreateAsync(name, migrated);
        return new TestDatabase(name, admin);
    }

    public async ValueTask DisposeAsync()
    {
        await Source.DisposeAsync();
        await TestPostgres.DropAsync(Name);
    }

    /// <summary>Runs a statement, or several without parameters; returns rows affected.</summary>
    public async Task<int> ExecuteAsync(string sql, params (string Name, object? Value)[] parameters)
    {
        await using var command = Command(sql, parameters);
        return await command.ExecuteNonQueryAsync();
    }

    /// <summary>The first column of the first row; a null of SQL is <c>default</c>.</summary>
    public async Task<T?> ScalarAsync<T>(string sql, params (string Name, object? Value)[] parameters)
    {
        await using var command = Command(sql, parameters);
        await using var reader = await command.ExecuteReaderAsync();
        return await reader.ReadAsync() && !await reader.IsDBNullAsync(0) ? reader.GetFieldValue<T>(0) : default;
    }

    /// <summary>Every row, its columns as text joined by "|", as psql shows it with -At: what a test compares.</summary>
    public async Task<List<string>> RowsAsync(string sql, params (string Name, object? Value)[] parameters)
    {
        await using var command = Command(sql, parameters);
        await using var reader = await command.ExecuteReaderAsync();
        List<string> rows = [];
        while (await reader.ReadAsync())
            rows.Add(string.Join('|', Enumerable.Range(0, reader.FieldCount).Select(i => reader.IsDBNull(i) ? "" : Convert.ToString(reader.GetValue(i), System.Globalization.CultureInfo.InvariantCulture))));
        return rows;
    }

    private NpgsqlCommand Command(string sql, (string Name, object? Value)[] parameters)
    {
        var command = Source.CreateCommand(sql);
        foreach (var (name, value) in parameters)
            command.Parameters.AddWithValue(name, value ?? DBNull.Value);
        return command;
    }
}
