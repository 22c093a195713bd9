namespace Footfall.Segments;

/// <summary>What a builder has collected, in the order of a segment. What was read is let go where nothing else needs it.</summary>
internal sealed class BuiltColumns : ISegmentColumns, IDisposable
{
    private static readonly SegmentWords[] Kinds = Enum.GetValues<SegmentWords>();

    private readonly TextTable[] texts;
    private readonly BuiltSessions sessions;
    private readonly BuiltHits hits;
    private readonly PropBuilder props;
    private readonly Scratch<int>[] byPlace;
    private readonly Scratch<int>[] places;
    private readonly int[] textCounts;
    private readonly int pageView;
    private readonly Scratch<int> order;
    private readonly Scratch<int> rowOf;
    private readonly Scratch<int> hitOrder;
    private readonly Column<HitGroup> groups;

    public BuiltColumns(DateOnly day, TextTable[] texts, BuiltSessions sessions, BuiltHits hits, PropBuilder props)
    {
        (Day, this.texts, this.sessions, this.hits, this.props) = (day, texts, sessions, hits, props);
        var pageViewCode = texts[(int)SegmentWords.EventType].Find("page_view"u8);
        textCounts = Array.ConvertAll(texts, t => t.Count);
        byPlace = Array.ConvertAll(texts, t => t.Sort());
        places = Array.ConvertAll(byPlace, TextTable.PlacesOf);
        pageView = pageViewCode == 0 ? -1 : places[(int)SegmentWords.EventType][pageViewCode];
        (order, Homes) = sessions.InOrder();
        rowOf = new Scratch<int>(sessions.Count);
        rowOf.Span.Fill(-1);
        for (var row = 0; row < order.Length; row++) rowOf[order[row]] = row;
        (hitOrder, groups) = hits.InOrder(rowOf, places[(int)SegmentWords.Path], places[(int)SegmentWords.EventType]);
    }

    public DateOnly Day { get; }

    public int Homes { get; }

    public int Rows => order.Length;

    public int Hits => hitOrder.Length;

    public int TextCount(SegmentWords kind) => textCounts[(int)kind];

    public void Texts(SegmentWords kind, TextAction each)
    {
        foreach (var code in byPlace[(int)kind].Span[1..]) each(texts[(int)kind][code]);
        byPlace[(int)kind].Dispose();
        texts[(int)kind].Dispose();
    }

    public void Read(SegmentColumn column, Span<uint> values)
    {
        switch (column)
        {
            case SegmentColumn.Visitor:
                for (var row = 0; row < values.Length; row++) values[row] = (uint)sessions.Number(order[row]);
                break;
            case SegmentColumn.Start:
                for (var row = 0; row < values.Length; row++) values[row] = (uint)(int)Math.Floor(sessions.Start(order[row]) / 1e6);
                break;
            case SegmentColumn.Duration:
                for (var row = 0; row < values.Length; row++) values[row] = (uint)Math.Min(sessions.Lasted(order[row]) / 1_000, uint.MaxValue);
                break;
            case SegmentColumn.DurationMicros:
                for (var row = 0; row < values.Length; row++) values[row] = (uint)(sessions.Lasted(order[row]) % 1_000);
                break;
            case SegmentColumn.Engaged:
                for (var row = 0; row < values.Length; row++) values[row] = (uint)Math.Min(sessions.EngagedMs(order[row]), uint.MaxValue);
                break;
            case SegmentColumn.Flags:
                for (var row = 0; row < values.Length; row++) values[row] = (uint)sessions.Flags(order[row]);
                break;
            case SegmentColumn.Events:
                values.Clear();
                foreach (var hit in hitOrder.Span) values[rowOf[hits.Session(hit)]]++;
                break;
            case SegmentColumn.PageViews:
                values.Clear();
                for (var i = 0; i < groups.Count; i++)
                {
                    if (groups[i].Type != pageView) continue;
                    foreach (var hit in hitOrder.Span.Slice(groups[i].First, groups[i].Count)) values[rowOf[hits.Session(hit)]]++;
                }
                break;
            case SegmentColumn.Conversions:
                values.Clear();
                foreach (var hit in hitOrder.Span) if (hits.Converted(hit)) values[rowOf[hits.Session(hit)]]++;
                break;
            case SegmentColumn.HitRow:
                for (var i = 0; i < values.Length; i++) values[i] = (uint)rowOf[hits.Session(hitOrder[i])];
                break;
            case SegmentColumn.HitTime:
                for (var i = 0; i < values.Length; i++) values[i] = (uint)hits.Time(hitOrder[i]);
                break;
            case SegmentColumn.HitMicros:
                for (var i = 0; i < values.Length; i++) values[i] = hits.Micros(hitOrder[i]);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(column), column, null);
        }
    }

    public void Read(SessionFact fact, Span<uint> codes)
    {
        var placeOf = places[(int)Vocabulary.KindOf(fact)];
        for (var row = 0; row < codes.Length; row++) codes[row] = (uint)placeOf[sessions.Fact(order[row], fact)];
        sessions.Release(fact);
    }

    public IReadOnlyList<LongSession> LongSessions()
    {
        List<LongSession> longer = [];
        for (var row = 0; row < Rows; row++)
        {
            var (lasted, engaged) = (sessions.Lasted(order[row]) / 1_000, sessions.EngagedMs(order[row]));
            if (lasted > uint.MaxValue || engaged > uint.MaxValue) longer.Add(new LongSession(row, Math.Max(0, lasted - uint.MaxValue), Math.Max(0, engaged - uint.MaxValue)));
        }
        return longer;
    }

    public int GroupCount => groups.Count;

    public HitGroup Group(int index) => groups[index];

    public ulong[] HitConverted()
    {
        var converted = new ulong[(Hits + 63) / 64];
        for (var i = 0; i < Hits; i++) if (hits.Converted(hitOrder[i])) converted[i >> 6] |= 1UL << i;
        return converted;
    }

    public PropTable Props()
    {
        using var place = new Scratch<int>(hits.Count);   // hits of sessions that nobody knows stay at -1
        place.Span.Fill(-1);
        for (var i = 0; i < Hits; i++) place[hitOrder[i]] = i;
        hits.Dispose();
        return props.Build(place);
    }

    public void Dispose()
    {
        foreach (var kind in Kinds)
        {
            byPlace[(int)kind].Dispose();
            places[(int)kind].Dispose();
        }
        order.Dispose();
        rowOf.Dispose();
        hitOrder.Dispose();
        groups.Dispose();
    }
}
