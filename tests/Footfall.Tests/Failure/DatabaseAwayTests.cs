using System.Net;
using System.Text.Json;
using Footfall.Hosting;
using Footfall.Postgres;
using Footfall.Tests.Infrastructure;
using Xunit;

namespace Footfall.Tests.Failure;

/// <summary>PostgreSQL is a server of its own here, which leaves and comes back while Footfall runs.</summary>
public sealed class DatabaseAwayTests
{
    private const string Key = "a-key-for-this-test";
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task Capture_takes_everything_while_the_database_is_stopped_and_it_is_stored_once_afterwards()
    {
        var (folder, cluster) = await PostgresAsync();
        await using var stopped = cluster;
        await using var load = Load.Start();
        await using var server = await ServerProcess.StartListeningAsync(TestFolder.New("away"), Ct, To(folder));
        await server.ReadyAsync(Ct);
        load.SendTo(server.Address);
        await MoreAsync(load);

        await cluster.StopAsync(Ct);
        await IsAwayAsync(server.Client);
        await MoreAsync(load);

        await cluster.StartAsync(Ct);
        await server.ReadyAsync(Ct);
        await MoreAsync(load);
        await load.StopAsync();
        Assert.Empty(load.Oddities);
        await CheckAsync(server, folder, load);
        Assert.Equal(HttpStatusCode.OK, (await server.Client.AskAsync("/v1/metrics/summary?propertyId=site-0", Key)).Status);
        await server.InterruptAsync(Ct);
        Assert.Equal(0, server.ExitCode);
    }

    [Fact]
    public async Task A_database_that_hangs_without_closing_its_connections_is_found_out_and_nothing_is_lost()
    {
        var (folder, cluster) = await PostgresAsync();
        await using var stopped = cluster;
        await using var load = Load.Start(senders: 4);
        await using var server = await ServerProcess.StartListeningAsync(TestFolder.New("away"), Ct, To(folder));
        await server.ReadyAsync(Ct);
        load.SendTo(server.Address);
        await MoreAsync(load);

        // SIGSTOP to the postmaster and every backend: connections stay open, and nobody answers.
        var frozen = Backends(cluster.ProcessId!.Value);
        try
        {
            foreach (var pid in frozen) Unix.Signal(pid, SigStop);
            await IsAwayAsync(server.Client);
            await MoreAsync(load);
        }
        finally
        {
            foreach (var pid in frozen) Unix.Signal(pid, SigCont);
        }
        await server.ReadyAsync(Ct);
        await load.StopAsync();
        Assert.Empty(load.Oddities);
        await CheckAsync(server, folder, load);
        await server.InterruptAsync(Ct);
    }

    [Fact]
    public async Task A_server_started_while_its_database_is_away_captures_and_drains_when_it_comes()
    {
        var (folder, cluster) = await PostgresAsync();
        await using var stopped = cluster;
        await cluster.StopAsync(Ct);
        await using var load = Load.Start(senders: 4);
        var data = TestFolder.New("away");
        await using (var first = await ServerProcess.StartListeningAsync(data, Ct, To(folder)))
        {
            load.SendTo(first.Address);
            await IsAwayAsync(first.Client);
            await MoreAsync(load);
            load.SendTo();
            await first.InterruptAsync(Ct);   // stops in order, and keeps what it could not hand over
            Assert.Equal(0, first.ExitCode);
        }
        await using var server = await ServerProcess.StartListeningAsync(data, Ct, To(folder));
        load.SendTo(server.Address);
        await MoreAsync(load);
        await cluster.StartAsync(Ct);
        await server.ReadyAsync(Ct);
        await load.StopAsync();
        Assert.Empty(load.Oddities);
        await CheckAsync(server, folder, load);
        await server.InterruptAsync(Ct);
    }

