using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Footfall.Tests.Leads;

/// <summary>Somebody else's HTTP server: a captcha's, or an operator's own.</summary>
internal sealed class HttpStandIn : IAsyncDisposable
{
    private readonly WebApplication app;

    private HttpStandIn(WebApplication app) => this.app = app;

    public string Address => app.Urls.First();
    public ConcurrentQueue<(IHeaderDictionary Headers, string Body)> Heard { get; } = new();

    /// <summary>What it answers to a body.</summary>
    public Func<string, (int Status, string Body)> Answer { get; set; } = _ => (200, "{}");

    /// <summary>Where it sends on to.</summary>
    public string? Redirect { get; set; }

    public static async Task<HttpStandIn> StartAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(o => o.Listen(IPAddress.Loopback, 0));
        builder.Logging.SetMinimumLevel(LogLevel.None);
        var web = builder.Build();
        var standIn = new HttpStandIn(web);
        web.Run(async context =>
        {
            var body = await new StreamReader(context.Request.Body).ReadToEndAsync();
            standIn.Heard.Enqueue((new HeaderDictionary(context.Request.Headers.ToDictionary()), body));
            var (status, text) = standIn.Answer(body);
            context.Response.StatusCode = status;
            if (standIn.Redirect is { } elsewhere) context.Response.Headers.Location = elsewhere;
            await context.Response.WriteAsync(text);
        });
        await web.StartAsync();
        return standIn;
    }

    public async ValueTask DisposeAsync()
    {
        await app.StopAsync();
        await app.DisposeAsync();
    }
}

/// <summary>A DNS server that knows what it was told.</summary>
internal sealed class DnsStandIn : IAsyncDisposable
{
    private readonly UdpClient socket = new(new IPEndPoint(IPAddress.Loopback, 0));
    private readonly CancellationTokenSource stop = new();
    private readonly Task work;
    private int questions;

    public DnsStandIn() => work = Task.Run(ServeAsync);

    public IPEndPoint Address => (IPEndPoint)socket.Client.LocalEndPoint!;
    public int Questions => Volatile.Read(ref questions);

    /// <summary>What it answers to name and type: the response code and the records' data; null: nothing at all.</summary>
    public Func<string, int, (int Code, byte[][] Records)?> Answer { get; set; } = (_, _) => (3, []);

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await work;
        socket.Dispose();
        stop.Dispose();
    }

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                var asked = await socket.ReceiveAsync(stop.Token);
                Interlocked.Increment(ref questions);
                var q = asked.Buffer;
                var name = new StringBuilder();
                var at = 12;
                for (; q[at] != 0; at += q[at] + 1) name.Append(name.Length > 0 ? "." : "").Append(Encoding.ASCII.GetString(q, at + 1, q[at]));
                var type = (q[at + 1] << 8) | q[at + 2];
                if (Answer(name.ToString(), type) is not { } answer) continue;
                List<byte> reply = [.. q];
                (reply[2], reply[3], reply[7]) = (0x81, (byte)(0x80 | answer.Code), (byte)answer.Records.Length);
                foreach (var record in answer.Records) reply.AddRange([0xC0, 12, (byte)(type >> 8), (byte)type, 0, 1, 0, 0, 0, 60, 0, (byte)record.Length, .. record]);
                await socket.SendAsync(reply.ToArray(), asked.RemoteEndPoint, stop.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // the test is over
        }
    }
}

/// <summary>A mail host that keeps what it gets; offers STARTTLS with a certificate that nobody trusts.</summary>
internal sealed class SmtpStandIn : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stop = new();
    private readonly X509Certificate2 certificate;
    private readonly Task work;

    public SmtpStandIn()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = TimeProvider.System.GetUtcNow();
        using var made = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256).CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        certificate = X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pfx), null);
        listener.Start();
        work = Task.Run(ServeAsync);
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;
    public ConcurrentQueue<string> Commands { get; } = new();
    public ConcurrentQueue<string> Mails { get; } = new();

    /// <summary>Answers RCPT TO; 250 takes the mail.</summary>
    public Func<int> Recipient { get; set; } = () => 250;

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        listener.Stop();
        await work;
        listener.Dispose();
        certificate.Dispose();
        stop.Dispose();
    }

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                using var client = await listener.AcceptTcpClientAsync(stop.Token);
                try
                {
                    await TalkAsync(client.GetStream());
                }
                catch (Exception e) when (e is IOException or System.Security.Authentication.AuthenticationException)
                {
                    // the client went away
                }
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or InvalidOperationException)
        {
            // the test is over
        }
    }

    private async Task TalkAsync(Stream stream)
    {
        var (reader, writer) = Over(stream);
        await writer.WriteLineAsync("220 localhost ready");
        while (await reader.ReadLineAsync(stop.Token) is { } line)
        {
            Commands.Enqueue(line);
            switch (line.Split(' ')[0])
            {
                case "EHLO":
                    await writer.WriteLineAsync("250-localhost");
                    await writer.WriteLineAsync("250-AUTH PLAIN LOGIN");
                    await writer.WriteLineAsync("250 STARTTLS");
                    break;
                case "STARTTLS":
                    await writer.WriteLineAsync("220 go");
                    var secured = new SslStream(stream);
                    await secured.AuthenticateAsServerAsync(certificate);
                    (reader, writer) = Over(secured);
                    break;
                case "AUTH": await writer.WriteLineAsync("235 in"); break;
                case "RCPT": await writer.WriteLineAsync($"{Recipient()} <somebody@example.org> it is"); break;
                case "DATA":
                    await writer.WriteLineAsync("354 go on");
                    var mail = new StringBuilder();
                    while (await reader.ReadLineAsync(stop.Token) is { } text && text != ".") mail.Append(text).Append("\r\n");
                    Mails.Enqueue(mail.ToString());
                    await writer.WriteLineAsync("250 taken");
                    break;
                case "QUIT": await writer.WriteLineAsync("221 bye"); return;
                default: await writer.WriteLineAsync("250 ok"); break;
            }
        }
    }

    private static (StreamReader Reader, StreamWriter Writer) Over(Stream stream) =>
        (new StreamReader(stream, Encoding.ASCII), new StreamWriter(stream, Encoding.ASCII) { NewLine = "\r\n", AutoFlush = true });
}
