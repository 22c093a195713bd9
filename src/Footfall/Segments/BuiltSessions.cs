namespace Footfall.Segments;

/// <summary>A day's sessions while it is built: those that were added, and those that a hit belongs to and nobody has added yet. By number, from 0.</summary>
internal sealed class BuiltSessions : IDisposable
{
    private const byte Known = 0x80;   // beside SessionFlags

    private readonly HashSlots slots = new();
    private readonly Column<Guid> visitors = new();
    private readonly Column<Guid> ids = new();
    private readonly Column<int> numbers = new();
    private readonly Column<long> starts = new();
    private readonly Column<long> lasted = new();
    private readonly Column<long> engaged = new();
    private readonly Column<byte> flags = new();
    private readonly NarrowColumn[] facts = [.. Enum.GetValues<SessionFact>().Select(_ => new NarrowColumn())];

    public int Count => numbers.Count;

    public long Bytes => slots.Bytes + visitors.Bytes + ids.Bytes + numbers.Bytes + starts.Bytes + lasted.Bytes + engaged.Bytes + flags.Bytes + facts.Sum(f => f.Bytes);

    /// <summary>The session's number, a new one where it has none.</summary>
    public int IndexOf(Guid visitor, Guid id)
    {
        var hash = HashCode.Combine(visitor, id);
        var slot = slots.First(hash);
        for (int entry; (entry = slots.Seek(ref slot, hash)) != 0; slot = slots.Next(slot))
        {
            if (ids[entry - 1] == id && visitors[entry - 1] == visitor) return entry - 1;
        }
        visitors.Add(visitor);
        ids.Add(id);
        numbers.Add(0);
        starts.Add(0);
        lasted.Add(0);
        engaged.Add(0);
        flags.Add(0);
        foreach (var fact in facts) fact.Add(0);
        return slots.Put(slot, hash) - 1;
    }

    /// <param name="start">Microseconds since the day's start, as the end.</param>
    public void Set(int session, int number, long start, long end, long engagedMs, SessionFlags has)
    {
        numbers[session] = number;
        starts[session] = start;
        lasted[session] = Math.Max(0, end - start);
        engaged[session] = engagedMs;
        flags[session] = (byte)((byte)has | Known);
    }

    public void Set(int session, SessionFact fact, int code) => facts[(int)fact][session] = code;

    public bool IsKnown(int session) => (flags[session] & Known) != 0;

    public (Guid Visitor, Guid Id) IdOf(int session) => (visitors[session], ids[session]);

    public int Number(int session) => numbers[session];

    public long Start(int session) => starts[session];

    /// <summary>Microseconds.</summary>
    public long Lasted(int session) => lasted[session];

    public long EngagedMs(int session) => engaged[session];

    public SessionFlags Flags(int session) => (SessionFlags)(flags[session] & ~Known);

    public int Fact(int session, SessionFact fact) => facts[(int)fact][session];

    /// <summary>Those that are known in the order of rows: homes, then guests, by visitor and start. No session can be looked up or added any more.</summary>
    public (Scratch<int> Order, int Homes) InOrder()
    {
        slots.Dispose();
        visitors.Dispose();
        var (known, homes) = (0, 0);
        for (var i = 0; i < Count; i++)
        {
            if (!IsKnown(i)) continue;
            known++;
            if (starts[i] >= 0) homes++;
        }
        var order = new Scratch<int>(known);
        using var keys = new Scratch<UInt128>(known);
        for (int i = 0, row = 0; i < Count; i++)
        {
            if (!IsKnown(i)) continue;
            keys[row] = new UInt128((starts[i] < 0 ? 1UL << 32 : 0) | ((uint)numbers[i] ^ 0x8000_0000), (ulong)starts[i] ^ 1UL << 63);
            order[row++] = i;
        }
        keys.Span.Sort(order.Span);
        for (int first = 0, end; first < known; first = end)
        {
            for (end = first + 1; end < known && keys[end] == keys[first]; end++)
            {
            }
            if (end - first > 1) order.Span[first..end].Sort((a, b) => ids[a].CompareTo(ids[b]));
        }
        ids.Dispose();
        return (order, homes);
    }

    public void Release(SessionFact fact) => facts[(int)fact].Dispose();

    public void Dispose()
    {
        slots.Dispose();
        visitors.Dispose();
        ids.Dispose();
        numbers.Dispose();
        starts.Dispose();
        lasted.Dispose();
        engaged.Dispose();
        flags.Dispose();
        foreach (var fact in facts) fact.Dispose();
    }
}
