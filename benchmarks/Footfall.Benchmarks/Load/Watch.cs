using System.Globalization;

namespace Footfall.Benchmarks.Load;

/// <param name="Files">Open files, sockets included.</param>
/// <param name="Threads">Of the process: those of the pool, and all others.</param>
internal sealed record Moment(double Seconds, double MemoryMb, double JournalMb, double Files, double Threads, double LagSeconds);

/// <summary>Looks at the server every few seconds while it works.</summary>
internal sealed class Watch(Server server, TimeSpan every)
{
    private readonly List<Moment> moments = [];

    public IReadOnlyList<Moment> Moments => moments;

    public async Task RunAsync(CancellationToken stop)
    {
        using var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{server.Port}"), Timeout = TimeSpan.FromSeconds(20) };
        client.DefaultRequestHeaders.Add("x-admin-key", Server.AdminKey);
        using var timer = new PeriodicTimer(every);
        try
        {
            do
            {
                try
                {
                    var metrics = await client.GetStringAsync(new Uri("/metrics", UriKind.Relative), stop);
                    moments.Add(new Moment(server.Age.TotalSeconds, server.Memory("VmRSS"), Of(metrics, "footfall_journal_size_bytes") / (1 << 20), Of(metrics, "footfall_process_open_files"), server.Threads, Of(metrics, "footfall_journal_age_seconds")));
                }
                catch (HttpRequestException)
                {
                    // It is busy or away: a moment is missing.
                }
            }
            while (await timer.WaitForNextTickAsync(stop));
        }
        catch (OperationCanceledException)
        {
            // The run is over.
        }
    }

    private static double Of(string metrics, string name)
    {
        var line = metrics.Split('\n').FirstOrDefault(l => l.StartsWith(name + " ", StringComparison.Ordinal));
        // A figure that is not there must not pass for one that is flat.
        return line is null ? throw new InvalidOperationException($"/metrics has no {name}.") : double.Parse(line[(name.Length + 1)..], CultureInfo.InvariantCulture);
    }
}
