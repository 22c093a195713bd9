using System.Diagnostics;
using System.Net;
using Footfall.Access;
using Footfall.Capture;
using Footfall.Definitions;
using Footfall.Tests.Dashboard;
using Footfall.Tests.Infrastructure;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Footfall.Tests.Failure;

/// <summary>Two servers on one database: what one of them changes or makes is good on the other, at once.</summary>
[Trait("Category", TestCluster.Category)]
public sealed class SharedServersTests : IAsyncLifetime
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    /// <summary>Well under the shortest time after which a server forgets by itself.</summary>
    private static readonly TimeSpan AtOnce = KnownTokens.KeptFor / 2;

    private TestDatabase database = null!;
    private TestServer first = null!;
    private TestServer second = null!;

    public async ValueTask InitializeAsync()
    {
        database = await TestDatabase.CreateAsync();
        string[] arguments = ["--Postgres:ConnectionString", database.ConnectionString, "--Access:AdminKey", ApiServer.AdminKey, "--Rollups:Enabled", "false"];
        var servers = await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => TestServer.StartAsync(TestFolder.New("shared"), null, arguments)));
        (first, second) = (servers[0], servers[1]);
        foreach (var server in servers)
            await Eventually.HoldsAsync(async () => (await server.Client.GetAsync("/v1/readyz", Ct)).StatusCode == HttpStatusCode.OK ? null : "not ready", Ct);
    }

    public async ValueTask DisposeAsync()
    {
        await first.DisposeAsync();
        await second.DisposeAsync();
        await database.DisposeAsync();
    }

    [Fact]
    public async Task A_form_of_either_may_be_sent_to_the_other_and_a_sign_in_holds_on_both()
    {
        // Both are asked for their first form at the same moment, when neither has a key yet.
        using var browsers = new Browsers(first.Client.BaseAddress!, second.Client.BaseAddress!);
        var pages = await Task.WhenAll(browsers.Get(0, "/sign-in"), browsers.Get(1, "/sign-in"));
        foreach (var (page, from) in pages.Select((p, i) => (p, i)))
        {
            using var answer = await browsers.Post(from, 1 - from, "/sign-in", DashboardServer.TokenOf(page));
            Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
            foreach (var server in new[] { 0, 1 })
            {
                using var inside = await browsers.Ask(from, server, "/welcome");
                Assert.Equal(HttpStatusCode.OK, inside.StatusCode);
            }
        }
        Assert.Equal("1", await database.ScalarAsync<string>("select count(*)::text from form_keys"));
    }

    [Fact]
    public async Task A_token_revoked_on_one_is_refused_by_the_other_at_once()
    {
        var store = first.Services.GetRequiredService<TokenStore>();
        var (token, text) = await store.CreateAsync("ada", AccessRole.Dashboard, AccessPlan.Free, null, Ct);
        Assert.Equal(HttpStatusCode.OK, await AskAsync());
        var watch = Stopwatch.StartNew();
        Assert.NotNull(await store.RevokeAsync(token.Id.ToString(), Ct));
        while (await AskAsync() != HttpStatusCode.Unauthorized)
        {
            Assert.True(watch.Elapsed < AtOnce, "The other server still takes it.");
            await Task.Delay(20, Ct);
        }

        async Task<HttpStatusCode> AskAsync()
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/metrics/daily?window_days=7");
            request.Headers.Add("x-dashboard-token", text);
            using var answer = await second.Client.SendAsync(request, Ct);
            return answer.StatusCode;
        }
    }

    [Fact]
    public async Task A_property_or_an_experiment_that_is_changed_on_one_is_known_to_the_other_at_once()
    {
        await first.Services.GetRequiredService<PropertyStore>().MakeAsync("shop", "Shop", ["shop.example"], TimeProvider.System.GetUtcNow(), Ct);
        await SoonAsync(() => ValueTask.FromResult(second.Services.GetRequiredService<PropertyRegistry>().Find("shop") is not null));

        var (store, running) = (first.Services.GetRequiredService<ExperimentStore>(), second.Services.GetRequiredService<RunningExperiments>());
        Assert.Null(await running.FindAsync("shop", "x1", Ct));   // remembered: there is none
        var experiment = new ExperimentDefinition("shop", "x1", "x1", [new("a", 1), new("b", 1)], "a", "signup", 24, null, null);
        Assert.True(await store.AddAsync(experiment, Ct));
        await SoonAsync(async () => await running.FindAsync("shop", "x1", Ct) is not null);
        Assert.True(await store.ReplaceAsync(experiment with { Name = "renamed" }, Ct));
        await SoonAsync(async () => (await running.FindAsync("shop", "x1", Ct))!.Name == "renamed");
    }

    [Fact]
    public async Task A_server_whose_connection_breaks_listens_again_and_takes_everything_for_changed()
    {
        var registry = second.Services.GetRequiredService<PropertyRegistry>();
        await SoonAsync(async () => await ListenersAsync() == 2);
        // Made while nobody hears it: the row alone, without a notice.
        await database.ExecuteAsync("insert into properties (id, name) values ('quiet', 'Quiet')");
        await database.ExecuteAsync("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query like 'listen %'");
        var watch = Stopwatch.StartNew();
        while (registry.Find("quiet") is null || await ListenersAsync() < 2)
        {
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(15), "It does not listen again.");
            await Task.Delay(50, Ct);
        }
        await first.Services.GetRequiredService<PropertyStore>().MakeAsync("loud", "Loud", [], TimeProvider.System.GetUtcNow(), Ct);
        await SoonAsync(() => ValueTask.FromResult(registry.Find("loud") is not null));

        Task<long> ListenersAsync() => database.ScalarAsync<long>("select count(*) from pg_stat_activity where datname = current_database() and query like 'listen %'")!;
    }

    private static async Task SoonAsync(Func<ValueTask<bool>> holds)
    {
        var watch = Stopwatch.StartNew();
        while (!await holds())
        {
            Assert.True(watch.Elapsed < AtOnce, "The other server does not know of it.");
            await Task.Delay(20, Ct);
        }
    }

    /// <summary>Two browsers, each of which may be sent to either server, as behind a proxy.</summary>
    private sealed class Browsers(params Uri[] servers) : IDisposable
    {
        private readonly HttpClient[] clients = [.. servers.Select(_ => new HttpClient(new HttpClientHandler { AllowAutoRedirect = false, CookieContainer = new CookieContainer() }))];

        public Task<string> Get(int browser, string path) => clients[browser].GetStringAsync(new Uri(servers[browser], path), Ct);

        public async Task<HttpResponseMessage> Ask(int browser, int server, string path)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(servers[server], path));
            request.Headers.Accept.ParseAdd("text/html");
            return await clients[browser].SendAsync(request, Ct);
        }

        public Task<HttpResponseMessage> Post(int browser, int server, string path, string token) =>
            clients[browser].PostAsync(new Uri(servers[server], path), new FormUrlEncodedContent([new("form_token", token), new("key", ApiServer.AdminKey), new("return", "/")]), Ct);

        public void Dispose()
        {
            foreach (var client in clients) client.Dispose();
        }
    }
}
