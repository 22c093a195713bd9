using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Footfall.Hosting;
using Footfall.Postgres;
using Footfall.Tests.Failure;
using Footfall.Tests.Infrastructure;
using Npgsql;
using Xunit;

namespace Footfall.Tests.Leads;

/// <summary>After an erasure nothing of the person is found: neither in the text of any table, nor in the bytes of the data folder.</summary>
[Trait("Category", TestCluster.Category)]
public sealed class ErasureProofTests
{
    private const string Key = "an-admin-key-for-tests";
    private const string Address = "Zoe.Quillfeather@Corvid-Letters.example";
    private const string Normalized = "zoe.quillfeather@corvid-letters.example";
    private const string AnonId = "zq-anon-7f3e9a51-corvid-0001";
    private const string OtherAddress = "bystander@elsewhere.example";
    private const string OtherAnonId = "by-anon-11111111-stander-0002";

    [Fact]
    public async Task Nothing_of_an_erased_person_is_left_in_any_table_or_file()
    {
        var ct = TestContext.Current.CancellationToken;
        var folder = TestFolder.New("erasure");
        await using var server = await TestServer.StartAsync(folder, null, $"--Access:AdminKey={Key}");
        await Eventually.IsTrueAsync("the server is ready", async () => (await server.Client.GetAsync("/v1/readyz", ct)).IsSuccessStatusCode, ct);
        server.Client.DefaultRequestHeaders.Add("x-admin-key", Key);

        // The person leaves an address wherever a site can put one; somebody else mentions it.
        for (var i = 0; i < 3; i++)
        {
            await SendAsync(server, $$$"""{"eventType":"page_view","anonId":"{{{AnonId}}}","eventId":"e{{{i}}}","path":"/p{{{i}}}","accountId":"acc-{{{Normalized}}}","account":{"username":"{{{Normalized}}}","displayName":"Zoe"},"entityType":"profile","entityId":"{{{Normalized}}}","props":{"mail":"{{{Normalized}}}"}}""", ct);
        }
        await SendAsync(server, $$$"""{"eventType":"page_view","anonId":"{{{OtherAnonId}}}","eventId":"o1","path":"/","props":{"note":"ask {{{Normalized}}} about it"}}""", ct);
        var lead = await CaptureAsync(server, Address, AnonId, $"I am {Normalized}", ct);
        await CaptureAsync(server, OtherAddress, OtherAnonId, $"referred by {Address}", ct);
        await using var database = NpgsqlDataSource.Create(EmbeddedPostgres.Connection(new DataFolder(folder)));
        await Eventually.HoldsAsync(async () => await CountAsync(database, "select count(*) from events", ct) is var n and < 6 ? $"{n} events" : null, ct);
        await Eventually.HoldsAsync(async () => await CountAsync(database, "select count(*) from dirty_days", ct) > 0 ? "days to roll up" : null, ct);
        File.WriteAllBytes(Path.Combine(new DataFolder(folder).SetAside, "old.record"), [1, 2, .. Encoding.UTF8.GetBytes(AnonId), 3]);

        // It is really there before: the search finds what it looks for.
        Assert.NotEmpty(await InTablesAsync(database, Normalized, ct));
        Assert.NotEmpty(await InTablesAsync(database, AnonId, ct));
        await ExecuteAsync(folder, "checkpoint", ct);
        Assert.Contains(InFiles(folder, AnonId), f => f.Contains("/pg_wal/", StringComparison.Ordinal));
        Assert.Contains(InFiles(folder, AnonId), f => f.EndsWith(".segment", StringComparison.Ordinal));
        Assert.Contains(InFiles(folder, AnonId), f => f.Contains("/base/", StringComparison.Ordinal));

        using var answer = await server.Client.PostAsJsonAsync("/v1/leads/delete", new { email = Address }, ct);
        var text = await answer.Content.ReadAsStringAsync(ct);
        Assert.True(answer.IsSuccessStatusCode, text);
        var receipt = JsonDocument.Parse(text).RootElement.GetProperty("receipt");
        var counts = receipt.GetProperty("counts");
        Assert.Equal((1, 1, 4, 1, 1), (Count("leads"), Count("visitors"), Count("events"), Count("submissions"), Count("accounts")));
        Assert.Equal(1, Count("files"));
        var id = receipt.GetProperty("id").GetString();
        await Eventually.HoldsAsync(async () =>
        {
            var state = await server.Client.GetStringAsync($"/v1/leads/erasures/{id}", ct);
            return JsonDocument.Parse(state).RootElement.GetProperty("scrubbedAt").ValueKind == JsonValueKind.Null ? $"not scrubbed: {state}" : null;
        }, ct);
        await Eventually.HoldsAsync(async () => await CountAsync(database, "select count(*) from journal_scrubs", ct) == 0 ? "the journal is not scrubbed" : null, ct);

        foreach (var needle in new[] { Normalized, Address, AnonId })
        {
            Assert.Empty(await InTablesAsync(database, needle, ct));
            Assert.Empty(InFiles(folder, needle));
        }
        Assert.NotEmpty(await InTablesAsync(database, OtherAddress, ct));
        Assert.NotEmpty(await InTablesAsync(database, "ask [erased] about it", ct));

        // Asked again, by address in any form or by id, the answer is the same.
        foreach (var again in new object[] { new { email = Address }, new { email = Normalized.ToUpperInvariant() }, new { leadId = lead } })
        {
            using var second = await server.Client.PostAsJsonAsync("/v1/leads/delete", again, ct);
            Assert.Equal(receipt.GetRawText(), JsonDocument.Parse(await second.Content.ReadAsStringAsync(ct)).RootElement.GetProperty("receipt").GetRawText());
        }
        Assert.DoesNotContain(server.Log.Errors, e => e.Contains("zoe", StringComparison.OrdinalIgnoreCase));
        Assert.Empty(server.Log.Errors);

        long Count(string name) => counts.GetProperty(name).GetInt64();
    }

