using System.Buffers.Text;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Footfall.Benchmarks;

/// <summary>What a run of load came to. Times are in ms.</summary>
internal sealed record LoadResult(double PerSecond, double P50, double P99, double P999, long Requests, long Failed);

/// <summary>Keep-alive connections to this machine, each of which sends its next event when the last was answered. One thread, in a process of its own, so that its cost is apart.</summary>
internal static class LoadChild
{
    public const string Command = "child-load";

    // Buckets of 10 µs up to 10 s.
    private const int Buckets = 1_000_000;

    /// <summary>Starts the generator as a child and waits for what it measures.</summary>
    public static async Task<LoadResult> RunAsync(int port, int connections, double warmUpSeconds, double seconds)
    {
        string[] numbers = [.. new[] { port, connections, warmUpSeconds, seconds }.Select(n => n.ToString(CultureInfo.InvariantCulture))];
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Footfall.Benchmarks.dll"), Command, .. numbers]) { UseShellExecute = false, RedirectStandardOutput = true };
        // Answers are dealt with on the thread that hears of them: no hop to the pool for each.
        start.Environment["DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS"] = "1";
        start.Environment["DOTNET_SYSTEM_NET_SOCKETS_THREAD_COUNT"] = "1";
        using var process = Process.Start(start)!;
        var said = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0) throw new InvalidOperationException("The load generator lost its server.");
        var v = said.Split(' ').Select(n => double.Parse(n, CultureInfo.InvariantCulture)).ToArray();
        return new LoadResult(v[0], v[1], v[2], v[3], (long)v[4], (long)v[5]);
    }

    /// <summary>The child itself: port, connections, seconds to warm up, seconds to measure.</summary>
    public static async Task<int> MainAsync(string[] args)
    {
        var n = args.Select(a => double.Parse(a, CultureInfo.InvariantCulture)).ToArray();
        var run = new Run((int)n[0], TimeSpan.FromSeconds(n[2]), TimeSpan.FromSeconds(n[3]));
        try
        {
            await Task.WhenAll(Enumerable.Range(0, (int)n[1]).Select(i => new Connection(run, i).RunAsync()));
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            return 1;   // killed, as the benchmark of the start does
        }
        Console.Write(run.ToString());
        return 0;
    }

    private sealed class Run(int port, TimeSpan warmUp, TimeSpan measured)
    {
        private readonly int[] buckets = new int[Buckets];
        private long requests, failed;

        public int Port => port;
        public long From { get; } = Stopwatch.GetTimestamp() + (long)(warmUp.TotalSeconds * Stopwatch.Frequency);
        public long To => From + (long)(measured.TotalSeconds * Stopwatch.Frequency);

        // Only ever called on the one thread.
        public void Count(long sent, long answered, bool taken)
        {
            if (sent < From || answered >= To) return;
            requests++;
            if (!taken) failed++;
            buckets[Math.Min(Buckets - 1, (int)Stopwatch.GetElapsedTime(sent, answered).TotalMicroseconds / 10)]++;
        }

        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{requests / measured.TotalSeconds} {At(0.5)} {At(0.99)} {At(0.999)} {requests} {failed}");

        private double At(double share)
        {
            var left = (long)Math.Ceiling(requests * share);
            for (var i = 0; i < Buckets; i++)
            {
                left -= buckets[i];
                if (left <= 0) return (i + 1) / 100.0;
            }
            return Buckets / 100.0;
        }
    }

    private sealed class Connection : IDisposable
    {
        private readonly Run run;
        private readonly Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        private readonly SocketAsyncEventArgs receive = new();
        private readonly TaskCompletionSource done = new();
        private readonly TrackerRequest request;
        private readonly byte[] answer = new byte[4096];
        private int filled;
        private long sent;

        public Connection(Run run, int number)
        {
            this.run = run;
            request = new TrackerRequest(number, run.Port);
            receive.Completed += (_, _) => Go();
        }

        public async Task RunAsync()
        {
            using (this)
            {
                await socket.ConnectAsync(IPAddress.Loopback, run.Port);
                Send();
                if (!Receive()) Go();
                await done.Task;
            }
        }

        public void Dispose()
        {
            socket.Dispose();
            receive.Dispose();
        }

        private void Go()
        {
            try
            {
                do
                {
                    if (receive.SocketError != SocketError.Success || receive.BytesTransferred == 0) throw new IOException("The server closed a connection.");
                    filled += receive.BytesTransferred;
                    if (!IsWhole(answer.AsSpan(0, filled))) continue;
                    var now = Stopwatch.GetTimestamp();
                    run.Count(sent, now, answer.AsSpan(9, 3).SequenceEqual("202"u8));
                    filled = 0;
                    if (now >= run.To)
                    {
                        done.SetResult();
                        return;
                    }
                    Send();
                }
                while (!Receive());
            }
#pragma warning disable CA1031 // Whatever it is ends the run, with its message.
            catch (Exception e)
#pragma warning restore CA1031
            {
                done.TrySetException(e);
            }
        }

        private void Send()
        {
            request.Next(TimeProvider.System.GetUtcNow());
            sent = Stopwatch.GetTimestamp();
            socket.Send(request.Bytes);
        }

        /// <summary>True when the answer is awaited; false when there is something already.</summary>
        private bool Receive()
        {
            receive.SetBuffer(answer, filled, answer.Length - filled);
            return socket.ReceiveAsync(receive);
        }

        private static bool IsWhole(ReadOnlySpan<byte> answer)
        {
            var head = answer.IndexOf("\r\n\r\n"u8);
            if (head < 0) return false;
            var length = answer[..head].IndexOf("Content-Length: "u8);
            if (length < 0 || !Utf8Parser.TryParse(answer[(length + 16)..], out int body, out _)) throw new IOException("The server answered without a length.");
            return answer.Length >= head + 4 + body;
        }
    }
}
