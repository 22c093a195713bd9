using System.Globalization;
using System.Text.RegularExpressions;
using Footfall.Hosting;
using Footfall.Postgres;
using Footfall.Tests.Infrastructure;
using Xunit;

namespace Footfall.Tests.Postgres;

/// <summary>The real server process and its PostgreSQL: killed, interrupted, started twice.</summary>
public sealed class ServingTests(ITestOutputHelper output)
{
    private const string Ready = "The database is ready.";
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_killed_servers_postgres_is_adopted_by_the_next_and_stopped_at_its_end()
    {
        var folder = TestFolder.New();
        int orphan;
        await using (var first = ServerProcess.Start(folder))
        {
            await first.SaysAsync(Ready, Ct);
            orphan = PostmasterIn(folder)!.Pid;
            await first.KillAsync(Ct);
        }
        Assert.True(Unix.IsRunning(orphan));

        await using var second = ServerProcess.Start(folder);
        await second.SaysAsync(Ready, Ct);
        Assert.Contains("PostgreSQL was running already", second.Output, StringComparison.Ordinal);
        Assert.Equal(orphan, PostmasterIn(folder)!.Pid);
        await second.InterruptAsync(Ct);
        Assert.Equal(0, second.ExitCode);
        Assert.False(Unix.IsRunning(orphan));
        Assert.Null(PostmasterIn(folder));
    }

    [Fact]
    public async Task A_second_server_on_the_same_folder_is_refused_with_the_firsts_process()
    {
        var folder = TestFolder.New();
        await using var first = ServerProcess.Start(folder);
        await first.SaysAsync(Ready, Ct);
        await using var second = ServerProcess.Start(folder);
        await second.WaitForExitAsync(Ct);
        Assert.NotEqual(0, second.ExitCode);
        await second.SaysAsync($"(process {first.Id}) already uses the data folder {folder}", Ct);

        Assert.True(Unix.IsRunning(PostmasterIn(folder)!.Pid));
        await first.InterruptAsync(Ct);
    }

    [Fact]
    public async Task A_postgres_that_dies_under_the_server_is_started_again()
    {
        var folder = TestFolder.New();
        await using var server = ServerProcess.Start(folder);
        await server.SaysAsync(Ready, Ct);
        var before = PostmasterIn(folder)!.Pid;
        Unix.Signal(before, Unix.SigKill);
        await server.SaysAsync("starting it again", Ct);
        for (var i = 0; i < 600 && Regex.Count(server.Output, Ready) < 2; i++)
            await Task.Delay(50, Ct);
        Assert.Equal(2, Regex.Count(server.Output, Ready));
        Assert.NotEqual(before, PostmasterIn(folder)!.Pid);
        await server.InterruptAsync(Ct);
        Assert.Null(PostmasterIn(folder));
    }

    [Fact]
    public async Task A_command_finds_the_servers_postgres_and_leaves_it_running()
    {
        var folder = TestFolder.New();
        await using var server = ServerProcess.Start(folder);
        await server.SaysAsync(Ready, Ct);
        var pid = PostmasterIn(folder)!.Pid;
        await using (var command = TestPostgres.Embedded(folder))
        {
            await command.StartAsync(Ct);
            Assert.Equal(pid, command.ProcessId);
        }
        Assert.True(Unix.IsRunning(pid));
        await server.InterruptAsync(Ct);
        Assert.False(Unix.IsRunning(pid));
    }

    [Fact]
    public async Task An_existing_data_folder_is_ready_soon()
    {
        var folder = TestFolder.New();
        await using (var first = ServerProcess.Start(folder))
        {
            await first.SaysAsync(Ready, Ct);
            await first.InterruptAsync(Ct);
        }
        var began = TimeProvider.System.GetTimestamp();
        await using var second = ServerProcess.Start(folder);
        await second.SaysAsync(Ready, Ct);
        output.WriteLine($"process start to database ready: {TimeProvider.System.GetElapsedTime(began).TotalMilliseconds:0} ms");
        await second.InterruptAsync(Ct);

        // Generous for a busy machine: what is watched is that nothing waits for a timeout.
        var milliseconds = int.Parse(Regex.Match(second.Output, @"started in (\d+) ms").Groups[1].Value, CultureInfo.InvariantCulture);
        output.WriteLine($"PostgreSQL: {milliseconds} ms");
        Assert.InRange(milliseconds, 1, 3000);
    }

    [Fact]
    public async Task A_server_whose_database_is_away_listens_all_the_same_and_says_what_is_wrong()
    {
        var folder = TestFolder.New();
        await using var server = ServerProcess.Start(folder, "--Postgres:ConnectionString", "postgres://u:secret-word@127.0.0.1:1/db");
        await server.SaysAsync(" runs at http", Ct);
        await server.SaysAsync("no connection to PostgreSQL (ConnectionRefused)", Ct);
        await Task.Delay(1500, Ct);
        Assert.Single(Regex.Matches(server.Output, "The database is not available"));
        Assert.DoesNotContain("secret-word", server.Output, StringComparison.Ordinal);
        await server.InterruptAsync(Ct);
        Assert.Equal(0, server.ExitCode);
    }

    [Fact]
    public async Task A_connection_string_that_cannot_be_read_stops_the_start_without_being_repeated()
    {
        var folder = TestFolder.New();
        await using var server = ServerProcess.Start(folder, "--Postgres:ConnectionString", "postgres://u:secret-word@host:port/db");
        await server.WaitForExitAsync(Ct);
        Assert.NotEqual(0, server.ExitCode);
        await server.SaysAsync("Postgres:ConnectionString (DATABASE_URL) has a port that is not a number", Ct);
        Assert.DoesNotContain("secret-word", server.Output, StringComparison.Ordinal);
    }

    private static Postmaster? PostmasterIn(string folder) => Postmaster.Read(EmbeddedPostgresTests.ClusterIn(folder));
}
