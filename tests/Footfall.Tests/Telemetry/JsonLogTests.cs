using System.Text.Json;
using Footfall.Telemetry;
using Footfall.Tests.Infrastructure;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Footfall.Tests.Telemetry;

public sealed class JsonLogTests
{
    [Fact]
    public async Task Every_line_is_an_object_with_its_event_id_and_no_secret()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var database = await TestDatabase.CreateAsync();
        var folder = TestFolder.New("json-log");
        await using var server = ServerProcess.Start(folder, "--Telemetry:Logs", "json", "--Postgres:ConnectionString", database.ConnectionString, "--Access:AdminKey", ApiServer.AdminKey, "--Rollups:Enabled", "false");
        await server.SaysAsync("\"event\":7001", ct);
        var serving = Lines(server.Output).Single(l => l.GetProperty("event").GetInt32() == 7001);
        using var client = new HttpClient { BaseAddress = new Uri(serving.GetProperty("fields").GetProperty("Address").GetString()!) };
        using (await client.GetAsync("/v1/leads?email=ann@example.com", ct))
        {
        }
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/leads?email=ann@example.com");
        request.Headers.Add("x-admin-key", "a-wrong-admin-key-123");
        request.Headers.Add("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
        using (await client.SendAsync(request, ct))
        {
        }
        await server.SaysAsync("trace_id", ct);
        await server.InterruptAsync(ct);

        var lines = Lines(server.Output);
        Assert.All(lines, l =>
        {
            Assert.True(l.GetProperty("event").GetInt32() >= 0);
            Assert.True(l.GetProperty("time").TryGetDateTimeOffset(out _));
            Assert.Contains(l.GetProperty("level").GetString(), (string[])["information", "warning", "error", "critical"]);
            Assert.False(string.IsNullOrEmpty(l.GetProperty("message").GetString()));
        });
        Assert.Contains(lines, l => l.TryGetProperty("trace_id", out var id) && id.GetString() == "0af7651916cd43dd8448eb211c80319c");
        Assert.DoesNotContain(ApiServer.AdminKey, server.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("ann@example.com", server.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("127.0.0.1\",\"Path", server.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Quotes_line_ends_and_what_was_thrown_stay_on_one_line()
    {
        using var text = new StringWriter();
        var state = new KeyValuePair<string, object?>[] { new("File", "a \"b\"\nc"), new("Bytes", 7L), new("Ratio", double.NaN), new("None", null), new("{OriginalFormat}", "x {File}") };
        var entry = new LogEntry<KeyValuePair<string, object?>[]>(LogLevel.Error, "Room", new EventId(42, "Broken"), state, new IOException("no\nroom"), static (_, _) => "x a \"b\"\nc");
        new JsonLines(TimeProvider.System).Write(entry, null, text);
        var line = Assert.Single(Lines(text.ToString()));
        Assert.Equal("x a \"b\"\nc", line.GetProperty("message").GetString());
        Assert.Equal("""{"File":"a \"b\"\nc","Bytes":7,"Ratio":"NaN","None":null}""", line.GetProperty("fields").GetRawText());
        Assert.StartsWith("System.IO.IOException: no\nroom", line.GetProperty("exception").GetString(), StringComparison.Ordinal);
        Assert.Equal("Broken", line.GetProperty("name").GetString());
    }

    private static List<JsonElement> Lines(string output) => [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => JsonDocument.Parse(l).RootElement)];
}
