using System.Globalization;
using Footfall.Capture;
using Footfall.Definitions;
using Footfall.Ingestion;
using Footfall.Metrics;
using Footfall.Postgres;
using Footfall.Rollups;
using Footfall.Tests.Infrastructure;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.Extensions.Options;
using Npgsql;
using Xunit;

namespace Footfall.Tests.Model;

/// <summary>Random visitors' events in random order and random batches, against the reference model.</summary>
[Trait("Category", TestCluster.Category)]
public sealed class ModelTests : IAsyncLifetime
{
    private TestDatabase database = null!;

    public async ValueTask InitializeAsync() => database = await TestDatabase.CreateAsync();

    public ValueTask DisposeAsync() => database.DisposeAsync();

    [Fact]
    public void Sessions_and_every_figure_are_what_the_definitions_say()
    {
        var property = Prop.ForAll(RandomTraffic.Batches(), batches => CheckAsync(batches).GetAwaiter().GetResult());
        property.Check(Config.QuickThrowOnFailure.WithMaxTest(TestCluster.IsUsed ? 30 : 150).WithEndSize(14).WithQuietOnSuccess(true));
    }

    private async Task CheckAsync(List<List<PickedEvent>> batches)
    {
        await EmptyAsync();
        var clock = TimeProvider.System;   // long after the events: every session is closed
        var sessions = Options.Create(new SessionsOptions());
        await using var writer = new BatchWriter(database.Source, new EventPartitions(clock), sessions, clock);
        var runner = AllModels.Runner(database.Source, AllModels.Funnels(database.Source, TestFunnel), clock);
        await AddExperimentAsync();

        var leads = await AddLeadsAsync();
        List<CapturedEvent> arrivals = [];
        var arrival = 0;
        foreach (var picked in batches)
        {
            var batch = new IngestBatch();
            var events = RandomTraffic.Build(picked, ref arrival);
            arrivals.AddRange(events);
            foreach (var e in events) batch.Add(e);
            if (!batch.IsEmpty) await writer.WriteAsync(batch, (_, _) => Task.CompletedTask, default);
            // Rolled up in between, so that what a later batch changes without marking the day stays wrong, and shows.
            if (picked.Count == 0 || picked[0].Key % 2 == 0) Assert.Null((await runner.RunDirtyAsync(null, wait: true, default)).Error);
        }
        await new SessionSealer(database.Source, sessions, clock).SealAsync(default);
        Assert.Null((await runner.RunDirtyAsync(null, wait: true, default)).Error);

        var model = new ReferenceModel(arrivals, leads);
        await CompareEventsAsync(model);
        await CompareSessionsAsync(model);
        await CompareVisitorsAsync(model);
        await CompareDaysAsync(model);
        await CompareWindowsAsync(model);
        await CompareIngestAsync(model);
        await CompareUsersAsync(model);

        // What the marks led to is what recomputing everything gives: no change went unmarked, to the byte.
        var marked = await RolledRows.ReadAsync(database);
        var from = ReferenceModel.Day(RandomTraffic.Epoch).AddDays(-185);
        var report = await runner.RunAsync(ReferenceModel.Day(RandomTraffic.Epoch).AddDays(-1), ReferenceModel.Day(RandomTraffic.Received).AddDays(5), null, null, null, default);
        Assert.Null(report.Error);
        Assert.Equal(marked, await RolledRows.ReadAsync(database));
        Assert.Empty(await new Discrepancy(database.Source).FindAsync(from, ReferenceModel.Day(RandomTraffic.Received).AddDays(10), null, default));
    }

    private async Task CompareEventsAsync(ReferenceModel model)
    {
        var rows = await QueryAsync("""
            select id, is_entrance, is_exit, session_id is not null, dedupe_key from events order by id
            """, r => (Id: r.GetGuid(0), Entrance: r.GetBoolean(1), Exit: r.GetBoolean(2), InRange: r.GetBoolean(3)));
        var entrances = model.Sessions.Select(s => s.EntryId).ToHashSet();
        var exits = model.Sessions.Select(s => s.ExitId).ToHashSet();
        var expected = model.Stored.Select(e => (e.Id, entrances.Contains(e.Id), exits.Contains(e.Id), !e.IsOutOfRange));
        Assert.Equal(expected.OrderBy(e => e.Id.ToString()).ToList(), rows.OrderBy(e => e.Id.ToString()).ToList());
        var strays = await QueryAsync("""
            select count(*) from events e left join sessions s on s.visitor_id = e.visitor_id and s.id = e.session_id
            where e.session_id is not null and (s.id is null or e.occurred_at not between s.started_at and s.ended_at)
            """, r => r.GetInt64(0));
        Assert.Equal(0, strays[0]);
    }

