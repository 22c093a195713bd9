using System.Diagnostics;
using System.Text;
using Footfall.Capture;
using Footfall.Hosting;
using Footfall.Leads;
using Footfall.Postgres;
using Footfall.Rollups;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Footfall.Benchmarks;

/// <summary>Erasing one person among five million events, and the scrub that follows; importing 10,000 addresses.</summary>
internal static class ErasureBenchmark
{
    private const int People = 7;
    private const int Rows = 10_000;
    private static readonly TimeProvider Clock = TimeProvider.System;

    /// <summary>Each person is a visitor of the history, a lead with its consent, and 300 events over the last ten days.</summary>
    private const string MakePerson = """
        insert into visitors (id, anon_id, kind, number, first_seen_at, last_seen_at, first_property_id, account_id, account_seen_at)
        values (@visitor, @anon, 'anon_id', nextval('visitor_numbers'), timestamptz '2026-03-06 10:00Z', timestamptz '2026-03-15 12:00Z', 'bench', @account, timestamptz '2026-03-15 12:00Z');
        insert into accounts (id, username, updated_at) values (@account, 'somebody', timestamptz '2026-03-15 12:00Z');
        insert into sessions (visitor_id, id, property_id, started_at, ended_at, first_event_id, traffic_source, device_type, page_views, events, engaged_ms, has_conversion, is_bounce, sealed)
        select @visitor, md5(@anon || d)::uuid, 'bench', timestamptz '2026-03-06 10:00Z' + d * interval '1 day', timestamptz '2026-03-06 10:30Z' + d * interval '1 day',
               md5(@anon || d || '-' || 0)::uuid, 'direct', 'desktop', 30, 30, 90000, false, false, true
        from generate_series(0, 9) d;
        insert into events (visitor_id, id, occurred_at, received_at, session_id, dedupe_key, property_id, event_type, path, traffic_source, device_type, is_entrance, is_exit, is_conversion,
                            account_id, entity_type, entity_id, props)
        select @visitor, md5(@anon || d || '-' || n)::uuid, timestamptz '2026-03-06 10:00Z' + d * interval '1 day' + n * interval '1 minute', timestamptz '2026-03-06 10:00Z' + d * interval '1 day' + n * interval '1 minute',
               md5(@anon || d)::uuid, md5(@anon || d || 'k' || n)::uuid, 'bench', 'page_view', '/p' || n, 'direct', 'desktop', n = 0, n = 29, false, @account, 'page', 'p' || n, '{"plan": "free"}'
        from generate_series(0, 9) d, generate_series(0, 29) n;
        insert into event_keys (visitor_id, dedupe_key, occurred_at) select visitor_id, dedupe_key, occurred_at from events where visitor_id = @visitor;
        insert into leads (id, email_normalized, email_domain, consent_status, first_captured_at, last_captured_at, property_id)
        values (@lead, @email, 'erase.example', 'pending', timestamptz '2026-03-15 12:00Z', timestamptz '2026-03-15 12:00Z', 'bench');
        insert into lead_identities (id, lead_id, visitor_id, link_source, confidence, linked_at) values (gen_random_uuid(), @lead, @visitor, 'form_submit', 1, now())
        """;

