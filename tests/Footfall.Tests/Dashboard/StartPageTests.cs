using System.Net;
using System.Text.RegularExpressions;
using Footfall.Cli;
using Footfall.Postgres;
using Footfall.Tests.Infrastructure;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Footfall.Tests.Dashboard;

/// <summary>The server as one meets it in a browser, on a port and a database of its own.</summary>
public sealed class ServerFixture : IAsyncLifetime
{
    private TestDatabase? database;

    internal WebApplication App { get; private set; } = null!;

    public HttpClient Client { get; } = new(new HttpClientHandler { AllowAutoRedirect = false });

    public async ValueTask InitializeAsync()
    {
        database = await TestDatabase.CreateAsync();
        App = FootfallHost.Build(["--DataDir", TestFolder.New("start"), "--Postgres:ConnectionString", database.ConnectionString, "--urls", "http://127.0.0.1:0", "--Access:AdminKey", "start-page-admin-key"]);
        await App.StartAsync();
        await App.Services.GetRequiredService<DatabaseGate>().WaitAsync(TestContext.Current.CancellationToken);
        Client.BaseAddress = new Uri(App.Urls.Single());
        Client.DefaultRequestHeaders.Accept.ParseAdd("text/html");
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await App.StopAsync();
        await App.DisposeAsync();
        await database!.DisposeAsync();
    }
}

public sealed partial class StartPageTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    [Fact]
    public async Task The_start_page_says_what_to_do_first_and_keeps_the_key_to_itself()
    {
        var page = await server.Client.GetStringAsync("/start");
        Assert.Contains("Footfall runs", page);
        Assert.Contains($"curl {server.Client.BaseAddress!.GetLeftPart(UriPartial.Authority)}/v1/events", page);
        Assert.Contains("/v1/metrics/summary?window_days=7", page);
        Assert.DoesNotContain("start-page-admin-key", page);
    }

    [Fact]
    public async Task A_page_has_nothing_inline_and_nothing_from_elsewhere_and_all_that_it_names_is_there()
    {
        using var answer = await server.Client.GetAsync("/start");
        var policy = Assert.Single(answer.Headers.GetValues("Content-Security-Policy"));
        Assert.DoesNotContain("unsafe", policy);
        Assert.Contains("frame-ancestors 'none'", policy);
        Assert.Equal("nosniff", Assert.Single(answer.Headers.GetValues("X-Content-Type-Options")));
        Assert.Equal("no-referrer", Assert.Single(answer.Headers.GetValues("Referrer-Policy")));
        Assert.False(answer.Headers.Contains("Server"));

        var page = await answer.Content.ReadAsStringAsync();
        Assert.DoesNotMatch(@"(?i)<style|\sstyle=|\son\w+=|<script(?! src=)", page);
        var links = Link().Matches(page).Select(m => m.Groups[1].Value).ToArray();
        Assert.All(links, l => Assert.StartsWith("/", l));
        foreach (var link in links)
        {
            using var file = await server.Client.GetAsync(link);
            Assert.True((int)file.StatusCode < 400, $"{link}: {file.StatusCode}");
        }
    }

    [Theory]
    [InlineData("GET", "/nowhere", "text/html", HttpStatusCode.NotFound, "Nothing is here")]
    [InlineData("GET", "/assets/..%2fappsettings.json", "text/html", HttpStatusCode.NotFound, "Nothing is here")]
    [InlineData("GET", "/docs/nothing.md", "text/html", HttpStatusCode.NotFound, "Nothing is here")]
    [InlineData("GET", "/nowhere", "*/*", HttpStatusCode.NotFound, "\"error\":\"not_found\"")]
    [InlineData("GET", "/v1/nowhere", "text/html", HttpStatusCode.NotFound, "\"error\":\"not_found\"")]
    [InlineData("POST", "/", "text/html", HttpStatusCode.MethodNotAllowed, "\"error\":\"method_not_allowed\"")]
    [InlineData("PUT", "/v1/metrics/summary", "*/*", HttpStatusCode.MethodNotAllowed, "\"error\":\"method_not_allowed\"")]
    public async Task A_refusal_has_a_body_that_helps_a_page_for_browsers_and_JSON_for_programs(string method, string path, string accept, HttpStatusCode status, string body)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        request.Headers.Accept.Clear();
        request.Headers.Accept.ParseAdd(accept);
        using var client = new HttpClient { BaseAddress = server.Client.BaseAddress };
        using var answer = await client.SendAsync(request);
        Assert.Equal(status, answer.StatusCode);
        Assert.Contains(body, await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task The_banner_tells_the_address_and_no_configured_key()
    {
        using var output = new StringWriter();
        await StartBanner.WriteAsync(server.App, output);
        Assert.Contains($"runs at {server.App.Urls.Single()}", output.ToString());
        Assert.Contains("as configured", output.ToString());
        Assert.DoesNotContain("start-page-admin-key", output.ToString());
    }

    [Fact]
    public async Task A_port_that_is_taken_is_told_in_one_sentence()
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var exit = await FootfallCommand.RunAsync(
            ["--urls", server.App.Urls.Single(), "--DataDir", TestFolder.New("taken"), "--Postgres:ConnectionString", "Host=127.0.0.1;Port=1;Username=x;Database=x"], output, error, CancellationToken.None);
        Assert.Equal(1, exit);
        Assert.Contains("is in use by another program", error.ToString());
        Assert.Single(error.ToString().TrimEnd().Split('\n'));
    }

    [GeneratedRegex("(?:href|src)=\"([^\"]+)\"")]
    private static partial Regex Link();
}
