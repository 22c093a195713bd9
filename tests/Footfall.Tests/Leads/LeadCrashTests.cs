using System.Collections.Concurrent;
using System.Net.Http.Json;
using Footfall.Leads;
using Footfall.Tests.Failure;
using Footfall.Tests.Infrastructure;
using Xunit;

namespace Footfall.Tests.Leads;

/// <summary>The server is killed again and again while forms come in: a form that got its answer is a whole lead, with its event, counted once.</summary>
[Trait("Category", TestCluster.Category)]
public sealed class LeadCrashTests
{
    private const int Kills = 5;
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_form_that_was_answered_is_there_whole_and_its_event_once()
    {
        var folder = TestFolder.New("lead-crash");
        string[] configuration = ["--Leads:RateLimit:Enabled", "false", "--Ingestion:GatherMilliseconds", "0"];
        ConcurrentBag<string> answered = [];
        var sent = 0;
        for (var kill = 0; kill < Kills; kill++)
        {
            await using var server = await ServerProcess.StartListeningAsync(folder, Ct, configuration);
            await server.ReadyAsync(Ct);
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
            var senders = Enumerable.Range(0, 8).Select(_ => SendAsync(server.Client, stop.Token)).ToList();
            await Task.Delay(200 + (kill * 150), Ct);
            await server.KillAsync(Ct);
            await stop.CancelAsync();
            await Task.WhenAll(senders);
        }
        Assert.True(answered.Count > Kills * 8, $"Only {answered.Count} forms were answered.");

        await using var last = await ServerProcess.StartListeningAsync(folder, Ct, configuration);
        await last.ReadyAsync(Ct);
        await using var database = StoredFacts.Embedded(folder);
        await Eventually.IsTrueAsync("every submission's event is recorded", async () => await CountAsync("select count(*) from form_submit_events") == 0, Ct);
        await StoredFacts.DrainAsync(last.Client, database, Ct);
        Assert.Equal(answered.Count, await CountAsync("select count(*) from leads where email_normalized = any(@emails)", answered.ToArray()));
        // Also those whose answer was lost are whole, or not there.
        Assert.Equal(0, await CountAsync("""
            select count(*) from leads l
            where (select count(*) from form_submissions s where s.lead_id = l.id) <> 1
               or (select count(*) from consent_events c where c.lead_id = l.id) <> 1
               or (select count(*) from lead_identities i where i.lead_id = l.id and i.link_source = 'form_submit') <> 1
               or (select count(*) from lead_identities i join events e on e.visitor_id = i.visitor_id where i.lead_id = l.id and e.event_type = 'form_submit') <> 1
            """));
        Assert.Equal(await CountAsync("select count(*) from leads"), await CountAsync("select sum(events)::bigint from ingest_counts where outcome = 'lead_accepted'"));
        Assert.True((await new ConsentLedger(database).VerifyAsync(Ct)).IsWhole);
        await last.InterruptAsync(Ct);

        async Task SendAsync(HttpClient client, CancellationToken stop)
        {
            while (!stop.IsCancellationRequested)
            {
                var n = Interlocked.Increment(ref sent);
                try
                {
                    using var answer = await client.PostAsJsonAsync("/v1/leads/capture", LeadServer.Express($"crash{n}@example.org", $"visitor-crash-{n}"), stop);
                    if (answer.IsSuccessStatusCode) answered.Add($"crash{n}@example.org");
                }
                catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
                {
                    return;     // it was killed
                }
            }
        }

        async Task<long> CountAsync(string sql, string[]? emails = null)
        {
            await using var command = database.CreateCommand(sql);
            if (emails is not null) command.Parameters.AddWithValue("emails", emails);
            return (long)(await command.ExecuteScalarAsync(Ct))!;
        }
    }
}
