using System.Buffers.Text;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Footfall.Benchmarks.Load;

/// <summary>One keep-alive connection that sends an event and waits for its answer. Opens itself anew after it broke.</summary>
internal sealed class EventConnection(int port) : IDisposable
{
    public const int Broke = 0;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly byte[] answer = new byte[4096];
    private Socket? socket;

    /// <summary>The status, and the error's code where there is one; <see cref="Broke"/> where no whole answer came.</summary>
    public async ValueTask<(int Status, string Error)> SendAsync(ReadOnlyMemory<byte> request, CancellationToken stop)
    {
        try
        {
            socket ??= await ConnectAsync(port, stop);
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
            patience.CancelAfter(Patience);
            await socket.SendAsync(request, SocketFlags.None, patience.Token);
            var filled = 0;
            while (true)
            {
                var read = await socket.ReceiveAsync(answer.AsMemory(filled), SocketFlags.None, patience.Token);
                if (read == 0) throw new IOException("closed");
                filled += read;
                if (WholeAnswer(answer.AsSpan(0, filled)) is { } status) return (status, status == 202 ? "" : CodeOf(answer.AsSpan(0, filled)));
            }
        }
        catch (Exception e) when (e is SocketException or IOException || (e is OperationCanceledException && !stop.IsCancellationRequested))
        {
            Dispose();
            return (Broke, e is OperationCanceledException ? "no answer in time" : "connection broke");
        }
    }

    public static async Task<Socket> ConnectAsync(int port, CancellationToken stop)
    {
        var opened = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await opened.ConnectAsync(IPAddress.Loopback, port, stop);
            return opened;
        }
        catch
        {
            opened.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        socket?.Dispose();
        socket = null;
    }

    private static int? WholeAnswer(ReadOnlySpan<byte> text)
    {
        var head = text.IndexOf("\r\n\r\n"u8);
        if (head < 0) return null;
        if (!Utf8Parser.TryParse(text[9..], out int status, out _)) throw new IOException("an answer without a status");
        if (text[..head].IndexOf("Transfer-Encoding: chunked"u8) >= 0) return text.EndsWith("0\r\n\r\n"u8) ? status : null;
        var length = text[..head].IndexOf("Content-Length: "u8);
        if (length < 0 || !Utf8Parser.TryParse(text[(length + 16)..], out int body, out _)) throw new IOException("an answer without a length");
        return text.Length < head + 4 + body ? null : status;
    }

    private static string CodeOf(ReadOnlySpan<byte> text)
    {
        const string Key = "\"error\":\"";
        var json = Encoding.UTF8.GetString(text);
        var start = json.IndexOf(Key, StringComparison.Ordinal);
        return start < 0 ? "" : json[(start + Key.Length)..].Split('"')[0];
    }
}
