using Footfall.Tests.Infrastructure;
using Xunit;

namespace Footfall.Tests.Cli;

/// <summary><c>footfall demo</c>: a believable history, once.</summary>
[Trait("Category", TestCluster.Category)]
public sealed class DemoCommandTests
{
    private const string State = """
        select (select count(*) from events), (select count(*) from sessions), (select count(*) from visitors),
               (select sum(hashtext(d::text)::bigint) from (select property_id, day, unique_visitors, page_views, conversions from daily_metric_rollups) d),
               (select sum(events_accepted + events_duplicate) from daily_ingest_rollups), (select count(*) from leads), (select count(*) from consent_events)
        """;

    [Fact]
    public async Task Ninety_days_are_filled_once_and_look_like_a_site()
    {
        await using var database = await TestDatabase.CreateAsync();
        var folder = TestFolder.New("demo");
        Task<(int Exit, string Output)> Demo() => RunAsync("demo", "--DataDir", folder, "--Postgres:ConnectionString", database.ConnectionString);

        var (exit, output) = await Demo();
        Assert.True(exit == 0, output);
        var once = await database.RowsAsync(State);
        (exit, output) = await Demo();
        Assert.True(exit == 0, output);
        Assert.Contains("Nothing to do", output, StringComparison.Ordinal);
        Assert.Equal(once, await database.RowsAsync(State));

        Assert.Equal(["90"], await database.RowsAsync("select count(distinct (occurred_at at time zone 'UTC')::date) from sessions s join events e using (visitor_id) where e.session_id = s.id and s.started_at >= (select date_trunc('day', max(started_at)) - interval '89 days' from sessions)"));
        Assert.Equal(["7|7|10|True"], await database.RowsAsync("select count(distinct traffic_source) filter (where traffic_source <> 'internal') , least(7, count(distinct browser || os)), least(10, count(distinct country_code)), count(distinct utm_campaign) >= 4 from sessions where device_type <> 'bot'"));
        Assert.Equal(["2"], await database.RowsAsync("select count(distinct props->>'variantId') from events where event_type = 'experiment_assigned'"));
        // Leads went the way of real ones: each with consent, a submission that became one event, and a visitor.
        Assert.Equal(["0|0|0|True"], await database.RowsAsync("""
            select (select count(*) from leads l where not exists (select from consent_events c where c.lead_id = l.id)),
                   (select count(*) from form_submit_events),
                   (select count(*) from form_submissions s where not exists (select from lead_identities i where i.lead_id = s.lead_id and i.visitor_id = s.visitor_id and i.link_source = 'form_submit')),
                   (select count(*) from form_submissions) = (select count(*) from events where event_type = 'form_submit') and (select count(*) from leads) > 200
            """));
        Assert.Equal(["True|True"], await database.RowsAsync("select sum(leads_accepted) = (select count(*) from form_submissions), sum(events_duplicate) = 0 from daily_ingest_rollups where property_id = 'demo'"));
        Assert.Equal(["True"], await database.RowsAsync("select sum(new_leads) = (select count(*) from leads) from daily_metric_rollups where property_id = 'demo'"));
        // Weekdays differ, as they do on real sites.
        Assert.Equal(["True"], await database.RowsAsync("select avg(n) filter (where d = 1) > 1.2 * avg(n) filter (where d = 6) from (select extract(dow from started_at at time zone 'UTC') d, count(*) n from sessions group by date_trunc('day', started_at at time zone 'UTC'), 1) x"));
    }

    private static async Task<(int Exit, string Output)> RunAsync(params string[] args)
    {
        using var output = new StringWriter();
        var exit = await Footfall.Cli.FootfallCommand.RunAsync(args, output, output, TestContext.Current.CancellationToken);
        return (exit, output.ToString());
    }
}
