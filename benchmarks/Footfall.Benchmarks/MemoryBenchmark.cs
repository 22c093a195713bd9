namespace Footfall.Benchmarks;

/// <summary>Resident memory of the server's process, without PostgreSQL, after load, drain and summaries.</summary>
internal static class MemoryBenchmark
{
    public static async Task RunAsync(string folder, double seconds)
    {
        Figures.Title("Memory of the server, without PostgreSQL");
        await using var server = Server.StartProduct(folder);
        await server.ReadyAsync();
        Report(server, "started");
        var load = await LoadChild.RunAsync(server.Port, 128, 1, seconds);
        Report(server, $"after {load.Requests:N0} events in {seconds} s");
        await server.DrainedAsync();
        Report(server, "drained");
        await SummaryBenchmark.AskAsync(server, 500);
        await Task.Delay(TimeSpan.FromSeconds(15));   // a rollup of the day falls into it
        Report(server, "after 500 summaries, rolled up (under 300 MB)");
    }

    private static void Report(Server server, string when) => Figures.Line(when, $"{server.Memory("VmRSS"),6:N0} MB, at most so far {server.Memory("VmHWM"):N0} MB");
}
