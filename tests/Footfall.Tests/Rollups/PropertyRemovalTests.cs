using Footfall.Access;
using Footfall.Capture;
using Footfall.Dashboard.Sharing;
using Footfall.Leads;
using Footfall.Rollups;
using Footfall.Tests.Infrastructure;
using Footfall.Tests.Leads;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Xunit;

namespace Footfall.Tests.Rollups;

/// <summary>A property goes with all that is about it, and takes nothing of another one along.</summary>
[Trait("Category", TestCluster.Category)]
public sealed class PropertyRemovalTests(ApiServer server) : IClassFixture<ApiServer>
{
    /// <summary>Tables with a step of their own in the removal, and not a line of the list.</summary>
    private static readonly string[] WithSteps = ["events", "sessions", "leads", "form_submissions", "form_submit_events", "consent_requests", "accounts"];

    private static readonly string Day = $"{DateOnly.FromDateTime(TimeProvider.System.GetUtcNow().UtcDateTime).AddDays(-1):yyyy-MM-dd}";

    private PropertyRemoval Removal => server.Services.GetRequiredService<PropertyRemoval>();

    private Task<long> CountAsync(string sql) => server.Database.ScalarAsync<long>($"select count(*) from {sql}");

    private async Task<List<string>> TablesAsync() => [.. (await server.Database.RowsAsync("""
        select c.table_name::text
        from information_schema.columns c
        join pg_class t on t.relname = c.table_name and t.relnamespace = current_schema()::regnamespace and not t.relispartition
        where c.table_schema = current_schema() and c.column_name = 'property_id'
        order by 1
        """)).Select(r => r.Split('|')[0])];

    [Fact]
    public async Task Every_table_that_names_a_property_is_thought_of() =>
        Assert.Equal((await TablesAsync()).Order(StringComparer.Ordinal), PropertyRemoval.Tables.Concat(PropertyRemoval.Keeping).Concat(WithSteps).Order(StringComparer.Ordinal));

    [Fact]
    public async Task Nothing_of_it_is_left_and_nothing_of_another_property_is_gone()
    {
        var e = server.Services;
        await server.StoreAsync(
            View("only", "gone", "/only") with { AccountId = "acc-only", EntityType = "product", EntityId = "bell" }, View("both", "gone", "/both") with { AccountId = "acc-both" },
            View("both", "stays", "/both", 1) with { AccountId = "acc-both", EntityType = "product", EntityId = "bell" }, View("other", "stays", "/other"));
        var only = await server.TakenAsync(new { email = "only@gone.example", anonId = "visitor-only", propertyId = "gone", consent = new { status = "express", purpose = "letter" } });
        var moved = await server.TakenAsync(new { email = "moved@gone.example", anonId = "visitor-both", propertyId = "gone", consent = new { status = "express", purpose = "letter" } });
        await server.TakenAsync(new { email = "moved@gone.example", anonId = "visitor-both", propertyId = "stays" });
        var guest = await server.TakenAsync(new { email = "guest@gone.example", anonId = "visitor-other", propertyId = "stays" });
        await server.TakenAsync(new { email = "guest@gone.example", propertyId = "gone" });
        await server.SettleAsync();
        var token = (await e.GetRequiredService<TokenStore>().CreateAsync("of it", AccessRole.Dashboard, AccessPlan.Free, "gone", default)).Token;
        await e.GetRequiredService<SharedLinkStore>().CreateAsync("a test", "gone", "x", null, null, [], default);
        await server.Database.ExecuteAsync($$"""
            insert into day_notes (id, property_id, day, text, created_at) values (gen_random_uuid(), 'gone', '{{Day}}', 'x', now());
            insert into funnels (property_id, name, steps, window_hours, created_at) values ('gone', 'f', '[{"name": "a", "eventTypes": ["page_view"]}, {"name": "b", "eventTypes": ["page_view"]}]', 24, now());
            insert into imports (content_sha256, property_id, options, started_at, updated_at) values ('\x00', 'gone', '', now(), now());
            insert into backfill_days (window_from, window_to, scope, property_id, day, begun_at) values ('{{Day}}', '{{Day}}', 'gone', 'gone', '{{Day}}', now());
            insert into purged_days (property_id, through) values ('gone', '2020-01-01')
            """);
        await server.RollUpAsync();
        var stays = await FiguresAsync();
        var keys = await CountAsync("event_keys");

        var contents = (await Removal.RemoveAsync("gone", "a test", default))!;

        Assert.Equal((1, 2, 1, 1, 1, 1), (contents.Leads, contents.Visitors - 1, contents.Notes, contents.Tokens, contents.SharedLinks, contents.Funnels));
        foreach (var table in (await TablesAsync()).Except(PropertyRemoval.Keeping)) Assert.True(await CountAsync($"{table} where property_id = 'gone'") == 0, $"{table} still has rows of it.");
        Assert.Equal(0, await CountAsync("properties where id = 'gone'"));
        Assert.Equal(0, await CountAsync($"access_tokens where id = '{token.Id}'"));

        // Who was only there is gone without a trace; who was elsewhere too is still there, as if only there.
        Assert.Equal(0, await CountAsync("visitors where anon_id = 'visitor-only'"));
        Assert.Equal(1, await CountAsync("visitors where anon_id = 'visitor-both'"));
        Assert.Equal(0, await CountAsync($"leads where id = '{only}'"));
        Assert.Equal(0, await CountAsync($"consent_events where lead_id = '{only}'"));
        Assert.Equal(0, await CountAsync("accounts where id = 'acc-only'"));
        Assert.Equal(1, await CountAsync($"leads l join form_submissions s on s.lead_id = l.id where l.id = '{moved}' and l.property_id = 'stays' and l.first_captured_at = s.submitted_at"));
        Assert.Equal(1, await CountAsync($"form_submissions where lead_id = '{guest}'"));
        Assert.True(await CountAsync("event_keys") < keys);
        Assert.Equal(0, await CountAsync("event_keys k where not exists (select from visitors v where v.id = k.visitor_id)"));
        Assert.Empty((await e.GetRequiredService<ConsentLedger>().VerifyAsync(default)).Faults);
        Assert.Equal(1, await CountAsync("audit_log where action = 'property_removed' and actor = 'a test' and detail->>'property' = 'gone'"));

        // Its figures, counted anew from what is left, are what they were but for the lead that moved there.
        await server.Database.ExecuteAsync("insert into dirty_days (property_id, day, marks, marked_at) select property_id, day, 1, now() from daily_metric_rollups on conflict do nothing");
        await server.RollUpAsync();
        Assert.Equal(stays, await FiguresAsync());
        Assert.Equal(2, await server.Database.ScalarAsync<long>("select sum(new_leads) from daily_metric_rollups where property_id = 'stays'"));
        Assert.Null(await Removal.RemoveAsync("gone", "a test", default));
    }

