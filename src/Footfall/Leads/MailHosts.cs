using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Options;

namespace Footfall.Leads;

internal enum MailHost
{
    Known,

    /// <summary>The domain does not exist, or says that it takes no mail.</summary>
    Missing,

    /// <summary>DNS does not tell.</summary>
    Unknown,
}

/// <summary>Whether a domain takes mail: it has MX records, or an address of its own (RFC 5321, 5.1), and no null MX (RFC 7505). Answers are kept for some minutes.</summary>
internal sealed class MailHosts(IOptions<LeadsOptions> options, TimeProvider time)
{
    private const int MaxKept = 10_000;
    private static readonly TimeSpan Kept = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(1500);
    private const int Tries = 2;

    private readonly ConcurrentDictionary<string, (MailHost Answer, DateTimeOffset Until)> kept = new(StringComparer.Ordinal);

    /// <param name="domain">ASCII, lower case.</param>
    public async Task<MailHost> FindAsync(string domain, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        if (kept.TryGetValue(domain, out var known) && known.Until > now) return known.Answer;
        var answer = await LookUpAsync(domain, cancellationToken);
        if (answer == MailHost.Unknown) return answer;
        if (kept.Count >= MaxKept) kept.Clear();
        kept[domain] = (answer, now + Kept);
        return answer;
    }

    private async Task<MailHost> LookUpAsync(string domain, CancellationToken cancellationToken)
    {
        if (Server() is not { } server) return MailHost.Unknown;
        var mx = await AskAsync(server, domain, DnsType.Mx, cancellationToken);
        switch (mx)
        {
            case { Code: DnsAnswer.NoSuchName }: return MailHost.Missing;
            case not { Code: DnsAnswer.NoError }: return MailHost.Unknown;
            case { NullMx: true }: return MailHost.Missing;
            case { Answers: > 0 }: return MailHost.Known;
        }
        foreach (var type in (DnsType[])[DnsType.A, DnsType.Aaaa])
        {
            var answer = await AskAsync(server, domain, type, cancellationToken);
            if (answer is not { Code: DnsAnswer.NoError }) return MailHost.Unknown;
            if (answer.Answers > 0) return MailHost.Known;
        }
        return MailHost.Missing;
    }

    /// <summary>Null when nobody answers.</summary>
    private static async Task<DnsAnswer?> AskAsync(IPEndPoint server, string domain, DnsType type, CancellationToken cancellationToken)
    {
        for (var i = 0; i < Tries; i++)
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            patience.CancelAfter(Patience);
            try
            {
                // A socket of its own for each question: a random port is what makes a forged answer unlikely.
                using var socket = new UdpClient(server.AddressFamily);
                socket.Connect(server);
                var question = DnsMessage.Question(domain, type);
                await socket.SendAsync(question, patience.Token);
                while (true)
                {
                    var received = await socket.ReceiveAsync(patience.Token);
                    if (DnsMessage.Answer(received.Buffer, question) is { } answer) return answer;
                }
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
            {
                // asked again, or not known
            }
        }
        return null;
    }

    private IPEndPoint? Server()
    {
        if (!string.IsNullOrEmpty(options.Value.DnsServer)) return WithPort(IPEndPoint.Parse(options.Value.DnsServer));
        try
        {
            foreach (var line in File.ReadLines("/etc/resolv.conf"))
            {
                if (line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries) is ["nameserver", var address, ..] && IPAddress.TryParse(address, out var parsed)) return new IPEndPoint(parsed, 53);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // no such file on this system: Leads:DnsServer names a server there
        }
        return null;
    }

    private static IPEndPoint WithPort(IPEndPoint server) => server.Port == 0 ? new IPEndPoint(server.Address, 53) : server;
}