    private static async Task SendAsync(TestServer server, string json, CancellationToken ct)
    {
        using var answer = await server.Client.PostAsync("/v1/events", new StringContent(json, Encoding.UTF8, "application/json"), ct);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(ct));
    }

    private static async Task<string> CaptureAsync(TestServer server, string email, string anonId, string message, CancellationToken ct)
    {
        using var answer = await server.Client.PostAsJsonAsync("/v1/leads/capture", new { email, anonId, formName = "letter", consent = new { status = "express", purpose = "newsletter" }, payload = new { message } }, ct);
        var text = await answer.Content.ReadAsStringAsync(ct);
        Assert.True(answer.IsSuccessStatusCode, text);
        return JsonDocument.Parse(text).RootElement.GetProperty("leadId").GetString()!;
    }

    private static async Task<long> CountAsync(NpgsqlDataSource database, string sql, CancellationToken ct)
    {
        await using var command = database.CreateCommand(sql);
        return (long)(await command.ExecuteScalarAsync(ct))!;
    }

    private static async Task ExecuteAsync(string folder, string sql, CancellationToken ct)
    {
        await using var source = NpgsqlDataSource.Create(EmbeddedPostgres.Connection(new DataFolder(folder), EmbeddedPostgres.SuperRole, "postgres"));
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Tables, the planner's statistics included, with a row whose text holds it; in any letter case.</summary>
    internal static async Task<List<string>> InTablesAsync(NpgsqlDataSource database, string needle, CancellationToken ct)
    {
        List<string> tables = [];
        await using (var command = database.CreateCommand("select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'm') and n.nspname = 'public' union all select 'pg_catalog.pg_stats'"))
        await using (var rows = await command.ExecuteReaderAsync(ct))
        {
            while (await rows.ReadAsync(ct)) tables.Add(rows.GetString(0));
        }
        Assert.True(tables.Count > 30);
        List<string> found = [];
        foreach (var table in tables)
        {
            await using var command = database.CreateCommand($"select exists (select from {table} t where strpos(lower(t::text), lower(@needle)) > 0)");
            command.Parameters.AddWithValue("needle", needle);
            if (await command.ExecuteScalarAsync(ct) is true) found.Add(table);
        }
        return found;
    }

    /// <summary>Files below the folder whose bytes hold it, in any letter case.</summary>
    internal static List<string> InFiles(string folder, string needle)
    {
        var sought = Encoding.UTF8.GetBytes(needle.ToLowerInvariant());
        List<string> found = [];
        foreach (var file in Directory.EnumerateFiles(folder, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None }))
        {
            byte[] bytes;
            try
            {
                using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
                bytes = new byte[stream.Length];
                stream.ReadExactly(bytes);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                continue;   // a socket, or gone meanwhile
            }
            for (var i = 0; i < bytes.Length; i++)
            {
                if (bytes[i] is >= (byte)'A' and <= (byte)'Z') bytes[i] |= 0x20;
            }
            if (bytes.AsSpan().IndexOf(sought) >= 0) found.Add(file);
        }
        return found;
    }
}
