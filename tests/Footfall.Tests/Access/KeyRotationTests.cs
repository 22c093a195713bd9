using System.Net;
using System.Text.RegularExpressions;
using Footfall.Access;
using Footfall.Capture;
using Footfall.Hosting;
using Footfall.Leads;
using Footfall.Postgres;
using Footfall.Tests.Failure;
using Footfall.Tests.Infrastructure;
using Microsoft.Extensions.Options;
using Xunit;

namespace Footfall.Tests.Access;

/// <summary>Secrets come from files, and are changed without losing what was done with the ones of before.</summary>
public sealed class KeyRotationTests
{
    private const string Secret = "a secret of more than thirty-two characters";
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private readonly string home = TestFolder.New("keys");

    [Fact]
    public async Task A_secret_may_lie_in_a_file()
    {
        var file = Path.Combine(home, "admin");
        File.WriteAllText(file, "the admin key from a file\r\n");
        foreach (var name in new[] { "ADMIN_API_KEY_FILE", "Access:AdminKey_FILE" })
        {
            await using var server = await ApiServer.StartNewAsync($"--{name}={file}");
            Assert.Equal(HttpStatusCode.OK, await AskAsync(server, "the admin key from a file"));
            Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(server, "the admin key from a filE"));
        }
    }

    [Fact]
    public void A_file_that_cannot_be_is_told_and_two_ways_at_once_are_one_too_many()
    {
        var file = Path.Combine(home, "secret");
        File.WriteAllText(file, "\n");
        (string[] Configuration, string Says)[] bad =
        [
            (["--DATABASE_URL_FILE=/no/such/file"], "DATABASE_URL_FILE is /no/such/file, which cannot be read"),
            ([$"--IP_HASH_PEPPER_FILE={file}"], "which is empty"),
            ([$"--BACKUP_KEY_FILE={file}", "--BACKUP_KEY=sixteen characters"], "BACKUP_KEY and BACKUP_KEY_FILE are both set"),
            ([$"--Leads:Smtp:Password_FILE={file}", "--Leads:Smtp:Password=x"], "Leads:Smtp:Password and Leads:Smtp:Password_FILE are both set"),
            (["--ADMIN_API_KEY_FILE=/dev/zero/x"], "cannot be read"),
        ];
        foreach (var (configuration, says) in bad)
            Assert.Contains(says, Assert.Throws<SetupException>(() => FootfallHost.BuildForCommands(configuration, verbose: false)).Message, StringComparison.Ordinal);
    }

    /// <summary>A secret that somebody adds, and that could not come from a file, would be noticed by nobody.</summary>
    [Fact]
    public void Every_setting_that_is_secret_can_come_from_a_file()
    {
        var documented = Regex.Matches(File.ReadAllText(Path.Combine(Repository(), "docs", "configuration.md")), @"(?m)^\| `([A-Za-z]+(?::[A-Za-z]+)+)`(?:, `(:[A-Za-z]+)`)?")
            .SelectMany(m => m.Groups[2].Success ? new[] { m.Groups[1].Value, m.Groups[1].Value[..m.Groups[1].Value.LastIndexOf(':')] + m.Groups[2].Value } : [m.Groups[1].Value])
            .Where(k => Regex.IsMatch(k, "(Secret|Password|Pepper|ConnectionString|(?<!Require)(?<!Form)Token|(?<!Max)Key)$") && k != "Leads:RequireFormToken").ToList();
        Assert.True(documented.Count >= 8, string.Join(' ', documented));
        Assert.Empty(documented.Except(PlainNames.Secrets));
    }

    [Fact]
    public void The_admin_key_of_before_works_until_its_grace_is_over()
    {
        var (folder, time) = (new DataFolder(home), new ShiftedTime());
        AdminKey Key() => new(Options.Create(new AccessOptions()), Options.Create(new PostgresOptions()), folder, time);
        var (first, mark) = (Key().Generated!, Key().Mark!);
        var second = Convert.ToHexStringLower(folder.RotateSecret(AdminKey.SecretName, time.GetUtcNow(), TimeSpan.FromHours(24), AdminKey.SecretBytes));
        var key = Key();
        Assert.Equal(second, key.Generated);
        Assert.True(key.Matches(first) && key.Matches(second) && !key.Matches(first[..^1]) && key.HasMark(mark) && key.HasMark(key.Mark!));
        time.Shift(TimeSpan.FromHours(25));
        Assert.True(!key.Matches(first) && key.Matches(second) && !key.HasMark(mark) && !Key().Matches(first));

        // At once, where it may be in wrong hands; and what is over is not kept.
        var third = Convert.ToHexStringLower(folder.RotateSecret(AdminKey.SecretName, time.GetUtcNow(), TimeSpan.Zero, AdminKey.SecretBytes));
        Assert.True(!Key().Matches(second) && Key().Matches(third));
        Assert.Empty(Directory.GetFiles(folder.Keys, "admin-key.before-*"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(folder.Keys, "admin-key")));
    }

    [Fact]
    public async Task Configured_keys_of_before_work_beside_the_new_ones()
    {
        await using var server = await ApiServer.StartNewAsync("--Access:AdminKey=the-new-admin-key", "--ADMIN_API_KEY_PREVIOUS=the-old-admin-key", "--Access:DashboardToken=the-new-dashboard", "--DASHBOARD_TOKEN_PREVIOUS=the-old-dashboard");
        foreach (var good in new[] { "the-new-admin-key", "the-old-admin-key" }) Assert.Equal(HttpStatusCode.OK, await AskAsync(server, good));
        foreach (var good in new[] { "the-new-dashboard", "the-old-dashboard" }) Assert.Equal(HttpStatusCode.OK, await AskAsync(server, good, "x-dashboard-token", "/v1/metrics/daily?window_days=1"));
        Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(server, "the-oldest-admin-key"));
    }

    [Fact]
    public void Links_in_mails_hold_and_new_ones_are_signed_anew()
    {
        var (folder, now, lead) = (new DataFolder(home), TimeProvider.System.GetUtcNow(), Guid.NewGuid());
        SignedLinks Links(LeadsOptions? options = null) => new(Options.Create(options ?? new LeadsOptions()), folder, TimeProvider.System);
        var old = Links().Unsubscribe(lead);
        folder.RotateSecret(SignedLinks.SecretName, now, null);
        var once = Links().Unsubscribe(lead);
        folder.RotateSecret(SignedLinks.SecretName, now.AddSeconds(1), null);
        Assert.NotEqual(old, Links().Unsubscribe(lead));
        Assert.All(new[] { old, once, Links().Unsubscribe(lead) }, token => Assert.Equal(lead, Links().ReadUnsubscribe(token)));
        Assert.Null(Links().ReadUnsubscribe(old[..^2] + "AA"));
        foreach (var file in Directory.GetFiles(folder.Keys, "lead-links.before-*")) File.Delete(file);
        Assert.Null(Links().ReadUnsubscribe(old));

        var configured = Links(new LeadsOptions { LinkKey = Secret }).Unsubscribe(lead);
        Assert.Null(Links(new LeadsOptions { LinkKey = Secret + "2" }).ReadUnsubscribe(configured));
        Assert.Equal(lead, Links(new LeadsOptions { LinkKey = Secret + "2", PreviousLinkKeys = [Secret] }).ReadUnsubscribe(configured));
    }

    [Fact]
    public async Task With_a_new_pepper_an_erased_address_is_known_again_and_visitors_are_the_same()
    {
        await using var database = await TestDatabase.CreateAsync();
        var csv = Path.Combine(home, "leads.csv");
        File.WriteAllText(csv, "email\ngone@example.org\n");
        await RunAsync("leads", "import", csv, "--consent-method", "fair", "--purpose", "letter");
        var receipt = (await RunAsync("erase", "--email", "gone@example.org")).Split('\n')[0];
        var pepper = File.ReadAllText(Path.Combine(home, "keys", "ip-hash-pepper"));
        await RunAsync("keys", "rotate", "pepper");
        Assert.NotEqual(pepper, File.ReadAllText(Path.Combine(home, "keys", "ip-hash-pepper")));
        Assert.Equal(receipt, (await RunAsync("erase", "--email", "gone@example.org")).Split('\n')[0]);
        Assert.Matches("pepper .* 1", await RunAsync("keys", "list"));
        await RunAsync("keys", "rotate", "links");
        Assert.Equal(
            ["""key_rotated|command line||{"key": "pepper"}""", """key_rotated|command line||{"key": "links"}"""],
            await database.RowsAsync("select action, actor, lead_id, detail::text from audit_log where action = 'key_rotated' order by id"));

        var hashes = PersonalHashes.Create(Options.Create(new CaptureOptions { IpHashPepper = Secret, PreviousIpHashPeppers = ["another pepper of before"] }), new DataFolder(home), TimeProvider.System);
        Assert.Equal(3, hashes.EveryHashOfEmail("gone@example.org").DistinctBy(Convert.ToHexString).Count());   // its own, the folder's former one, the configured one

        async Task<string> RunAsync(params string[] arguments)
        {
            var (exit, output, error) = await Backups.BackupFixture.RunAsync(home, database.ConnectionString, arguments);
            Assert.True(exit == 0, $"{output}\n{error}");
            return output;
        }
    }

    [Fact]
    public async Task A_token_is_rotated_and_what_is_configured_is_changed_where_it_is_configured()
    {
        await using var server = await ApiServer.StartNewAsync();
        async Task<(int Exit, string Output, string Error)> RunAsync(params string[] arguments) => await Backups.BackupFixture.RunAsync(home, server.Database.ConnectionString, arguments);
        var old = (await RunAsync("token", "create", "--role", "admin", "--name", "robot")).Output.Trim();
        var id = await server.Database.ScalarAsync<Guid>("select id from access_tokens");
        var fresh = (await RunAsync("token", "rotate", id.ToString())).Output.Trim();
        Assert.NotEqual(old, fresh);
        foreach (var token in new[] { old, fresh }) Assert.Equal(HttpStatusCode.OK, await AskAsync(server, token));
        Assert.Contains("ends ", (await RunAsync("token", "list")).Output, StringComparison.Ordinal);
        Assert.Equal(0, (await RunAsync("token", "revoke", id.ToString())).Exit);   // sooner than planned
        await Eventually.IsTrueAsync("the old token is refused", async () => await AskAsync(server, old) == HttpStatusCode.Unauthorized, Ct);
        Assert.Equal(HttpStatusCode.OK, await AskAsync(server, fresh));
        Assert.Equal(["robot|admin", "robot|admin"], await server.Database.RowsAsync("select name, role from access_tokens"));
        Assert.Equal(
            ["token_made|command line", "token_revoked|command line", "token_made|command line", "token_revoked|command line"],
            await server.Database.RowsAsync("select action, actor from audit_log order by id"));
        Assert.Equal(id, await server.Database.ScalarAsync<Guid>("select (detail ->> 'token')::uuid from audit_log where action = 'token_made' order by id limit 1"));
        // What is done with a token is told by its name too.
        await server.Database.ExecuteAsync($"insert into audit_log (at, actor, action) values (now(), 'token {id}', 'leads_listed')");
        Assert.Contains($"leads_listed        token {id} (robot)", (await RunAsync("audit")).Output, StringComparison.Ordinal);

        var (exit, _, error) = await RunAsync("keys", "rotate", "admin", "--ADMIN_API_KEY", "configured-admin-key");
        Assert.Equal(1, exit);
        Assert.Contains("ADMIN_API_KEY_PREVIOUS", error, StringComparison.Ordinal);
        Assert.Equal(2, (await RunAsync("keys", "rotate", "everything")).Exit);
        (exit, _, error) = await RunAsync("keys", "rotate", "admin");
        Assert.Equal(1, exit);
        Assert.Contains("the server makes no admin key", error, StringComparison.Ordinal);
        using var key = new StringWriter();
        Assert.Equal(0, await Footfall.Cli.FootfallCommand.RunAsync(["--DataDir", home, "keys", "rotate", "admin", "--grace-hours", "0"], key, TextWriter.Null, Ct));
        Assert.Equal(48, key.ToString().Trim().Length);
    }

    [Fact]
    public async Task A_key_is_rotated_also_when_the_audit_log_cannot_have_it_and_that_is_said()
    {
        var pepper = Path.Combine(home, "keys", "ip-hash-pepper");
        var (exit, _, error) = await Backups.BackupFixture.RunAsync(home, "Host=127.0.0.1;Port=1;Timeout=2;Username=nobody;Database=none", "keys", "rotate", "pepper");
        Assert.True(exit == 0, error);
        Assert.Equal(64, File.ReadAllText(pepper).Trim().Length);
        Assert.Contains("the audit log does not have it", error, StringComparison.Ordinal);
        Assert.DoesNotContain(File.ReadAllText(pepper).Trim(), error, StringComparison.OrdinalIgnoreCase);
    }

    private static async Task<HttpStatusCode> AskAsync(ApiServer server, string key, string header = "x-admin-key", string path = "/v1/audit")
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Add(header, key);
        using var answer = await server.Client.SendAsync(request, Ct);
        return answer.StatusCode;
    }

    private static string Repository()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Footfall.slnx"))) folder = folder.Parent!;
        return folder.FullName;
    }
}
