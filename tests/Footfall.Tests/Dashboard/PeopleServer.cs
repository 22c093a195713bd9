using System.Net.Http.Json;
using Footfall.Tests.Infrastructure;
using Footfall.Tests.Leads;
using Xunit;

namespace Footfall.Tests.Dashboard;

/// <summary>A server with people in it: one with a history, one who wants to do harm, one of another property, and many more.</summary>
public sealed class PeopleServer : IAsyncLifetime
{
    public const string Ann = "Ann.Smith@bakery.example";
    public const string Hostile = "\"<img src=x onerror=window.harmed=1>\"@evil.example";
    public const string HostileText = "<script>window.harmed=1</script>\"'><img src=x onerror=window.harmed=1>";
    public static readonly string TooLong = new('w', 2_000);

    public DashboardServer Dashboard { get; } = new();
    public ApiServer Api => Dashboard.Api;
    public Guid AnnId { get; private set; }
    public Guid HostileId { get; private set; }
    public Guid OtherId { get; private set; }

    public async ValueTask InitializeAsync()
    {
        await Dashboard.InitializeAsync();
        var day = DashboardServer.Yesterday.ToString("yyyy-MM-dd");
        await Api.StoreAsync(
            Told.Event("ann", $"{day}T10:00:00Z", path: "/pricing", referrerHost: "www.google.com", country: "CA"), Told.Event("ann", $"{day}T10:01:00Z", path: "/letters"),
            Told.Event("ann", $"{day}T12:00:00Z", path: "/welcome-back"), Told.Event("hostile", $"{day}T09:00:00Z", path: $"/{HostileText}"));
        AnnId = await Api.TakenAsync(new { email = Ann, anonId = "visitor-ann", propertyId = "shop", formName = "letters", path = "/letters", consent = new { status = "express", purpose = "The monthly letter" }, payload = new { firstName = "Ann", budget = "a lot" } });
        HostileId = await Api.TakenAsync(new { email = Hostile, anonId = "visitor-hostile", propertyId = "shop", formName = HostileText, path = $"/{HostileText}", consent = new { status = "implied", purpose = HostileText }, payload = new Dictionary<string, string> { ["<b>field</b>"] = HostileText, ["turned"] = "\u202egnp.exe", ["long"] = TooLong, ["formula"] = "=HYPERLINK(\"http://evil.test\")" } });
        OtherId = await Api.TakenAsync(new { email = "ben@gmail.com", propertyId = "blog", consent = new { status = "express", purpose = "letter" } });
        await Api.SettleAsync();
        await Api.Database.ExecuteAsync($"""
            update leads set first_captured_at = '{day}T10:01:30Z', last_captured_at = '{day}T10:01:30Z', consent_changed_at = '{day}T10:01:30Z' where id = '{AnnId}';
            update form_submissions set submitted_at = '{day}T10:01:30Z' where lead_id = '{AnnId}';
            insert into leads (id, email_normalized, email_domain, consent_status, first_captured_at, last_captured_at, source_channel, property_id)
            select gen_random_uuid(), 'person' || n || '@gmail.com', 'gmail.com', 'pending', now() - n * interval '1 day' - interval '2 days', now() - n * interval '1 day' - interval '2 days', 'social', 'shop'
            from generate_series(1, 60) as n
            """);
        await Api.RollUpAsync();
    }

    public async ValueTask DisposeAsync() => await Dashboard.DisposeAsync();

    /// <summary>A lead of its own for a test that changes it, with a visitor and a visit.</summary>
    internal async Task<Guid> NewLeadAsync(string email, string visitor, string property = "shop")
    {
        await Api.StoreAsync(Told.Event(visitor, $"{DashboardServer.Yesterday:yyyy-MM-dd}T08:00:00Z", path: "/first", property: property));
        var lead = await Api.TakenAsync(new { email, anonId = $"visitor-{visitor}", propertyId = property, consent = new { status = "express", purpose = "letter" } });
        await Api.SettleAsync();
        return lead;
    }

    /// <summary>Sends a form of the page at <paramref name="shownOn"/>.</summary>
    internal static async Task<HttpResponseMessage> PostAsync(HttpClient client, string shownOn, string path, params (string Name, string Value)[] fields)
    {
        var token = DashboardServer.TokenOf(await client.GetStringAsync(shownOn));
        return await client.PostAsync(path, new FormUrlEncodedContent([new("form_token", token), .. fields.Select(f => KeyValuePair.Create(f.Name, f.Value))]));
    }

    internal async Task<List<string>> AuditAsync(Guid lead)
    {
        using var answer = await Api.GetAsync($"/v1/audit?leadId={lead}", ("x-admin-key", ApiServer.AdminKey));
        var body = await answer.Content.ReadFromJsonAsync<System.Text.Json.JsonElement>();
        return [.. body.GetProperty("entries").EnumerateArray().Select(e => $"{e.GetProperty("action").GetString()} by {e.GetProperty("actor").GetString()}")];
    }
}
