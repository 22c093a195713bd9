using System.Diagnostics;
using Footfall.Hosting;
using Microsoft.Extensions.Options;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Footfall.Telemetry;

/// <summary>Sends metrics and traces to a collector, where one is named. Without one none of OpenTelemetry's code runs.</summary>
internal sealed class Otlp(IOptions<TelemetryOptions> options) : IHostedService, IDisposable
{
    public const string HttpProtobuf = "http/protobuf";
    public const string Grpc = "grpc";
    private const string AspNetCore = "Microsoft.AspNetCore";
    private const string Npgsql = "Npgsql";

    private readonly TelemetryOptions options = options.Value;
    private MeterProvider? metrics;
    private TracerProvider? traces;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (string.IsNullOrEmpty(options.OtlpEndpoint)) return Task.CompletedTask;
        var resource = ResourceBuilder.CreateEmpty().AddService("footfall", serviceVersion: ProcessMeter.Version, serviceInstanceId: Environment.MachineName);
        metrics = Sdk.CreateMeterProviderBuilder()
            .SetResourceBuilder(resource)
            .AddMeter(Chosen.Meters)
            .AddView(static instrument => Chosen.Has(instrument) ? null : MetricStreamConfiguration.Drop)
            .SetMaxMetricStreams(200)
            .AddOtlpExporter(o => Set(o, "v1/metrics"))
            .Build();
        traces = Sdk.CreateTracerProviderBuilder()
            .SetResourceBuilder(resource)
            .AddSource(Measures.Name, AspNetCore, Npgsql)
            .SetSampler(new RequestSampler(options.TraceRatio))
            .AddProcessor(new WithoutDriverErrors())
            .AddOtlpExporter(o => Set(o, "v1/traces"))
            .Build();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose()
    {
        // Each sends what it still holds, and gives up after a few seconds where nobody answers.
        traces?.Dispose();
        metrics?.Dispose();
    }

    private void Set(OtlpExporterOptions exporter, string path)
    {
        exporter.Protocol = options.OtlpProtocol == Grpc ? OtlpExportProtocol.Grpc : OtlpExportProtocol.HttpProtobuf;
        // Over HTTP each kind has a path of its own, which an address given in code does not get by itself.
        exporter.Endpoint = new Uri(exporter.Protocol == OtlpExportProtocol.Grpc ? options.OtlpEndpoint! : $"{options.OtlpEndpoint!.TrimEnd('/')}/{path}");
        if (!string.IsNullOrEmpty(options.OtlpHeaders)) exporter.Headers = options.OtlpHeaders;
    }

    /// <summary>Only a share of requests, whatever their sender's own trace says: strangers do not decide what is kept. What a traced one does is traced; batches and jobs are few.</summary>
    private sealed class RequestSampler(double ratio) : Sampler
    {
        public override SamplingResult ShouldSample(in SamplingParameters samplingParameters)
        {
            var parent = samplingParameters.ParentContext;
            if (Activity.Current is not null && parent.SpanId != default && !parent.IsRemote) return Of(parent.TraceFlags.HasFlag(ActivityTraceFlags.Recorded));
            if (samplingParameters.Kind != ActivityKind.Server) return Of(samplingParameters.Kind == ActivityKind.Internal);
#pragma warning disable CA5394 // Which requests are traced is no secret.
            return Of(Random.Shared.NextDouble() < ratio);
#pragma warning restore CA5394
        }

        private static SamplingResult Of(bool recorded) => new(recorded ? SamplingDecision.RecordAndSample : SamplingDecision.Drop);
    }

    /// <summary>A failed statement's span holds the database's message, which may quote a value. The span around it says that it failed.</summary>
    private sealed class WithoutDriverErrors : BaseProcessor<Activity>
    {
        public override void OnEnd(Activity data)
        {
            if (data.Source.Name == Npgsql && (data.Status == ActivityStatusCode.Error || data.Events.Any(e => e.Name == "exception"))) data.ActivityTraceFlags &= ~ActivityTraceFlags.Recorded;
        }
    }
}
