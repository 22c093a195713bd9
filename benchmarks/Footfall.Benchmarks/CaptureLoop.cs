using System.Buffers;
using System.Diagnostics;
using System.Net;
using Footfall.Capture;
using Footfall.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Footfall.Benchmarks;

/// <summary>What one event costs between the socket and the journal: read, enrich, encode; one thread, no HTTP.</summary>
internal static class CaptureLoop
{
    private const string Body = """
        {"eventType":"page_view","anonId":"b1f0c9d2-7c55-4d0e-9a51-0b5b8a6f2c11","eventId":"0197f3a2-5b7e-7c3d-8e21-4f6a9b0c1d2e","path":"/products/blue-widget?variant=large",
         "timestamp":"2026-03-14T09:26:53.589Z","referrer":"https://www.google.com/","title":"Blue widget - Example shop","utm":{"source":"newsletter","medium":"referral","campaign":"spring"},
         "props":{"plan":"pro","items":3},"traffic":{"propertyId":"default","engagedTimeMs":15250,"scrollDepthPercent":80,"webVitals":{"fcpMs":812.4,"lcpMs":1204.9,"inpMs":16,"ttfbMs":41.2,"clsScore":0.021}}}
        """;

    public static void Run()
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton(new DataFolder(Directory.CreateTempSubdirectory("footfall-bench-").FullName));
        services.AddCaptureEnrichment(new ConfigurationBuilder().Build());
        using var provider = services.BuildServiceProvider();
        var pipeline = provider.GetRequiredService<CapturePipeline>();
        var keys = provider.GetRequiredService<DayKeys>();
        var body = System.Text.Encoding.UTF8.GetBytes(Body);
        var address = IPAddress.Parse("8.8.8.8");
        var payload = new ArrayBufferWriter<byte>(4096);
        const string Agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";

        Measure($"read only ({body.Length} bytes)", () => EventReader.Read(body));
        Measure("read, enrich, encode", () =>
        {
            var batch = EventReader.Read(body);
            var sender = new Sender(address, Agent, Sender.WholeMicroseconds(TimeProvider.System.GetUtcNow()), keys);
            var outcome = pipeline.Run(batch.Events[0], sender);
            payload.ResetWrittenCount();
            CaptureRecord.WriteEvents(payload, [outcome.Event!]);
        });
        services.AddMetrics();
        using var measured = services.BuildServiceProvider();
        var meters = measured.GetRequiredService<System.Diagnostics.Metrics.IMeterFactory>();
        var meter = new CaptureMeter(meters);
        Measure("count and time it, unheard", () => CountOne(meter), 2_000_000);
        using (new Footfall.Telemetry.MetricStore(meters)) Measure("count and time it for /metrics", () => CountOne(meter), 2_000_000);
        var n = 0;
        var agents = provider.GetRequiredService<UserAgentReader>();
        Measure("an unseen user agent", () => agents.Read($"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{n++}.0.0.0 Safari/537.36"), 20_000);
    }

    // What CaptureEndpoints does around a request.
    private static void CountOne(CaptureMeter meter)
    {
        var started = TimeProvider.System.GetTimestamp();
        meter.Accepted(1);
        meter.Answered(TimeProvider.System.GetElapsedTime(started));
    }

    private static void Measure(string name, Action action, int times = 200_000)
    {
        for (var i = 0; i < times / 4; i++) action();
        var bytes = GC.GetAllocatedBytesForCurrentThread();
        var clock = Stopwatch.StartNew();
        for (var i = 0; i < times; i++) action();
        clock.Stop();
        Console.WriteLine($"{name,-30} {clock.Elapsed.TotalNanoseconds / times,10:N0} ns {(GC.GetAllocatedBytesForCurrentThread() - bytes) / times,8:N0} bytes");
    }
}