    private async Task CompareSessionsAsync(ReferenceModel model)
    {
        var rows = await QueryAsync("""
            select visitor_id, property_id, device_type = 'bot', started_at, ended_at, entry_at, entry_event_id, exit_at, exit_event_id,
                   landing_path, exit_path, traffic_source::text, referrer, browser, country_code, device_type::text,
                   page_views, events, engaged_ms, has_conversion, is_bounce
            from sessions
            """, r => string.Join('|',
                r.GetGuid(0), r.GetString(1), r.GetBoolean(2), Time(r, 3), Time(r, 4), Time(r, 5), Of(r, 6), Time(r, 7), Of(r, 8),
                Of(r, 9), Of(r, 10), r.GetString(11), Of(r, 12), Of(r, 13), Of(r, 14), r.GetString(15),
                r.GetInt32(16), r.GetInt32(17), r.GetInt64(18), r.GetBoolean(19), r.GetBoolean(20)));
        var expected = model.Sessions.Select(s => string.Join('|',
            s.VisitorId, s.PropertyId, s.IsBot, Time(s.StartedAt), Time(s.EndedAt), Time(s.EntryAt), s.EntryId, Time(s.ExitAt), s.ExitId,
            s.LandingPath, s.ExitPath, Names.Of(s.Source), s.Referrer, s.Browser, s.Country, Names.Of(s.Device),
            s.PageViews, s.Events, s.EngagedMs, s.HasConversion, s.IsBounce));
        Assert.Equal(expected.Order(StringComparer.Ordinal).ToList(), rows.Order(StringComparer.Ordinal).ToList());
    }

    private async Task CompareVisitorsAsync(ReferenceModel model)
    {
        var rows = await QueryAsync("select id, first_seen_at, last_seen_at from visitors", r => $"{r.GetGuid(0)} {Time(r, 1)} {Time(r, 2)}");
        var expected = model.Stored.Select(e => e.VisitorId).Distinct().Select(v => $"{v} {Time(model.FirstSeen(v))} {Time(model.LastSeen(v))}");
        Assert.Equal(expected.Order(StringComparer.Ordinal).ToList(), rows.Order(StringComparer.Ordinal).ToList());
        var numbers = await QueryAsync("select number from visitors order by number", r => r.GetInt32(0));
        Assert.Equal(Enumerable.Range(1, numbers.Count).ToList(), numbers);   // dense
    }

    private async Task CompareDaysAsync(ReferenceModel model)
    {
        var rows = (await QueryAsync("""
            select unique_visitors, returning_visitors, page_views, entrances, exits, conversions, events, form_starts, form_submits,
                   sessions, bounces, converted_sessions, landing_sessions, landing_conversions, duration_ms, engaged_ms,
                   new_leads, first_capture_ms, first_capture_leads,
                   (select coalesce(string_agg(key || '=' || value, ',' order by key::traffic_source), '') from jsonb_each_text(sources)),
                   (select coalesce(string_agg((p ->> 'path') || '=' || (p ->> 'sessions') || '/' || (p ->> 'converted'), ',' order by p ->> 'path' collate "C"), '')
                    from jsonb_array_elements(landing_pages) p),
                   property_id, day
            from daily_metric_rollups
            """, r => (Key: (r.GetString(21), r.GetFieldValue<DateOnly>(22)), Day: new ModelDay(
                r.GetInt32(0), r.GetInt32(1), r.GetInt64(2), r.GetInt64(3), r.GetInt64(4), r.GetInt64(5), r.GetInt64(6), r.GetInt64(7), r.GetInt64(8),
                r.GetInt64(9), r.GetInt64(10), r.GetInt64(11), r.GetInt64(12), r.GetInt64(13), r.GetInt64(14), r.GetInt64(15),
                r.GetInt32(16), r.GetInt64(17), r.GetInt32(18), r.GetString(19), r.GetString(20))))).ToDictionary(r => r.Key, r => r.Day);
        foreach (var property in RandomTraffic.Properties)
        {
            for (var n = -1; n < 7; n++)
            {
                var day = ReferenceModel.Day(RandomTraffic.Epoch).AddDays(n);
                var expected = model.DayOf(property, day);
                if (expected is not null) expected = expected with { Sources = expected.Sources.Length == 0 ? "" : string.Join(",", expected.Sources.Split(',').Select(Snake)) };
                rows.Remove((property, day), out var actual);
                Assert.Equal(expected, actual);
            }
        }
        Assert.Empty(rows);   // no day beyond those

        static string Snake(string pair)
        {
            var parts = pair.Split('=');
            return $"{Names.Of(Enum.Parse<TrafficSource>(parts[0]))}={parts[1]}";
        }
    }

