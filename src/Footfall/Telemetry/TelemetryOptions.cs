using Microsoft.Extensions.Options;

namespace Footfall.Telemetry;

/// <summary>Section <c>Telemetry</c>.</summary>
internal sealed class TelemetryOptions
{
    public const string Section = "Telemetry";

    /// <summary>Set in images of .NET.</summary>
    public const string InContainer = "DOTNET_RUNNING_IN_CONTAINER";

    /// <summary>What the log looks like: <c>text</c>, <c>json</c>, or <c>auto</c>, which is json in a container.</summary>
    public string Logs { get; set; } = AutoLogs;

    public const string AutoLogs = "auto";
    public const string TextLogs = "text";
    public const string JsonLogs = "json";

    /// <summary>A key that reads <c>/metrics</c> and nothing else, at least 16 characters. The admin key reads it too.</summary>
    public string? MetricsKey { get; set; }

    /// <summary>An address beside the server's own, for <c>/metrics</c> alone and without a key: <c>http://127.0.0.1:9464</c>.</summary>
    public string? MetricsUrl { get; set; }

    /// <summary>Where metrics and traces are sent as OTLP: <c>http://collector:4318</c>. Also OTEL_EXPORTER_OTLP_ENDPOINT. Nothing is sent without it.</summary>
    public string? OtlpEndpoint { get; set; }

    /// <summary><c>http/protobuf</c> or <c>grpc</c>. Also OTEL_EXPORTER_OTLP_PROTOCOL.</summary>
    public string OtlpProtocol { get; set; } = Otlp.HttpProtobuf;

    /// <summary>Headers for the collector, <c>name=value,name=value</c>. Also OTEL_EXPORTER_OTLP_HEADERS.</summary>
    public string? OtlpHeaders { get; set; }

    /// <summary>The share of requests that are traced, 0 to 1. Batches and jobs always are.</summary>
    public double TraceRatio { get; set; } = 0.05;

    /// <summary>The names that every exporter of OpenTelemetry knows, where Footfall's own key says nothing.</summary>
    public static readonly (string Name, string Key)[] StandardNames =
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", nameof(OtlpEndpoint)),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", nameof(OtlpProtocol)),
        ("OTEL_EXPORTER_OTLP_HEADERS", nameof(OtlpHeaders)),
    ];
}

internal sealed class TelemetryOptionsValidation : IValidateOptions<TelemetryOptions>
{
    public ValidateOptionsResult Validate(string? name, TelemetryOptions options)
    {
        List<string> failures = [];
        if (options.Logs is not (TelemetryOptions.AutoLogs or TelemetryOptions.TextLogs or TelemetryOptions.JsonLogs)) failures.Add($"Telemetry:Logs is '{options.Logs}'; it must be {TelemetryOptions.AutoLogs}, {TelemetryOptions.TextLogs} or {TelemetryOptions.JsonLogs}.");
        if (options.MetricsKey is { Length: > 0 and < 16 }) failures.Add("Telemetry:MetricsKey must have at least 16 characters; `openssl rand -hex 24` makes a good one.");
        if (!string.IsNullOrEmpty(options.MetricsUrl) && !IsHttp(options.MetricsUrl.Replace("://*", "://0.0.0.0", StringComparison.Ordinal).Replace("://+", "://0.0.0.0", StringComparison.Ordinal)))
            failures.Add($"Telemetry:MetricsUrl is '{options.MetricsUrl}'; it must be an address to listen on, such as http://127.0.0.1:9464.");
        if (!string.IsNullOrEmpty(options.OtlpEndpoint) && !IsHttp(options.OtlpEndpoint))
            failures.Add($"Telemetry:OtlpEndpoint (OTEL_EXPORTER_OTLP_ENDPOINT) is '{options.OtlpEndpoint}'; it must be the collector's address, such as http://collector:4318.");
        if (options.OtlpProtocol is not (Otlp.HttpProtobuf or Otlp.Grpc)) failures.Add($"Telemetry:OtlpProtocol (OTEL_EXPORTER_OTLP_PROTOCOL) is '{options.OtlpProtocol}'; it must be {Otlp.HttpProtobuf} or {Otlp.Grpc}.");
        if (options.TraceRatio is not (>= 0 and <= 1)) failures.Add($"Telemetry:TraceRatio is {options.TraceRatio}; it must lie between 0 and 1.");
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }

    private static bool IsHttp(string url) => Uri.TryCreate(url, UriKind.Absolute, out var uri) && (uri.Scheme is "http" or "https");
}
