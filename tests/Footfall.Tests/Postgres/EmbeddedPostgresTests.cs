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
            Assert.Equal("false", await QueryAsync(folder, "select rolsuper::text from pg_roles where rolname = 'footfall'"));
            Assert.Equal("é", await QueryAsync(folder, "select lower('É')"));
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

    [Fact]
    public async Task The_last_user_of_a_cluster_stops_it()
    {
        var folder = TestFolder.New();
        await using var server = TestPostgres.Embedded(folder, fast: true);
        await using var command = TestPostgres.Embedded(folder, fast: true);
        await server.StartAsync(Ct);
        var pid = server.ProcessId;
        await command.StartAsync(Ct);
        Assert.Equal(pid, command.ProcessId);

        await command.StopAsync(Ct);
        Assert.Equal(pid, server.ProcessId);

        await command.StartAsync(Ct);
        await server.StopAsync(Ct);
        Assert.Equal(pid, command.ProcessId);
        await command.StopAsync(Ct);
        Assert.False(Unix.IsRunning(pid!.Value));
    }

    [Fact]
    public async Task Starts_at_the_same_time_make_one_cluster()
    {
        var folder = TestFolder.New();
        var clusters = Enumerable.Range(0, 4).Select(_ => TestPostgres.Embedded(folder, fast: true)).ToList();
        await Task.WhenAll(clusters.Select(c => Task.Run(() => c.StartAsync(Ct), Ct)));
        Assert.Single(clusters.Select(c => c.ProcessId).Distinct());
        Assert.NotNull(clusters[0].ProcessId);
        await Task.WhenAll(clusters.Select(c => c.StopAsync(Ct)));
        Assert.Null(clusters[0].ProcessId);
    }

    [Fact]
    public async Task After_a_killed_postmaster_an_immediate_start_succeeds_and_nothing_is_lost()
    {
        var folder = TestFolder.New();
        await using var postgres = TestPostgres.Embedded(folder);
        await postgres.StartAsync(Ct);
        await QueryAsync(folder, "create table kept (n int); insert into kept values (42)");

        // A session that is busy holds the shared memory for a while longer.
        var busy = QueryAsync(folder, "select pg_sleep(2)::text");
        await Task.Delay(200, Ct);
        var pid = postgres.ProcessId!.Value;
        Unix.Signal(pid, Unix.SigKill);
        while (Unix.IsRunning(pid))
            await Task.Delay(1, Ct);
        Assert.False(postgres.IsHealthy);

        var watch = Stopwatch.StartNew();
        await postgres.StartAsync(Ct);
        output.WriteLine($"after kill -9: {watch.ElapsedMilliseconds} ms");
        Assert.Equal("42", await QueryAsync(folder, "select n::text from kept"));
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => busy);
    }

    [Fact]
    public async Task A_postmaster_file_of_a_dead_process_does_not_stop_a_start()
    {
        var folder = TestFolder.New();
        await using var postgres = TestPostgres.Embedded(folder, fast: true);
        await postgres.StartAsync(Ct);
        var dead = postgres.ProcessId!.Value;
        var text = await File.ReadAllTextAsync(Postmaster.FileIn(ClusterIn(folder)), Ct);
        await postgres.StopAsync(Ct);
        await File.WriteAllTextAsync(Postmaster.FileIn(ClusterIn(folder)), text, Ct);
        Own(Postmaster.FileIn(ClusterIn(folder)), folder);

        await postgres.StartAsync(Ct);
        Assert.NotEqual(dead, postgres.ProcessId);
        Assert.Equal("1", await QueryAsync(folder, "select '1'"));
    }

    [Fact]
    public async Task A_postmaster_file_whose_number_another_process_has_got_does_not_stop_a_start()
    {
        var folder = TestFolder.New();
        await using var postgres = TestPostgres.Embedded(folder, fast: true);
        await postgres.StartAsync(Ct);
        var cluster = ClusterIn(folder);
        var lines = await File.ReadAllLinesAsync(Postmaster.FileIn(cluster), Ct);
        await postgres.StopAsync(Ct);

        // PostgreSQL itself refuses when the process is its own user's.
        var start = new ProcessStartInfo("sleep", ["60"]) { WorkingDirectory = "/" };
        if (Unix.IsRoot)
            start.UserName = UnixUser.Find(Unix.OwnerOf(cluster))!.Name;
        using var other = Process.Start(start)!;
        try
        {
            lines[0] = other.Id.ToString();
            await File.WriteAllLinesAsync(Postmaster.FileIn(cluster), lines, Ct);
            Own(Postmaster.FileIn(cluster), folder);
            await postgres.StartAsync(Ct);
            Assert.Equal("1", await QueryAsync(folder, "select '1'"));
            Assert.False(other.HasExited);
        }
        finally
        {
            other.Kill();
        }
    }

    [Fact]
    public async Task A_first_start_that_was_cut_short_is_finished_by_the_next()
    {
        var folder = TestFolder.New();
        await using var postgres = TestPostgres.Embedded(folder, fast: true);
        await postgres.StartAsync(Ct);
        var admin = EmbeddedPostgres.Connection(new DataFolder(folder), EmbeddedPostgres.SuperRole, "postgres");
        admin.Pooling = false;
        await TestPostgres.ExecuteAsync(admin, "drop database footfall");
        await TestPostgres.ExecuteAsync(admin, "drop role footfall");
        var left = Path.Combine(folder, "postgres", "new-1234");
        Directory.CreateDirectory(left);

        await postgres.StartAsync(Ct);
        Assert.Equal("footfall", await QueryAsync(folder, "select current_user::text"));
    }

    [Fact]
    public async Task A_lost_socket_is_noticed_and_made_again()
    {
        var folder = TestFolder.New();
        await using var postgres = TestPostgres.Embedded(folder, fast: true);
        await postgres.StartAsync(Ct);
        File.Delete(Path.Combine(new ClusterFolders(new DataFolder(folder)).Socket, ".s.PGSQL.5432"));
        Assert.False(postgres.IsHealthy);
        await postgres.StartAsync(Ct);
        Assert.True(postgres.IsHealthy);
        Assert.Equal("1", await QueryAsync(folder, "select '1'"));
    }

    [Fact]
    public async Task A_folder_with_a_path_too_long_for_a_socket_works()
    {
        var folder = Path.Combine(TestFolder.New(), new string('x', 60), new string('y', 60));
        var socket = new ClusterFolders(new DataFolder(folder)).Socket;
        Assert.True(socket.Length < 60);
        try
        {
            await using var postgres = TestPostgres.Embedded(folder, fast: true);
            await postgres.StartAsync(Ct);
            Assert.Equal("1", await QueryAsync(folder, "select '1'"));
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(socket));
        }
        finally
        {
            Directory.Delete(socket, recursive: true);
        }
    }

    [Fact]
    public async Task A_data_folder_of_another_version_is_refused_with_the_version_it_needs()
    {
        var folder = TestFolder.New();
        Directory.CreateDirectory(Path.Combine(folder, "postgres", "14"));
        await File.WriteAllTextAsync(Path.Combine(folder, "postgres", "14", "PG_VERSION"), "14\n", Ct);
        if (Unix.IsRoot)
            Own(Path.Combine(folder, "postgres"), folder, UnixUser.Find("nobody"));
        await using var postgres = TestPostgres.Embedded(folder);
        var refused = await Assert.ThrowsAsync<SetupException>(() => postgres.StartAsync(Ct));
        Assert.Contains("PostgreSQL 14", refused.Message, StringComparison.Ordinal);
        Assert.Contains("Postgres:BinDir", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_that_holds_something_else_than_a_cluster_is_left_alone()
    {
        var folder = TestFolder.New();
        foreach (var major in Enumerable.Range(15, 10))
        {
            Directory.CreateDirectory(Path.Combine(folder, "postgres", major.ToString()));
            await File.WriteAllTextAsync(Path.Combine(folder, "postgres", major.ToString(), "mine.txt"), "mine", Ct);
        }
        if (Unix.IsRoot)
            Own(Path.Combine(folder, "postgres"), folder, UnixUser.Find("nobody"));
        await using var postgres = TestPostgres.Embedded(folder);
        var refused = await Assert.ThrowsAsync<SetupException>(() => postgres.StartAsync(Ct));
        Assert.Contains("holds no PostgreSQL cluster", refused.Message, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(folder, "postgres", "15", "mine.txt")));
    }

    [Fact]
    public async Task A_moved_data_folder_works_though_its_postgres_was_left_running()
    {
        var before = TestFolder.New();
        await using var postgres = TestPostgres.Embedded(before);
        await postgres.StartAsync(Ct);
        var orphan = postgres.ProcessId!.Value;
        await QueryAsync(before, "create table kept (n int); insert into kept values (42)");
        var after = before + "-moved";
        Directory.Move(before, after);

        await using var moved = TestPostgres.Embedded(after);
        await postgres.DisposeAsync();
        await moved.StartAsync(Ct);
        Assert.False(Unix.IsRunning(orphan));
        Assert.Equal("42", await QueryAsync(after, "select n::text from kept"));
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

    private static void Own(string path, string folder, UnixUser? user = null)
    {
        if (Unix.IsRoot)
            Unix.GiveTo(path, user ?? UnixUser.Find(Unix.OwnerOf(Path.Combine(folder, "postgres")))!);
    }
}
