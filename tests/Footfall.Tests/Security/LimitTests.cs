using System.Diagnostics;
using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Xunit;

namespace Footfall.Tests.Security;

public sealed class LimitTests(WatchedServer server) : IClassFixture<WatchedServer>
{
    [Fact]
    public async Task Who_sends_headers_or_a_body_a_byte_at_a_time_is_cut_off()
    {
        var ct = TestContext.Current.CancellationToken;
        var headers = LastsAsync("POST /v1/events HTTP/1.1\r\nHost: x\r\nX-Slow: ", "a", ct);
        var body = LastsAsync("POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 10000\r\n\r\n", " ", ct);
        var form = LastsAsync("POST /v1/leads/capture HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 10000\r\n\r\n", "a", ct);
        Assert.All(await Task.WhenAll(headers, body, form), lasted => Assert.InRange(lasted.TotalSeconds, 3, 40));
    }

    [Fact]
    public async Task What_a_compressed_body_would_become_is_nobodys_trouble()
    {
        using var bomb = new MemoryStream();
        await using (var gzip = new GZipStream(bomb, CompressionLevel.SmallestSize, leaveOpen: true)) await gzip.WriteAsync(new byte[32 << 20]);
        Assert.True(bomb.Length < 256 * 1024, "It must be small enough to be let in.");
        foreach (var target in server.Targets().Where(t => t.Method is "POST" or "PUT" or "PATCH" && !t.Route.Contains('{')))
        {
            foreach (var encoding in (string[])["gzip", "br", "deflate", "gzip, gzip"])
            {
                using var request = new HttpRequestMessage(new HttpMethod(target.Method), target.Route) { Content = new ByteArrayContent(bomb.ToArray()) };
                request.Headers.Add("x-admin-key", WatchedServer.AdminKey);
                request.Content.Headers.TryAddWithoutValidation("Content-Type", "application/json");
                request.Content.Headers.TryAddWithoutValidation("Content-Encoding", encoding);
                var before = GC.GetTotalAllocatedBytes();
                using var answer = await server.Client.SendAsync(request);
                Assert.True((int)answer.StatusCode is >= 300 and < 500, $"{target} answers {(int)answer.StatusCode}");
                Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 31 << 20);   // what it would become is more
            }
        }
    }

    [Theory]
    [InlineData("/v1/events")]
    [InlineData("/v1/leads/capture")]
    [InlineData("/v1/leads/unsubscribe")]
    [InlineData("/v1/experiments")]
    [InlineData("/sign-in")]
    public async Task A_body_without_end_is_refused(string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StreamContent(new Endless(64L << 20)) };
        request.Headers.Add("x-admin-key", WatchedServer.AdminKey);
        request.Headers.TransferEncodingChunked = true;
        request.Content.Headers.TryAddWithoutValidation("Content-Type", "application/json");
        try
        {
            using var answer = await server.Client.SendAsync(request);
            Assert.InRange((int)answer.StatusCode, 300, 499);
        }
        catch (HttpRequestException e) when (e.InnerException is IOException or SocketException)
        {
            // Cut off before all was sent.
        }
    }

    [Fact]
    public async Task Too_many_or_too_large_headers_are_refused()
    {
        using var many = new HttpRequestMessage(HttpMethod.Get, "/v1/healthz");
        for (var i = 0; i < 100; i++) many.Headers.Add($"x-{i}", "1");
        using var answer = await server.Client.SendAsync(many);
        Assert.Equal(HttpStatusCode.RequestHeaderFieldsTooLarge, answer.StatusCode);
        using var large = new HttpRequestMessage(HttpMethod.Get, "/v1/healthz");
        large.Headers.Add("x-large", new string('a', 40_000));
        using var refused = await server.Client.SendAsync(large);
        Assert.Equal(HttpStatusCode.RequestHeaderFieldsTooLarge, refused.StatusCode);
    }

    /// <summary>How long the server listens to a byte a second.</summary>
    private async Task<TimeSpan> LastsAsync(string beginning, string drop, CancellationToken ct)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(server.Address.Host, server.Address.Port, ct);
        var stream = socket.GetStream();
        await stream.WriteAsync(Encoding.Latin1.GetBytes(beginning), ct);
        var watch = Stopwatch.StartNew();
        var closed = ReadToEndAsync();
        while (watch.Elapsed < TimeSpan.FromSeconds(60) && !closed.IsCompleted)
        {
            await Task.WhenAny(closed, Task.Delay(1000, ct));
            if (closed.IsCompleted) break;
            try
            {
                await stream.WriteAsync(Encoding.Latin1.GetBytes(drop), ct);
            }
            catch (IOException)
            {
                break;
            }
        }
        return watch.Elapsed;

        async Task ReadToEndAsync()
        {
            var buffer = new byte[1024];
            try
            {
                while (await stream.ReadAsync(buffer, ct) > 0)
                {
                }
            }
            catch (IOException)
            {
                // Reset: closed as well.
            }
        }
    }

    private sealed class Endless(long length) : Stream
    {
        private long left = length;

        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count)
        {
            var n = (int)Math.Min(count, left);
            buffer.AsSpan(offset, n).Fill((byte)' ');
            left -= n;
            return n;
        }

        public override void Flush() => throw new NotSupportedException();
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
