using Footfall.Postgres;
using Footfall.Tests.Infrastructure;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Xunit;

namespace Footfall.Tests.Backups;

/// <summary>What a backup holds comes back as it was; what must not happen does not.</summary>
[Collection(nameof(BackupFixture))]
public sealed class RestoreTests(BackupFixture fixture)
{
    private const string Sequences = "select sequencename, last_value from pg_sequences where schemaname = 'public' order by 1";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Every_table_and_sequence_is_the_same_after_a_restore(bool encrypted)
    {
        await using var target = await TestDatabase.CreateAsync(migrated: false);
        var folder = TestFolder.New("restore");
        string[] key = encrypted ? ["--key-file", fixture.KeyFile] : [];
        await SucceedsAsync(folder, target, ["restore", "--from", encrypted ? fixture.Locked : fixture.Plain, .. key]);

        var expected = await BackupFixture.TablesAsync(fixture.Database.Source);
        Assert.True(expected.Count > 40);
        Assert.Contains(expected, t => t.StartsWith("events_20", StringComparison.Ordinal));
        Assert.Equal(expected, await BackupFixture.TablesAsync(target.Source));
        Assert.Equal(await fixture.Database.RowsAsync(Sequences), await target.RowsAsync(Sequences));
        Assert.Equal(
            await fixture.Database.RowsAsync("select indexdef from pg_indexes where schemaname = 'public' order by 1"),
            await target.RowsAsync("select indexdef from pg_indexes where schemaname = 'public' order by 1"));

        // And it is a database to go on with.
        Assert.Equal(0, (await BackupFixture.RunAsync(folder, target.ConnectionString, "rollups", "discrepancy")).Exit);
        Assert.Equal(0, (await BackupFixture.RunAsync(folder, target.ConnectionString, "leads", "verify")).Exit);
        Assert.Equal(0, (await BackupFixture.RunAsync(folder, target.ConnectionString, "demo")).Exit);
    }

