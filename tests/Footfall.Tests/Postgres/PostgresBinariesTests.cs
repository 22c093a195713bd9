using System.Diagnostics;
using Footfall.Hosting;
using Footfall.Postgres;
using Footfall.Tests.Infrastructure;
using Xunit;

namespace Footfall.Tests.Postgres;

public sealed class PostgresBinariesTests(ITestOutputHelper output)
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    [Trait("Category", "Network")]
    public async Task Programs_fetched_by_npm_into_an_empty_cache_by_two_at_once_make_and_run_a_cluster()
    {
        var cache = TestFolder.New("cache");
        Directory.CreateDirectory(Path.Combine(cache, "postgresql", "fetching-left", "node_modules"));
        var watch = Stopwatch.StartNew();
        var found = await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => Task.Run(() => new NpmBinaries(cache, TimeProvider.System).EnsureAsync(Ct), Ct)));
        output.WriteLine($"fetched in {watch.ElapsedMilliseconds} ms");
        Assert.Equal(found[0], found[1]);
        Assert.Single(Directory.EnumerateDirectories(Path.Combine(cache, "postgresql")));

        var folder = TestFolder.New();
        var settings = PostgresRoom.Settings(new PostgresOptions { Binaries = BinarySource.Npm, CacheDir = cache }, new DataFolder(folder), TimeProvider.System, null);
        await using var postgres = new EmbeddedPostgres(settings, TimeProvider.System);
        await postgres.StartAsync(Ct);
        Assert.StartsWith($"PostgreSQL {NpmBinaries.Major}", await EmbeddedPostgresTests.QueryAsync(folder, "select version()"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_program_folder_without_programs_is_refused_by_name()
    {
        var empty = TestFolder.New();
        var refused = await Assert.ThrowsAsync<SetupException>(() => Binaries(new PostgresOptions { BinDir = empty }).LocateAsync(null, Ct));
        Assert.Contains(empty, refused.Message, StringComparison.Ordinal);
        Assert.Contains("pg_config --bindir", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("9.6.24", "found: 9.6.24")]
    [InlineData("14.2 (Debian 14.2-1)", "found: 14.2")]
    public async Task Programs_that_are_too_old_are_refused_with_what_was_found(string version, string named)
    {
        var folder = Programs(version);
        var refused = await Assert.ThrowsAsync<SetupException>(() => Binaries(new PostgresOptions { BinDir = folder }).LocateAsync(null, Ct));
        Assert.Contains(named, refused.Message, StringComparison.Ordinal);
        Assert.Contains("15 or newer", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("15.18 (Debian 15.18-0+deb12u1)", 15, "15.18")]
    [InlineData("18beta2", 18, "18beta2")]
    [InlineData("17.0", 17, "17.0")]
    public async Task The_folder_that_is_asked_for_is_used(string said, int major, string version)
    {
        var folder = Programs(said);
        Assert.Equal(new BinaryFolder(folder, major, version), await Binaries(new PostgresOptions { BinDir = folder }).LocateAsync(major, Ct));
        await Assert.ThrowsAsync<SetupException>(() => Binaries(new PostgresOptions { BinDir = folder }).LocateAsync(major + 1, Ct));
    }

    [Fact]
    public async Task A_data_folder_of_the_npm_version_takes_its_programs_from_there_though_the_system_has_others()
    {
        var found = await Binaries(new PostgresOptions()).LocateAsync(NpmBinaries.Major, Ct);
        Assert.Equal(NpmBinaries.Major, found.Major);
    }

    private static PostgresBinaries Binaries(PostgresOptions options)
    {
        var user = PostgresRoom.Tenant(options) ?? UnixUser.Find(Unix.GetEffectiveUserId())!;
        return new PostgresBinaries(options, user, new NpmBinaries(NpmBinaries.DefaultCacheFolder(new DataFolder(TestFolder.New())), TimeProvider.System));
    }

    private static string Programs(string version)
    {
        var folder = TestFolder.New("bin");
        foreach (var name in new[] { "initdb", "pg_ctl", "postgres" })
        {
            var file = Path.Combine(folder, name);
            File.WriteAllText(file, $"#!/bin/sh\necho '{name} (PostgreSQL) {version}'\n");
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        }
        return folder;
    }
}
