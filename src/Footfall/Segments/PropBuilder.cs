using System.Text;
using System.Text.Json;

namespace Footfall.Segments;

/// <summary>Collects the props of a day's hits by key, each value as the text that PostgreSQL's <c>-&gt;&gt;</c> gives of it.</summary>
internal sealed class PropBuilder(SegmentLimits limits)
{
    private const int TrackedPerKept = 5;           // keys that are looked at for each that may be kept
    private const long MostTextBytes = 4_000_000;   // of one key's different values

    private readonly Dictionary<string, Key> keys = new(StringComparer.Ordinal);
    private char[] letters = new char[1_024];
    private bool others;
    private int entries;

    private sealed class Key
    {
        public TextTable Values { get; set; } = new();
        public List<int> Hits { get; set; } = [];
        public List<int> Codes { get; set; } = [];
        public long TextBytes { get; set; }
        public bool Dropped { get; set; }

        public void Drop()
        {
            Dropped = true;
            (Values, Hits, Codes) = (new TextTable(), [], []);
        }
    }

    /// <param name="json">An object, as jsonb writes it.</param>
    public void Add(int hit, ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 1_000 });
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) return;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = Find(Letters(ref reader));
            reader.Read();
            switch (reader.TokenType)
            {
                case JsonTokenType.Null: break;
                case JsonTokenType.String: Add(key, hit, Letters(ref reader)); break;
                case JsonTokenType.StartObject or JsonTokenType.StartArray:
                    var from = (int)reader.TokenStartIndex;
                    reader.Skip();
                    Add(key, hit, Letters(json[from..(int)reader.BytesConsumed]));
                    break;
                default: Add(key, hit, Letters(reader.ValueSpan)); break;
            }
        }
    }

    /// <summary>A value that is known already.</summary>
    public void Add(int hit, string key, string value) => Add(Find(key), hit, value);

    /// <summary>What another table of the day did not hold, this one does not either.</summary>
    public void Miss(IEnumerable<string> missing, bool mayMissOthers)
    {
        foreach (var key in missing) Find(key)?.Drop();
        others |= mayMissOthers;
    }

    /// <param name="place">Where each hit has come to lie; negative for none.</param>
    public PropTable Build(int[] place)
    {
        var missing = new SortedSet<string>(keys.Where(k => k.Value.Dropped).Select(k => k.Key), Comparer<string>.Create(CodePoints.Compare));
        var kept = keys.Where(k => k.Value is { Dropped: false, Hits.Count: > 0 }).OrderByDescending(k => k.Value.Hits.Count).ThenBy(k => k.Key, Comparer<string>.Create(CodePoints.Compare)).ToList();
        missing.UnionWith(kept.Skip(limits.PropKeys).Select(k => k.Key));
        SortedDictionary<string, PackedProp> columns = new(Comparer<string>.Create(CodePoints.Compare));
        foreach (var (key, prop) in kept.Take(limits.PropKeys))
        {
            var (texts, map) = prop.Values.Sorted();
            var at = new List<int>(prop.Hits.Count);
            var codes = new List<int>(prop.Hits.Count);
            for (var i = 0; i < prop.Hits.Count; i++)
            {
                if (place[prop.Hits[i]] < 0) continue;
                at.Add(place[prop.Hits[i]]);
                codes.Add(map[prop.Codes[i]]);
            }
            var (hits, values) = (at.ToArray(), codes.ToArray());
            Array.Sort(hits, values);
            columns.Add(key, SegmentCodec.Pack(new PropData(hits, Numbers.Of(values), texts)));
        }
        return new PropTable(new Dictionary<string, PackedProp>(columns, StringComparer.Ordinal), missing, others);
    }

    private Key? Find(ReadOnlySpan<char> name)
    {
        if (keys.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(name, out var key)) return key;
        if (keys.Count >= limits.PropKeys * TrackedPerKept)
        {
            others = true;
            return null;
        }
        keys.Add(name.ToString(), key = new Key());
        return key;
    }

    private void Add(Key? key, int hit, ReadOnlySpan<char> value)
    {
        if (key is null or { Dropped: true }) return;
        var before = key.Values.Count;
        key.Codes.Add(key.Values.Add(value));
        key.Hits.Add(hit);
        if (key.Values.Count > before) key.TextBytes += Words.BytesOf(key.Values[before]);
        entries++;
        if (key.Values.Count <= limits.PropValues && key.TextBytes <= MostTextBytes && entries <= limits.PropEntries) return;
        entries -= key.Hits.Count;
        key.Drop();
    }

    private ReadOnlySpan<char> Letters(ref Utf8JsonReader reader)
    {
        Grow(reader.ValueSpan.Length);
        return letters.AsSpan(0, reader.CopyString(letters));
    }

    private ReadOnlySpan<char> Letters(ReadOnlySpan<byte> utf8)
    {
        Grow(utf8.Length);
        return letters.AsSpan(0, Encoding.UTF8.GetChars(utf8, letters));
    }

    private void Grow(int length)
    {
        if (letters.Length < length) letters = new char[length * 2];
    }
}