    [Fact]
    public async Task A_full_journal_answers_503_and_takes_events_again_by_itself_when_the_database_is_back()
    {
        var (folder, cluster) = await PostgresAsync();
        await using var stopped = cluster;
        await cluster.StopAsync(Ct);
        await using var server = await ServerProcess.StartListeningAsync(TestFolder.New("away"), Ct, [.. To(folder), "--Journal:MaxBytes", "65536", "--Journal:SegmentBytes", "16384"]);
        List<string> acknowledged = [];
        var refused = 0;
        for (var n = 0; refused < 50; n++)
        {
            using var answer = await server.Client.PostAsync(Event(n));
            if (answer.StatusCode == HttpStatusCode.Accepted)
            {
                acknowledged.Add($"full-{n}");
                continue;
            }
            refused++;
            Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
            Assert.True(answer.Headers.RetryAfter?.Delta > TimeSpan.Zero);
            var body = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Ct)).RootElement;
            Assert.False(body.GetProperty("ok").GetBoolean());
            Assert.Equal("overloaded", body.GetProperty("error").GetString());
        }
        Assert.InRange(acknowledged.Count, 20, 2000);
        var (status, ready) = await server.Client.AskAsync("/v1/readyz");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        Assert.Contains("journal: ", ready, StringComparison.Ordinal);
        Assert.Contains("Journal:MaxBytes", ready, StringComparison.Ordinal);

        await cluster.StartAsync(Ct);
        await Eventually.IsTrueAsync("the journal has room again", async () =>
        {
            using var answer = await server.Client.PostAsync(Event(1_000_000));
            return answer.StatusCode == HttpStatusCode.Accepted;
        }, Ct);
        await server.ReadyAsync(Ct);
        await using var database = StoredFacts.Embedded(folder);
        await StoredFacts.DrainAsync(server.Client, database, Ct);
        await StoredFacts.AreStoredOnceAsync(database, [.. acknowledged, "full-1000000"]);
        await StoredFacts.HoldAsync(database);
        Assert.True(await StoredFacts.ScalarAsync(database, "select sum(events)::bigint from ingest_counts where outcome = 'rejected' and reason = 'overloaded'") >= 50);
        await server.InterruptAsync(Ct);
    }

    private const int SigStop = 19;
    private const int SigCont = 18;

    private static string Event(int n) => $$$"""{"eventType":"page_view","eventId":"full-{{{n}}}","anonId":"visitor-{{{n % 7}}}-of-the-full-journal","path":"/","props":{"k":"full-{{{n}}}"}}""";

    private static async Task<(string Folder, EmbeddedPostgres Cluster)> PostgresAsync()
    {
        var folder = TestFolder.New("pg");
        var cluster = TestPostgres.Embedded(folder);
        await cluster.StartAsync(Ct);
        return (folder, cluster);
    }

    private static string[] To(string folder) =>
        ["--Postgres:ConnectionString", EmbeddedPostgres.Connection(new DataFolder(folder)).ConnectionString, "--Capture:RateLimit:Enabled", "false", "--Access:AdminKey", Key];

    /// <summary>Some events more, whatever the machine's speed.</summary>
    private static Task MoreAsync(Load load)
    {
        var enough = load.AcknowledgedCount + 300;
        return Eventually.IsTrueAsync("more events are acknowledged", () => Task.FromResult(load.AcknowledgedCount >= enough), Ct);
    }

    /// <summary>Readiness says why, and questions are answered 503 rather than 500; being alive is another matter.</summary>
    private static async Task IsAwayAsync(HttpClient client)
    {
        await Eventually.HoldsAsync(async () =>
        {
            var (status, body) = await client.AskAsync("/v1/readyz");
            return status == HttpStatusCode.ServiceUnavailable && body.Contains("database: Not available since", StringComparison.Ordinal) ? null : body;
        }, Ct);
        Assert.Equal(HttpStatusCode.OK, (await client.AskAsync("/v1/healthz")).Status);
        foreach (var question in new[] { "from=2026-01-01&to=2026-01-31", "window_days=7" })
        {
            var (status, body) = await client.AskAsync($"/v1/metrics/summary?{question}", Key);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
            Assert.Equal("temporarily_unavailable", JsonDocument.Parse(body).RootElement.GetProperty("error").GetString());
        }
    }

    private static async Task CheckAsync(ServerProcess server, string folder, Load load)
    {
        await using var database = StoredFacts.Embedded(folder);
        await StoredFacts.DrainAsync(server.Client, database, Ct);
        await StoredFacts.AreStoredOnceAsync(database, load.Acknowledged);
        await StoredFacts.HoldAsync(database);
    }

    /// <summary>The postmaster and its children.</summary>
    private static List<int> Backends(int postmaster)
    {
        var start = new System.Diagnostics.ProcessStartInfo("ps", ["-A", "-o", "pid=,ppid="]) { UseShellExecute = false, RedirectStandardOutput = true };
        using var ps = System.Diagnostics.Process.Start(start)!;
        var lines = ps.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        ps.WaitForExit();
        return [postmaster, .. lines.Select(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Where(f => f[1] == $"{postmaster}").Select(f => int.Parse(f[0]))];
    }
}
