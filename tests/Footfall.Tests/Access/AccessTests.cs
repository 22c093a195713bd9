using System.Net;
using Footfall.Access;
using Footfall.Tests.Cli;
using Footfall.Tests.Infrastructure;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Footfall.Tests.Access;

public sealed class AccessTests(ApiServer server) : IClassFixture<ApiServer>
{
    private const string Figures = "/v1/metrics/daily?window_days=2";
    private const string Summary = "/v1/metrics/summary?window_days=2";

    [Theory]
    [InlineData(Figures, "x-dashboard-token", ApiServer.DashboardToken, 200)]
    [InlineData(Figures, "x-admin-key", ApiServer.AdminKey, 200)]
    [InlineData(Figures, "x-dashboard-token", ApiServer.AdminKey, 200)]
    [InlineData(Figures, "Authorization", "Bearer " + ApiServer.DashboardToken, 200)]
    [InlineData(Figures, "Authorization", "bearer " + ApiServer.AdminKey, 200)]
    [InlineData(Figures, "Authorization", "Basic " + ApiServer.AdminKey, 401)]
    [InlineData(Figures, "x-dashboard-token", "wrong", 401)]
    [InlineData(Figures, "x-dashboard-token", "fft_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 401)]
    [InlineData(Figures, "x-other", "", 401)]
    [InlineData(Summary, "x-admin-key", ApiServer.AdminKey, 200)]
    [InlineData(Summary, "Authorization", "Bearer " + ApiServer.AdminKey, 200)]
    [InlineData(Summary, "x-admin-key", ApiServer.DashboardToken, 403)]
    [InlineData(Summary, "x-admin-key", "wrong", 401)]
    [InlineData(Summary, "x-other", "", 401)]
    public async Task A_key_opens_what_it_is_for(string url, string header, string value, int status)
    {
        using var response = await server.GetAsync(url, (header, value));
        Assert.Equal(status, (int)response.StatusCode);
        if (status != 200) Assert.Contains("\"ok\":false", await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_token_works_until_it_is_revoked()
    {
        var token = await server.NewTokenAsync(AccessRole.Dashboard);
        using (var before = await server.GetAsync(Figures, ("x-dashboard-token", token))) Assert.Equal(HttpStatusCode.OK, before.StatusCode);
        var hash = TokenText.Hash(token);
        Assert.Equal(1, await server.Database.ExecuteAsync("update access_tokens set revoked_at = now() where hash = @hash", ("hash", hash)));
        await Task.Delay(KnownTokens.KeptFor + TimeSpan.FromMilliseconds(200));
        using var after = await server.GetAsync(Figures, ("x-dashboard-token", token));
        Assert.Equal(HttpStatusCode.Unauthorized, after.StatusCode);
    }

    [Fact]
    public async Task Only_a_tokens_hash_is_stored_and_its_use_is_written_down_later()
    {
        var token = await server.NewTokenAsync(AccessRole.Dashboard);
        using (await server.GetAsync(Figures, ("x-dashboard-token", token)))
        {
        }
        Assert.DoesNotContain(token[4..], string.Join('\n', await server.Database.RowsAsync("select to_jsonb(t)::text from access_tokens t")));
        Assert.Null(await server.Database.ScalarAsync<DateTime?>("select last_used_at from access_tokens where hash = @hash", ("hash", TokenText.Hash(token))));
        await server.Services.GetRequiredService<TokenUse>().FlushAsync(default);
        Assert.NotNull(await server.Database.ScalarAsync<DateTime?>("select last_used_at from access_tokens where hash = @hash", ("hash", TokenText.Hash(token))));
    }

    [Fact]
    public async Task A_token_for_one_property_answers_about_that_one_only()
    {
        await server.StoreAsync(Told.Event("scope", "2026-01-05T10:00:00", property: "mine"), Told.Event("scope", "2026-01-05T10:00:00", property: "theirs"));
        var token = await server.NewTokenAsync(AccessRole.Dashboard, AccessPlan.Free, "mine");
        var (status, body) = await server.ErrorAsync("/v1/metrics/daily?property=theirs", ("x-dashboard-token", token));
        Assert.Equal((403, "property_not_allowed"), (status, body.GetProperty("error").GetString()));
        using var own = await server.GetAsync("/v1/metrics/breakdown?dimension=path&from=2026-01-05&to=2026-01-05", ("x-dashboard-token", token));
        Assert.Contains("\"totals\":{\"visitors\":{\"value\":1", await own.Content.ReadAsStringAsync());

        var admin = await server.NewTokenAsync(AccessRole.Admin, AccessPlan.Free, "mine");
        using var summary = await server.GetAsync("/v1/metrics/summary?from=2026-01-05&to=2026-01-05", ("x-admin-key", admin));
        Assert.Contains("\"totalPageViews\":{\"value\":1", await summary.Content.ReadAsStringAsync());
        Assert.Equal(403, (await server.ErrorAsync("/v1/metrics/summary?propertyId=theirs", ("x-admin-key", admin))).Status);
    }

    [Fact]
    public async Task Nobody_reads_figures_with_a_token_that_sends_data()
    {
        var token = await server.NewTokenAsync(AccessRole.Ingest);
        var (status, body) = await server.ErrorAsync(Figures, ("x-dashboard-token", token));
        Assert.Equal((403, "role_required"), (status, body.GetProperty("error").GetString()));
    }

    [Theory]
    [InlineData("dashboard", "free", "free", true)]
    [InlineData("dashboard", "free", "pro", false)]
    [InlineData("dashboard", "pro", "pro", true)]
    [InlineData("admin", "free", "pro", true)]
    public async Task A_plan_opens_what_belongs_to_it(string role, string has, string asked, bool opens)
    {
        var gate = server.Services.GetRequiredService<AccessGate>();
        var context = new Microsoft.AspNetCore.Http.DefaultHttpContext();
        context.Request.Headers["x-dashboard-token"] = await server.NewTokenAsync(AccessNames.Role(role), AccessNames.Plan(has));
        var (caller, refusal) = await gate.AuthenticateAsync(context, new AccessRequirement(AccessRole.Dashboard, AccessNames.Plan(asked)));
        Assert.Equal(opens, caller is not null);
        if (!opens) Assert.Equal((403, "plan_required"), (refusal!.Status, refusal.Error));
    }

    [Fact]
    public async Task Who_guesses_keys_has_to_wait_even_with_the_right_one()
    {
        await using var guarded = await ApiServer.StartNewAsync($"--Access:AdminKey={ApiServer.AdminKey}", "--Access:FailedAttemptsPerMinute=3");
        for (var i = 0; i < 3; i++) Assert.Equal(401, (await guarded.ErrorAsync(Figures, ("x-dashboard-token", $"guess-{i}"))).Status);
        using var right = await guarded.GetAsync(Figures, ("x-admin-key", ApiServer.AdminKey));
        Assert.Equal(HttpStatusCode.TooManyRequests, right.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(60), right.Headers.RetryAfter!.Delta);
    }

    [Fact]
    public async Task A_server_without_any_key_says_so_and_a_token_sets_it_up()
    {
        await using var open = await ApiServer.StartNewAsync();
        Assert.Equal((503, "admin_auth_not_configured"), await CodeAsync(open, Summary, "x-admin-key"));
        Assert.Equal((503, "dashboard_auth_not_configured"), await CodeAsync(open, Figures, "x-dashboard-token"));
        var token = await open.NewTokenAsync(AccessRole.Dashboard);
        using var answer = await open.GetAsync(Figures, ("x-dashboard-token", token));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal((401, "unauthorized"), await CodeAsync(open, Figures, "x-dashboard-token"));
        Assert.Equal((503, "admin_auth_not_configured"), await CodeAsync(open, Summary, "x-admin-key"));

        static async Task<(int, string?)> CodeAsync(ApiServer server, string url, string header)
        {
            var (status, body) = await server.ErrorAsync(url, (header, ""));
            return (status, body.GetProperty("error").GetString());
        }
    }
}

public sealed class TokenCommandTests(CommandLineFixture cli) : IClassFixture<CommandLineFixture>
{
    [Fact]
    public async Task A_token_is_made_shown_once_listed_and_revoked()
    {
        await cli.RunAsync("properties", "set", "shop");
        var (exit, output, error) = await cli.RunAsync("token", "create", "--role", "dashboard", "--plan", "pro", "--property", "shop", "--name", "Wall screen");
        Assert.True(exit == 0, error);
        var token = output.Trim();
        Assert.True(TokenText.IsOne(token));
        var id = Assert.Single(await cli.Database.RowsAsync("select left(id::text, 13) from access_tokens where name = 'Wall screen' and role = 'dashboard' and plan = 'pro' and property_id = 'shop'"));
        Assert.Contains(id, error);

        (exit, output, _) = await cli.RunAsync("token", "list");
        Assert.Equal(0, exit);
        Assert.Contains("Wall screen", output);
        Assert.DoesNotContain(token, output);

        (exit, output, _) = await cli.RunAsync("token", "revoke", id);
        Assert.Equal(0, exit);
        Assert.Equal(["1"], await cli.Database.RowsAsync("select count(*)::text from access_tokens where revoked_at is not null and name = 'Wall screen'"));
        (_, output, _) = await cli.RunAsync("token", "list");
        Assert.Contains("revoked", output);
    }

    [Theory]
    [InlineData(2, "token create")]
    [InlineData(2, "token create --role owner")]
    [InlineData(2, "token create --role admin --plan gold")]
    [InlineData(2, "token create --role admin --property a/b")]
    [InlineData(1, "token create --role admin --property nowhere")]
    [InlineData(2, "token revoke")]
    [InlineData(2, "token revoke xyz")]
    [InlineData(1, "token revoke 00000000")]
    public async Task What_cannot_be_done_is_said(int expected, string line)
    {
        var (exit, output, error) = await cli.RunAsync(line.Split(' '));
        Assert.Equal(expected, exit);
        Assert.Empty(output);
        Assert.NotEmpty(error);
    }
}
