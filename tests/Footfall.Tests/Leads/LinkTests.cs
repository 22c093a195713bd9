using Footfall.Capture;
using Footfall.Leads;
using Footfall.Tests.Infrastructure;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Footfall.Tests.Leads;

/// <summary>Whom a lead is linked to, and how surely.</summary>
[Trait("Category", TestCluster.Category)]
public sealed class LinkTests(ApiServer server) : IClassFixture<ApiServer>
{
    /// <summary>A visitor last seen so many minutes ago with the address and the browser that tests submit from.</summary>
    private async Task<Guid> SeenAsync(string name, int minutesAgo = 5, string agent = LeadServer.Browser, string address = "127.0.0.1")
    {
        var hashes = server.Services.GetRequiredService<PersonalHashes>();
        var at = TimeProvider.System.GetUtcNow().AddMinutes(-minutesAgo).ToString("yyyy-MM-ddTHH:mm:ss.ffffffZ");
        var e = Told.Event(name, at) with { IpHash = hashes.OfAddress(System.Net.IPAddress.Parse(address)), UaHash = hashes.OfUserAgent(agent) };
        await server.StoreAsync(e);
        return e.VisitorId;
    }

    private Task<List<string>> LinksAsync(Guid lead) => server.Database.RowsAsync(
        "select v.anon_id, link_source, round(confidence::numeric, 2) from lead_identities i left join visitors v on v.id = i.visitor_id where lead_id = @lead order by 1", ("lead", lead));

    private static string Agent(string test) => $"{LeadServer.Browser} {test}";

    private Task<Guid> SubmitAsync(string email, string agent, string? anonId = null) => server.TakenAsync(LeadServer.Express(email, anonId), ("User-Agent", agent));

    [Fact]
    public async Task Confidence_falls_with_those_who_share_and_ends_where_they_are_a_crowd()
    {
        var agent = Agent("sharing");
        // Submitted from elsewhere: only those seen below share.
        var lead = await SubmitAsync("share@example.org", Agent("elsewhere"));
        await SeenAsync("share0", agent: agent);
        await LinkAsync();
        Assert.Equal(["visitor-share0|same_ip_ua_window|0.60"], await LinksAsync(lead));
        await SeenAsync("share1", agent: agent);
        await LinkAsync();
        Assert.Equal(["visitor-share0|same_ip_ua_window|0.45", "visitor-share1|same_ip_ua_window|0.45"], await LinksAsync(lead));
        for (var i = 2; i < LeadSql.MostSharing; i++) await SeenAsync($"share{i}", agent: agent);
        await LinkAsync();
        var all = await LinksAsync(lead);
        Assert.Equal(LeadSql.MostSharing, all.Count);
        Assert.All(all, l => Assert.EndsWith("|0.32", l, StringComparison.Ordinal));
        await SeenAsync("share-one-too-many", agent: agent);
        await LinkAsync();
        Assert.Equal(LeadSql.MostSharing, (await LinksAsync(lead)).Count);

        async Task LinkAsync()
        {
            var hashes = server.Services.GetRequiredService<PersonalHashes>();
            await using var batch = server.Database.Source.CreateBatch();
            batch.BatchCommands.Add(LeadSql.LikelyLinks(lead, null, hashes.OfAddress(System.Net.IPAddress.Loopback), hashes.OfUserAgent(agent), TimeProvider.System.GetUtcNow()));
            await batch.ExecuteNonQueryAsync();
        }
    }

    [Fact]
    public async Task Only_the_same_address_and_browser_within_half_an_hour_count()
    {
        var agent = Agent("near");
        await SeenAsync("near", 29, agent);
        await SeenAsync("too-long-ago", 31, agent);
        await SeenAsync("other-browser", 5, agent + " another");
        await SeenAsync("other-address", 5, agent, "203.0.113.5");
        Assert.Equal(["visitor-near|same_ip_ua_window|0.60"], await LinksAsync(await SubmitAsync("near@example.org", agent)));
    }

