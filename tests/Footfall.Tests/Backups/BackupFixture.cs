using Footfall.Backups;
using Footfall.Cli;
using Footfall.Tests.Infrastructure;
using Npgsql;
using Xunit;

namespace Footfall.Tests.Backups;

/// <summary>Tests of one history, one after the other.</summary>
[CollectionDefinition(nameof(BackupFixture))]
public sealed class BackupTestsOfOneHistory : ICollectionFixture<BackupFixture>;

/// <summary>A database with ninety days of history, a key, and backups of it: taken once, restored by many tests.</summary>
public sealed class BackupFixture : IAsyncLifetime
{
    private string plain = "";
    private string locked = "";

    public TestDatabase Database { get; private set; } = null!;

    public string DataFolder { get; } = TestFolder.New("backup");

    public string KeyFile { get; } = Path.Combine(TestFolder.New("key"), "key");

    /// <summary>Not encrypted.</summary>
    public string Plain => plain;

    /// <summary>Encrypted with <see cref="KeyFile"/>.</summary>
    public string Locked => locked;

    public async ValueTask InitializeAsync()
    {
        Database = await TestDatabase.CreateAsync();
        File.WriteAllText(KeyFile, "  the key of these tests, 32 long \n");
        await SucceedsAsync("are in the property demo", "demo");
        await SucceedsAsync("fbp_", "token", "create", "--name", "reader", "--role", "dashboard");
        plain = await TakenAsync();
        locked = await TakenAsync("--key-file", KeyFile);
    }

    public ValueTask DisposeAsync() => Database.DisposeAsync();

    /// <summary>Writes a backup into a folder of its own.</summary>
    public async Task<string> TakenAsync(params string[] arguments)
    {
        var folder = TestFolder.New("taken");
        await SucceedsAsync("rows of", ["backup", "--to", folder, .. arguments]);
        return Assert.Single(Directory.GetFiles(folder));
    }

    public async Task SucceedsAsync(string says, params string[] arguments)
    {
        var (exit, output, error) = await RunAsync(DataFolder, Database.ConnectionString, arguments);
        Assert.True(exit == 0, $"exit code {exit}\n{output}\n{error}");
        if (says != "fbp_") Assert.Contains(says, output, StringComparison.Ordinal);
    }

    public static async Task<(int Exit, string Output, string Error)> RunAsync(string dataFolder, string connection, params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var exit = await FootfallCommand.RunAsync(["--DataDir", dataFolder, "--Postgres:ConnectionString", connection, "--Postgres:MaxPoolSize", "10", .. arguments], output, error, CancellationToken.None);
        return (exit, output.ToString(), error.ToString());
    }

    /// <summary>Name, rows and checksum of every table, those that a backup leaves out apart.</summary>
    internal static async Task<List<string>> TablesAsync(NpgsqlDataSource database)
    {
        await using var connection = await database.OpenConnectionAsync();
        List<string> tables = [];
        foreach (var table in await BackupSnapshot.TablesAsync(connection, CancellationToken.None))
        {
            var digest = new CopyDigest();
            await using (var rows = await BackupSnapshot.OutAsync(connection, table.Name, table.Columns, CancellationToken.None))
            {
                var buffer = new byte[8192];
                for (int n; (n = await rows.ReadAsync(buffer, CancellationToken.None)) > 0;) digest.Add(buffer.AsSpan(0, n));
            }
            tables.Add($"{table.Name} {digest.Rows} {digest.Text}");
        }
        return tables;
    }
}
