using System.Globalization;
using Footfall.Backups;
using Footfall.Dashboard.Reports;
using Footfall.Dashboard.Sharing;
using Footfall.Leads;
using Footfall.Rollups;
using Footfall.Tests.Infrastructure;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Footfall.Tests.Backups;

/// <summary>What people asked for after a backup holds after its restore: who was erased stays erased, who said no is not mailed, what was revoked opens nothing, what was deleted stays deleted.</summary>
public sealed class RequestTests : IAsyncLifetime
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private readonly string folder = TestFolder.New("requests");
    private readonly string shelf = TestFolder.New("shelf");
    private TestDatabase database = null!;
    private Guid erased;
    private Guid withdrawn;
    private Guid stays;
    private Guid link;

    public async ValueTask InitializeAsync()
    {
        database = await TestDatabase.CreateAsync();
        var csv = Path.Combine(folder, "leads.csv");
        File.WriteAllText(csv, "email\ngone@example.org\nno-more@example.org\nstays@example.org\n");
        await SucceedsAsync("leads", "import", csv, "--consent-method", "fair 2026", "--purpose", "letter");
        (erased, withdrawn, stays) = (await IdAsync("gone@example.org"), await IdAsync("no-more@example.org"), await IdAsync("stays@example.org"));
        // The person's browser: its events are in the backup, the form that tells whose they are comes after it.
        await database.ExecuteAsync("""
            insert into visitors (id, anon_id, kind, number, first_seen_at, last_seen_at) select @v, 'visitor-gone', 'anon_id', nextval('visitor_numbers'), now(), now();
            insert into events (visitor_id, id, occurred_at, received_at, property_id, event_type, traffic_source, device_type, is_entrance, is_exit, is_conversion)
            select @v, gen_random_uuid(), now(), now(), 'default', 'page_view', 'direct', 'desktop', true, true, false
            """, ("v", Visitor));
        await SucceedsAsync("token", "create", "--name", "reader", "--role", "dashboard");
        // A site with a visitor of its own, an address and a link; and a link and three readers of a report on another.
        await database.ExecuteAsync("""
            insert into properties (id, name) values ('closed', 'Closed soon');
            insert into visitors (id, anon_id, kind, number, first_seen_at, last_seen_at) select @v, 'visitor-closed', 'anon_id', nextval('visitor_numbers'), now(), now();
            insert into events (visitor_id, id, occurred_at, received_at, property_id, event_type, traffic_source, device_type, is_entrance, is_exit, is_conversion)
            select @v, gen_random_uuid(), now(), now(), 'closed', 'page_view', 'direct', 'desktop', true, true, false;
            insert into report_recipients (id, property_id, address, added_at) values (@stops, 'default', 'stops@example.org', now()), (@reads, 'default', 'reads@example.org', now()), (@leaves, 'default', 'leaves@example.org', now())
            """, ("v", VisitorOfClosed), ("stops", Stops), ("reads", Reads), ("leaves", Leaves));
        var links = new SharedLinkStore(database.Source, new AuditLog(database.Source, TimeProvider.System), TimeProvider.System);
        link = (await links.CreateAsync("a test", "default", "for the board", null, null, [], Ct)).Link.Id;
        await links.CreateAsync("a test", "default", "for the team", null, null, [], Ct);
        await links.CreateAsync("a test", "closed", "of the closed one", null, null, [], Ct);
        await SucceedsAsync("backup", "--to", shelf);
    }

    public ValueTask DisposeAsync() => database.DisposeAsync();

    private static readonly Guid Stops = Guid.NewGuid();
    private static readonly Guid Reads = Guid.NewGuid();
    private static readonly Guid Leaves = Guid.NewGuid();

    private static Guid VisitorOfClosed { get; } = Footfall.Capture.VisitorIds.OfAnonId("visitor-closed");

    private static Guid Visitor { get; } = Footfall.Capture.VisitorIds.OfAnonId("visitor-gone");

    [Fact]
    public async Task They_are_met_again_when_the_database_that_goes_still_knows_them()
    {
        var receipt = await AskAsync();
        File.Delete(Path.Combine(folder, RequestList.FileName));
        var output = await SucceedsAsync("restore", "--replace", "--from", shelf);
        Assert.Contains("1 erasures, 1 withdrawals of consent, 1 revoked tokens, 2 deleted properties, 1 recipients taken off reports, 1 revoked shared links, 1 stopped reports", output, StringComparison.Ordinal);
        await AreMetAsync(database, receipt);

        // Once more, nothing is left to be done twice.
        await SucceedsAsync("restore", "--replace", "--from", shelf);
        await AreMetAsync(database, receipt);
    }

    [Fact]
    public async Task They_are_met_again_from_the_data_folder_when_the_database_is_lost()
    {
        var receipt = await AskAsync();
        Assert.DoesNotContain("example.org", File.ReadAllText(Path.Combine(folder, RequestList.FileName)), StringComparison.Ordinal);
        await using var target = await TestDatabase.CreateAsync(migrated: false);
        var (exit, output, error) = await BackupFixture.RunAsync(folder, target.ConnectionString, "restore", "--from", shelf);
        Assert.True(exit == 0, error);
        Assert.Contains("1 erasures, 1 withdrawals of consent, 1 revoked tokens, 2 deleted properties, 1 recipients taken off reports, 1 revoked shared links, 1 stopped reports", output, StringComparison.Ordinal);
        await AreMetAsync(target, receipt);
    }

    [Fact]
    public async Task They_are_met_again_from_beside_the_backup_when_the_machine_is_lost()
    {
        var receipt = await AskAsync("--Backup:Directory", shelf);
        await using var target = await TestDatabase.CreateAsync(migrated: false);
        var (exit, output, error) = await BackupFixture.RunAsync(TestFolder.New("anew"), target.ConnectionString, "restore", "--from", shelf);
        Assert.True(exit == 0, error);
        Assert.Contains("1 erasures", output, StringComparison.Ordinal);
        Assert.DoesNotContain("persons erased after the backup may be back", error, StringComparison.Ordinal);
        await AreMetAsync(target, receipt);
    }

    [Fact]
    public async Task Without_any_list_the_operator_is_told_that_persons_may_be_back()
    {
        await AskAsync();
        await using var target = await TestDatabase.CreateAsync(migrated: false);
        var (exit, _, error) = await BackupFixture.RunAsync(TestFolder.New("anew"), target.ConnectionString, "restore", "--from", shelf);
        Assert.Equal(0, exit);
        Assert.Contains("persons erased after the backup may be back", error, StringComparison.Ordinal);
        Assert.Equal(3, await target.ScalarAsync<long>("select count(*) from leads"));

        (exit, _, _) = await BackupFixture.RunAsync(TestFolder.New("anew"), target.ConnectionString, "restore", "--replace", "--from", shelf, "--requests", Path.Combine(folder, RequestList.FileName));
        Assert.Equal(0, exit);
        Assert.Equal(2, await target.ScalarAsync<long>("select count(*) from leads"));
    }

    [Fact]
    public async Task What_the_backup_knows_is_done_no_second_time_and_what_was_made_anew_stays()
    {
        await AskAsync();
        // After the deletion somebody begins again with a site of that name, and that is in the next backup.
        await database.ExecuteAsync("insert into properties (id, name) values ('closed', 'Opened anew')");
        var later = TestFolder.New("later");
        await SucceedsAsync("backup", "--to", later);
        var output = await SucceedsAsync("restore", "--replace", "--from", later);
        Assert.Contains("none is known", output, StringComparison.Ordinal);
        Assert.Equal(["Opened anew"], await database.RowsAsync("select name from properties where id = 'closed'"));
        Assert.Equal(1, await database.ScalarAsync<long>("select count(*) from audit_log where action = 'property_removed' and detail->>'property' = 'closed'"));
    }

    [Fact]
    public void A_list_takes_each_request_once_survives_a_cut_line_and_forgets_after_400_days()
    {
        var now = new DateTimeOffset(2026, 5, 1, 0, 0, 0, TimeSpan.Zero);
        var home = TestFolder.New("list");
        PersonRequest[] requests = [.. Enumerable.Range(0, 3).Select(n => new PersonRequest(PersonRequest.Revocation, Guid.NewGuid(), now.AddDays(-n)))];
        var list = new RequestList(home);
        list.Add([], now);
        Assert.Empty(RequestList.Read(list.Path));
        Assert.True(File.Exists(list.Path));   // that nothing was asked for is known, too
        list.Add(requests[..2], now);
        list.Add(requests[..2], now);
        File.AppendAllText(list.Path, """{"kind":"erasure","id":"0000""");
        new RequestList(home).Add(requests, now);   // another server
        list.Add(requests, now);
        Assert.Equal(requests.Select(r => r.Key).Order(), RequestList.Read(list.Path).Select(r => r.Key).Order());
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(list.Path));
        list.Prune(now.AddDays(399));
        Assert.Equal([requests[0].Key], RequestList.Read(list.Path).Select(r => r.Key));
    }

    /// <summary>After the backup: one is erased (the form has told whose the browser is), one withdraws, a token is revoked. Returns the receipt.</summary>
    private async Task<string> AskAsync(params string[] configuration)
    {
        await database.ExecuteAsync("insert into lead_identities (id, lead_id, visitor_id, link_source, confidence, linked_at) values (gen_random_uuid(), @lead, @v, 'form_submit', 1, now())", ("lead", erased), ("v", Visitor));
        await using (var host = FootfallHost.BuildForCommands(["--DataDir", folder, "--Postgres:ConnectionString", database.ConnectionString], verbose: false))
        {
            Assert.True(await host.Services.GetRequiredService<Withdrawals>().WithdrawAsync(withdrawn, ConsentMethod.UnsubscribeLink, null, Ct));
            Assert.True(await new SharedLinkStore(database.Source, new AuditLog(database.Source, TimeProvider.System), TimeProvider.System).RevokeAsync("a test", "default", link, Ct));
            Assert.Equal("default", await host.Services.GetRequiredService<ReportStore>().StopAsync(Stops, Ct));
            await host.Services.GetRequiredService<ReportStore>().RemoveAsync("default", Leaves, Ct);
            var removal = host.Services.GetRequiredService<PropertyRemoval>();
            Assert.Equal(1, (await removal.RemoveAsync("closed", "a test", Ct))!.Events);
            // One that the backup has never heard of, whose events a journal may still hold.
            await database.ExecuteAsync("insert into properties (id, name) values ('brief', 'Came and went')");
            Assert.NotNull(await removal.RemoveAsync("brief", "a test", Ct));
        }
        var token = await database.ScalarAsync<Guid>("select id from access_tokens");
        await SucceedsAsync([.. configuration, "token", "revoke", token.ToString()]);
        var output = await SucceedsAsync([.. configuration, "erase", "--lead", erased.ToString()]);
        return output.Split('\n')[0].Split(' ', StringSplitOptions.RemoveEmptyEntries)[1];
    }

    private async Task AreMetAsync(TestDatabase target, string receipt)
    {
        Assert.Equal([$"{stays}|express", $"{withdrawn}|withdrawn"], await target.RowsAsync("select id, consent_status::text from leads order by 2"));
        Assert.Equal(["unsubscribe_link"], await target.RowsAsync("select method from consent_events where status = 'withdrawn'"));
        Assert.Equal(0, await target.ScalarAsync<long>("select count(*) from events where visitor_id = @v", ("v", Visitor)));
        Assert.Equal(0, await target.ScalarAsync<long>("select count(*) from visitors where id = @v", ("v", Visitor)));
        Assert.Equal(1, await target.ScalarAsync<long>("select count(*) from erased_visitors where visitor_id = @v", ("v", Visitor)));
        Assert.Equal([receipt], await target.RowsAsync("select id from erasures"));
        Assert.Equal([erased.ToString()], await target.RowsAsync("select lead_id from erased_leads"));
        Assert.Equal(1, await target.ScalarAsync<long>("select count(*) from access_tokens where revoked_at is not null"));
        Assert.Equal(["for the board"], await target.RowsAsync("select name from shared_links where revoked_at is not null"));
        Assert.Equal(["for the team"], await target.RowsAsync("select name from shared_links where revoked_at is null"));
        Assert.Equal(["reads@example.org|", "stops@example.org|stopped"], await target.RowsAsync("select address, case when stopped_at is not null then 'stopped' else '' end from report_recipients order by 1"));
        Assert.Equal([Leaves.ToString()], await target.RowsAsync("select id from removed_recipients"));
        Assert.Equal(0, await target.ScalarAsync<long>("select count(*) from properties where id = 'closed'"));
        Assert.Equal(0, await target.ScalarAsync<long>("select count(*) from events where property_id = 'closed'"));
        Assert.Equal(0, await target.ScalarAsync<long>("select count(*) from visitors where id = @v", ("v", VisitorOfClosed)));
        // At the same instants as in the database of before, so that what arrived until then is turned away.
        Assert.Equal(await database.RowsAsync("select property_id, removed_at from removed_properties order by 1"), await target.RowsAsync("select property_id, removed_at from removed_properties order by 1"));
        Assert.Equal(["brief", "closed"], await target.RowsAsync("select property_id from removed_properties order by 1"));
        var (exit, output, _) = await BackupFixture.RunAsync(folder, target.ConnectionString, "leads", "verify");
        Assert.True(exit == 0, output);
    }

    private Task<Guid> IdAsync(string address) => database.ScalarAsync<Guid>("select id from leads where email_normalized = @a", ("a", address));

    private async Task<string> SucceedsAsync(params string[] arguments)
    {
        var (exit, output, error) = await BackupFixture.RunAsync(folder, database.ConnectionString, arguments);
        Assert.True(exit == 0, string.Create(CultureInfo.InvariantCulture, $"exit code {exit}\n{output}\n{error}"));
        return output;
    }
}
