using System.Text.RegularExpressions;
using Footfall.Postgres;
using Footfall.Tests.Failure;
using Footfall.Tests.Infrastructure;
using Xunit;

namespace Footfall.Tests.Postgres;

/// <summary>The rules of docs/migrations.md, for every migration since they were written down.</summary>
public sealed class MigrationRulesTests
{
    private const int LastFree = 10;

    public static TheoryData<string> New => [.. Migration.OfThisProgram.Where(m => m.Number > LastFree).Select(m => m.File).DefaultIfEmpty("")];

    [Theory]
    [InlineData("create table a (id int primary key, b text not null unique); create unique index a_b on a (b); alter table a add check (id > 0)", true)]
    [InlineData("create index visitors_x on visitors (account_id)", true)]
    [InlineData("alter table properties add column a text, add column b int not null default 3", true)]
    [InlineData("alter table properties add column a int default 3 not null", true)]
    [InlineData("-- drop table visitors\nselect 1", true)]
    [InlineData("drop index events_day", true)]
    [InlineData("insert into dirty_days select 1", true)]
    [InlineData("alter table properties drop column hosts", false)]
    [InlineData("ALTER TABLE properties RENAME COLUMN hosts TO domains", false)]
    [InlineData("alter table properties alter column name set not null", false)]
    [InlineData("alter table properties alter column name type varchar(10)", false)]
    [InlineData("alter table properties alter column name set data type varchar(10)", false)]
    [InlineData("alter table properties add column a text not null", false)]
    [InlineData("alter table properties add column a text default 'x', add column b text not null", false)]
    [InlineData("alter table rollup_runs add constraint x check (id > 0)", false)]
    [InlineData("create unique index accounts_username on accounts (username)", false)]
    [InlineData("create table a (id int); drop table visitors", false)]
    [InlineData("truncate day_notes", false)]
    [InlineData("create rule r as on delete to leads do instead nothing", false)]
    public void What_only_adds_is_told_from_what_takes_away(string sql, bool expands) => Assert.Equal(expands, new Migration(1, "x", sql).Expands);

    [Theory]
    [MemberData(nameof(New))]
    public void A_new_migration_obeys_the_rules(string file)
    {
        if (file.Length == 0) return;   // none yet
        var migration = Migration.OfThisProgram.Single(m => m.File == file);
        var statements = migration.Statements();
        Assert.True(migration.Expands || Regex.IsMatch(migration.Sql, "^-- contract: .{20,}", RegexOptions.Multiline),
            $"{file} takes something away or forbids it, and servers of the version before need it while it runs. Add now, take away in a later release: docs/migrations.md. If that release is this one, begin the file with a line \"-- contract: since which version nothing uses it any more\".");
        Assert.All(statements, s => Assert.False(Regex.IsMatch(s, @"\brename\b"), $"{file} renames: servers of before and backups know the old name. Add the new one, and take the old one away later."));
        Assert.All(statements, s => Assert.False(Regex.IsMatch(s, @"\bconcurrently\b|^alter type\b|\bcreate\s+(constraint\s+)?trigger\b"), $"{file}: a migration is one transaction, also a restore's, and a cluster takes no triggers: no concurrently, alter type, trigger."));
        Assert.All(statements, s => Assert.True(
            !Regex.IsMatch(s, @"^(create\s+(unique\s+)?index\s+\w+\s+on|update|delete\s+from)\s+(events|sessions|visitors|event_keys)\b") || Regex.IsMatch(migration.Sql, "^-- locks: .{20,}", RegexOptions.Multiline),
            $"{file} builds an index on or rewrites a large table, and ingestion stands still meanwhile: \"{s[..Math.Min(60, s.Length)]}\". Events wait in the journal, so it may; say how long in a line \"-- locks: ...\"."));
    }

    [Fact]
    public async Task A_server_of_before_goes_on_beside_an_expanded_schema_also_after_it_was_started_again()
    {
        await using var database = await TestDatabase.CreateAsync();
        var folder = TestFolder.New("before");
        for (var start = 0; start < 2; start++)
        {
            await using var server = await TestServer.StartAsync(folder, null, "--Postgres:ConnectionString", database.ConnectionString);
            await ReadyAsync(server);
            if (start == 0)
            {
                await database.ExecuteAsync("alter table properties add column of_the_future text; insert into schema_migrations select max(number) + 1, 'of_the_future', 'x', now(), true from schema_migrations");
                // Its connections break, as when the database is started again: it looks at the schema anew.
                await database.ExecuteAsync("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()");
                await ReadyAsync(server);
            }
            await server.Client.TakenAsync("""{"eventType":"page_view","anonId":"visitor-of-before"}""");
            await StoredFacts.DrainAsync(server.Client, database.Source, TestContext.Current.CancellationToken);
        }
    }

    private static Task ReadyAsync(TestServer server) => Eventually.IsTrueAsync("the server is ready", async () =>
    {
        using var answer = await server.Client.GetAsync("/v1/readyz");
        return answer.IsSuccessStatusCode;
    }, TestContext.Current.CancellationToken);
}
