using System.Diagnostics.Metrics;
using Footfall.Metrics;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;

namespace Footfall.Telemetry;

/// <summary>What an operator sees of the server: its log, its figures, its traces. None of them tells of a person.</summary>
public static class TelemetryRoom
{
    /// <summary>Needs the rooms whose figures it tells: <c>AddAccess</c>, <c>AddMetrics</c>.</summary>
    public static IServiceCollection AddTelemetry(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSingleton<IValidateOptions<TelemetryOptions>, TelemetryOptionsValidation>();
        services.AddOptions<TelemetryOptions>()
            .Configure(o =>
            {
                var standard = TelemetryOptions.StandardNames.ToDictionary(n => n.Key, n => configuration[n.Name], StringComparer.Ordinal);
                o.OtlpEndpoint = standard[nameof(o.OtlpEndpoint)];
                o.OtlpHeaders = standard[nameof(o.OtlpHeaders)];
                if (standard[nameof(o.OtlpProtocol)] is { Length: > 0 } protocol) o.OtlpProtocol = protocol;
            })
            .Bind(configuration.GetSection(TelemetryOptions.Section))
            .ValidateOnStart();
        services.AddLogging(l => l.AddConsole().AddConsoleFormatter<JsonLines, ConsoleFormatterOptions>());
        services.AddOptions<ConsoleLoggerOptions>().Configure<IConfiguration>((console, c) =>
        {
            if (IsJson(c)) console.FormatterName = JsonLines.FormatterName;
        });
        services.AddSingleton<MetricStore>();
        services.AddSingleton<RequestMeter>();
        services.AddSingleton<MetricsEndpoint>();
        services.AddSingleton<MetricsListener>();
        services.AddHostedService(s => s.GetRequiredService<MetricsListener>());
        services.AddHostedService<Otlp>();
        return services;
    }

    /// <summary>Measures requests. Before everything that answers.</summary>
    public static IApplicationBuilder UseTelemetry(this IApplicationBuilder app)
    {
        var services = app.ApplicationServices;
        _ = services.GetRequiredService<MetricStore>();   // hears what is counted from here on
        ProcessMeter.Watch(services.GetRequiredService<IMeterFactory>(), services.GetRequiredService<Readiness>());
        app.Use(services.GetRequiredService<RequestMeter>().Measure);
        if (!string.IsNullOrEmpty(services.GetRequiredService<IOptions<TelemetryOptions>>().Value.OtlpEndpoint)) app.Use(RequestMeter.Name);
        return app;
    }

    /// <summary>GET /metrics. Described in docs/operations.md.</summary>
    public static IEndpointRouteBuilder MapTelemetry(this IEndpointRouteBuilder routes)
    {
        routes.MapGet(MetricsEndpoint.Path, (MetricsEndpoint metrics, HttpContext context) => metrics.HandleAsync(context)).ExcludeFromDescription();
        return routes;
    }

    /// <summary>Whether the log is for machines: then nothing else may be written between its lines.</summary>
    internal static bool LogsAreJson(this IServiceProvider services) => IsJson(services.GetRequiredService<IConfiguration>());

    // Not from the options: loggers are made before these are checked, and a wrong value should be told like every other.
    private static bool IsJson(IConfiguration configuration) => configuration[$"{TelemetryOptions.Section}:{nameof(TelemetryOptions.Logs)}"] switch
    {
        TelemetryOptions.JsonLogs => true,
        null or "" or TelemetryOptions.AutoLogs => configuration[TelemetryOptions.InContainer] is "true" or "1",
        _ => false,
    };
}
