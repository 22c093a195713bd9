using Footfall.Backups;
using Footfall.Rollups;
using Footfall.Tests.Failure;
using Footfall.Tests.Infrastructure;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Footfall.Tests.Backups;

/// <summary>Backups by the clock: written, tried, pruned; and their job is there only where they are asked for.</summary>
public sealed class ScheduledBackupTests : IAsyncLifetime
{
    private readonly string folder = TestFolder.New("scheduled");
    private readonly string shelf = Path.Combine(TestFolder.New("shelf"), "made", "when needed");
    private TestDatabase database = null!;

    public async ValueTask InitializeAsync() => database = await TestDatabase.CreateAsync();

    public ValueTask DisposeAsync() => database.DisposeAsync();

    [Fact]
    public async Task The_job_writes_verifies_and_prunes()
    {
        string[] run = ["rollups", "run", "--job", "backup", "--Backup:Directory", shelf, "--Backup:Key", "a key of twenty signs"];
        await SucceedsAsync(run);
        var first = Assert.Single(BackupShelf.In(shelf));
        File.Copy(first.Path, Path.Combine(shelf, "footfall-20250101T000000Z.backup"));
        await SucceedsAsync(run);
        // Two of one day, one of a year ago: the day's newest stays, and the older week's.
        Assert.Equal(2, BackupShelf.In(shelf).Count);
        Assert.DoesNotContain(first, BackupShelf.In(shelf));
        await SucceedsAsync([.. run, "--Backup:KeepWeeks", "0", "--Backup:KeepDays", "1", "--Backup:Verify", "false"]);
        Assert.Single(BackupShelf.In(shelf));
        Assert.Equal(["succeeded", "succeeded", "succeeded"], await database.RowsAsync("select status from rollup_runs where job = 'backup'"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(BackupShelf.In(shelf)[0].Path));
    }

    [Fact]
    public async Task A_backup_that_fails_is_a_failed_run_and_leaves_no_file()
    {
        var (exit, _, error) = await BackupFixture.RunAsync(folder, database.ConnectionString, "rollups", "run", "--job", "backup");
        Assert.Equal((1, true), (exit, error.Contains("Backup:Directory is not set", StringComparison.Ordinal)));
        var blocked = Path.Combine(TestFolder.New("blocked"), "a-file");
        File.WriteAllText(blocked, "");
        (exit, _, error) = await BackupFixture.RunAsync(folder, database.ConnectionString, "rollups", "run", "--job", "backup", "--Backup:Directory", blocked);
        Assert.Equal(1, exit);
        Assert.Contains(blocked, error, StringComparison.Ordinal);
        Assert.Equal(2, await database.ScalarAsync<long>("select count(*) from rollup_runs where job = 'backup' and status = 'failed' and error is not null"));
    }

    [Fact]
    public async Task It_is_on_the_clock_where_there_is_a_folder_and_the_server_keeps_the_list_of_requests_there()
    {
        await database.ExecuteAsync("insert into access_tokens (id, name, hash, role, plan, created_at, revoked_at) values (gen_random_uuid(), 'x', decode(repeat('00', 32), 'hex'), 'dashboard', 'free', now(), now())");
        await using (var with = await TestServer.StartAsync(folder, null, "--Postgres:ConnectionString", database.ConnectionString, "--Backup:Directory", shelf))
        {
            Assert.Contains(with.Services.GetRequiredService<Jobs>().Passes, p => p.Name == "backup");
            await Eventually.IsTrueAsync("the lists are kept", () => Task.FromResult(new[] { folder, shelf }.All(f => RequestList.Read(Path.Combine(f, RequestList.FileName)).Any(r => r.Kind == PersonRequest.Revocation))), TestContext.Current.CancellationToken);
            Assert.Empty(with.Log.Errors);
        }
        await using var without = await TestServer.StartAsync(folder, null, "--Postgres:ConnectionString", database.ConnectionString);
        Assert.DoesNotContain(without.Services.GetRequiredService<Jobs>().Passes, p => p.Name == "backup");
    }

    [Theory]
    [InlineData("--Backup:Schedule", "nightly", "Backup:Schedule is 'nightly'")]
    [InlineData("--Backup:Key", "short", "Backup:Key (BACKUP_KEY) has 5 characters")]
    [InlineData("--Backup:KeepDays", "-1", "Backup:KeepDays is -1; it must be 0 to 3650")]
    [InlineData("--Journal:KeepHours", "0", "Journal:KeepHours is 0; it must be 1 to 8760")]
    [InlineData("--Journal:KeepBytes", "-1", "Journal:KeepBytes is -1; it must be 0 or more")]
    public async Task A_setting_that_cannot_be_is_named(string key, string value, string says)
    {
        var (exit, _, error) = await BackupFixture.RunAsync(folder, database.ConnectionString, "backup", "--to", shelf, key, value);
        Assert.Equal(1, exit);
        Assert.Contains(says, error, StringComparison.Ordinal);
    }

    private async Task SucceedsAsync(params string[] arguments)
    {
        var (exit, output, error) = await BackupFixture.RunAsync(folder, database.ConnectionString, arguments);
        Assert.True(exit == 0, $"exit code {exit}\n{output}\n{error}");
        await Task.Delay(1100);   // names go by the second
    }
}
