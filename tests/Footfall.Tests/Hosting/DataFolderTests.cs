using Footfall.Hosting;
using Footfall.Postgres;
using Footfall.Tests.Infrastructure;
using Xunit;

namespace Footfall.Tests.Hosting;

public sealed class DataFolderTests
{
    [Theory]
    [InlineData(null, "/srv/site", "/srv/site/data")]
    [InlineData(" ", "/srv/site", "/srv/site/data")]
    [InlineData("/var/data/", "/srv/site", "/var/data")]
    [InlineData("d", "/srv/site", "/srv/site/d")]
    [InlineData("../d", "/srv/site", "/srv/d")]
    [InlineData(null, "/src/Footfall/bin/Release/net10.0", "/src/Footfall/data")]
    [InlineData(null, "/src/Footfall/bin/Debug", "/src/Footfall/data")]
    [InlineData(null, "/usr/bin", "/usr/bin/data")]
    public void The_folder_is_what_was_asked_for_or_beside_the_working_directory_outside_of_build_output(string? configured, string workingDirectory, string expected) =>
        Assert.Equal(expected, DataFolder.Locate(configured, workingDirectory, tenant: null, forEveryUser: "/no/such/folder").Path);

    [Fact]
    public void The_root_of_the_file_system_is_refused()
    {
        var refused = Assert.Throws<SetupException>(() => DataFolder.Locate("/", "/srv", tenant: null));
        Assert.Contains("DataDir", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_that_PostgreSQLs_user_cannot_enter_is_replaced_by_one_that_it_can_and_said_so()
    {
        var closed = TestFolder.New("closed");
        File.SetUnixFileMode(closed, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var everybody = TestFolder.New("lib");
        var tenant = PostgresRoom.Tenant(new PostgresOptions());
        var found = DataFolder.Locate(null, Path.Combine(closed, "checkout"), tenant, everybody);
        if (!Unix.IsRoot)
        {
            // PostgreSQL runs as this user, who can enter it.
            Assert.Null(tenant);
            Assert.Equal(Path.Combine(closed, "checkout", "data"), found.Path);
            return;
        }
        Assert.Matches($"^{everybody}/data-[0-9a-f]{{8}}$", found.Path);
        Assert.Contains(found.Path, found.Notice, StringComparison.Ordinal);
        Assert.Contains(closed, found.Notice, StringComparison.Ordinal);

        // The same place the next time, another one for another checkout, and the same without an embedded PostgreSQL once it is there.
        Assert.Equal(found.Path, DataFolder.Locate(null, Path.Combine(closed, "checkout"), tenant, everybody).Path);
        Assert.NotEqual(found.Path, DataFolder.Locate(null, Path.Combine(closed, "other"), tenant, everybody).Path);
        Assert.Equal(Path.Combine(closed, "checkout", "data"), DataFolder.Locate(null, Path.Combine(closed, "checkout"), tenant: null, everybody).Path);
        Directory.CreateDirectory(found.Path);
        Assert.Equal(found.Path, DataFolder.Locate(null, Path.Combine(closed, "checkout"), tenant: null, everybody).Path);
    }

    [Fact]
    public void A_lock_is_free_again_when_its_holder_lets_go()
    {
        var file = Path.Combine(TestFolder.New(), "lock");
        using (var one = FileLock.TryShared(file))
        {
            using var two = FileLock.TryShared(file);
            Assert.NotNull(one);
            Assert.NotNull(two);
            Assert.Null(FileLock.TryExclusive(file));
        }
        using (var alone = FileLock.TryExclusive(file))
        {
            Assert.NotNull(alone);
            Assert.Null(FileLock.TryShared(file));
            Assert.Null(FileLock.TryExclusive(file));
        }
        Assert.NotNull(FileLock.TryShared(file));
    }
}
