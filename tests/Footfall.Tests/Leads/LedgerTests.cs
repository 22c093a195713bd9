using Footfall.Leads;
using Footfall.Tests.Infrastructure;
using Npgsql;
using Xunit;

namespace Footfall.Tests.Leads;

/// <summary>The ledger grows at its end only, and shows where someone changed it all the same.</summary>
[Trait("Category", TestCluster.Category)]
public sealed class LedgerTests : IAsyncLifetime
{
    private static readonly DateTimeOffset At = new(2026, 2, 1, 10, 0, 0, TimeSpan.Zero);
    private TestDatabase database = null!;
    private ConsentLedger Ledger => new(database.Source);

    public async ValueTask InitializeAsync()
    {
        database = await TestDatabase.CreateAsync();
        await using var connection = await database.Source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        for (var i = 0; i < 4; i++) await OneAsync(connection, Guid.NewGuid(), i);
        await ConsentLedger.AddManyAsync(connection, [.. Enumerable.Range(4, 4).Select(i => (Guid.NewGuid(), Change(i)))], default);
        await OneAsync(connection, Guid.NewGuid(), 8);
        await transaction.CommitAsync();
    }

    public async ValueTask DisposeAsync() => await database.DisposeAsync();

    private static ConsentChange Change(int i) => new(
        i % 2 == 0 ? ConsentStatus.Express : ConsentStatus.Implied, ConsentMethod.Form, i % 2 == 0 ? null : ConsentBasis.Inquiry, i % 3 == 0 ? null : "letter", [],
        i % 4 == 0 ? null : "shop.example/letters", i % 3 == 1 ? null : [1, 2, 3], "shop", At.AddMicroseconds(i * 17), i % 2 == 0 ? null : At.AddMonths(6));

    private static async Task OneAsync(NpgsqlConnection connection, Guid lead, int i)
    {
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(ConsentLedger.Adding(lead, Change(i)));
        await batch.ExecuteNonQueryAsync();
    }

    /// <summary>As a superuser could: the rules stand in nobody's way.</summary>
    private Task<int> TamperAsync(string sql) => database.ExecuteAsync($"alter table consent_events disable rule consent_events_not_changed; alter table consent_events disable rule consent_events_not_deleted; {sql}");

    [Fact]
    public async Task One_by_one_and_many_at_once_make_one_chain()
    {
        var report = await Ledger.VerifyAsync(default);
        Assert.True(report.IsWhole, string.Join('\n', report.Faults));
        Assert.Equal(9, report.Rows);
        Assert.Equal(report.EndHash, await database.ScalarAsync<string>("select encode(hash, 'hex') from consent_events where id = 9"));
        Assert.Equal(8, await database.ScalarAsync<long>("select count(*) from consent_events a join consent_events b on b.id = a.id + 1 and b.previous_hash = a.hash"));
    }

    [Fact]
    public async Task An_empty_ledger_is_whole()
    {
        await using var empty = await TestDatabase.CreateAsync();
        var report = await new ConsentLedger(empty.Source).VerifyAsync(default);
        Assert.True(report.IsWhole);
        Assert.Equal(0, report.Rows);
    }

    [Theory]
    [InlineData("delete from consent_events where id = 3")]
    [InlineData("delete from consent_events")]
    [InlineData("update consent_events set status = 'express' where id = 2")]
    [InlineData("update consent_events set occurred_at = now()")]
    [InlineData("update consent_events set lead_id = null where id = 2")]
    [InlineData("update consent_events set lead_id = gen_random_uuid() where id = 2")]
    [InlineData("update consent_events set purpose = 'all' where id = 2")]
    [InlineData("update consent_events set lead_id = null, ip_hash = null, source = null, salt = null, hash = '' where id = 2")]
    [InlineData("update consent_events set lead_id = null, ip_hash = null, source = null, salt = null, expires_at = now() where id = 2")]
    [InlineData("update audit_log set actor = 'x'; insert into audit_log (at, actor, action) values (now(), 'a', 'b'); update audit_log set actor = 'x'")]
    [InlineData("delete from audit_log")]
    public async Task The_database_itself_refuses_changes(string sql)
    {
        var refusal = await Assert.ThrowsAsync<PostgresException>(() => database.ExecuteAsync(sql));
        Assert.Contains("only ever added", refusal.MessageText, StringComparison.Ordinal);
        Assert.True((await Ledger.VerifyAsync(default)).IsWhole);
    }

    [Fact]
    public async Task Erasing_what_is_personal_leaves_the_chain_whole()
    {
        Assert.Equal(1, await database.ExecuteAsync("update consent_events set lead_id = null, ip_hash = null, source = null, purpose = null, salt = null where id = 2"));
        var report = await Ledger.VerifyAsync(default);
        Assert.True(report.IsWhole, string.Join('\n', report.Faults));
        Assert.Equal(1, report.Erased);
    }

    [Theory]
    [InlineData("update consent_events set status = 'withdrawn' where id = 2", 2)]
    [InlineData("update consent_events set occurred_at = occurred_at + interval '1 microsecond' where id = 5", 5)]
    [InlineData("update consent_events set expires_at = null where id = 6", 6)]
    [InlineData("update consent_events set method = 'import' where id = 1", 1)]
    [InlineData("update consent_events set property_id = 'other' where id = 9", 9)]
    [InlineData("update consent_events set purpose = 'everything' where id = 2", 2)]
    [InlineData("update consent_events set purpose = '' where id = 1", 1)]
    [InlineData("update consent_events set lead_id = gen_random_uuid() where id = 2", 2)]
    [InlineData("update consent_events set source = null where id = 2", 2)]
    [InlineData("update consent_events set ip_hash = '\\x01' where id = 3", 3)]
    [InlineData("update consent_events set hash = '\\x00' where id = 4", 4)]
    [InlineData("update consent_events set previous_hash = '\\x00' where id = 4", 4)]
    [InlineData("delete from consent_events where id = 1", 1)]
    [InlineData("delete from consent_events where id in (4, 5)", 4)]
    [InlineData("delete from consent_events where id > 6", 7)]
    [InlineData("insert into consent_events select 10, lead_id, status, method, basis, purpose, source, ip_hash, property_id, occurred_at, expires_at, salt, personal_digest, previous_hash, hash from consent_events where id = 9", 10)]
    [InlineData("truncate consent_events", 1)]
    [InlineData("delete from consent_chain", 9)]
    public async Task Tampering_shows_where_it_was_done(string sql, long row)
    {
        await TamperAsync(sql);
        var report = await Ledger.VerifyAsync(default);
        Assert.False(report.IsWhole);
        Assert.Equal(row, report.Faults.Min(f => f.Id));
    }

    [Fact]
    public async Task Whoever_makes_the_hashes_anew_is_found_by_the_end_that_was_noted_before()
    {
        var noted = (await Ledger.VerifyAsync(default)).EndHash;
        await TamperAsync("truncate consent_events; update consent_chain set last_id = 0, previous_hash = '', hash = ''");
        await using (var connection = await database.Source.OpenConnectionAsync())
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            for (var i = 0; i < 9; i++) await OneAsync(connection, Guid.NewGuid(), i);
            await transaction.CommitAsync();
        }
        var report = await Ledger.VerifyAsync(default);
        Assert.True(report.IsWhole);
        Assert.NotEqual(noted, report.EndHash);
    }
}
