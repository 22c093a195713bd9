using System.Diagnostics;
using System.Net.Http.Json;
using Footfall.Capture;
using Footfall.Leads;
using Npgsql;

namespace Footfall.Benchmarks;

/// <summary>A form that becomes a lead, beside one row that is inserted by the same server, over the same pool, into the same PostgreSQL; and what looking for likely visitors adds.</summary>
internal static class LeadBenchmark
{
    private const string Agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
    private const string Pepper = "a pepper that the benchmark knows";
    private const int Visitors = 500_000;
    private const int Sharing = 10;
    private static int count;

    public static async Task RunAsync(int rounds, int requests)
    {
        await using var linking = await StartAsync("leads", heuristic: true);
        await using var plain = await StartAsync("leads-plain", heuristic: false);
        await MeasureAsync(linking, "/v1/leads/capture", 1, 1, _ => Lead("first@example.org"));
        Figures.Title($"Leads, {Visitors:N0} visitors with a session each, {Sharing} of them with the submitter's address and browser");
        await StatementAsync(linking, requests);
        foreach (var connections in new[] { 1, 8 })
        {
            Figures.Title($"Leads, {connections} connection{(connections == 1 ? "" : "s")}, {rounds} x {requests} requests each in turn");
            List<double[]> bare = [], taken = [], without = [], again = [];
            for (var round = 0; round <= rounds; round++)
            {
                var a = await MeasureAsync(linking, ServeChild.InsertOne, connections, requests, _ => Row());
                var b = await MeasureAsync(linking, "/v1/leads/capture", connections, requests, _ => Lead($"new{Interlocked.Increment(ref count)}@example.org"));
                var c = await MeasureAsync(plain, "/v1/leads/capture", connections, requests, _ => Lead($"new{Interlocked.Increment(ref count)}@example.org"));
                var d = await MeasureAsync(linking, "/v1/leads/capture", connections, requests, i => Lead($"known{i % 50}@example.org"));
                if (round == 0) continue;   // the runtime compiles what is hot
                bare.Add(a);
                taken.Add(b);
                without.Add(c);
                again.Add(d);
            }
            Report("one row", bare);
            Report("a new lead", taken);
            Report("a new lead, without likely links", without);
            Report("a known lead", again);
            Figures.Line("new lead / one row, p99 (at most 4)", $"{Figures.Median(taken.Zip(bare, (x, y) => At(x, 0.99) / At(y, 0.99))):N2}");
            Figures.Line("new lead / one row, p50", $"{Figures.Median(taken.Zip(bare, (x, y) => At(x, 0.5) / At(y, 0.5))):N2}");
            Figures.Line("likely links, difference of p50 / p99", $"{Figures.Median(taken.Zip(without, (x, y) => At(x, 0.5) - At(y, 0.5))):N2} / {Figures.Median(taken.Zip(without, (x, y) => At(x, 0.99) - At(y, 0.99))):N2} ms");
        }
    }

    /// <summary>The statement alone, as a form of a known address runs it, each in a transaction that is taken back.</summary>
    private static async Task StatementAsync(Server server, int runs)
    {
        await using var database = server.OpenDatabase();
        await using var connection = await database.OpenConnectionAsync();
        await using var find = new NpgsqlCommand("select id from leads limit 1", connection);
        var lead = (Guid)(await find.ExecuteScalarAsync())!;
        var hashes = new PersonalHashes(System.Text.Encoding.UTF8.GetBytes(Pepper));
        var times = new double[runs];
        for (var i = -20; i < runs; i++)
        {
            await using var transaction = await connection.BeginTransactionAsync();
            await using var batch = new NpgsqlBatch(connection);
            batch.BatchCommands.Add(LeadSql.LikelyLinks(lead, null, hashes.OfAddress(System.Net.IPAddress.Loopback), hashes.OfUserAgent(Agent), TimeProvider.System.GetUtcNow()));
            await batch.PrepareAsync();
            var began = Stopwatch.GetTimestamp();
            await batch.ExecuteNonQueryAsync();
            if (i >= 0) times[i] = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
            await transaction.RollbackAsync();
        }
        Array.Sort(times);
        Figures.Line("likely links, the statement, p50 / p99 (under 5 ms)", $"{At(times, 0.5):N2} / {At(times, 0.99):N2} ms");
    }

