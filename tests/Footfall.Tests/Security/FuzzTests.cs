using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Sockets;
using Xunit;

namespace Footfall.Tests.Security;

/// <summary>Whatever is sent to whatever address: an answer, never an error of the server's own; memory and log stay as they are.</summary>
public sealed class FuzzTests(WatchedServer server) : IClassFixture<WatchedServer>
{
    /// <summary>The same in every run, so that a failure can be made again; FOOTFALL_FUZZ_SEED looks elsewhere.</summary>
    private static readonly int Seed = int.TryParse(Environment.GetEnvironmentVariable("FOOTFALL_FUZZ_SEED"), out var asked) ? asked : 20261121;

    private const int Workers = 8;
    private static readonly TimeSpan AtMost = TimeSpan.FromSeconds(20);

    /// <summary>Refusals that say that the server is as it should be, and cannot now.</summary>
    private static readonly string[] Busy = ["too_many_queries"];

    [Fact]
    public async Task No_request_makes_the_server_fail_or_grow_or_flood_its_log()
    {
        var ct = TestContext.Current.CancellationToken;
        var targets = server.Targets();
        Assert.True(targets.Count > 50, $"{targets.Count} endpoints");
        await RunAsync(targets, Seed, TimeSpan.FromSeconds(2), [], ct);     // what is made once is made now
        var (memory, lines) = (GC.GetTotalMemory(forceFullCollection: true), server.Log.Count);

        ConcurrentQueue<string> failures = [];
        var sent = await RunAsync(targets, Seed + 1, AtMost, failures, ct);
        Assert.True(failures.IsEmpty, $"Seed {Seed}: {failures.Count} of {sent} requests failed. The first:\n\n{string.Join("\n\n", failures.Take(3))}\n\nThe log's errors:\n{string.Join('\n', server.Log.Where(l => l.StartsWith("Error", StringComparison.Ordinal)).DistinctBy(l => l.Split('\n').ElementAtOrDefault(1)).Take(5))}");
        Assert.True(sent > targets.Count * 3, $"{sent} requests for {targets.Count} endpoints");
        var grown = (GC.GetTotalMemory(forceFullCollection: true) - memory) >> 20;
        Assert.True(grown < 64, $"{grown} MB more in use after {sent} requests.");
        // A wrong key is a line: somebody tries. Nothing else that strangers send may be one, request for request.
        var written = server.Log.Skip(lines).Where(l => !l.StartsWith("Warning 2", StringComparison.Ordinal) && !l.Contains("wrong key", StringComparison.OrdinalIgnoreCase)).ToList();
        Assert.True(written.Count < 20 + (sent / 100), $"{written.Count} lines in the log for {sent} requests, such as\n{string.Join('\n', written.Take(3))}");
        var errors = server.Log.Where(l => l.StartsWith("Error", StringComparison.Ordinal) || l.StartsWith("Critical", StringComparison.Ordinal)).ToList();
        Assert.True(errors.Count == 0, string.Join("\n\n", errors.Take(3)));
        Assert.DoesNotContain(server.Log, l => l.Contains("ann@example.com", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task Noise_on_a_bare_connection_is_survived()
    {
        var ct = TestContext.Current.CancellationToken;
        var attack = new Attack(Seed);
        for (var i = 0; i < 200; i++)
        {
            using var socket = new TcpClient();
            await socket.ConnectAsync(server.Address.Host, server.Address.Port, ct);
            try
            {
                var stream = socket.GetStream();
                await stream.WriteAsync(attack.Noise(), ct);
                socket.Client.Shutdown(SocketShutdown.Send);
                var answer = new byte[64];
                var read = await stream.ReadAsync(answer, ct);
                var text = System.Text.Encoding.Latin1.GetString(answer, 0, read);
                Assert.DoesNotContain(" 500 ", text, StringComparison.Ordinal);
            }
            catch (Exception e) when (e is IOException or SocketException or InvalidOperationException)
            {
                // Cut off: as well.
            }
        }
        using var alive = await server.Client.GetAsync("/v1/healthz", ct);
        Assert.Equal(200, (int)alive.StatusCode);
    }

    private async Task<int> RunAsync(IReadOnlyList<Target> targets, int seed, TimeSpan atMost, ConcurrentQueue<string> failures, CancellationToken ct)
    {
        var watch = Stopwatch.StartNew();
        var sent = 0;
        await Task.WhenAll(Enumerable.Range(0, Workers).Select(async worker =>
        {
            var attack = new Attack(seed + (worker * 1000));
            for (var i = worker; watch.Elapsed < atMost; i += Workers)
            {
                var (request, words) = attack.Next(targets[i % targets.Count]);
                using (request) await SendAsync(request, words, failures, ct);
                Interlocked.Increment(ref sent);
            }
        }));
        return sent;
    }

    private async Task SendAsync(HttpRequestMessage request, string words, ConcurrentQueue<string> failures, CancellationToken ct)
    {
        try
        {
            using var answer = await server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
            var isStream = answer.Content.Headers.ContentType?.MediaType == "text/event-stream";
            var body = isStream ? "" : await answer.Content.ReadAsStringAsync(ct);
            if ((int)answer.StatusCode >= 500 && !Busy.Any(b => body.Contains(b, StringComparison.Ordinal))) failures.Enqueue($"{(int)answer.StatusCode} {body[..Math.Min(body.Length, 300)]}\n{words}");
        }
        catch (HttpRequestException e) when (e.InnerException is IOException or SocketException || e.HttpRequestError == HttpRequestError.InvalidResponse)
        {
            // The server closed the connection on what is no HTTP; that it still lives shows with the next request.
        }
        catch (TaskCanceledException) when (!ct.IsCancellationRequested)
        {
            failures.Enqueue($"no answer within a minute\n{words}");
        }
    }
}
