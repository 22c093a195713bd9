using System.Text;
using System.Text.Json;

namespace Footfall.Segments;

/// <summary>Collects the props of a day's hits by key, each value as the text that PostgreSQL's <c>-&gt;&gt;</c> gives of it.</summary>
internal sealed class PropBuilder(SegmentLimits limits) : IDisposable
{
    private const int TrackedPerKept = 5;           // keys that are looked at for each that may be kept
    private const long MostTextBytes = 4_000_000;   // of one key's different values

    private static readonly Comparer<string> ByCodePoints = Comparer<string>.Create(CodePoints.Compare);

    private readonly TextTable names = new();
    private readonly List<Key> keys = [];   // by name's code less 1
    private readonly Utf8Buffer utf8 = new();
    private byte[] letters = new byte[1_024];
    private bool others;
    private int entries;
    private long textBytes;

    /// <summary>A key's values: of each hit that has it, how far it is from the one before, and the value's code, as varints.</summary>
    private sealed class Key(string name) : IDisposable
    {
        private int last;

        public string Name => name;

        public TextTable Values { get; } = new();

        public Column<byte> Entries { get; } = new();

        public int Count { get; private set; }

        public long TextBytes { get; set; }

        public bool Dropped { get; private set; }

        public void Add(int hit, int code)
        {
            var step = hit - last;   // backwards where two keys have come to be one
            Write((uint)(step << 1 ^ step >> 31));
            Write((uint)code);
            last = hit;
            Count++;
        }

        public IEnumerable<(int Hit, int Code)> Read()
        {
            var (at, hit) = (0, 0);
            for (var i = 0; i < Count; i++)
            {
                var step = Next(ref at);
                hit += (int)(step >> 1) ^ -(int)(step & 1);
                yield return (hit, (int)Next(ref at));
            }
        }

        public void Drop()
        {
            Dispose();
            (Dropped, Count, TextBytes) = (true, 0, 0);
        }

        public void Dispose()
        {
            Values.Dispose();
            Entries.Dispose();
        }

        private void Write(uint value)
        {
            for (; value >= 0x80; value >>= 7) Entries.Add((byte)(value | 0x80));
            Entries.Add((byte)value);
        }

        private uint Next(ref int at)
        {
            uint value = 0;
            for (var shift = 0; ; shift += 7)
            {
                var b = Entries[at++];
                value |= (uint)(b & 0x7f) << shift;
                if (b < 0x80) return value;
            }
        }
    }

    /// <summary>Memory that building takes at most, roughly.</summary>
    public long BuildBytes => (4L * entries) + textBytes;

    /// <summary>Memory that it takes now.</summary>
    public long Bytes => names.Bytes + keys.Sum(k => k.Values.Bytes + k.Entries.Bytes);

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
                    Add(key, hit, json[from..(int)reader.BytesConsumed]);
                    break;
                default: Add(key, hit, reader.ValueSpan); break;
            }
        }
    }

    /// <summary>A value that is known already.</summary>
    public void Add(int hit, string key, string value)
    {
        var found = Find(utf8.Of(key));
        Add(found, hit, utf8.Of(value));
    }

    /// <summary>What another table of the day did not hold, this one does not either.</summary>
    public void Miss(IEnumerable<string> missing, bool mayMissOthers)
    {
        foreach (var key in missing) if (Find(utf8.Of(key)) is { } found) Drop(found);
        others |= mayMissOthers;
    }

    /// <param name="place">Where each hit has come to lie; negative for none.</param>
    public PropTable Build(Scratch<int> place)
    {
        var missing = new SortedSet<string>(keys.Where(k => k.Dropped).Select(k => k.Name), ByCodePoints);
        var kept = keys.Where(k => k is { Dropped: false, Count: > 0 }).OrderByDescending(k => k.Count).ThenBy(k => k.Name, ByCodePoints).ToList();
        missing.UnionWith(kept.Skip(limits.PropKeys).Select(k => k.Name));
        SortedDictionary<string, PackedProp> columns = new(ByCodePoints);
        foreach (var key in kept.Take(limits.PropKeys))
        {
            columns.Add(key.Name, Pack(key, place));
            key.Dispose();
        }
        return new PropTable(new Dictionary<string, PackedProp>(columns, StringComparer.Ordinal), missing, others);
    }

    public void Dispose()
    {
        names.Dispose();
        foreach (var key in keys) key.Dispose();
    }

    private static PackedProp Pack(Key key, Scratch<int> place)
    {
        var count = key.Values.Count;
        using var byPlace = key.Values.Sort();
        using var places = TextTable.PlacesOf(byPlace);
        using var values = new Scratch<ulong>(key.Count);
        var n = 0;
        foreach (var (hit, code) in key.Read())
        {
            if (place[hit] >= 0) values[n++] = (ulong)place[hit] << 32 | (uint)places[code];
        }
        values.Span[..n].Sort();
        return SegmentEncoder.Pack(values.Span[..n], count, each =>
        {
            for (var i = 1; i < byPlace.Length; i++) each(key.Values[byPlace[i]]);
        });
    }

    private Key? Find(ReadOnlySpan<byte> name)
    {
        if (names.Find(name) is > 0 and var code) return keys[code - 1];
        if (keys.Count >= limits.PropKeys * TrackedPerKept)
        {
            others = true;
            return null;
        }
        names.Add(name);
        keys.Add(new Key(Encoding.UTF8.GetString(name)));
        return keys[^1];
    }

    private void Add(Key? key, int hit, ReadOnlySpan<byte> value)
    {
        if (key is null or { Dropped: true }) return;
        var before = key.Values.Count;
        key.Add(hit, key.Values.Add(value));
        entries++;
        if (key.Values.Count > before)
        {
            var bytes = Words.BytesOf(Encoding.UTF8.GetCharCount(value));
            key.TextBytes += bytes;
            textBytes += bytes;
        }
        if (key.Values.Count > limits.PropValues || key.TextBytes > MostTextBytes || entries > limits.PropEntries) Drop(key);
    }

    private void Drop(Key key)
    {
        entries -= key.Count;
        textBytes -= key.TextBytes;
        key.Drop();
    }

    private ReadOnlySpan<byte> Letters(ref Utf8JsonReader reader)
    {
        if (letters.Length < reader.ValueSpan.Length) letters = new byte[reader.ValueSpan.Length * 2];
        return letters.AsSpan(0, reader.CopyString(letters));
    }
}