    [Fact]
    public async Task Keys_come_with_an_encrypted_backup_and_with_no_other()
    {
        var pepper = File.ReadAllText(Path.Combine(fixture.DataFolder, "keys", "ip-hash-pepper"));
        await using var target = await TestDatabase.CreateAsync(migrated: false);
        var folder = TestFolder.New("restore");
        Directory.CreateDirectory(Path.Combine(folder, "keys"));
        File.WriteAllText(Path.Combine(folder, "keys", "ip-hash-pepper"), "00ff");
        var (_, output, error) = await SucceedsAsync(folder, target, "restore", "--from", fixture.Locked, "--key-file", fixture.KeyFile);
        Assert.Equal(pepper, File.ReadAllText(Path.Combine(folder, "keys", "ip-hash-pepper")));
        Assert.Contains("keys/ip-hash-pepper is the backup's now", error, StringComparison.Ordinal);
        Assert.Equal("00ff", File.ReadAllText(Assert.Single(Directory.GetFiles(Path.Combine(folder, "keys"), "ip-hash-pepper.replaced-*"))));
        Assert.DoesNotContain(Directory.GetFiles(Path.Combine(folder, "keys")), f => Path.GetFileName(f).StartsWith("visitor-day-", StringComparison.Ordinal));

        folder = TestFolder.New("restore");
        (_, output, error) = await SucceedsAsync(folder, target, "restore", "--replace", "--from", fixture.Plain);
        Assert.Contains("The backup holds no keys", error, StringComparison.Ordinal);
        Assert.False(Path.Exists(Path.Combine(folder, "restoring")));
        Assert.DoesNotContain(pepper.Trim(), Convert.ToHexStringLower(File.ReadAllBytes(fixture.Locked)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_that_was_changed_after_the_backup_is_not_changed_back()
    {
        var database = await TestDatabase.CreateAsync();
        await using var _ = database;
        var (folder, taken) = (TestFolder.New("rotated"), TestFolder.New("taken"));
        string Key(string name) => File.ReadAllText(Path.Combine(folder, "keys", name));
        var home = new Footfall.Hosting.DataFolder(folder);
        foreach (var (name, bytes) in new[] { ("ip-hash-pepper", 32), ("lead-links", 32), ("admin-key", 24) }) home.Secret(name, bytes);
        await SucceedsAsync(folder, database, "backup", "--to", taken, "--key-file", fixture.KeyFile);
        var (pepper, links, admin) = (Key("ip-hash-pepper"), Key("lead-links"), Key("admin-key"));
        await SucceedsAsync(folder, database, "keys", "rotate", "pepper");
        Assert.Equal(0, await Footfall.Cli.FootfallCommand.RunAsync(["--DataDir", folder, "keys", "rotate", "admin", "--grace-hours", "0"], TextWriter.Null, TextWriter.Null, CancellationToken.None));
        var (freshPepper, freshAdmin) = (Key("ip-hash-pepper"), Key("admin-key"));
        Assert.NotEqual(pepper, freshPepper);

        var (_, _, error) = await SucceedsAsync(folder, database, "restore", "--replace", "--from", taken, "--key-file", fixture.KeyFile);
        Assert.Equal((freshPepper, links, freshAdmin), (Key("ip-hash-pepper"), Key("lead-links"), Key("admin-key")));
        Assert.Equal(pepper, File.ReadAllText(Assert.Single(Directory.GetFiles(Path.Combine(folder, "keys"), "ip-hash-pepper.before-*"))));
        Assert.Contains("keys/ip-hash-pepper stays as it is", error, StringComparison.Ordinal);
        Assert.Contains("keys/admin-key stays as it is", error, StringComparison.Ordinal);
        Assert.DoesNotContain(Directory.GetFiles(Path.Combine(folder, "keys")), f => File.ReadAllText(f) == admin);

        // Where there is nothing else, the backup's are the keys.
        var empty = TestFolder.New("lost");
        await SucceedsAsync(empty, database, "restore", "--replace", "--from", taken, "--key-file", fixture.KeyFile);
        Assert.Equal((pepper, admin), (File.ReadAllText(Path.Combine(empty, "keys", "ip-hash-pepper")), File.ReadAllText(Path.Combine(empty, "keys", "admin-key"))));
    }

    [Fact]
    public async Task What_is_there_is_replaced_only_when_that_is_said()
    {
        await using var target = await TestDatabase.CreateAsync();
        await target.ExecuteAsync("insert into day_notes (id, property_id, day, text, created_at) values (gen_random_uuid(), 'p', '2026-01-01', 'mine', now())");
        var folder = TestFolder.New("restore");
        var (exit, _, error) = await BackupFixture.RunAsync(folder, target.ConnectionString, "restore", "--from", fixture.Plain);
        Assert.Equal(1, exit);
        Assert.Contains("The database is not empty: day_notes hold rows", error, StringComparison.Ordinal);
        Assert.Equal(["mine"], await target.RowsAsync("select text from day_notes"));

        // Somebody else's table stays; one that is built upon Footfall's stops it, and nothing is changed.
        await target.ExecuteAsync("create table grafana (a int); insert into grafana values (7); create view busy as select count(*) from day_notes");
        (exit, _, error) = await BackupFixture.RunAsync(folder, target.ConnectionString, "restore", "--from", fixture.Plain, "--replace");
        Assert.Equal(1, exit);
        Assert.Contains("Views that are not Footfall's are built upon its tables: busy", error, StringComparison.Ordinal);
        Assert.Equal(["mine"], await target.RowsAsync("select text from day_notes"));
        await target.ExecuteAsync("drop view busy");
        await SucceedsAsync(folder, target, "restore", "--from", fixture.Plain, "--replace");
        Assert.Equal(["7"], await target.RowsAsync("select a from grafana"));
        Assert.Equal(await BackupFixture.TablesAsync(fixture.Database.Source), await BackupFixture.TablesAsync(target.Source));
    }

    [Fact]
    public async Task No_server_may_use_the_database_or_the_folder_meanwhile()
    {
        await using var target = await TestDatabase.CreateAsync();
        var folder = TestFolder.New("restore");
        await using (var server = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(target.ConnectionString) { ApplicationName = "footfall" }))
        {
            await using var open = await server.OpenConnectionAsync(TestContext.Current.CancellationToken);
            var (exit, _, error) = await BackupFixture.RunAsync(folder, target.ConnectionString, "restore", "--from", fixture.Plain);
            Assert.Equal(1, exit);
            Assert.Contains("Stop every server", error, StringComparison.Ordinal);
        }
        using (var other = new Footfall.Hosting.ServeLock(new Footfall.Hosting.DataFolder(folder)))
        {
            other.Take();
            var (exit, _, error) = await BackupFixture.RunAsync(folder, target.ConnectionString, "restore", "--from", fixture.Plain);
            Assert.Equal(1, exit);
            Assert.Contains("already uses the data folder", error, StringComparison.Ordinal);
        }
        Assert.Equal(0, await target.ScalarAsync<long>("select count(*) from events"));
    }

    [Fact]
    public async Task Connections_of_a_server_that_has_just_stopped_are_waited_for()
    {
        await using var target = await TestDatabase.CreateAsync();
        await using var server = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(target.ConnectionString) { ApplicationName = "footfall", Pooling = false });
        var open = await server.OpenConnectionAsync(TestContext.Current.CancellationToken);
        var restore = Task.Run(() => BackupFixture.RunAsync(TestFolder.New("restore"), target.ConnectionString, "restore", "--from", fixture.Plain));
        // The restore itself is the second one.
        while (!restore.IsCompleted && await target.ScalarAsync<long>("select count(*) from pg_stat_activity where datname = current_database() and application_name = 'footfall'") < 2) await Task.Delay(20);
        await Task.Delay(300);
        Assert.False(restore.IsCompleted);
        await open.DisposeAsync();
        var (exit, _, error) = await restore;
        Assert.True(exit == 0, error);
    }

    [Fact]
    public async Task An_older_schema_is_brought_up_and_a_newer_one_refused()
    {
        await using var old = await TestDatabase.CreateAsync(migrated: false);
        await Migrator.RunAsync(old.Source, [.. Migration.OfThisProgram.Take(8)], NullLogger.Instance, TimeProvider.System, CancellationToken.None);
        await old.ExecuteAsync("insert into properties (id, name) values ('old', 'An old one')");
        var folder = TestFolder.New("taken");
        var taken = await BackupFixture.RunAsync(TestFolder.New("old"), old.ConnectionString, "backup", "--to", folder, "--verify");
        Assert.True(taken.Exit == 0, taken.Error);
        Assert.Equal(8, await old.ScalarAsync<int>("select max(number) from schema_migrations"));   // taking a backup changes nothing

        await using var target = await TestDatabase.CreateAsync();
        var (_, output, _) = await SucceedsAsync(TestFolder.New("restore"), target, "restore", "--from", folder);
        Assert.Contains($"brought up by {Migration.OfThisProgram.Count - 8} migrations", output, StringComparison.Ordinal);
        Assert.Equal(["An old one"], await target.RowsAsync("select name from properties"));
        Assert.Empty(await Migrator.PendingAsync(target.Source, CancellationToken.None));

        await target.ExecuteAsync("insert into schema_migrations select max(number) + 1, 'of_the_future', 'x', now() from schema_migrations");
        var (exit, _, error) = await BackupFixture.RunAsync(TestFolder.New("new"), target.ConnectionString, "backup", "--to", folder);
        Assert.Equal(1, exit);
        Assert.Contains("The database is newer than this program", error, StringComparison.Ordinal);
        (exit, _, error) = await BackupFixture.RunAsync(TestFolder.New("new"), target.ConnectionString, "restore", "--replace", "--from", fixture.Plain);
        Assert.Equal(1, exit);
        Assert.Contains("newer than this program", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_the_newest_backup_of_a_folder_is_restored_and_its_contents_can_be_looked_at()
    {
        await using var target = await TestDatabase.CreateAsync(migrated: false);
        var folder = TestFolder.New("several");
        File.WriteAllText(Path.Combine(folder, "footfall-20200101T000000Z.backup"), "old and broken");
        File.Copy(fixture.Locked, Path.Combine(folder, "footfall-20260101T000000Z.backup"));
        var (_, output, _) = await SucceedsAsync(TestFolder.New("restore"), target, "restore", "--from", folder, "--check", "--key-file", fixture.KeyFile);
        Assert.Contains("footfall-20260101T000000Z.backup", output, StringComparison.Ordinal);
        Assert.Matches("visitors +[1-9]", output);
        Assert.Contains("keys among them", output, StringComparison.Ordinal);
        Assert.Equal(0, await target.ScalarAsync<long>("select count(*) from pg_class where relname = 'events'"));

        var (exit, _, error) = await BackupFixture.RunAsync(folder, target.ConnectionString, "restore", "--from", TestFolder.New("none"));
        Assert.Equal(1, exit);
        Assert.Contains("holds no backup", error, StringComparison.Ordinal);
        (exit, _, error) = await BackupFixture.RunAsync(folder, target.ConnectionString, "restore");
        Assert.Equal(2, exit);
        Assert.Contains("Backup:Directory", error, StringComparison.Ordinal);
    }

    private static async Task<(int Exit, string Output, string Error)> SucceedsAsync(string folder, TestDatabase target, params string[] arguments)
    {
        var ran = await BackupFixture.RunAsync(folder, target.ConnectionString, arguments);
        Assert.True(ran.Exit == 0, $"exit code {ran.Exit}\n{ran.Output}\n{ran.Error}");
        return ran;
    }
}
