using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Footfall.Cli;
using Footfall.Tests.Infrastructure;
using Xunit;

namespace Footfall.Tests.Security;

public sealed class TlsTests
{
    [Fact]
    public async Task Certificates_given_as_files_are_served_with_and_the_browser_is_told_to_stay()
    {
        var folder = TestFolder.New("tls");
        var (certificate, key) = (Path.Combine(folder, "fullchain.pem"), Path.Combine(folder, "privkey.pem"));
        using (var pair = ECDsa.Create(ECCurve.NamedCurves.nistP256))
        {
            var request = new CertificateRequest("CN=stats.example.com", pair, HashAlgorithmName.SHA256);
            using var made = request.CreateSelfSigned(TimeProvider.System.GetUtcNow().AddMinutes(-5), TimeProvider.System.GetUtcNow().AddHours(1));
            await File.WriteAllTextAsync(certificate, made.ExportCertificatePem());
            await File.WriteAllTextAsync(key, pair.ExportPkcs8PrivateKeyPem());
        }
        // As docs/deploy.md has it, but for the port.
        await using var app = FootfallHost.Build([
            "--DataDir", folder, "--Postgres:ConnectionString", "Host=127.0.0.1;Port=9;Database=x", "--Rollups:Enabled", "false",
            "--Kestrel:Endpoints:Https:Url", "https://127.0.0.1:0", "--Kestrel:Endpoints:Https:Certificate:Path", certificate, "--Kestrel:Endpoints:Https:Certificate:KeyPath", key]);
        await app.StartAsync();
        var address = Assert.Single(app.Urls);
        Assert.StartsWith("https://", address, StringComparison.Ordinal);
        string? shown = null;
        using var handler = new SocketsHttpHandler();
        handler.SslOptions.RemoteCertificateValidationCallback = (_, c, _, _) => (shown = c?.Subject) is not null;
        using var client = new HttpClient(handler) { BaseAddress = new Uri(address) };
        using var answer = await client.GetAsync("/v1/healthz");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("CN=stats.example.com", shown);
        Assert.Equal("max-age=31536000", Assert.Single(answer.Headers.GetValues("Strict-Transport-Security")));

        using var output = new StringWriter();
        Assert.Equal(0, await FootfallCommand.RunAsync(["health", "--url", address], output, output, CancellationToken.None));
        await app.StopAsync();
    }

    [Fact]
    public async Task Behind_a_proxy_the_header_that_was_named_tells_the_address_and_no_other()
    {
        await using var behind = await ApiServer.StartNewAsync($"--Access:AdminKey={ApiServer.AdminKey}", "--TrustedProxies=127.0.0.1", "--TrustedProxyHeader=Fly-Client-IP", "--Access:FailedAttemptsPerMinute=3");
        // Who is blocked after three wrong keys is the address that the header names, whatever else is written.
        for (var i = 0; i < 4; i++) await AskAsync("198.51.100.7", $"203.0.113.{i}");
        Assert.Equal(HttpStatusCode.TooManyRequests, await AskAsync("198.51.100.7", "203.0.113.99"));
        Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync("198.51.100.8", "198.51.100.7"));

        async Task<HttpStatusCode> AskAsync(string visitor, string usual)
        {
            using var answer = await behind.GetAsync("/v1/leads", ("x-admin-key", "a-wrong-key-for-all"), ("Fly-Client-IP", visitor), ("X-Forwarded-For", usual));
            return answer.StatusCode;
        }
    }
}
