using System.Diagnostics;
using Footfall.Hosting;
using Footfall.Postgres;
using Footfall.Tests.Infrastructure;
using Npgsql;
using Xunit;

namespace Footfall.Tests.Postgres;

/// <summary>Who can reach the embedded PostgreSQL: the server's own user, over the socket; nobody else, and nothing over a network.</summary>
public sealed class EmbeddedAccessTests : IAsyncLifetime
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    // Speaks the first message of PostgreSQL's protocol as the role in the second argument, and prints what comes back.
    private const string Knock = """
        const [socket, role] = process.argv.slice(1);
        const words = Buffer.from(`\0\x03\0\0user\0${role}\0database\0footfall\0\0`, 'latin1');
        const head = Buffer.alloc(4); head.writeInt32BE(words.length + 4);
        require('net').connect(socket)
            .on('connect', function () { this.write(Buffer.concat([head, words])); })
            .on('data', d => { console.log(d.toString('latin1').replace(/[^ -~]/g, ' ')); process.exit(0); })
            .on('error', e => { console.log(e.code); process.exit(0); });
        """;

    private readonly string folder = TestFolder.New();
    private EmbeddedPostgres? postgres;

    private string SocketFile => Path.Combine(new ClusterFolders(new DataFolder(folder)).Socket, ".s.PGSQL.5432");

    public async ValueTask InitializeAsync()
    {
        postgres = TestPostgres.Embedded(folder, fast: true);
        await postgres.StartAsync(Ct);
    }

    public async ValueTask DisposeAsync() => await postgres!.DisposeAsync();

    [Fact]
    public async Task The_servers_own_user_is_let_in()
    {
        // "R" is an authentication message, here: accepted.
        Assert.StartsWith("R", await KnockAsync(null, "footfall"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_role_that_the_map_does_not_name_is_refused()
    {
        await EmbeddedPostgresTests.QueryAsync(folder, "create role other login superuser", EmbeddedPostgres.SuperRole);
        var refused = await Assert.ThrowsAsync<PostgresException>(() => EmbeddedPostgresTests.QueryAsync(folder, "select '1'", "other"));
        Assert.Equal(PostgresErrorCodes.InvalidAuthorizationSpecification, refused.SqlState);
    }

    [Theory]
    [InlineData("footfall")]
    [InlineData("postgres")]
    public async Task Another_user_of_the_system_is_refused(string role)
    {
        var owner = UnixUser.Find(Unix.OwnerOf(new DataFolder(folder).Postgres))!;
        if (!Unix.IsRoot)
        {
            // Only root can become somebody else to try; for the others the closed folder is what can be seen.
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Path.GetDirectoryName(SocketFile)!));
            return;
        }
        var stranger = new[] { "daemon", "nobody" }.First(n => n != owner.Name);
        Assert.Contains("EACCES", await KnockAsync(stranger, role), StringComparison.Ordinal);

        // PostgreSQL's own user gets to the socket, and no further.
        Assert.Contains("28000", await KnockAsync(owner.Name, role), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_listens_on_a_network()
    {
        Assert.Equal("", await EmbeddedPostgresTests.QueryAsync(folder, "show listen_addresses"));
        Assert.Equal("", await EmbeddedPostgresTests.QueryAsync(folder, "select coalesce(string_agg(line_number::text, ','), '') from pg_hba_file_rules where type <> 'local' or auth_method <> 'peer'", EmbeddedPostgres.SuperRole));
        if (!OperatingSystem.IsLinux())
            return;
        var open = Directory.EnumerateFiles($"/proc/{postgres!.ProcessId}/fd").Select(f => new FileInfo(f).LinkTarget ?? "").Where(t => t.StartsWith("socket:", StringComparison.Ordinal)).ToHashSet();
        Assert.NotEmpty(open);
        var listening = new[] { "/proc/net/tcp", "/proc/net/tcp6" }.Where(File.Exists).SelectMany(File.ReadLines).Skip(1)
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Where(f => f.Length > 9 && f[3] == "0A").Select(f => $"socket:[{f[9]}]");
        Assert.DoesNotContain(listening, open.Contains);
    }

    [Fact]
    public async Task A_failing_statement_leaves_nothing_of_itself_in_the_log()
    {
        var failed = await Assert.ThrowsAsync<PostgresException>(() => EmbeddedPostgresTests.QueryAsync(folder, "select 'someone@example.com'::int::text"));
        Assert.Equal("22P02", failed.SqlState);
        var logs = Directory.EnumerateFiles(Path.Combine(EmbeddedPostgresTests.ClusterIn(folder), "log")).Select(File.ReadAllText).ToList();
        Assert.NotEmpty(logs);
        Assert.DoesNotContain(logs, text => text.Contains("someone", StringComparison.Ordinal));
    }

    [Fact]
    public void The_postmaster_carries_nothing_of_the_servers_environment()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "macOS shows no other process's environment");
        var environment = File.ReadAllText($"/proc/{postgres!.ProcessId}/environ");
        Assert.DoesNotContain("HOME=", environment, StringComparison.Ordinal);
        Assert.Contains("TZ=UTC", environment, StringComparison.Ordinal);
    }

    private async Task<string> KnockAsync(string? user, string role)
    {
        var start = new ProcessStartInfo("node", ["-e", Knock, SocketFile, role]) { UseShellExecute = false, RedirectStandardOutput = true, WorkingDirectory = "/" };
        if (user is not null)
            start.UserName = user;
        using var process = Process.Start(start)!;
        var said = await process.StandardOutput.ReadToEndAsync(Ct);
        await process.WaitForExitAsync(Ct);
        return said;
    }
}
