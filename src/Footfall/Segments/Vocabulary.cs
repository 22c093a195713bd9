using System.Collections.Concurrent;

namespace Footfall.Segments;

/// <summary>Kinds of texts that share one numbering.</summary>
internal enum SegmentWords
{
    /// <summary>Of hits, entries and exits.</summary>
    Path,
    EventType,
    Source,
    Channel,
    ReferrerHost,
    UtmSource,
    UtmMedium,
    UtmCampaign,
    UtmTerm,
    UtmContent,
    Country,
    Device,
    Browser,
    Os,
}

/// <summary>
/// The texts of one property's segments, numbered so that the same text has the same code in each of them. Only ever grows; when too
/// much of it is of segments that are gone, the cache begins a new one with new segments.
/// </summary>
internal sealed class Vocabulary
{
    private readonly Words[] kinds = [.. Enum.GetValues<SegmentWords>().Select(_ => new Words())];
    private readonly ConcurrentDictionary<string, Words> props = new(StringComparer.Ordinal);

    public Words this[SegmentWords kind] => kinds[(int)kind];

    /// <summary>The values of a prop.</summary>
    public Words Prop(string key) => props.GetOrAdd(key, _ => new Words());

    /// <summary>Bytes that the texts take, roughly.</summary>
    public long Bytes => kinds.Sum(k => k.Bytes) + props.Values.Sum(p => p.Bytes + 200);

    public static SegmentWords KindOf(SessionFact fact) => fact switch
    {
        SessionFact.EntryPath or SessionFact.ExitPath => SegmentWords.Path,
        SessionFact.Source => SegmentWords.Source,
        SessionFact.Channel => SegmentWords.Channel,
        SessionFact.ReferrerHost => SegmentWords.ReferrerHost,
        SessionFact.UtmSource => SegmentWords.UtmSource,
        SessionFact.UtmMedium => SegmentWords.UtmMedium,
        SessionFact.UtmCampaign => SegmentWords.UtmCampaign,
        SessionFact.UtmTerm => SegmentWords.UtmTerm,
        SessionFact.UtmContent => SegmentWords.UtmContent,
        SessionFact.Country => SegmentWords.Country,
        SessionFact.Device => SegmentWords.Device,
        SessionFact.Browser => SegmentWords.Browser,
        SessionFact.Os => SegmentWords.Os,
        _ => throw new ArgumentOutOfRangeException(nameof(fact), fact, null),
    };
}

/// <summary>Texts of one kind with their codes, from 1; 0 is "has none". Readers take no lock.</summary>
internal sealed class Words
{
    private readonly ConcurrentDictionary<string, int> codes = new(StringComparer.Ordinal);
    private readonly Lock growing = new();
    private volatile string?[] texts = new string?[16];
    private int count = 1;   // code 0
    private long bytes;

    /// <summary>One more than the greatest code.</summary>
    public int Count => Volatile.Read(ref count);

    public long Bytes => Interlocked.Read(ref bytes);

    /// <summary>Roughly, with its entry in the table.</summary>
    public static long BytesOf(string text) => BytesOf(text.Length);

    public static long BytesOf(int letters) => 100 + (2L * letters);

    /// <summary>Null for code 0.</summary>
    public string? this[int code] => texts[code];

    /// <summary>0 where no segment has the text.</summary>
    public int Find(string text) => codes.GetValueOrDefault(text);

    /// <summary>The text's code; a new one where it has none.</summary>
    public int Add(string text)
    {
        if (codes.TryGetValue(text, out var known)) return known;
        lock (growing)
        {
            if (codes.TryGetValue(text, out known)) return known;
            if (count == texts.Length)
            {
                var more = new string?[count * 2];
                texts.CopyTo(more, 0);
                texts = more;
            }
            texts[count] = text;
            codes[text] = count;
            bytes += BytesOf(text);
            Volatile.Write(ref count, count + 1);
            return count - 1;
        }
    }
}
