using System.Buffers;

namespace Footfall.Explore;

/// <summary>A list whose memory a pool lends: what a question leaves behind in large arrays, only a collection of everything takes away.</summary>
internal sealed class PooledList<T> : IDisposable where T : unmanaged
{
    private const int Least = 1_024;

    private T[] items = [];

    public int Count { get; private set; }

    public ReadOnlySpan<T> Items => items.AsSpan(0, Count);

    public Span<T> Writable => items.AsSpan(0, Count);

    public void Add(T item)
    {
        if (Count == items.Length) Grow(Count + 1);
        items[Count++] = item;
    }

    public void AddRange(ReadOnlySpan<T> more)
    {
        more.CopyTo(Room(more.Length));
        Count += more.Length;
    }

    /// <summary>Room for so many behind those that are there: what is written there is taken by <see cref="Take"/>.</summary>
    public Span<T> Room(int more)
    {
        if (Count + more > items.Length) Grow(Count + more);
        return items.AsSpan(Count, more);
    }

    /// <summary>As many as have been written into <see cref="Room"/>.</summary>
    public void Take(int more) => Count += more;

    public void Clear() => Count = 0;

    public void Dispose()
    {
        if (items.Length > 0) ArrayPool<T>.Shared.Return(items);
        (items, Count) = ([], 0);
    }

    private void Grow(int least)
    {
        var larger = ArrayPool<T>.Shared.Rent(Math.Max(Least, Math.Max(least, items.Length * 2)));
        Items.CopyTo(larger);
        if (items.Length > 0) ArrayPool<T>.Shared.Return(items);
        items = larger;
    }
}