    private async Task CompareWindowsAsync(ReferenceModel model)
    {
        var store = new SummaryStore(database.Source);
        var first = ReferenceModel.Day(RandomTraffic.Epoch);
        foreach (var property in RandomTraffic.Properties)
        {
            var days = await store.DaysAsync(property, new Window(first, first.AddDays(5)), default);
            for (var from = 0; from <= 5; from++)
            {
                for (var to = from; to <= 5; to++)
                {
                    var totals = new WindowTotals(first.AddDays(from));
                    foreach (var day in days.Where(d => d.Day >= first.AddDays(from) && d.Day <= first.AddDays(to))) totals.Add(day);
                    totals.Counted();
                    Assert.Equal(model.Visitors(property, first.AddDays(from), first.AddDays(to)), (totals.UniqueVisitors, totals.ReturningVisitors));
                }
            }
        }
    }

    private async Task CompareIngestAsync(ReferenceModel model)
    {
        var rows = await QueryAsync("""
            select property_id, day, events_accepted, events_bot, events_duplicate, p95_ttfb_ms from daily_ingest_rollups where events_accepted + events_duplicate > 0
            """, r => $"{r.GetString(0)} {r.GetFieldValue<DateOnly>(1):yyyy-MM-dd} {r.GetInt64(2)} {r.GetInt64(3)} {r.GetInt64(4)}");
        var expected = model.Stored.Select(e => (Property: e.PropertyId, Day: ReferenceModel.Day(e.ReceivedAt))).Concat(model.Duplicates.Keys).Distinct().Select(k =>
        {
            var arrived = model.Stored.Where(e => e.PropertyId == k.Property && ReferenceModel.Day(e.ReceivedAt) == k.Day).ToList();
            return $"{k.Property} {k.Day:yyyy-MM-dd} {arrived.Count} {arrived.Count(e => e.DeviceType == DeviceType.Bot)} {model.Duplicates.GetValueOrDefault(k)}";
        });
        Assert.Equal(expected.Order(StringComparer.Ordinal).ToList(), rows.Order(StringComparer.Ordinal).ToList());

        var percentiles = await QueryAsync("""
            select r.property_id, r.day, r.p95_ttfb_ms, round(raw.p95::numeric)::int
            from daily_ingest_rollups r
            left join (select e.property_id, (e.occurred_at at time zone 'UTC')::date as day,
                              percentile_cont(0.95) within group (order by (e.props ->> 'ttfbMs')::int) as p95
                       from events e
                       where e.session_id is not null and e.device_type <> 'bot' and e.props ? 'ttfbMs'
                       group by 1, 2) raw on raw.property_id = r.property_id and raw.day = r.day
            """, r => (Rolled: r.IsDBNull(2) ? (int?)null : r.GetInt32(2), Raw: r.IsDBNull(3) ? (int?)null : r.GetInt32(3)));
        Assert.All(percentiles, p => Assert.Equal(p.Raw, p.Rolled));
    }

    private static readonly FunnelDefinition TestFunnel = new("views", [new("first", ["page_view"], "/p1"), new("any", ["page_view", "engagement"]), new("goal", ["signup"])], 30);

    private static readonly ExperimentDefinition Experiment = new("shop", "x1", "x1", [new("v0", 1), new("v1", 1), new("v2", 1)], "v0", "signup", 200, null, null);

    private async Task AddExperimentAsync() => Assert.True(await new ExperimentStore(database.Source, TimeProvider.System).AddAsync(Experiment, default));

