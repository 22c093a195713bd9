using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Footfall.Benchmarks;

/// <summary>From the start of the process on a data folder with history to its first 202, and to a database that is ready; after a clean stop, and after SIGKILL under load.</summary>
internal static class StartBenchmark
{
    private const int Rounds = 5;

    public static async Task RunAsync(string folder)
    {
        await using (var first = Server.StartProduct(folder))
        {
            await first.ReadyAsync();
            await LoadChild.RunAsync(first.Port, 128, 0, 3);
        }
        Figures.Title("Start on an existing data folder");
        List<(double Listens, double Taken, double Ready)> clean = [], killed = [];
        for (var round = 0; round < Rounds; round++)
        {
            await using (var server = Server.StartProduct(folder))
            {
                clean.Add(await TimeAsync(server));
                var load = LoadChild.RunAsync(server.Port, 128, 0, 3);
                await Task.Delay(1500);
                await server.KillAsync();
                try
                {
                    await load;
                }
                catch (InvalidOperationException)
                {
                    // Its server was killed: that is the point.
                }
            }
            await using var again = Server.StartProduct(folder);
            killed.Add(await TimeAsync(again));
        }
        Report("after a clean stop", clean);
        Report("after SIGKILL under load", killed);
    }

    private static async Task<(double Listens, double Taken, double Ready)> TimeAsync(Server server)
    {
        // Connecting by hand: an HTTP client's own first use would be timed, too.
        var request = new TrackerRequest(1, server.Port);
        request.Next(TimeProvider.System.GetUtcNow());
        Socket? socket = null;
        while (socket is null)
        {
            var attempt = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await attempt.ConnectAsync(IPAddress.Loopback, server.Port);
                socket = attempt;
            }
            catch (SocketException)
            {
                attempt.Dispose();
                await Task.Delay(5);
            }
        }
        var listens = server.Age;
        using (socket)
        {
            await socket.SendAsync(request.Bytes);
            var answer = new byte[4096];
            var n = await socket.ReceiveAsync(answer);
            if (!Encoding.ASCII.GetString(answer, 0, n).StartsWith("HTTP/1.1 202 ", StringComparison.Ordinal)) throw new InvalidOperationException("The first event was not taken.");
        }
        var taken = server.Age;
        await server.ReadyAsync();
        return (listens.TotalMilliseconds, taken.TotalMilliseconds, server.Age.TotalMilliseconds);
    }

    private static void Report(string name, List<(double Listens, double Taken, double Ready)> times) =>
        Figures.Line(name, $"listens {Figures.Median(times.Select(t => t.Listens)):N0}, first 202 {Figures.Median(times.Select(t => t.Taken)):N0} (under 3,000; worst {times.Max(t => t.Taken):N0}), database ready {Figures.Median(times.Select(t => t.Ready)):N0} ms");
}
