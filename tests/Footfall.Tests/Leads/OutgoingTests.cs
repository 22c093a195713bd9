using System.Net;
using Footfall.Leads;
using Footfall.Tests.Infrastructure;
using Microsoft.Extensions.Options;
using Xunit;

namespace Footfall.Tests.Leads;

/// <summary>What this server connects to for its configuration, and what not, whatever names and redirects say.</summary>
public sealed class OutgoingTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    private static OutgoingConnections With(string? allowed, params string[] resolved) =>
        new(new OutgoingOptions { AllowedNetworks = allowed }.Networks()!, (_, _) => Task.FromResult(resolved.Select(IPAddress.Parse).ToArray()));

    [Theory]
    [InlineData("127.0.0.1", false)]
    [InlineData("127.255.255.254", false)]
    [InlineData("0.0.0.0", false)]
    [InlineData("10.1.2.3", false)]
    [InlineData("172.31.0.1", false)]
    [InlineData("172.32.0.1", true)]
    [InlineData("192.168.1.1", false)]
    [InlineData("169.254.169.254", false)]
    [InlineData("100.64.0.1", false)]
    [InlineData("224.0.0.1", false)]
    [InlineData("255.255.255.255", false)]
    [InlineData("93.184.216.34", true)]
    [InlineData("::1", false)]
    [InlineData("::", false)]
    [InlineData("fe80::1%2", false)]
    [InlineData("fd00::1", false)]
    [InlineData("ff02::1", false)]
    [InlineData("::ffff:127.0.0.1", false)]
    [InlineData("::ffff:93.184.216.34", true)]
    [InlineData("::10.0.0.1", false)]
    [InlineData("64:ff9b::7f00:1", false)]
    [InlineData("64:ff9b::5db8:d822", true)]
    [InlineData("2002:a00:1::1", false)]
    [InlineData("2606:2800:220:1::1", true)]
    public void Private_and_reserved_addresses_are_refused_in_every_dress(string address, bool allowed) => Assert.Equal(allowed, With(null).IsAllowed(IPAddress.Parse(address)));

    [Fact]
    public void What_is_allowed_by_name_is_and_nothing_beside_it()
    {
        var some = With("10.0.0.0/8, 127.0.0.1, fd00::/8");
        Assert.All(new[] { "10.9.9.9", "127.0.0.1", "::ffff:10.0.0.1", "fd00::5", "64:ff9b::a00:1" }, a => Assert.True(some.IsAllowed(IPAddress.Parse(a))));
        Assert.All(new[] { "127.0.0.2", "192.168.0.1", "::1", "fc00::1" }, a => Assert.False(some.IsAllowed(IPAddress.Parse(a))));
        Assert.Null(new OutgoingOptions { AllowedNetworks = "10.0.0.0/8, here" }.Networks());
    }

    [Fact]
    public async Task A_name_that_means_one_public_and_one_private_address_is_refused_whole()
    {
        await using var inside = await HttpStandIn.StartAsync();
        var port = new Uri(inside.Address).Port;
        foreach (var hosts in new[] { new[] { "127.0.0.1" }, ["93.184.216.34", "127.0.0.1"] })
        {
            using var client = With(null, hosts).Client(TimeSpan.FromSeconds(5));
            var e = await Assert.ThrowsAsync<HttpRequestException>(() => client.GetAsync($"http://harmless.example:{port}/", Ct));
            Assert.Contains("harmless.example leads to a private or reserved address", Assert.IsType<OutgoingRefusedException>(e.InnerException).Message, StringComparison.Ordinal);
        }
        using (var literal = With(null).Client(TimeSpan.FromSeconds(5)))
        {
            foreach (var host in new[] { "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1" })
                await Assert.ThrowsAsync<HttpRequestException>(() => literal.GetAsync($"http://{host}:{port}/", Ct));
        }
        Assert.Empty(inside.Heard);
    }

    /// <summary>Rebinding: a name that is public when it is looked at and private a moment later is looked at once, and what was looked at is connected to.</summary>
    [Fact]
    public async Task The_address_that_was_checked_is_the_one_that_is_connected_to()
    {
        await using var inside = await HttpStandIn.StartAsync();
        var asked = 0;
        var connections = new OutgoingConnections([IPNetwork.Parse("127.0.0.1/32")], (_, _) => Task.FromResult(new[] { IPAddress.Parse(++asked == 1 ? "127.0.0.1" : "192.168.0.1") }));
        using var client = connections.Client(TimeSpan.FromSeconds(5));
        using var answer = await client.GetAsync($"http://hook.example:{new Uri(inside.Address).Port}/", Ct);
        Assert.Equal((HttpStatusCode.OK, 1), (answer.StatusCode, asked));
        Assert.Equal($"hook.example:{new Uri(inside.Address).Port}", Assert.Single(inside.Heard).Headers.Host);   // and certificates are checked against the name
    }

    [Fact]
    public async Task A_redirect_is_not_followed()
    {
        await using var inside = await HttpStandIn.StartAsync();
        await using var outside = await HttpStandIn.StartAsync();
        outside.Answer = _ => (307, "");
        outside.Redirect = inside.Address;
        using var client = new OutgoingConnections(Options.Create(new OutgoingOptions { AllowedNetworks = "127.0.0.1" })).Client(TimeSpan.FromSeconds(5));
        using var answer = await client.PostAsync(outside.Address, new StringContent("{}"), Ct);
        Assert.Equal(HttpStatusCode.TemporaryRedirect, answer.StatusCode);
        Assert.Empty(inside.Heard);
    }

    [Fact]
    public async Task A_webhook_into_the_own_network_is_refused_in_words_until_it_is_allowed()
    {
        await using var hook = await HttpStandIn.StartAsync();
        var options = Options.Create(new LeadsOptions { Webhook = { Url = hook.Address, Secret = "a-secret-of-the-operator" } });
        using var refusing = With(null).Client(TimeSpan.FromSeconds(5));
        var e = await Assert.ThrowsAsync<MailException>(() => new WebhookTransport(refusing, options).SendAsync(Confirmation(), Ct));
        Assert.Contains("Leads:Webhook:Url: 127.0.0.1 leads to a private or reserved address", e.Message, StringComparison.Ordinal);
        Assert.Contains("Outgoing:AllowedNetworks", e.Message, StringComparison.Ordinal);
        Assert.Empty(hook.Heard);
        using var allowing = With("127.0.0.1").Client(TimeSpan.FromSeconds(5));
        await new WebhookTransport(allowing, options).SendAsync(Confirmation(), Ct);
        Assert.Single(hook.Heard);
    }

    [Fact]
    public async Task What_is_no_network_is_named_at_the_start()
    {
        var e = await Assert.ThrowsAsync<OptionsValidationException>(() => ApiServer.StartNewAsync("--Outgoing:AllowedNetworks=here"));
        Assert.Contains("Outgoing:AllowedNetworks must be addresses or networks", e.Message, StringComparison.Ordinal);
    }

    private static Confirmation Confirmation() =>
        new(Guid.NewGuid(), "ann@example.org", "shop", "Shop", "letter", "https://stats.example/c", "https://stats.example/u", TimeProvider.System.GetUtcNow());
}
