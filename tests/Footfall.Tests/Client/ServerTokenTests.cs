using System.Net;
using System.Text;
using Footfall.Access;
using Footfall.Capture;
using Footfall.Client;
using Footfall.Tests.Infrastructure;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Footfall.Tests.Client;

/// <summary>A site's own server, by its token, against the real endpoint and read from the database.</summary>
public sealed class ServerTokenTests(ApiServer server) : IClassFixture<ApiServer>
{
    private const string Secret = "an account secret of a shop";

    /// <summary>Sends one event of an account with the client, to the end.</summary>
    private async Task SendAsync(string? token, FootfallEvent e, string? property = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.SetMinimumLevel(LogLevel.None);
        builder.Services.AddFootfallClient(o => (o.Server, o.Token, o.PropertyId, o.StopTimeout) = (server.Client.BaseAddress, token, property, TimeSpan.FromSeconds(10)));
        using var host = builder.Build();
        await host.StartAsync(TestContext.Current.CancellationToken);
        await host.Services.GetRequiredService<FootfallClient>().TrackAsync("order_placed", e, TestContext.Current.CancellationToken);
        await host.StopAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>What is stored of the events with this path, once a later event is there too.</summary>
    private async Task<List<string>> StoredAsync(string path)
    {
        var marker = Guid.NewGuid().ToString();
        using (await PostAsync($$"""{"eventType":"marker","eventId":"{{marker}}","path":"/{{marker}}"}""", null)) { }
        await Eventually.IsTrueAsync("the marker is stored", async () => await server.Database.ScalarAsync<long>("select count(*) from events where path = @path", ("path", "/" + marker)) == 1, TestContext.Current.CancellationToken);
        return await server.Database.RowsAsync("select property_id, account_id from events where path = @path", ("path", path));
    }

    private async Task<HttpResponseMessage> PostAsync(string body, string? token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/events") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        if (token is not null) request.Headers.Authorization = new("Bearer", token);
        return await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
    }

    private async Task ProvenPropertyAsync(string id)
    {
        await server.Database.ExecuteAsync($"insert into properties (id, name, account_secret) values ('{id}', '{id}', '{Secret}') on conflict do nothing");
        server.Services.GetRequiredService<PropertyRegistry>().Refresh(await server.Services.GetRequiredService<PropertyStore>().LoadAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task With_a_token_an_account_is_believed_and_the_property_is_the_tokens()
    {
        await ProvenPropertyAsync("orders");
        await SendAsync(await server.NewTokenAsync(AccessRole.Ingest, property: "orders"), new() { AccountId = "ann", Path = "/with-token" });
        Assert.Equal(["orders|ann"], await StoredAsync("/with-token"));
    }

    [Fact]
    public async Task Without_one_an_account_needs_its_signature()
    {
        await ProvenPropertyAsync("orders");
        await SendAsync(null, new() { AccountId = "ann", Path = "/unsigned" }, "orders");
        await SendAsync(null, new() { AccountId = "ann", AccountSignature = AccountSignature.Of("bob", Secret), Path = "/signed-for-another" }, "orders");
        await SendAsync(null, new() { AccountId = "ann", AccountSignature = AccountSignature.Of("ann", Secret), Path = "/signed" }, "orders");
        Assert.Equal(["orders|"], await StoredAsync("/unsigned"));
        Assert.Equal(["orders|"], await StoredAsync("/signed-for-another"));
        Assert.Equal(["orders|ann"], await StoredAsync("/signed"));
    }

    [Fact]
    public async Task A_token_for_one_property_sends_to_no_other()
    {
        var token = await server.NewTokenAsync(AccessRole.Ingest, property: "mine");
        await SendAsync(token, new() { Path = "/elsewhere" }, "yours");
        Assert.Empty(await StoredAsync("/elsewhere"));
        using var answer = await PostAsync("""[{"eventType":"a","path":"/elsewhere"},{"eventType":"b","path":"/elsewhere","traffic":{"propertyId":"yours"}}]""", token);
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Contains("\"property_not_allowed\"", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Empty(await StoredAsync("/elsewhere"));
    }

    [Fact]
    public async Task A_wrong_token_or_one_for_something_else_is_refused()
    {
        using var wrong = await PostAsync("""{"eventType":"a","path":"/wrong-token"}""", "fft_" + new string('a', 43));
        Assert.Equal(HttpStatusCode.Unauthorized, wrong.StatusCode);
        using var other = await PostAsync("""{"eventType":"a","path":"/wrong-token"}""", await server.NewTokenAsync(AccessRole.Dashboard));
        Assert.Equal(HttpStatusCode.Forbidden, other.StatusCode);
        Assert.Contains("\"role_required\"", await other.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        await SendAsync("no token at all", new() { Path = "/wrong-token" });
        Assert.Empty(await StoredAsync("/wrong-token"));
    }
}