    [Fact]
    public async Task What_had_arrived_before_does_not_bring_it_back_and_what_comes_later_makes_it_anew()
    {
        await server.StoreAsync(View("late", "late", "/first"));
        await Removal.RemoveAsync("late", "a test", default);
        await server.StoreAsync(View("late", "late", "/under-way", 1));
        Assert.Equal(0, await CountAsync("properties where id = 'late'"));
        Assert.Equal(0, await CountAsync("events where property_id = 'late'"));
        Assert.Equal(0, await CountAsync("visitors where anon_id = 'visitor-late'"));
        Assert.Equal(1, await server.Database.ScalarAsync<long>("select sum(events)::bigint from ingest_counts where property_id = 'late' and outcome = 'dropped' and reason = 'removed'"));
        Assert.Equal(0, await server.Database.ScalarAsync<long>("select coalesce(sum(events), 0)::bigint from ingest_counts where property_id = 'late' and outcome <> 'dropped'"));

        var now = TimeProvider.System.GetUtcNow().AddSeconds(1).UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'");
        await server.StoreAsync(Told.Event("late", now, property: "late", path: "/anew"));
        Assert.Equal(1, await CountAsync("properties where id = 'late'"));
        Assert.Equal(1, await CountAsync("events where property_id = 'late'"));
    }

    [Fact]
    public void Capture_forgets_a_property_that_the_database_has_no_more()
    {
        var registry = new PropertyRegistry(Options.Create(new CaptureOptions { MaxProperties = 3 }));
        var stored = new Property("a", ["a.example"], []);
        registry.Refresh([stored]);
        registry.Admit("named-by-an-event");
        registry.Refresh([stored]);
        Assert.NotNull(registry.Find("a"));
        Assert.NotNull(registry.Find("named-by-an-event"));
        Assert.Null(registry.Admit("no-room"));
        registry.Refresh([]);
        Assert.Null(registry.Find("a"));
        Assert.NotNull(registry.Find("named-by-an-event"));
        Assert.NotNull(registry.Admit("room-again"));
        Assert.NotNull(registry.Find("default"));
    }

    private static CapturedEvent View(string visitor, string property, string path, int hour = 0) => Told.Event(visitor, $"{Day}T{10 + hour}:00:00Z", property: property, path: path) with { DedupeKey = Guid.NewGuid() };

    private async Task<string> FiguresAsync() => string.Join('\n', await server.Database.RowsAsync("""
        select day::text, unique_visitors::text, page_views::text, sessions::text, events::text, returning_visitors::text, encode(visitors, 'hex') from daily_metric_rollups where property_id = 'stays'
        union all
        select day::text, entity_type, entity_id, total_views::text, unique_visitors::text, hour::text, '' from analytics_aggregates where property_id = 'stays'
        union all
        select day::text, user_number::text, views::text, '', '', '', '' from entity_visitor_days where property_id = 'stays'
        order by 1, 2, 3
        """));
}
