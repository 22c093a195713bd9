using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Footfall.Capture;
using Footfall.Definitions;
using Footfall.Ingestion;
using Footfall.Postgres;
using Footfall.Rollups;
using Footfall.Tests.Infrastructure;
using Footfall.Tests.Model;
using Microsoft.Extensions.Options;
using Xunit;

namespace Footfall.Tests.Rollups;

/// <summary>A database of its own, events written as a test says them, and the jobs run over them. The property is <c>app</c>.</summary>
public abstract class DayFixture : IAsyncLifetime
{
    private int arrivals;
    private FunnelStore funnels = null!;

    internal TestDatabase Database { get; private set; } = null!;

    internal RollupRunner Runner { get; private set; } = null!;

    internal virtual FunnelDefinition[] Configured => [];

    internal virtual RollupLimits Limits => RollupLimits.Usual;

    public async ValueTask InitializeAsync()
    {
        Database = await TestDatabase.CreateAsync();
        funnels = AllModels.Funnels(Database.Source, Configured);
        Runner = AllModels.Runner(Database.Source, funnels, TimeProvider.System, Limits);
    }

    public async ValueTask DisposeAsync()
    {
        await Database.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    internal static DateTimeOffset At(string time) => DateTimeOffset.Parse(time, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);

    internal static DateOnly Day(string day) => DateOnly.Parse(day, CultureInfo.InvariantCulture);

    internal CapturedEvent Event(
        string visitor, string time, string type, string? account = null, string? props = null, string? path = null, string? entity = null,
        string? received = null, DeviceType device = DeviceType.Desktop, string? referrer = null, string property = "app", int engagedMs = 0)
    {
        Span<byte> id = stackalloc byte[16];
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(id, ++arrivals);
        if (engagedMs > 0) props = $"{{\"engagedTimeMs\":{engagedMs}}}";
        return new CapturedEvent
        {
            Id = new Guid(id, bigEndian: true),
            VisitorId = new Guid(SHA256.HashData(Encoding.UTF8.GetBytes(visitor)).AsSpan(0, 16)),
            VisitorKind = VisitorKind.AnonId,
            AnonId = $"anon-{visitor}",
            PropertyId = property,
            EventType = type,
            Path = path,
            OccurredAt = At(time),
            ReceivedAt = At(received ?? time),
            Referrer = referrer,
            TrafficSource = TrafficSource.Direct,
            DeviceType = device,
            AccountId = account,
            EntityType = entity is null ? null : "profile",
            EntityId = entity,
            EngagedMs = engagedMs,
            Props = props is null ? null : Encoding.UTF8.GetBytes(props),
        };
    }

    /// <summary>Stores the events as one batch and rolls up what changed.</summary>
    internal async Task RollAsync(params CapturedEvent[] events)
    {
        var clock = TimeProvider.System;
        await using (var writer = new BatchWriter(Database.Source, new EventPartitions(clock), Options.Create(new SessionsOptions()), clock))
        {
            var batch = new IngestBatch();
            foreach (var e in events) batch.Add(e);
            await writer.WriteAsync(batch, (_, _) => Task.CompletedTask, default);
        }
        Assert.Null((await Runner.RunDirtyAsync(null, wait: true, default)).Error);
    }

    /// <summary>Rows as text, columns parted by spaces.</summary>
    internal async Task<List<string>> RowsAsync(string sql)
    {
        await using var command = Database.Source.CreateCommand(sql);
        await using var rows = await command.ExecuteReaderAsync();
        List<string> list = [];
        while (await rows.ReadAsync())
        {
            list.Add(string.Join(' ', Enumerable.Range(0, rows.FieldCount).Select(i => rows.IsDBNull(i) ? "-" : rows.GetValue(i) switch
            {
                DateOnly d => d.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
                double d => d.ToString("0.####", CultureInfo.InvariantCulture),
                var value => Convert.ToString(value, CultureInfo.InvariantCulture),
            })));
        }
        return list;
    }

    internal async Task<string?> MetricAsync(string day, string name, string key = "") =>
        (await RowsAsync($"select value from daily_product_metrics where property_id = 'app' and day = '{day}' and metric_name = '{name}' and dimension_key = '{key}'")).SingleOrDefault();
}
