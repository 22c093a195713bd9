using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using Microsoft.Extensions.Options;

namespace Footfall.Leads;

/// <summary>Sends by SMTP (RFC 5321) with STARTTLS (RFC 3207) and AUTH PLAIN or LOGIN (RFC 4954): one mail to one person, a connection for each.</summary>
internal sealed class SmtpTransport(IOptions<LeadsOptions> options, TimeProvider time) : IMailTransport
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly LeadsOptions.SmtpOptions options = options.Value.Smtp;
    private readonly string name = new Uri(options.Value.PublicUrl!).IdnHost;

    public bool IsProgram => false;

    public Task SendAsync(Confirmation confirmation, CancellationToken cancellationToken) =>
        SendAsync(confirmation.Address, from => ConfirmationMail.Write(confirmation, from, options.FromName, time.GetUtcNow()), cancellationToken);

    public Task SendAsync(Letter letter, CancellationToken cancellationToken) =>
        SendAsync(letter.Address!, from => LetterMail.Write(letter, from, options.FromName, time.GetUtcNow()), cancellationToken);

    private async Task SendAsync(string address, Func<EmailAddress, string> write, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(options.Host!, options.Port, patience.Token);
            await using var stream = client.GetStream();
            await SendAsync(stream, address, write, patience.Token);
        }
        catch (Exception e) when (e is SocketException or IOException or AuthenticationException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            throw new MailException(
                e switch
                {
                    OperationCanceledException => "Leads:Smtp:Host does not answer in time",
                    AuthenticationException => "the certificate of Leads:Smtp:Host is not trusted",
                    _ => "the connection to Leads:Smtp:Host failed",
                },
                e);
        }
    }

    private async Task SendAsync(Stream stream, string address, Func<EmailAddress, string> write, CancellationToken cancellationToken)
    {
        Stream secured = stream;
        if (options.Security == SmtpSecurity.Tls) secured = await SecureAsync(stream, cancellationToken);
        try
        {
            var talk = new SmtpTalk(secured);
            await talk.ExpectAsync(220, cancellationToken);
            var offers = await talk.GreetAsync(name, cancellationToken);
            if (options.Security == SmtpSecurity.StartTls)
            {
                if (!offers.Contains("STARTTLS")) throw new MailException("Leads:Smtp:Host offers no STARTTLS; Leads:Smtp:Security may be tls or none instead");
                await talk.CommandAsync("STARTTLS", 220, cancellationToken);
                secured = await SecureAsync(stream, cancellationToken);
                talk = new SmtpTalk(secured);
                offers = await talk.GreetAsync(name, cancellationToken);
            }
            if (!string.IsNullOrEmpty(options.User)) await talk.SignInAsync(offers, options.User, options.Password ?? "", cancellationToken);
            if (!EmailAddress.TryParse(options.From, out var from, out _)) throw new MailException("Leads:Smtp:From is no address");
            await talk.CommandAsync($"MAIL FROM:<{from.Address}>", 250, cancellationToken);
            await talk.CommandAsync($"RCPT TO:<{address}>", 250, cancellationToken);
            await talk.CommandAsync("DATA", 354, cancellationToken);
            await talk.DataAsync(write(from), cancellationToken);
            await talk.CommandAsync("QUIT", 221, cancellationToken);
        }
        finally
        {
            if (secured != stream) await secured.DisposeAsync();
        }
    }

    private async Task<SslStream> SecureAsync(Stream stream, CancellationToken cancellationToken)
    {
        var secured = new SslStream(stream, leaveInnerStreamOpen: true);
        try
        {
            await secured.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = options.Host }, cancellationToken);
            return secured;
        }
        catch
        {
            await secured.DisposeAsync();
            throw;
        }
    }
}

/// <summary>Commands and answers. An answer that was not expected is told by its number alone: its text may name the person.</summary>
internal sealed class SmtpTalk(Stream stream)
{
    private const int LongestLine = 4096;
    private readonly byte[] buffer = new byte[LongestLine];
    private int read, used;

    public async Task<HashSet<string>> GreetAsync(string name, CancellationToken cancellationToken)
    {
        var lines = await CommandAsync("EHLO " + name, 250, cancellationToken);
        return [.. lines.Select(l => l.ToUpperInvariant())];
    }

    public async Task SignInAsync(HashSet<string> offers, string user, string password, CancellationToken cancellationToken)
    {
        var ways = offers.FirstOrDefault(o => o.StartsWith("AUTH ", StringComparison.Ordinal))?.Split(' ') ?? [];
        if (ways.Contains("PLAIN"))
        {
            await CommandAsync("AUTH PLAIN " + Base64($"\0{user}\0{password}"), 235, cancellationToken);
            return;
        }
        if (!ways.Contains("LOGIN")) throw new MailException("Leads:Smtp:Host offers neither AUTH PLAIN nor LOGIN; leave Leads:Smtp:User out if it wants no password");
        await CommandAsync("AUTH LOGIN", 334, cancellationToken);
        await CommandAsync(Base64(user), 334, cancellationToken);
        await CommandAsync(Base64(password), 235, cancellationToken);
    }

    /// <summary>The lines of the answer, without their numbers.</summary>
    public async Task<List<string>> CommandAsync(string command, int expected, CancellationToken cancellationToken)
    {
        await stream.WriteAsync(Encoding.ASCII.GetBytes(command + "\r\n"), cancellationToken);
        await stream.FlushAsync(cancellationToken);
        return await ExpectAsync(expected, cancellationToken);
    }

    /// <summary>The mail, with the dots doubled that would end it early (RFC 5321, 4.5.2).</summary>
    public async Task DataAsync(string mail, CancellationToken cancellationToken)
    {
        var stuffed = mail.StartsWith('.') ? "." + mail : mail;
        await CommandAsync(stuffed.Replace("\r\n.", "\r\n..", StringComparison.Ordinal) + "\r\n.", 250, cancellationToken);
    }

    public async Task<List<string>> ExpectAsync(int expected, CancellationToken cancellationToken)
    {
        List<string> lines = [];
        while (true)
        {
            var line = await LineAsync(cancellationToken);
            if (line.Length < 3 || !int.TryParse(line.AsSpan(0, 3), out var code)) throw new MailException("Leads:Smtp:Host does not speak SMTP");
            if (code != expected) throw new MailException($"Leads:Smtp:Host answers {code}, where {expected} was expected");
            lines.Add(line.Length > 4 ? line[4..] : "");
            if (line.Length == 3 || line[3] != '-') return lines;
        }
    }

    private async Task<string> LineAsync(CancellationToken cancellationToken)
    {
        var line = new StringBuilder();
        while (true)
        {
            if (used == read)
            {
                (read, used) = (await stream.ReadAsync(buffer, cancellationToken), 0);
                if (read == 0) throw new IOException("The connection was closed.");
            }
            var c = (char)buffer[used++];
            if (c == '\n') return line.ToString().TrimEnd('\r');
            if (line.Append(c).Length > LongestLine) throw new IOException("The answer is too long.");
        }
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
