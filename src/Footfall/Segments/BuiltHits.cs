namespace Footfall.Segments;

/// <summary>A day's hits while it is built, by number, from 0 in the order in which they came.</summary>
internal sealed class BuiltHits : IDisposable
{
    private const int TimeBits = 37;   // microseconds of a day

    private readonly HashSlots slots = new();
    private readonly Column<int> groupPaths = new();
    private readonly Column<int> groupTypes = new();
    private readonly Column<int> groups = new();
    private readonly Column<int> sessions = new();
    private readonly Column<int> times = new();
    private readonly Column<ushort> micros = new();
    private readonly Column<byte> converted = new();
    private readonly Column<long> alikes = new();

    public int Count => sessions.Count;

    public int Groups => groupPaths.Count;

    public long Bytes => slots.Bytes + groupPaths.Bytes + groupTypes.Bytes + groups.Bytes + sessions.Bytes + times.Bytes + micros.Bytes + converted.Bytes + alikes.Bytes;

    /// <param name="time">Microseconds since the day's start.</param>
    /// <param name="alike">Orders hits that are alike in all else.</param>
    public void Add(int session, int path, int type, long time, bool isConversion, long alike)
    {
        groups.Add(GroupOf(path, type));
        sessions.Add(session);
        times.Add((int)(time / 1_000));
        micros.Add((ushort)(time % 1_000));
        converted.Add(isConversion ? (byte)1 : (byte)0);
        alikes.Add(alike);
    }

    public int Session(int hit) => sessions[hit];

    /// <summary>Milliseconds.</summary>
    public int Time(int hit) => times[hit];

    /// <summary>Beyond the milliseconds.</summary>
    public ushort Micros(int hit) => micros[hit];

    public bool Converted(int hit) => converted[hit] != 0;

    /// <summary>Hits by path and type, then row, then time; of those that are alike in all that, by what else they are, so that rows alone decide.</summary>
    /// <param name="rowOf">By session; negative where nobody knows it: its hits are left out.</param>
    public (Scratch<int> Order, Column<HitGroup> Groups) InOrder(Scratch<int> rowOf, Scratch<int> paths, Scratch<int> types)
    {
        slots.Dispose();
        using var next = new Scratch<int>(Groups);
        next.Span.Clear();
        for (var hit = 0; hit < Count; hit++) if (rowOf[sessions[hit]] >= 0) next[groups[hit]]++;
        var ordered = new Column<HitGroup>();
        var first = 0;
        var largest = 0;
        using (var byName = new Scratch<int>(Groups))
        {
            using var names = new Scratch<ulong>(Groups);
            for (var group = 0; group < Groups; group++) (byName[group], names[group]) = (group, (ulong)paths[groupPaths[group]] << 32 | (uint)types[groupTypes[group]]);
            names.Span.Sort(byName.Span);
            foreach (var group in byName.Span)
            {
                var count = next[group];
                if (count > 0) ordered.Add(new HitGroup(paths[groupPaths[group]], types[groupTypes[group]], first, count));
                next[group] = first;
                first += count;
                largest = Math.Max(largest, count);
            }
        }
        groupPaths.Dispose();
        groupTypes.Dispose();
        var order = new Scratch<int>(first);
        for (var hit = 0; hit < Count; hit++) if (rowOf[sessions[hit]] >= 0) order[next[groups[hit]]++] = hit;
        groups.Dispose();
        using var keys = new Scratch<ulong>(largest);
        for (var i = 0; i < ordered.Count; i++)
        {
            var group = ordered[i];
            if (group.Count > 1) Sort(order.Span.Slice(group.First, group.Count), keys.Span[..group.Count], rowOf);
        }
        alikes.Dispose();
        return (order, ordered);
    }

    public void Dispose()
    {
        slots.Dispose();
        groupPaths.Dispose();
        groupTypes.Dispose();
        groups.Dispose();
        sessions.Dispose();
        times.Dispose();
        micros.Dispose();
        converted.Dispose();
        alikes.Dispose();
    }

    private void Sort(Span<int> hits, Span<ulong> keys, Scratch<int> rowOf)
    {
        for (var i = 0; i < hits.Length; i++) keys[i] = (ulong)rowOf[sessions[hits[i]]] << TimeBits | (ulong)((times[hits[i]] * 1_000L) + micros[hits[i]]);
        keys.Sort(hits);
        for (int first = 0, end; first < hits.Length; first = end)
        {
            for (end = first + 1; end < hits.Length && keys[end] == keys[first]; end++)
            {
            }
            if (end - first > 1) hits[first..end].Sort((a, b) => (converted[a], alikes[a]).CompareTo((converted[b], alikes[b])));
        }
    }

    private int GroupOf(int path, int type)
    {
        var hash = HashCode.Combine(path, type);
        var slot = slots.First(hash);
        for (int entry; (entry = slots.Seek(ref slot, hash)) != 0; slot = slots.Next(slot))
        {
            if (groupPaths[entry - 1] == path && groupTypes[entry - 1] == type) return entry - 1;
        }
        groupPaths.Add(path);
        groupTypes.Add(type);
        return slots.Put(slot, hash) - 1;
    }
}
