using Footfall.Hosting;
using Footfall.Postgres;
using Npgsql;

namespace Footfall.Benchmarks;

/// <summary>An embedded PostgreSQL with the product's own settings, in a folder of its own that is kept between runs when it is named.</summary>
internal sealed class BenchDatabase : IAsyncDisposable
{
    private readonly EmbeddedPostgres embedded;

    private BenchDatabase(EmbeddedPostgres server, NpgsqlDataSource source, string folder) => (embedded, Source, Folder) = (server, source, folder);

    public NpgsqlDataSource Source { get; }

    public string Folder { get; }

    public EmbeddedPostgres Embedded => embedded;

    public static async Task<BenchDatabase> OpenAsync(string folder)
    {
        Directory.CreateDirectory(folder);
        var data = new DataFolder(folder);
        var server = new EmbeddedPostgres(PostgresRoom.Settings(new PostgresOptions(), data, TimeProvider.System, null), TimeProvider.System, null);
        await server.StartAsync(CancellationToken.None);
        var connection = EmbeddedPostgres.Connection(data);
        connection.Timezone = "UTC";
        var source = NpgsqlDataSource.Create(connection);
        await Migrator.RunAsync(source, CancellationToken.None);
        await using (var open = await source.OpenConnectionAsync()) await open.ReloadTypesAsync();
        return new BenchDatabase(server, source, folder);
    }

    public async Task<long> NumberAsync(string sql)
    {
        await using var command = Source.CreateCommand(sql);
        command.CommandTimeout = 0;
        return Convert.ToInt64(await command.ExecuteScalarAsync(), null);
    }

    public async Task RunAsync(string sql)
    {
        await using var command = Source.CreateCommand(sql);
        command.CommandTimeout = 0;
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>Writes all dirty pages out, so that what is timed next pays for its own only.</summary>
    public async Task CheckpointAsync()
    {
        await using var super = NpgsqlDataSource.Create(EmbeddedPostgres.Connection(new DataFolder(Folder), EmbeddedPostgres.SuperRole));
        await using var command = super.CreateCommand("checkpoint");
        command.CommandTimeout = 0;
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>Reads every table and index once: a folder kept from an earlier run starts as a database does that has been running.</summary>
    public async Task WarmAsync()
    {
        var buffer = new byte[1 << 20];
        foreach (var file in Directory.EnumerateFiles(Path.Combine(Folder, "postgres"), "*", SearchOption.AllDirectories).Where(f => f.Contains("/base/", StringComparison.Ordinal)))
        {
            try
            {
                await using var stream = File.OpenRead(file);
                while (await stream.ReadAsync(buffer) > 0) { }
            }
            catch (FileNotFoundException)
            {
                // A temporary one, gone since.
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Source.DisposeAsync();
        await embedded.StopAsync(CancellationToken.None);
    }
}
