using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Footfall.Client;

/// <summary>
/// Sends what waits, a batch at a time and in order. A batch that was not answered is sent again, with growing pauses or
/// when the server says; the events' own ids let the server count them once. What the server refuses for good is logged and dropped.
/// </summary>
internal sealed class FootfallSender(FootfallClient client, IHttpClientFactory http, IOptions<FootfallClientOptions> options, TimeProvider time, ILogger<FootfallSender> logger) : BackgroundService
{
    public const string HttpClientName = "Footfall";
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    private readonly FootfallClientOptions options = options.Value;
    private readonly Uri address = new(options.Value.Server!, "/v1/events");
    private readonly List<WireEvent> batch = [];

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        client.Close();
        await base.StopAsync(cancellationToken);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(options.StopTimeout);
        try
        {
            while (Fill()) await DeliverAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            var left = batch.Count;
            while (client.Waiting.TryRead(out _)) left++;
            logger.LeftBehind(left);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (await client.Waiting.WaitToReadAsync(stoppingToken))
        {
            if (client.Waiting.CanCount && client.Waiting.Count < options.BatchSize) await Task.Delay(options.BatchDelay, time, stoppingToken);
            while (Fill()) await DeliverAsync(stoppingToken);
        }
    }

    /// <summary>False when nothing waits. What an attempt before has left comes first.</summary>
    private bool Fill()
    {
        while (batch.Count < options.BatchSize && client.Waiting.TryRead(out var e)) batch.Add(e);
        return batch.Count > 0;
    }

    /// <summary>Ends when the server has taken the batch or refused it for good.</summary>
    private async Task DeliverAsync(CancellationToken cancellationToken)
    {
        var pause = FirstPause;
        while (true)
        {
            var (done, wait) = await TrySendAsync(cancellationToken);
            if (done)
            {
                batch.Clear();
                return;
            }
            await Task.Delay(wait ?? pause, time, cancellationToken);
            pause = pause * 2 < options.LongestPause ? pause * 2 : options.LongestPause;
        }
    }

    private async Task<(bool Done, TimeSpan? Wait)> TrySendAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(batch, Json)) };
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            if (options.Token is { Length: > 0 } token) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
            using var sender = http.CreateClient(HttpClientName);
            using var answer = await sender.SendAsync(request, cancellationToken);
            if (answer.IsSuccessStatusCode) return (true, null);
            if (answer.StatusCode is HttpStatusCode.TooManyRequests or HttpStatusCode.RequestTimeout || (int)answer.StatusCode >= 500)
            {
                logger.TriesAgain((int)answer.StatusCode, batch.Count);
                return (false, answer.Headers.RetryAfter?.Delta);
            }
            logger.Refused((int)answer.StatusCode, batch.Count);
            return (true, null);
        }
        catch (Exception e) when (e is HttpRequestException || (e is TaskCanceledException && !cancellationToken.IsCancellationRequested))
        {
            logger.NotReached(e.Message, batch.Count);
            return (false, null);
        }
    }
}

internal static partial class FootfallClientLog
{
    [LoggerMessage(9001, LogLevel.Warning, "The Footfall server answered {Status}; {Events} events are sent again later.")]
    public static partial void TriesAgain(this ILogger logger, int status, int events);

    [LoggerMessage(9002, LogLevel.Error, "The Footfall server refused {Events} events for good with {Status}: they are dropped. 400 means that fields are not what docs/api.md asks for, 401 or 403 that the token is not right.")]
    public static partial void Refused(this ILogger logger, int status, int events);

    [LoggerMessage(9003, LogLevel.Warning, "The Footfall server was not reached ({Problem}); {Events} events are sent again later.")]
    public static partial void NotReached(this ILogger logger, string problem, int events);

    [LoggerMessage(9004, LogLevel.Error, "The host has stopped before {Events} events were sent: they are lost. StopTimeout gives them more time.")]
    public static partial void LeftBehind(this ILogger logger, int events);
}