    public static async Task EraseAsync(BenchDatabase database)
    {
        await IngestionBenchmark.FillAsync(database, 5_000_000, batch: 50_000);
        var there = await database.NumberAsync("select count(*) from events");
        await database.WarmAsync();
        var folder = new DataFolder(database.Folder);
        var audit = new AuditLog(database.Source, Clock);
        IPersonalTrace[] traces = [new UserTraces()];
        var erasure = new Erasure(database.Source, new PersonalHashes(Encoding.UTF8.GetBytes("a pepper for benchmarks")), folder, new ErasedFiles(folder), traces, audit, Clock, NullLogger<Erasure>.Instance);
        Figures.Title($"Erasing one person with 300 events among {there:N0}");
        List<double> milliseconds = [];
        long events = 0;
        for (var n = 0; n < People; n++)
        {
            var lead = await PersonAsync(database);
            var watch = Stopwatch.StartNew();
            var done = await erasure.EraseAsync(new ErasureSubject(lead, null), dryRun: false, AuditLog.CommandLine, CancellationToken.None);
            milliseconds.Add(watch.Elapsed.TotalMilliseconds);
            events = done!.Counts.Events;
        }
        Figures.Line($"the request ({events} events gone; under 2,000 ms)", $"median {Figures.Median(milliseconds):N0}, worst {milliseconds.Max():N0} ms  ({string.Join(", ", milliseconds.Select(m => m.ToString("N0", null)))})");

        var options = Options.Create(new LeadErasureOptions());
        await using var keeper = new Database(database.Source, database.Embedded, new EventPartitions(Clock), Clock, NullLogger<Database>.Instance);
        var scrub = new ErasureScrub(database.Source, keeper, folder, traces, options, Clock, NullLogger<ErasureScrub>.Instance);
        var began = Stopwatch.StartNew();
        var report = await scrub.RunAsync(wholly: true, CancellationToken.None);
        Figures.Line($"the scrub behind {report.Done} of them, in the background", $"{began.Elapsed.TotalSeconds:N1} s{(report.Waiting is null ? "" : $": {report.Waiting}")}");
    }

    public static async Task ImportAsync(BenchDatabase database)
    {
        var import = new LeadImport(database.Source, new AuditLog(database.Source, Clock), Clock);
        var defaults = new ImportDefaults("bench", ConsentStatus.Express, ConsentBasis.Inquiry, "paper form", "letter", null);
        Figures.Title($"Importing {Rows:N0} addresses from CSV");
        List<double> fresh = [], again = [];
        for (var round = 0; round < 5; round++)
        {
            var file = Path.Combine(database.Folder, $"leads-{Guid.NewGuid():N}.csv");
            await File.WriteAllLinesAsync(file, Enumerable.Range(0, Rows).Select(n => $"person-{Guid.NewGuid():N}@import.example,{n}").Prepend("email,number"));
            fresh.Add(Rows / await TimeAsync(import, defaults, file));
            again.Add(Rows / await TimeAsync(import, defaults, file));
            File.Delete(file);
        }
        Figures.Line("new addresses (at least 2,000)", $"{Figures.Median(fresh):N0} rows/s  ({string.Join(", ", fresh.Select(r => r.ToString("N0", null)))})");
        Figures.Line("the same file again", $"{Figures.Median(again):N0} rows/s");
    }

    private static async Task<double> TimeAsync(LeadImport import, ImportDefaults defaults, string path)
    {
        var outcome = new ImportOutcome();
        var watch = Stopwatch.StartNew();
        await using var file = File.OpenRead(path);
        using var csv = new LeadCsv(file, defaults, outcome, Clock.GetUtcNow());
        await import.RunAsync(csv.Rows(CancellationToken.None), defaults, outcome, _ => { }, CancellationToken.None);
        if (outcome.Rows != Rows) throw new InvalidOperationException($"{outcome.Rows} rows were stored, {outcome.Rejected.Count} rejected.");
        return watch.Elapsed.TotalSeconds;
    }

    private static async Task<Guid> PersonAsync(BenchDatabase database)
    {
        var lead = Guid.CreateVersion7();
        await using var connection = await database.Source.OpenConnectionAsync();
        await using var command = new Npgsql.NpgsqlCommand(MakePerson, connection);
        command.Parameters.AddWithValue("visitor", Guid.NewGuid());
        command.Parameters.AddWithValue("anon", $"bench-{lead:N}");
        command.Parameters.AddWithValue("account", $"account-{lead:N}");
        command.Parameters.AddWithValue("lead", lead);
        command.Parameters.AddWithValue("email", $"{lead:N}@erase.example");
        await command.ExecuteNonQueryAsync();
        return lead;
    }
}