    private static async Task<Server> StartAsync(string name, bool heuristic)
    {
        var server = Server.StartWithYardsticks(Folders.Fresh(name), "--Leads:RateLimit:Enabled", "false", "--Leads:HeuristicLinks", heuristic ? "true" : "false", "--Capture:IpHashPepper", Pepper);
        await server.ReadyAsync();
        await using var database = server.OpenDatabase();
        await using var command = database.CreateCommand("""
            create table benchmark_rows (id uuid primary key, email text not null, at timestamptz not null);
            insert into visitors (id, kind, number, first_seen_at, last_seen_at, last_ip_hash, last_ua_hash)
            select gen_random_uuid(), 'anon_id', nextval('visitor_numbers'), now(), now(),
                   case when n <= @sharing then @ip_hash else sha256(int4send(n)) end, case when n <= @sharing * 1000 then @ua_hash else sha256(int4send(n % 500)) end
            from generate_series(1, @visitors) n;
            insert into sessions (visitor_id, id, property_id, started_at, ended_at, first_event_id, traffic_source, device_type, page_views, events, engaged_ms, has_conversion, is_bounce, sealed)
            select id, gen_random_uuid(), 'shop', now() - number * interval '1 second', now() - number * interval '1 second', gen_random_uuid(), 'direct', 'desktop', 1, 1, 0, false, true, true
            from visitors;
            analyze visitors;
            analyze sessions
            """);
        command.CommandTimeout = 0;
        var hashes = new PersonalHashes(System.Text.Encoding.UTF8.GetBytes(Pepper));
        command.Parameters.AddWithValue("sharing", Sharing);
        command.Parameters.AddWithValue("visitors", Visitors);
        command.Parameters.AddWithValue("ip_hash", hashes.OfAddress(System.Net.IPAddress.Loopback));
        command.Parameters.AddWithValue("ua_hash", hashes.OfUserAgent(Agent));
        await command.ExecuteNonQueryAsync();
        return server;
    }

    /// <summary>Milliseconds of each request, sorted.</summary>
    private static async Task<double[]> MeasureAsync(Server server, string path, int connections, int requests, Func<int, object> body)
    {
        using var client = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = connections }) { BaseAddress = new Uri($"http://127.0.0.1:{server.Port}") };
        client.DefaultRequestHeaders.TryAddWithoutValidation("User-Agent", Agent);
        var times = new double[requests];
        var next = -1;
        await Task.WhenAll(Enumerable.Range(0, connections).Select(async _ =>
        {
            for (int i; (i = Interlocked.Increment(ref next)) < requests;)
            {
                using var content = JsonContent.Create(body(i));
                var began = Stopwatch.GetTimestamp();
                using var answer = await client.PostAsync(new Uri(path, UriKind.Relative), content);
                times[i] = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
                answer.EnsureSuccessStatusCode();
            }
        }));
        Array.Sort(times);
        return times;
    }

    private static object Row() => new { email = "row@example.org" };

    private static object Lead(string email) => new
    {
        email,
        anonId = Guid.NewGuid().ToString(),
        propertyId = "shop",
        formName = "letters",
        path = "/letters",
        consent = new { status = "express", method = "checkbox", purpose = "monthly letter" },
        payload = new { level = "new" },
    };

    private static double At(double[] sorted, double share) => Figures.Percentile(sorted, share);

    private static void Report(string name, List<double[]> rounds)
    {
        double Of(double share) => Figures.Median(rounds.Select(r => At(r, share)));
        Figures.Line(name, $"p50 {Of(0.5),6:N2}, p99 {Of(0.99),6:N2}, p99.9 {Of(0.999),6:N2} ms");
    }
}
