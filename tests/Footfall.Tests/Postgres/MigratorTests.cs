using Footfall.Postgres;
using Footfall.Tests.Infrastructure;
using Xunit;

namespace Footfall.Tests.Postgres;

public sealed class MigratorTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_test_database_has_every_migration_of_the_program()
    {
        await using var database = await TestDatabase.CreateAsync();
        Assert.Equal(Migration.OfThisProgram.Count, await database.ScalarAsync<long>("select count(*) from schema_migrations"));
        Assert.Empty(await Migrator.PendingAsync(database.Source, Ct));
        Assert.Empty(await Migrator.RunAsync(database.Source, Ct));
    }
}
