using System.Diagnostics.Metrics;
using Footfall.Hosting;

namespace Footfall.Telemetry;

/// <summary>The instruments that are told of: all of Footfall's own, and of the framework's and the driver's those that an operator can act on. Their labels come from closed sets.</summary>
internal static class Chosen
{
    private const string Runtime = "System.Runtime";
    private const string Kestrel = "Microsoft.AspNetCore.Server.Kestrel";
    private const string Npgsql = "Npgsql";

    /// <summary>Every meter that has any.</summary>
    public static readonly string[] Meters = [Measures.Name, Runtime, Kestrel, Npgsql];

    private static readonly HashSet<(string Meter, string Instrument)> Others =
    [
        (Runtime, "dotnet.process.cpu.time"),
        (Runtime, "dotnet.process.memory.working_set"),
        (Runtime, "dotnet.gc.collections"),
        (Runtime, "dotnet.gc.pause.time"),
        (Runtime, "dotnet.gc.heap.total_allocated"),
        (Runtime, "dotnet.gc.last_collection.memory.committed_size"),
        (Runtime, "dotnet.thread_pool.thread.count"),
        (Runtime, "dotnet.thread_pool.queue.length"),
        (Kestrel, "kestrel.active_connections"),
        (Kestrel, "kestrel.queued_connections"),
        (Kestrel, "kestrel.rejected_connections"),
        (Npgsql, "db.client.connection.count"),
        (Npgsql, "db.client.connection.max"),
        (Npgsql, "db.client.operation.duration"),
        (Npgsql, "db.client.operation.npgsql.executing"),
        (Npgsql, "db.client.operation.failed"),
    ];

    // Levels, which the runtime declares as counters.
    private static readonly HashSet<string> Levels = ["dotnet.thread_pool.thread.count", "dotnet.thread_pool.queue.length"];

    private const string Pool = "db.client.connection.pool.name";

    /// <summary>What is the same for every series of a server, or an address.</summary>
    private static readonly HashSet<string> Idle = [Pool, "db.system.name", "server.address", "server.port", "network.transport", "network.type"];

    public static bool IsLevel(Instrument instrument) => Levels.Contains(instrument.Name);

    /// <summary>The tags that become labels; null for connections outside the pool, which do chores.</summary>
    public static KeyValuePair<string, object?>[]? Labels(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        List<KeyValuePair<string, object?>> kept = [];
        foreach (var tag in tags)
        {
            if (tag.Key == Pool && tag.Value is not Measures.PoolName) return null;
            if (!Idle.Contains(tag.Key)) kept.Add(tag);
        }
        return [.. kept];
    }

    public static bool Has(Instrument instrument) => instrument.Meter.Name == Measures.Name || Others.Contains((instrument.Meter.Name, instrument.Name));
}
