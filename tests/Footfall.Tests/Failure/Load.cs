using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;

namespace Footfall.Tests.Failure;

/// <summary>
/// Visitors that send, singly and in batches, until they are told to stop, to whichever server is up; and remember every event
/// whose 202 they saw. Each event has a client id, which is also in its props. Where no answer came, about half of the senders
/// try the same body again, as a browser's retry does, and the others never learn what became of it.
/// </summary>
internal sealed class Load : IAsyncDisposable
{
    private static readonly TimeSpan[] Ages = [TimeSpan.Zero, TimeSpan.Zero, TimeSpan.FromSeconds(20), TimeSpan.FromMinutes(25), TimeSpan.FromMinutes(70), TimeSpan.FromHours(26), TimeSpan.FromDays(9), TimeSpan.FromDays(17)];
    private static readonly string[] Types = ["page_view", "page_view", "page_view", "engagement", "form_start", "form_submit"];

    private readonly CancellationTokenSource stop = new();
    private readonly HttpClient client = new() { Timeout = TimeSpan.FromSeconds(60) };
    private readonly ConcurrentDictionary<string, bool> acknowledged = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<HttpStatusCode, int> answers = new();
    private readonly ConcurrentQueue<string> oddities = new();
    private readonly List<Task> senders = [];
    private readonly string run = Guid.NewGuid().ToString("N")[..8];
    private readonly int visitors;
    private volatile Uri[] targets = [];
    private int sent;

    private Load(int count, int visitors, int seed)
    {
        this.visitors = visitors;
        for (var i = 0; i < count; i++)
        {
            var random = new Random(seed + i);
            senders.Add(Task.Run(() => SendAsync(random)));
        }
    }

    /// <summary>Ids of the events whose 202 was seen.</summary>
    public IReadOnlyCollection<string> Acknowledged => [.. acknowledged.Keys];

    public int AcknowledgedCount => acknowledged.Count;

    public int Answered(HttpStatusCode status) => answers.GetValueOrDefault(status);

    /// <summary>Answers other than a 202 that took everything.</summary>
    public IReadOnlyCollection<string> Oddities => [.. oddities];

    public static Load Start(int senders = 8, int visitors = 40, int seed = 1) => new(senders, visitors, seed);

    /// <summary>From now on the senders choose among these; none: they wait.</summary>
    public void SendTo(params Uri[] servers) => targets = servers;

    /// <summary>Waits for the answers that are under way.</summary>
    public async Task StopAsync()
    {
        await stop.CancelAsync();
        await Task.WhenAll(senders);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        client.Dispose();
        stop.Dispose();
    }

    private async Task SendAsync(Random random)
    {
        while (!stop.IsCancellationRequested)
        {
            var (body, ids) = Message(random);
            var persistent = random.Next(2) == 0;
            while (!await TryAsync(body, ids, random) && persistent && !stop.IsCancellationRequested)
                await Task.Delay(random.Next(5, 40));
            if (random.Next(20) == 0) await TryAsync(body, ids, random);   // a beacon that comes twice
            await Task.Delay(random.Next(15, 45));   // a load, not a race: a slow machine's ingestion must be able to follow
        }
    }

    private async Task<bool> TryAsync(string body, string[] ids, Random random)
    {
        var servers = targets;
        if (servers.Length == 0) return false;
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(servers[random.Next(servers.Length)], "/v1/events")) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
            request.Headers.TryAddWithoutValidation("User-Agent", Wire.Desktop);
            using var answer = await client.SendAsync(request);
            var text = await answer.Content.ReadAsStringAsync();
            answers.AddOrUpdate(answer.StatusCode, 1, (_, n) => n + 1);
            if (answer.StatusCode == HttpStatusCode.Accepted && JsonDocument.Parse(text).RootElement.GetProperty("accepted").GetInt32() == ids.Length)
            {
                foreach (var id in ids) acknowledged[id] = true;
                return true;
            }
            oddities.Enqueue($"{(int)answer.StatusCode} {text}");
            return false;
        }
        catch (Exception e) when (e is HttpRequestException or IOException or TaskCanceledException)
        {
            return false;   // the server died, or was not there
        }
    }

    private (string Body, string[] Ids) Message(Random random)
    {
        var count = random.Next(4) == 0 ? random.Next(2, 25) : 1;
        var ids = new string[count];
        var events = new string[count];
        for (var i = 0; i < count; i++)
        {
            var id = ids[i] = $"{run}-{Interlocked.Increment(ref sent)}";
            var at = TimeProvider.System.GetUtcNow() - Ages[random.Next(Ages.Length)];
            events[i] = string.Create(CultureInfo.InvariantCulture, $$"""
                {"eventType":"{{Types[random.Next(Types.Length)]}}","eventId":"{{id}}","anonId":"visitor-{{random.Next(visitors):000}}","path":"/p{{random.Next(6)}}","timestamp":"{{at:O}}",
                 "props":{"k":"{{id}}"},"traffic":{"propertyId":"site-{{random.Next(2)}}","engagedTimeMs":{{random.Next(4000)}},"webVitals":{"ttfbMs":{{random.Next(900)}} } } }
                """);
        }
        return (count == 1 ? events[0] : $"[{string.Join(',', events)}]", ids);
    }
}

/// <summary>Requests that tests write by hand.</summary>
internal static class Wire
{
    public const string Desktop = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";

    public static async Task<HttpResponseMessage> PostAsync(this HttpClient client, string body, string userAgent = Desktop)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/events") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.TryAddWithoutValidation("User-Agent", userAgent);
        return await client.SendAsync(request);
    }

    /// <summary>Sends what must be taken, all of it.</summary>
    public static async Task TakenAsync(this HttpClient client, string body, string userAgent = Desktop)
    {
        using var answer = await client.PostAsync(body, userAgent);
        var text = await answer.Content.ReadAsStringAsync();
        Xunit.Assert.True(answer.StatusCode == HttpStatusCode.Accepted, text);
        var whole = JsonDocument.Parse(body).RootElement;
        Xunit.Assert.Equal(whole.ValueKind == JsonValueKind.Array ? whole.GetArrayLength() : 1, JsonDocument.Parse(text).RootElement.GetProperty("accepted").GetInt32());
    }

    /// <summary>Status, body as text, Retry-After.</summary>
    public static async Task<(HttpStatusCode Status, string Body)> AskAsync(this HttpClient client, string path, string? key = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (key is not null) request.Headers.Add("x-admin-key", key);
        using var answer = await client.SendAsync(request);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }
}