    [Fact]
    public async Task Who_gave_an_address_is_nobody_else()
    {
        var agent = Agent("own");
        await SeenAsync("own-a", agent: agent);
        await SeenAsync("own-b", agent: agent);
        var first = await SubmitAsync("own-a@example.org", agent, "visitor-own-a");
        Assert.Equal(["visitor-own-a|form_submit|1.00", "visitor-own-b|same_ip_ua_window|0.60"], await LinksAsync(first));
        // b gives an address of its own: it was not a, and a is not b.
        var second = await SubmitAsync("own-b@example.org", agent, "visitor-own-b");
        Assert.Equal(["visitor-own-a|form_submit|1.00"], await LinksAsync(first));
        Assert.Equal(["visitor-own-b|form_submit|1.00"], await LinksAsync(second));
        Assert.Empty(await LinksAsync(await SubmitAsync("own-c@example.org", agent)));
    }

    [Fact]
    public async Task Who_comes_behind_the_form_is_found_a_little_later()
    {
        var agent = Agent("later");
        var lead = await SubmitAsync("later@example.org", agent, "visitor-later-own");
        Assert.Equal(["|form_submit|1.00"], (await LinksAsync(lead)).Select(l => l[l.IndexOf('|', StringComparison.Ordinal)..]));
        await SeenAsync("later-behind", minutesAgo: 0, agent: agent);
        await SeenAsync("later-too-early", minutesAgo: 40, agent: agent);
        var links = server.Services.GetRequiredService<LikelyLinks>();
        await links.RunAsync(default);
        await links.RunAsync(default);
        await server.SettleAsync();
        Assert.Equal(["visitor-later-behind|same_ip_ua_window|0.60", "visitor-later-own|form_submit|1.00"], await LinksAsync(lead));

        // What two forms of one moment have left behind is put right.
        await server.Database.ExecuteAsync("insert into lead_identities (id, lead_id, visitor_id, link_source, confidence, linked_at) select gen_random_uuid(), @other, visitor_id, 'same_ip_ua_window', 0.6, now() from lead_identities where lead_id = @lead and link_source = 'form_submit'",
            ("other", await SubmitAsync("later-other@example.org", Agent("later other"))), ("lead", lead));
        await links.RunAsync(default);
        Assert.Equal(0, await server.Database.ScalarAsync<long>("select count(*) from lead_identities i join leads l on l.id = i.lead_id where l.email_normalized = 'later-other@example.org' and i.link_source = 'same_ip_ua_window' and visitor_id in (select visitor_id from lead_identities where lead_id = @lead)", ("lead", lead)));
    }

    [Fact]
    public async Task One_browser_may_give_two_addresses_and_one_address_come_from_two_browsers()
    {
        var one = await SubmitAsync("two-a@example.org", Agent("two"), "visitor-two-1");
        var other = await SubmitAsync("two-b@example.org", Agent("two"), "visitor-two-1");
        await SubmitAsync("two-a@example.org", Agent("two more"), "visitor-two-2");
        await server.SettleAsync();
        Assert.Equal(["visitor-two-1|form_submit|1.00", "visitor-two-2|form_submit|1.00"], await LinksAsync(one));
        Assert.Equal(["visitor-two-1|form_submit|1.00"], await LinksAsync(other));
    }

    [Fact]
    public async Task Submits_of_one_browser_at_once_do_not_trip_over_each_other()
    {
        var agent = Agent("race");
        for (var i = 0; i < 5; i++) await SeenAsync($"race{i}", agent: agent);
        var leads = await Task.WhenAll(Enumerable.Range(0, 60).Select(i => SubmitAsync($"race{i % 10}@example.org", agent, i % 3 == 0 ? $"visitor-race{i % 5}" : null)));
        Assert.Equal(10, leads.Distinct().Count());
        // Whoever gave an address has no likely links, whatever the order was.
        Assert.Equal(0, await server.Database.ScalarAsync<long>("""
            select count(*) from lead_identities a
            join lead_identities b on b.visitor_id = a.visitor_id and b.link_source = 'form_submit'
            where a.link_source = 'same_ip_ua_window'
            """));
    }

    [Fact]
    public async Task Nobody_is_linked_who_asks_not_to_be_known()
    {
        var agent = Agent("gpc");
        await SeenAsync("gpc", agent: agent);
        var lead = await server.TakenAsync(LeadServer.Express("gpc@example.org", "visitor-gpc"), ("User-Agent", agent), ("Sec-GPC", "1"));
        Assert.Empty(await LinksAsync(lead));
    }
}
