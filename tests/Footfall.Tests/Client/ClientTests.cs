using Footfall.Client;
using Footfall.Tests.Tracker;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Xunit;

namespace Footfall.Tests.Client;

/// <summary>The .NET client against a real server, read from the database.</summary>
public sealed class ClientTests(TrackedSite tracked) : IClassFixture<TrackedSite>
{
    private static IHost HostOf(Action<FootfallClientOptions> configure)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.SetMinimumLevel(LogLevel.None);
        builder.Services.AddFootfallClient(o =>
        {
            o.PropertyId = "client";
            o.BatchDelay = TimeSpan.FromMilliseconds(50);
            configure(o);
        });
        return builder.Build();
    }

    private Uri Server => new(tracked.Server.Replace("stats.test", "127.0.0.1", StringComparison.Ordinal));

    [Fact]
    public async Task Events_and_accounts_arrive_once()
    {
        using var host = HostOf(o => o.Server = Server);
        await host.StartAsync(TestContext.Current.CancellationToken);
        var client = host.Services.GetRequiredService<FootfallClient>();
        await client.IdentifyAsync("c-1", "cleo", "Cleo C", cancellationToken: TestContext.Current.CancellationToken);
        for (var i = 0; i < 2; i++)
            await client.TrackAsync("order_placed", new() { AccountId = "c-1", EventId = "order-7", Path = "/orders", IsConversion = true, EntityType = "order", EntityId = "7", Props = new { Total = 3.5 } }, TestContext.Current.CancellationToken);
        await tracked.ShowsAsync(
            "select event_type, account_id, is_conversion, coalesce(entity_id, ''), coalesce(props->>'total', '') from events where property_id = 'client' and account_id = 'c-1' order by event_type",
            "identify|c-1|False||", "order_placed|c-1|True|7|3.5");
        await tracked.ShowsAsync("select display_name from accounts where id = 'c-1'", "Cleo C");
        await host.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task What_waits_when_the_host_stops_is_sent()
    {
        using var host = HostOf(o => (o.Server, o.BatchDelay) = (Server, TimeSpan.FromMinutes(5)));
        await host.StartAsync(TestContext.Current.CancellationToken);
        for (var i = 0; i < 250; i++) await host.Services.GetRequiredService<FootfallClient>().TrackAsync("last", new() { AccountId = "stopper", Props = new { i } }, TestContext.Current.CancellationToken);
        await host.StopAsync(TestContext.Current.CancellationToken);
        await tracked.ShowsAsync("select count(*), count(distinct props->>'i') from events where event_type = 'last'", "250|250");
    }

    [Theory]
    [InlineData(503, 3)]
    [InlineData(429, 3)]
    [InlineData(400, 1)]
    public async Task A_busy_server_is_asked_again_and_a_refusal_is_final(int status, int attempts)
    {
        var seen = 0;
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(o => o.Listen(System.Net.IPAddress.Loopback, 0));
        await using var server = builder.Build();
        server.Run(context =>
        {
            var n = Interlocked.Increment(ref seen);
            context.Response.StatusCode = n < 3 ? status : 202;
            context.Response.Headers.RetryAfter = "0";
            return Task.CompletedTask;
        });
        await server.StartAsync(TestContext.Current.CancellationToken);
        using var host = HostOf(o => o.Server = new Uri(server.Urls.First()));
        await host.StartAsync(TestContext.Current.CancellationToken);
        await host.Services.GetRequiredService<FootfallClient>().TrackAsync("try", cancellationToken: TestContext.Current.CancellationToken);
        for (var i = 0; i < 100 && Volatile.Read(ref seen) < attempts; i++) await Task.Delay(50, TestContext.Current.CancellationToken);
        await Task.Delay(300, TestContext.Current.CancellationToken);
        Assert.Equal(attempts, Volatile.Read(ref seen));
        await host.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_wrong_setting_stops_the_start_and_names_itself()
    {
        using var host = HostOf(o => o.BatchSize = 0);
        var failure = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(TestContext.Current.CancellationToken));
        Assert.Contains("Server must be", failure.Message, StringComparison.Ordinal);
        Assert.Contains("BatchSize must be", failure.Message, StringComparison.Ordinal);
    }
}
