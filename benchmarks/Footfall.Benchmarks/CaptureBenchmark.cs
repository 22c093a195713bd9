namespace Footfall.Benchmarks;

/// <summary>Events a second that are on disk when they are answered, while the server's own PostgreSQL takes them in as in life, beside the same server parsing and answering only.</summary>
internal static class CaptureBenchmark
{
    private const int Connections = 128;

    private sealed record Sample(LoadResult Load, double ServerMicroseconds, double PostgresMicroseconds);

    public static async Task RunAsync(int rounds, double seconds)
    {
        await using var durable = Server.StartWithYardsticks(Folders.Fresh("capture"));
        await using var answering = Server.StartWithYardsticks(Folders.Fresh("capture-yardstick"), ServeChild.WithoutLog);
        await durable.ReadyAsync();
        await answering.ReadyAsync();
        Figures.Title($"Capture, {Connections} connections, events of {TrackerRequest.BodyBytes} bytes, {rounds} x {seconds} s each in turn");
        List<Sample> ours = [], theirs = [];
        for (var round = 0; round <= rounds; round++)
        {
            var kept = await MeasureAsync(durable, seconds);
            var drained = await durable.DrainedAsync();
            await Task.Delay(1000);
            var answered = await MeasureAsync(answering, seconds);
            if (round == 0) continue;   // the runtime compiles what is hot
            ours.Add(kept);
            theirs.Add(answered);
            Figures.Line($"round {round}: durable / answering only", $"{kept.Load.PerSecond,8:N0} {answered.Load.PerSecond,8:N0} requests/s, p99 {kept.Load.P99:N1} {answered.Load.P99:N1} ms, then drained in {drained.TotalSeconds:N1} s");
        }
        Report("durable", ours);
        Report("answering only", theirs);
        Figures.Line("requests/s, ratio (at least 0.5)", $"{Ratio(s => s.Load.PerSecond):N2}");
        Figures.Line("p99, ratio (at most 3)", $"{Ratio(s => s.Load.P99):N2}");
        Figures.Line("server CPU per request, ratio", $"{Ratio(s => s.ServerMicroseconds):N2}");

        double Ratio(Func<Sample, double> of) => Figures.Median(ours.Zip(theirs, (a, b) => of(a) / of(b)));
    }

    private static async Task<Sample> MeasureAsync(Server server, double seconds)
    {
        const double warmUp = 2;
        var (cpu, postgres) = (server.Cpu, server.PostgresCpu);
        var load = await LoadChild.RunAsync(server.Port, Connections, warmUp, seconds);
        if (load.Failed > 0) throw new InvalidOperationException($"{load.Failed} of {load.Requests} requests were not taken.");
        // The time of warming up is in the CPU time too, at about the same rate.
        var requests = load.Requests * (seconds + warmUp) / seconds;
        return new Sample(load, (server.Cpu - cpu).TotalMicroseconds / requests, (server.PostgresCpu - postgres).TotalMicroseconds / requests);
    }

    private static void Report(string name, List<Sample> samples)
    {
        double Of(Func<Sample, double> of) => Figures.Median(samples.Select(of));
        Figures.Line(name, $"{Of(s => s.Load.PerSecond),8:N0} requests/s, p50 {Of(s => s.Load.P50):N1}, p99 {Of(s => s.Load.P99):N1}, p99.9 {Of(s => s.Load.P999):N1} ms, CPU of the server {Of(s => s.ServerMicroseconds):N0} µs a request, of PostgreSQL {Of(s => s.PostgresMicroseconds):N0}");
    }
}