    private async Task CompareUsersAsync(ReferenceModel model)
    {
        foreach (var property in RandomTraffic.Properties)
        {
            var reference = new ReferenceUsers(model, property, property == "shop" ? [Experiment] : [], [TestFunnel, FunnelDefinition.CoreJourney]);
            Assert.Equal(reference.Product(), await RowsAsync(
                "select day, metric_name, dimension_key, value from daily_product_metrics r where property_id = '{0}'"));
            Assert.Equal(reference.Experiments(), await RowsAsync(
                "select day, experiment_id, variant_id, metric_name, value from experiment_metric_rollups where property_id = '{0}'"));
            Assert.Equal(reference.Funnels(), await RowsAsync(
                "select day, funnel_name, step_name, step_index, experiment_id, variant_id, users from funnel_rollups where property_id = '{0}'"));
            Assert.Equal(reference.Entities(), await RowsAsync("""
                select day, entity_type, entity_id, hour, total_views, unique_visitors, unique_accounts, anonymous_visitors, engaged_ms, engaged_views,
                       entered_sessions, bounced_sessions
                from analytics_aggregates where property_id = '{0}'
                """));
            Assert.Equal(reference.EntityVisitors(), await RowsAsync("""
                select entity_type, entity_id, coalesce('account ' || n.account_id, 'visitor ' || v.id), visit_count, first_visit, last_visit, engaged_ms, engaged_views, days_visited
                from entity_visitors r
                left join account_numbers n on n.number = r.user_number / 2 and r.user_number % 2 = 1
                left join visitors v on v.number = r.user_number / 2 and r.user_number % 2 = 0
                where property_id = '{0}'
                """));

            async Task<List<string>> RowsAsync(string sql)
            {
                var rows = await QueryAsync(string.Format(CultureInfo.InvariantCulture, sql, property), r => ReferenceUsers.Text([.. Enumerable.Range(0, r.FieldCount).Select(i =>
                    r.GetDataTypeName(i) == "date" ? r.GetFieldValue<DateOnly>(i) : r.GetDataTypeName(i).StartsWith("timestamp", StringComparison.Ordinal) ? ReferenceUsers.Time(r.GetFieldValue<DateTimeOffset>(i)) : r.GetValue(i))]));
                rows.Sort(StringComparer.Ordinal);
                return rows;
            }
        }
    }

    private async Task<List<ModelLead>> AddLeadsAsync()
    {
        List<ModelLead> leads =
        [
            new("shop", RandomTraffic.Epoch.AddHours(30), [RandomTraffic.VisitorId(0)]),
            new("shop", RandomTraffic.Epoch.AddHours(60), [RandomTraffic.VisitorId(1), RandomTraffic.VisitorId(2)]),
            new("blog", RandomTraffic.Epoch.AddHours(61), []),
        ];
        for (var i = 0; i < leads.Count; i++)
        {
            var lead = Guid.NewGuid();
            await using var command = database.Source.CreateCommand("""
                with l as (insert into leads values (@lead, 'p' || @n || '@example.org', 'example.org', 'express', @at, @at, null, @property)),
                     i as (insert into lead_identities select gen_random_uuid(), @lead, v, 'form_submit', 1.0, @at from unnest(@visitors) v)
                insert into dirty_days values (@property, (@at at time zone 'UTC')::date, 1, @at) on conflict do nothing
                """);
            command.Parameters.AddWithValue("lead", lead);
            command.Parameters.AddWithValue("n", i);
            command.Parameters.AddWithValue("at", leads[i].CapturedAt);
            command.Parameters.AddWithValue("property", leads[i].PropertyId);
            command.Parameters.AddWithValue("visitors", leads[i].Visitors.ToArray());
            // The three parts of the statement see one snapshot, so the link's foreign key is checked at its end.
            await command.ExecuteNonQueryAsync();
        }
        return leads;
    }

    private async Task EmptyAsync()
    {
        await using var command = database.Source.CreateCommand("""
            truncate events, event_keys, sessions, visitors, properties, accounts, leads, lead_identities, journal_positions, ingest_counts,
                     dirty_days, rollup_versions, daily_metric_rollups, daily_ingest_rollups, rollup_runs,
                     account_numbers, user_facts, product_users, daily_product_metrics, experiment_exposures, experiment_assignments, experiment_metric_rollups,
                     experiments, funnel_rollups, analytics_aggregates, entity_visitor_days, entity_visitors cascade;
            alter sequence visitor_numbers restart;
            alter sequence account_number_sequence restart
            """);
        await command.ExecuteNonQueryAsync();
    }

    private async Task<List<T>> QueryAsync<T>(string sql, Func<NpgsqlDataReader, T> read)
    {
        await using var command = database.Source.CreateCommand(sql);
        await using var rows = await command.ExecuteReaderAsync();
        List<T> list = [];
        while (await rows.ReadAsync()) list.Add(read(rows));
        return list;
    }

    private static string Time(NpgsqlDataReader r, int column) => r.IsDBNull(column) ? "" : Time(r.GetFieldValue<DateTimeOffset>(column));

    private static string Time(DateTimeOffset? at) => at?.UtcDateTime.ToString("O", CultureInfo.InvariantCulture) ?? "";

    private static object? Of(NpgsqlDataReader r, int column) => r.IsDBNull(column) ? null : r.GetValue(column);
}
