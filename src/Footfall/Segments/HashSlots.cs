namespace Footfall.Segments;

/// <summary>
/// From a hash to entries that have it: open addressing, four bytes for an entry and some six for its slots. Entries are numbered from 1 in
/// the order in which they come; what they are, and whether two are the same, whoever uses it knows.
/// </summary>
internal sealed class HashSlots : IDisposable
{
    private const int FirstSlots = 16;   // a power of two

    private readonly Column<int> hashes = new();
    private Column<int> slots = Empty(FirstSlots);

    public long Bytes => hashes.Bytes + slots.Bytes;

    /// <summary>Where to begin to look.</summary>
    public int First(int hash) => hash & (slots.Count - 1);

    public int Next(int slot) => (slot + 1) & (slots.Count - 1);

    /// <summary>Goes on from the slot to the next entry with this hash; 0 where there is none: then the slot is where a new one belongs.</summary>
    public int Seek(ref int slot, int hash)
    {
        for (; ; slot = Next(slot))
        {
            var entry = slots[slot];
            if (entry == 0 || hashes[entry - 1] == hash) return entry;
        }
    }

    /// <summary>The number of a new entry, which is put where <see cref="Seek"/> has come to.</summary>
    public int Put(int slot, int hash)
    {
        hashes.Add(hash);
        slots[slot] = hashes.Count;
        if (hashes.Count > slots.Count / 3 * 2) Grow();
        return hashes.Count;
    }

    public void Dispose()
    {
        hashes.Dispose();
        slots.Dispose();
    }

    private void Grow()
    {
        var count = slots.Count * 2;
        slots.Dispose();
        slots = Empty(count);
        for (var entry = 1; entry <= hashes.Count; entry++)
        {
            var slot = First(hashes[entry - 1]);
            while (slots[slot] != 0) slot = Next(slot);
            slots[slot] = entry;
        }
    }

    private static Column<int> Empty(int count)
    {
        var empty = new Column<int>();
        empty.AddZeros(count);
        return empty;
    }
}
