namespace Footfall.Ingestion;

/// <summary>
/// Visitors are dealt out to lanes by their id, the same on every server: what one event changes is its visitor's, so that
/// lanes can be written at once. What servers deal out among their writers is lanes.
/// </summary>
internal static class Lanes
{
    /// <summary>Never to be changed: what is stored of journals tells how far each of these lanes is.</summary>
    public const int Count = 4;

    /// <summary>Into which count what was turned away, which has no visitor.</summary>
    public const int OfCounts = 0;

    public static readonly IReadOnlyList<int> All = [.. Enumerable.Range(0, Count)];

    public static int Of(Guid visitorId)
    {
        Span<byte> bytes = stackalloc byte[16];
        visitorId.TryWriteBytes(bytes);
        return bytes[15] % Count;
    }

    /// <summary>The lanes of one of several writers.</summary>
    public static IReadOnlyList<int> Of(int writer, int writers) => [.. All.Where(lane => lane % writers == writer)];
}
