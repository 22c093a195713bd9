using System.Security.Cryptography;
using System.Text;

namespace Footfall.Segments;

/// <summary>A session as the builder takes it. Times in microseconds since the day's start.</summary>
/// <param name="Facts">By <see cref="SessionFact"/>.</param>
internal readonly record struct BuiltSession(Guid VisitorId, Guid Id, int Number, long Start, long End, long EngagedMs, SessionFlags Flags, string?[] Facts);

/// <summary>
/// Collects a day's sessions and events, in whatever order they come, and puts them into columns. The same rows give the same columns. What
/// it has collected is outside the collector's heap: it goes with <see cref="Encode"/>, <see cref="Build"/> or Dispose.
/// </summary>
internal sealed class SegmentBuilder(DateOnly day, SegmentLimits limits) : IDisposable
{
    // What one of each takes until the segment is written: collected, put in order, and as part of a section.
    private const int BytesOfHit = 48;
    private const int BytesOfGroup = 40;
    private const int BytesOfSession = 150;
    private const int BytesOfText = 32;
    private const int BytesOfTextByte = 3;

    private readonly BuiltSessions sessions = new();
    private readonly BuiltHits hits = new();
    private readonly TextTable[] texts = [.. Enum.GetValues<SegmentWords>().Select(_ => new TextTable())];
    private readonly PropBuilder props = new(limits);
    private readonly Utf8Buffer utf8 = new();
    private long textBytes;
    private long utf8Bytes;
    private int textCount;

    /// <summary>Beyond what a segment may hold: nothing more needs to come, and there is nothing to build.</summary>
    public bool IsTooLarge =>
        hits.Count > limits.Hits || sessions.Count > limits.Sessions || textBytes > limits.TextBytes || textCount > limits.Texts || BuildBytes > limits.BuildBytes;

    public int Hits => hits.Count;

    public int Sessions => sessions.Count;

    /// <summary>Different texts of all kinds.</summary>
    public int Texts => textCount;

    /// <summary>Memory that building takes at most, roughly, of what has come so far: by counts alone, so that the same rows come to the same.</summary>
    public long BuildBytes =>
        ((long)BytesOfHit * hits.Count) + ((long)BytesOfGroup * hits.Groups) + ((long)BytesOfSession * sessions.Count)
        + ((long)BytesOfText * textCount) + (BytesOfTextByte * utf8Bytes) + props.BuildBytes;

    /// <summary>Memory that it takes now.</summary>
    public long Bytes => sessions.Bytes + hits.Bytes + texts.Sum(t => t.Bytes) + props.Bytes;

    /// <summary>Sessions that hits belong to and that were not added.</summary>
    public IEnumerable<(Guid Visitor, Guid Session)> Unknown
    {
        get
        {
            for (var i = 0; i < sessions.Count; i++) if (!sessions.IsKnown(i)) yield return sessions.IdOf(i);
        }
    }

    public PropBuilder Props => props;

    /// <summary>What the text has for a number in <see cref="Add(Guid, Guid, int, int, long, bool, ReadOnlySpan{byte})"/> and <see cref="AddFact"/>; 0 stands for none.</summary>
    public int Code(SegmentWords kind, ReadOnlySpan<byte> text)
    {
        var table = texts[(int)kind];
        var before = table.Count;
        var code = table.Add(text);
        if (table.Count == before) return code;
        textCount++;
        utf8Bytes += text.Length;
        textBytes += Words.BytesOf(Encoding.UTF8.GetCharCount(text));
        return code;
    }

    public int Code(SegmentWords kind, string? text) => text is null ? 0 : Code(kind, utf8.Of(text));

    public void Add(in BuiltSession session)
    {
        var index = Add(session.VisitorId, session.Id, session.Number, session.Start, session.End, session.EngagedMs, session.Flags);
        for (var fact = 0; fact < session.Facts.Length; fact++) AddFact(index, (SessionFact)fact, Code(Vocabulary.KindOf((SessionFact)fact), session.Facts[fact]));
    }

    /// <summary>A session, of which the facts are yet to come. Returns its number.</summary>
    /// <inheritdoc cref="BuiltSession"/>
    public int Add(Guid visitor, Guid id, int number, long start, long end, long engagedMs, SessionFlags flags)
    {
        var index = sessions.IndexOf(visitor, id);
        sessions.Set(index, number, start, end, engagedMs, flags);
        return index;
    }

    public void AddFact(int session, SessionFact fact, int code) => sessions.Set(session, fact, code);

    /// <param name="time">Microseconds since the day's start.</param>
    /// <param name="json">The event's props, as jsonb writes them; empty for none.</param>
    public void Add(Guid visitor, Guid session, long time, bool converted, string type, string? path, ReadOnlySpan<byte> json) =>
        Add(visitor, session, Code(SegmentWords.EventType, type), Code(SegmentWords.Path, path), time, converted, json);

    /// <inheritdoc cref="Add(Guid, Guid, long, bool, string, string, ReadOnlySpan{byte})"/>
    public void Add(Guid visitor, Guid session, int type, int path, long time, bool converted, ReadOnlySpan<byte> json)
    {
        long alike = 0;
        if (!json.IsEmpty)
        {
            Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
            SHA256.HashData(json, hash);
            alike = BitConverter.ToInt64(hash);
            props.Add(hits.Count, json);
        }
        Add(visitor, session, type, path, time, converted, alike);
    }

    /// <summary>An event without its props, which are added by themselves. Returns its number.</summary>
    /// <param name="alike">Orders events that are alike in all else.</param>
    public int Add(Guid visitor, Guid session, int type, int path, long time, bool converted, long alike)
    {
        hits.Add(sessions.IndexOf(visitor, session), path, type, time, converted, alike);
        return hits.Count - 1;
    }

    /// <summary>The segment as bytes, a column after the other. Nothing is left of what was collected.</summary>
    public EncodedSegment Encode()
    {
        try
        {
            using var columns = new BuiltColumns(day, texts, sessions, hits, props);
            return SegmentEncoder.Encode(columns);
        }
        finally
        {
            Dispose();
        }
    }

    /// <summary>The segment's columns all at once. Nothing is left of what was collected.</summary>
    public SegmentData Build()
    {
        try
        {
            using var columns = new BuiltColumns(day, texts, sessions, hits, props);
            return DataColumns.Of(columns);
        }
        finally
        {
            Dispose();
        }
    }

    public void Dispose()
    {
        sessions.Dispose();
        hits.Dispose();
        foreach (var table in texts) table.Dispose();
        props.Dispose();
    }
}
