using System.Net;
using System.Text;
using Footfall.Capture;
using Xunit;

namespace Footfall.Tests.Capture;

/// <summary>Who saw no answer may ask whether a batch has arrived.</summary>
public sealed class ArrivedBatchTests
{
    private const string Event = """{"eventType":"page_view","eventId":"e-1","anonId":"12345678"}""";

    private static async Task<(HttpStatusCode Status, string? Arrived)> SendAsync(CaptureServer server, string query, string body = Event)
    {
        using var content = new StringContent(body, Encoding.UTF8, "text/plain");
        using var answer = await server.Client.PostAsync("/v1/events" + query, content, TestContext.Current.CancellationToken);
        return (answer.StatusCode, answer.Headers.TryGetValues("x-footfall-arrived", out var values) ? values.Single() : null);
    }

    [Fact]
    public async Task A_key_is_known_once_its_batch_is_safe_and_no_other_is()
    {
        await using var server = await CaptureServer.StartAsync();
        Assert.Equal((HttpStatusCode.Accepted, null), await SendAsync(server, "?batch=ff.q.17000000-first&arrived="));
        Assert.Equal((HttpStatusCode.Accepted, "ff.q.17000000-first"), await SendAsync(server, "?batch=ff.q.17000000-second&arrived=ff.q.17000000-first,ff.q.17000000-other"));
        Assert.Equal((HttpStatusCode.Accepted, "ff.q.17000000-first,ff.q.17000000-second"), await SendAsync(server, "?arrived=ff.q.17000000-first,ff.q.17000000-second"));
    }

    [Theory]
    [InlineData(AppendResult.Full)]
    [InlineData(AppendResult.Failed)]
    public async Task A_batch_that_was_not_taken_has_not_arrived(AppendResult result)
    {
        await using var server = await CaptureServer.StartAsync();
        server.Log.Answer = result;
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await SendAsync(server, "?batch=ff.q.17000000-first")).Status);
        server.Log.Answer = AppendResult.Durable;
        Assert.Equal((HttpStatusCode.BadRequest, null), await SendAsync(server, "?batch=ff.q.17000000-second", "[]"));
        Assert.Equal((HttpStatusCode.Accepted, null), await SendAsync(server, "?arrived=ff.q.17000000-first,ff.q.17000000-second"));
    }

    [Theory]
    [InlineData("?batch=short&arrived=short")]
    [InlineData("?batch=ff.q.17000000%0d%0aset-cookie:a=b&arrived=ff.q.17000000%0d%0aset-cookie:a=b")]
    [InlineData("?batch=&arrived=,,,&x=%")]
    public async Task What_is_no_key_is_ignored(string query)
    {
        await using var server = await CaptureServer.StartAsync();
        Assert.Equal((HttpStatusCode.Accepted, null), await SendAsync(server, query));
        Assert.Equal((HttpStatusCode.Accepted, null), await SendAsync(server, query));
    }

    [Fact]
    public void The_oldest_keys_are_forgotten_first()
    {
        var arrived = new ArrivedBatches();
        for (var i = 0; i <= ArrivedBatches.Kept; i++) arrived.Add($"key-{i}");
        Assert.False(arrived.Has("key-0"));
        Assert.True(arrived.Has("key-1"));
        Assert.True(arrived.Has($"key-{ArrivedBatches.Kept}"));
    }
}
