using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Footfall.Capture;
using Footfall.Journal;
using Footfall.Leads;
using Footfall.Tests.Infrastructure;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Footfall.Tests.Leads;

/// <summary>What tests of leads ask of the whole server.</summary>
internal static class LeadServer
{
    public const string Browser = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

    public static async Task<HttpResponseMessage> PostAsync(this ApiServer server, string path, HttpContent body, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = body };
        if (headers.All(h => h.Name != "User-Agent")) request.Headers.TryAddWithoutValidation("User-Agent", Browser);
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        return await Plain(server).SendAsync(request);
    }

    public static Task<HttpResponseMessage> CaptureAsync(this ApiServer server, object lead, params (string Name, string Value)[] headers) =>
        server.PostAsync("/v1/leads/capture", JsonContent.Create(lead), headers);

    public static Task<HttpResponseMessage> SubmitAsync(this ApiServer server, Dictionary<string, string> form, params (string Name, string Value)[] headers) =>
        server.PostAsync("/v1/leads/capture", new FormUrlEncodedContent(form), headers);

    /// <summary>The lead's id; the form must have been taken.</summary>
    public static async Task<Guid> TakenAsync(this ApiServer server, object lead, params (string Name, string Value)[] headers)
    {
        using var answer = await server.CaptureAsync(lead, headers);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode is HttpStatusCode.OK or HttpStatusCode.Created, $"{(int)answer.StatusCode} {text}");
        return JsonDocument.Parse(text).RootElement.GetProperty("leadId").GetGuid();
    }

    public static object Express(string email, string? anonId = null, string? purpose = "letter") =>
        new { email, anonId, propertyId = "shop", formName = "letters", path = "/letters", consent = new { status = "express", method = "checkbox", purpose } };

    /// <summary>Status and error code of a refusal.</summary>
    public static async Task<(int Status, string Error)> RefusedAsync(HttpResponseMessage answer)
    {
        using (answer)
        {
            var body = JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement;
            Assert.False(body.GetProperty("ok").GetBoolean());
            Assert.False(string.IsNullOrWhiteSpace(body.GetProperty("message").GetString()));
            return ((int)answer.StatusCode, body.GetProperty("error").GetString()!);
        }
    }

    /// <summary>Events of submissions reach the journal, and from there the database.</summary>
    public static async Task SettleAsync(this ApiServer server)
    {
        await server.Services.GetRequiredService<OutcomeCounters>().FlushAsync(default);
        await Eventually.IsTrueAsync("every submission's event is recorded", async () => await server.Database.ScalarAsync<long>("select count(*) from form_submit_events") == 0, default);
        await Eventually.IsTrueAsync("the journal is drained", () => Task.FromResult(server.Services.GetRequiredService<EventJournal>().Status.BytesHeld == 0), default);
    }

    public static async Task<JsonElement> ConsentAsync(this ApiServer server, Guid lead)
    {
        using var answer = await server.GetAsync($"/v1/leads/{lead}/consent", ("x-admin-key", ApiServer.AdminKey));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement;
    }

    /// <summary>Status and method of each row of the ledger.</summary>
    public static async Task<List<string>> HistoryAsync(this ApiServer server, Guid lead) =>
        [.. (await server.Services.GetRequiredService<ConsentLedger>().OfLeadAsync(lead, default)).Select(e => $"{e.Status} {e.Method}")];

    private static readonly HttpClient Redirectless = new(new SocketsHttpHandler { AllowAutoRedirect = false });

    private static AddressedClient Plain(ApiServer server) => new(server.Client.BaseAddress!);

    private sealed class AddressedClient(Uri address)
    {
        public Task<HttpResponseMessage> SendAsync(HttpRequestMessage request)
        {
            request.RequestUri = new Uri(address, request.RequestUri!);
            return Redirectless.SendAsync(request);
        }
    }
}
