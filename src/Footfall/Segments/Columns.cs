namespace Footfall.Segments;

/// <summary>Whole numbers from 0 up, in the narrowest array that holds them. At most one of the arrays is there; none where all are the same.</summary>
internal class Numbers
{
    private const int ZeroUnknown = 0, ZeroNone = 1, ZeroFound = 2;
    private int zero;   // threads may find it at the same time: the same

    public byte[]? Bytes { get; init; }

    public ushort[]? Shorts { get; init; }

    public int[]? Ints { get; init; }

    /// <summary>What all are, where there is no array.</summary>
    public int Constant { get; init; }

    public bool IsConstant => Bytes is null && Shorts is null && Ints is null;

    public int this[int index] => Bytes is not null ? Bytes[index] : Shorts is not null ? Shorts[index] : Ints is not null ? Ints[index] : Constant;

    /// <summary>The greatest of the first <paramref name="count"/>.</summary>
    public int Most(int count)
    {
        if (count == 0) return 0;
        if (IsConstant) return Constant;
        var most = 0;
        for (var i = 0; i < count; i++) most = Math.Max(most, this[i]);
        return most;
    }

    /// <summary>Whether any of them is 0: looked up once, since they never change.</summary>
    public bool ContainsZero
    {
        get
        {
            if (zero == ZeroUnknown) zero = Bytes?.AsSpan().Contains((byte)0) ?? Shorts?.AsSpan().Contains((ushort)0) ?? Ints?.AsSpan().Contains(0) ?? Constant == 0 ? ZeroFound : ZeroNone;
            return zero == ZeroFound;
        }
    }

    public bool IsSameAs(Numbers other) =>
        Constant == other.Constant && Same(Bytes, other.Bytes) && Same(Shorts, other.Shorts) && Same(Ints, other.Ints);

    /// <summary>The same numbers as codes.</summary>
    public Codes As(int[] words) => new() { Bytes = Bytes, Shorts = Shorts, Ints = Ints, Constant = Constant, Words = words };

    /// <summary>In the narrowest array that holds them.</summary>
    public static Numbers Of(ReadOnlySpan<int> values)
    {
        var most = 0;
        foreach (var value in values) most |= value;   // as many bits as the greatest
        if (values.Length == 0 || !values.ContainsAnyExcept(values[0])) return new Numbers { Constant = values.Length == 0 ? 0 : values[0] };
        if (most <= byte.MaxValue)
        {
            var bytes = new byte[values.Length];
            for (var i = 0; i < bytes.Length; i++) bytes[i] = (byte)values[i];
            return new Numbers { Bytes = bytes };
        }
        if (most > ushort.MaxValue) return new Numbers { Ints = values.ToArray() };
        var shorts = new ushort[values.Length];
        for (var i = 0; i < shorts.Length; i++) shorts[i] = (ushort)values[i];
        return new Numbers { Shorts = shorts };
    }

    private static bool Same<T>(T[]? a, T[]? b) => a is null ? b is null : b is not null && a.AsSpan().SequenceEqual(b);

    public long Size => (Bytes?.Length ?? 0) + (2L * (Shorts?.Length ?? 0)) + (4L * (Ints?.Length ?? 0));
}

/// <summary>Texts as codes of the segment's own; 0 is "has none".</summary>
internal sealed class Codes : Numbers
{
    /// <summary>From a code to that of the <see cref="Vocabulary"/>, which is the same in all segments of the property; [0] is 0.</summary>
    public required int[] Words { get; init; }
}

/// <summary>The values of one prop where hits have it.</summary>
/// <param name="Hits">Indexes of hits, ascending.</param>
/// <param name="Values">By position in <paramref name="Hits"/>; never 0.</param>
internal sealed record PropColumn(int[] Hits, Codes Values);

/// <summary>The day's props. Values are what PostgreSQL's <c>props -&gt;&gt; key</c> gives; a JSON null is no value.</summary>
internal sealed class PropColumns(PropTable table, Vocabulary vocabulary)
{
    /// <summary>False where the day may have the prop but the segment does not hold it (too many keys or values): only raw rows can tell.</summary>
    public bool Covers(string key) => table.Columns.ContainsKey(key) || (!table.MayMissOthers && !table.Missing.Contains(key));

    /// <summary>Null where no hit of the day has the prop. Unpacks it each time: to be called once for a question.</summary>
    public PropColumn? Read(string key)
    {
        if (!table.Columns.TryGetValue(key, out var packed)) return null;
        var data = SegmentCodec.Unpack(packed);
        var words = vocabulary.Prop(key);
        return new PropColumn(data.Hits, data.Values.As(Array.ConvertAll(data.Texts, t => t is null ? 0 : words.Add(t))));
    }
}
