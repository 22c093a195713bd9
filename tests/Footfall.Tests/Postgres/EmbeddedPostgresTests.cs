using System.Diagnostics;
using Footfall.Hosting;
using Footfall.Postgres;
using Footfall.Tests.Infrastructure;
using Npgsql;
using Xunit;

namespace Footfall.Tests.Postgres;

public sealed class EmbeddedPostgresTests(ITestOutputHelper output)
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_first_start_makes_a_cluster_and_a_restart_keeps_its_data()
    {
        var folder = TestFolder.New();
        var watch = Stopwatch.StartNew();
        await using (var first = TestPostgres.Embedded(folder))
        {
            await first.StartAsync(Ct);
            output.WriteLine($"first start {watch.ElapsedMilliseconds} ms");
            await QueryAsync(folder, "create table kept (n int); insert into kept values (42)");
            Assert.Equal("footfall", await QueryAsync(folder, "select current_user::text"));
            Assert.Equal("on", await QueryAsync(folder, "show data_checksums"));
            Assert.Equal("UTF8", await QueryAsync(folder, "select pg_encoding_to_char(encoding)::text from pg_database where datname = 'footfall'"));
            Assert.Equal("f", await QueryAsync(folder, "select left(rolsuper::text, 1) from pg_roles where rolname = 'footfall'"));
        }
        Assert.Null(Postmaster.Read(ClusterIn(folder)));

        watch.Restart();
        await using var second = TestPostgres.Embedded(folder);
        await second.StartAsync(Ct);
        output.WriteLine($"second start {watch.ElapsedMilliseconds} ms");
        Assert.Equal("42", await QueryAsync(folder, "select n::text from kept"));
        watch.Restart();
        await second.StopAsync(Ct);
        output.WriteLine($"stop {watch.ElapsedMilliseconds} ms");
        Assert.Null(second.ProcessId);
    }

    internal static string ClusterIn(string folder)
    {
        var folders = new ClusterFolders(new DataFolder(folder));
        return folders.Cluster(folders.ExistingMajor()!.Value);
    }

    internal static async Task<string> QueryAsync(string folder, string sql, string role = EmbeddedPostgres.Role)
    {
        var connection = EmbeddedPostgres.Connection(new DataFolder(folder), role);
        connection.Pooling = false;
        await using var source = NpgsqlDataSource.Create(connection);
        await using var command = source.CreateCommand(sql);
        return await command.ExecuteScalarAsync(Ct) as string ?? "";
    }
}
