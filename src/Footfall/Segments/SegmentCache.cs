using System.Collections.Concurrent;
using Microsoft.Extensions.Options;

namespace Footfall.Segments;

/// <summary>
/// Decoded segments, each decoded once for all questions of this process, within the memory that they may take: the least recently used
/// leave for those that are needed. What a question holds (<see cref="SegmentMoment"/>) stays. Readers of what is there take no lock.
/// </summary>
internal sealed class SegmentCache(SegmentStore store, IOptions<SegmentOptions> options, TimeProvider clock, ILogger<SegmentCache> log)
{
    private const int MostQuietDays = 20_000;

    private readonly ConcurrentDictionary<string, PropertySegments> properties = new(StringComparer.Ordinal);
    private readonly Lock reserving = new();
    private readonly long limit = options.Value.MemoryBytes;
    private long used;   // by entries; vocabularies come on top

    public SegmentStore Store => store;

    public TimeProvider Clock => clock;

    public ILogger Log => log;

    public long Limit => limit;

    /// <summary>Memory that decoded segments and their texts take, roughly.</summary>
    public long UsedBytes => Interlocked.Read(ref used) + properties.Values.Sum(p => p.Vocabulary.Bytes);

    /// <summary>For one question, or several that are to be answered from the same segments. To be disposed of soon.</summary>
    public SegmentMoment Open(string propertyId) => new(this, OfProperty(propertyId));

    internal PropertySegments OfProperty(string propertyId) => properties.GetOrAdd(propertyId, id => new PropertySegments(id));

    /// <summary>Makes room. False when what is in use leaves none.</summary>
    internal bool Reserve(long bytes)
    {
        lock (reserving)
        {
            if (UsedBytes + bytes > limit) MakeRoom(bytes);
            if (UsedBytes + bytes > limit) return false;
            Interlocked.Add(ref used, bytes);
            return true;
        }
    }

    internal void Release(long bytes) => Interlocked.Add(ref used, -bytes);

    /// <summary>
    /// A vocabulary of which much belongs to segments that are gone is left behind, and with it the segments that use it. What was
    /// decoded for one that is left behind serves nobody else.
    /// </summary>
    internal void Tidy(PropertySegments property)
    {
        var outgrown = property.Vocabulary.Bytes > limit / 8 && property.Vocabulary.Bytes > property.Days.Values.Sum(d => d.TextBytes) * 3 / 2;
        if (outgrown) properties.TryRemove(KeyValuePair.Create(property.Id, property));
        if (properties.TryGetValue(property.Id, out var current) && current == property) return;
        foreach (var entry in property.Days.Values) entry.Detach();
    }

    internal static void RememberQuiet(PropertySegments property, IEnumerable<DateOnly> days)
    {
        if (property.Quiet.Count > MostQuietDays) property.Quiet.Clear();
        foreach (var day in days) property.Quiet.TryAdd(day, 0);
    }

    private void MakeRoom(long bytes)
    {
        foreach (var entry in properties.Values.SelectMany(p => p.Days.Values).OrderBy(e => e.LastUsed).ToList())
        {
            if (UsedBytes + bytes <= limit) return;
            if (!entry.Detach()) continue;
            // With the last segment its texts go.
            if (entry.Property.Days.IsEmpty) properties.TryRemove(KeyValuePair.Create(entry.Property.Id, entry.Property));
        }
    }
}

/// <summary>What is known of one property's days.</summary>
internal sealed class PropertySegments(string id)
{
    public string Id { get; } = id;

    public Vocabulary Vocabulary { get; } = new();

    public ConcurrentDictionary<DateOnly, SegmentEntry> Days { get; } = new();

    /// <summary>Days without a segment on which nothing was found to have happened. What happens on one later marks it as changed.</summary>
    public ConcurrentDictionary<DateOnly, byte> Quiet { get; } = new();

    /// <summary>Versions that cannot be read, and were reported.</summary>
    public ConcurrentDictionary<long, byte> Unreadable { get; } = new();
}

/// <summary>One build of one day in the cache, or on its way there.</summary>
internal sealed class SegmentEntry(SegmentCache cache, PropertySegments property, DateOnly day, long version)
{
    private const int Gone = -1;

    private readonly TaskCompletionSource<DaySegment?> loaded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int pins = 1;   // of whoever makes it
    private int detached;
    private long lastUsed;

    public PropertySegments Property => property;

    public DateOnly Day => day;

    public long Version => version;

    /// <summary>Null where the payload cannot be read. Fails where whoever was loading it gave up.</summary>
    public Task<DaySegment?> Loaded => loaded.Task;

    /// <summary>Reserved in the cache for it.</summary>
    public long Bytes { get; set; }

    /// <summary>Of its texts, as if no other segment had them.</summary>
    public long TextBytes { get; private set; }

    public long LastUsed => Interlocked.Read(ref lastUsed);

    /// <summary>Keeps it from being removed. False when it has been.</summary>
    public bool Pin(long now)
    {
        Interlocked.Exchange(ref lastUsed, now);
        for (var seen = Volatile.Read(ref pins); seen != Gone;)
        {
            var before = Interlocked.CompareExchange(ref pins, seen + 1, seen);
            if (before == seen) return true;
            seen = before;
        }
        return false;
    }

    public void Unpin()
    {
        if (Interlocked.Decrement(ref pins) == 0 && Volatile.Read(ref detached) != 0) Drop();
    }

    /// <summary>No further question finds it; its memory is free as soon as none holds it. True when that is now.</summary>
    public bool Detach()
    {
        property.Days.TryRemove(KeyValuePair.Create(day, this));
        Volatile.Write(ref detached, 1);
        return Drop();
    }

    public void Complete(DaySegment? segment, long decodedBytes)
    {
        var bytes = segment?.Bytes ?? 0;
        TextBytes = segment is null ? 0 : Math.Max(0, decodedBytes - bytes);
        if (Bytes > bytes) cache.Release(Bytes - bytes);   // its texts are counted where they are
        Bytes = Math.Min(Bytes, bytes);
        loaded.SetResult(segment);
    }

    public void Abandon(Exception why)
    {
        Detach();
        loaded.SetException(why);
        _ = loaded.Task.Exception;   // observed, also where nobody waits
    }

    private bool Drop()
    {
        if (Interlocked.CompareExchange(ref pins, Gone, 0) != 0) return false;
        cache.Release(Bytes);
        return true;
    }
}
