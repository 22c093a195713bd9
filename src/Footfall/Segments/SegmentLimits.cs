namespace Footfall.Segments;

/// <summary>How much of a day a segment holds. Anybody may send events: a day beyond is answered from raw rows.</summary>
/// <param name="TextBytes">Of all different paths, referrers and so on, as they take where they are used.</param>
/// <param name="PropKeys">Keys of props, the most frequent of the day.</param>
/// <param name="PropValues">Different values of one key, beyond which the key is left out.</param>
/// <param name="PropEntries">Values of all hits and keys together.</param>
internal sealed record SegmentLimits(int Hits, int Sessions, long TextBytes, int PropKeys, int PropValues, int PropEntries)
{
    public static readonly SegmentLimits Usual = new(5_000_000, 5_000_000, 200_000_000, 200, 20_000, 8_000_000) { Texts = 200_000, BuildBytes = 256_000_000 };

    /// <summary>Different paths, referrers and so on, all together: more of them, and nearly each event has a path of its own.</summary>
    public int Texts { get; init; } = int.MaxValue;

    /// <summary>Memory that building the day may take, as <see cref="SegmentBuilder.BuildBytes"/> has it: half of what decoded segments may.</summary>
    public long BuildBytes { get; init; } = long.MaxValue;

    /// <summary>The usual ones, or less where less memory is for segments.</summary>
    public static SegmentLimits Within(long memoryBytes)
    {
        var share = Math.Min(1, memoryBytes / (double)((long)SegmentOptions.MostUsual << 20));
        return Usual with
        {
            Hits = (int)(Usual.Hits * share),
            Sessions = (int)(Usual.Sessions * share),
            TextBytes = (long)(Usual.TextBytes * share),
            PropEntries = (int)(Usual.PropEntries * share),
            BuildBytes = (long)(Usual.BuildBytes * share),
        };
    }
}
