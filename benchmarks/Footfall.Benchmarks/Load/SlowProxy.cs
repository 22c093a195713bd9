using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Footfall.Benchmarks.Load;

/// <summary>Stands between server and PostgreSQL: hands on what both say, later if asked to, or not at all.</summary>
internal sealed class SlowProxy : IAsyncDisposable
{
    private readonly CancellationTokenSource stop = new();
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentDictionary<Socket, byte> open = new();
    private readonly string target;
    private readonly Task accepting;
    private volatile bool cut;
    private long delayTicks;

    /// <param name="target">PostgreSQL's socket.</param>
    public SlowProxy(string target)
    {
        this.target = target;
        listener.Start();
        accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    /// <summary>By how much each answer of the database is late.</summary>
    public TimeSpan Delay
    {
        get => TimeSpan.FromTicks(Interlocked.Read(ref delayTicks));
        set => Interlocked.Exchange(ref delayTicks, value.Ticks);
    }

    /// <summary>Breaks every connection, and lets none through until <see cref="Mend"/>.</summary>
    public void Cut()
    {
        cut = true;
        foreach (var socket in open.Keys) socket.Dispose();
    }

    public void Mend() => cut = false;

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        listener.Stop();
        foreach (var socket in open.Keys) socket.Dispose();
        await accepting;
        stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                var client = await listener.AcceptSocketAsync(stop.Token);
                _ = Task.Run(() => ServeAsync(client));
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                // Stopping; or the client has gone again.
            }
        }
    }

    private async Task ServeAsync(Socket client)
    {
        using var server = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        using (client)
        {
            try
            {
                if (cut) return;
                client.NoDelay = true;
                await server.ConnectAsync(new UnixDomainSocketEndPoint(target), stop.Token);
                open[client] = open[server] = 0;
                await Task.WhenAny(PumpAsync(client, server, late: false), PumpAsync(server, client, late: true));
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
            {
                // One side is not there: the other sees its connection closed.
            }
            finally
            {
                open.TryRemove(client, out _);
                open.TryRemove(server, out _);
            }
        }
    }

    private async Task PumpAsync(Socket from, Socket to, bool late)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer, SocketFlags.None, stop.Token) is > 0 and var read)
            {
                if (late && Delay > TimeSpan.Zero) await Task.Delay(Delay, stop.Token);
                for (var done = 0; done < read;) done += await to.SendAsync(buffer.AsMemory(done, read - done), SocketFlags.None, stop.Token);
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // Over.
        }
    }
}
