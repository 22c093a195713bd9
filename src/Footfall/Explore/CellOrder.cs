using System.Security.Cryptography;
using System.Text;
using Footfall.Segments;

namespace Footfall.Explore;

/// <summary>The order of an answer's groups, as <see cref="QuerySql"/> has it: the first metric descending, then the key's beginning, then the key's hash; the group without a key last.</summary>
internal sealed class CellOrder : IComparer<Cell>
{
    public static readonly CellOrder Instance = new();

    public int Compare(Cell? x, Cell? y)
    {
        var (a, b) = (x!, y!);
        var order = (b.Values[0] ?? -1).CompareTo(a.Values[0] ?? -1);
        if (order != 0) return order;
        if (a.Key is null || b.Key is null) return (a.Key is null).CompareTo(b.Key is null);
        order = CodePoints.Compare(Beginning(a.Key), Beginning(b.Key));
        return order != 0 || a.Key == b.Key ? order : HashOf(a.Key).AsSpan().SequenceCompareTo(HashOf(b.Key));
    }

    /// <summary>Whether the group comes behind a place.</summary>
    public static bool IsBehind(Cell cell, Position place)
    {
        var value = cell.Values[0] ?? -1;
        if (value != place.Order) return value < place.Order;
        if (!place.HasKey) return false;
        if (cell.Key is null) return true;
        var order = CodePoints.Compare(Beginning(cell.Key), place.Beginning);
        return order > 0 || (order == 0 && HashOf(cell.Key).AsSpan().SequenceCompareTo(place.Hash) > 0);
    }

    /// <summary>The cells in order, at most so many.</summary>
    public static List<Cell> First(IEnumerable<Cell> cells, int? limit)
    {
        if (limit is not { } most)
        {
            List<Cell> all = [.. cells];
            all.Sort(Instance);
            return all;
        }
        // The worst of those kept stands first, for the next to be compared with.
        var kept = new PriorityQueue<Cell, Cell>(Comparer<Cell>.Create((a, b) => Instance.Compare(b, a)));
        foreach (var cell in cells)
        {
            if (kept.Count < most) kept.Enqueue(cell, cell);
            else if (most > 0 && Instance.Compare(cell, kept.Peek()) < 0) kept.EnqueueDequeue(cell, cell);
        }
        List<Cell> first = [.. kept.UnorderedItems.Select(i => i.Element)];
        first.Sort(Instance);
        return first;
    }

    private static ReadOnlySpan<char> Beginning(string key) => key.Length <= Position.BeginningCharacters ? key : Position.BeginningOf(key);

    private static byte[] HashOf(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));
}
