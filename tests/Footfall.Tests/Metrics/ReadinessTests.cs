using System.Net;
using System.Text.Json;
using Footfall.Tests.Infrastructure;
using Xunit;

namespace Footfall.Tests.Metrics;

public sealed class ReadinessTests
{
    [Fact]
    public async Task A_disk_with_little_room_is_red_before_events_are_refused()
    {
        await using var api = await ApiServer.StartNewAsync($"--Access:AdminKey={ApiServer.AdminKey}", "--Health:MinFreeMegabytes=10000000");
        using var ready = await api.Client.GetAsync("/v1/readyz");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
        var problem = Assert.Single(JsonDocument.Parse(await ready.Content.ReadAsStringAsync()).RootElement.GetProperty("problems").EnumerateArray()).GetString()!;
        Assert.StartsWith("disk: ", problem, StringComparison.Ordinal);
        Assert.Contains("Health:MinFreeMegabytes (10000000)", problem, StringComparison.Ordinal);
        using var alive = await api.Client.GetAsync("/v1/healthz");
        Assert.Equal(HttpStatusCode.OK, alive.StatusCode);
        using var metrics = await api.GetAsync("/metrics", ("x-admin-key", ApiServer.AdminKey));
        var figures = Telemetry.Exposition.Read(await metrics.Content.ReadAsStringAsync());
        Assert.Equal(0, figures["footfall_ready"]);
        Assert.Equal(1, figures["footfall_problems{part=\"disk\"}"]);
    }
}
