using Footfall.Tests.Infrastructure;
using Microsoft.Extensions.Options;
using Xunit;

namespace Footfall.Tests.Telemetry;

public sealed class TelemetryOptionsTests
{
    [Theory]
    [InlineData("Telemetry:Logs", "xml", "auto, text or json")]
    [InlineData("Telemetry:MetricsKey", "short", "16 characters")]
    [InlineData("Telemetry:MetricsUrl", "9464", "http://127.0.0.1:9464")]
    [InlineData("Telemetry:MetricsUrl", "tcp://127.0.0.1:9464", "http://127.0.0.1:9464")]
    [InlineData("Telemetry:OtlpEndpoint", "collector", "OTEL_EXPORTER_OTLP_ENDPOINT")]
    [InlineData("Telemetry:OtlpProtocol", "http", "grpc")]
    [InlineData("Telemetry:TraceRatio", "2", "between 0 and 1")]
    [InlineData("Health:MinFreeMegabytes", "-1", "between 0 and")]
    [InlineData("Health:MaxLagMinutes", "0", "between 1 and")]
    public async Task A_value_that_cannot_be_stops_the_start_and_says_what_may_be(string key, string value, string says)
    {
        var refused = await Assert.ThrowsAnyAsync<OptionsValidationException>(async () =>
        {
            await using var app = FootfallHost.Build(["--DataDir", TestFolder.New("options"), "--urls", "http://127.0.0.1:0", "--Postgres:ConnectionString", "Host=127.0.0.1;Port=9;Database=x", $"--{key}", value]);
            await app.StartAsync();
        });
        var failure = Assert.Single(refused.Failures);
        Assert.Contains(key, failure, StringComparison.Ordinal);
        Assert.Contains(says, failure, StringComparison.Ordinal);
    }
}
