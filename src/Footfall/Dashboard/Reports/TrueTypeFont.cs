using System.Buffers.Binary;
using System.Text;

namespace Footfall.Dashboard.Reports;

/// <summary>
/// A TrueType font as far as a PDF needs it: which glyph a character has, how wide it is, and a font file with only the glyphs that
/// were used. Tables and their fields are those of the OpenType specification (ISO/IEC 14496-22).
/// </summary>
internal sealed class TrueTypeFont
{
    private readonly byte[] file;
    private readonly Dictionary<string, (int Offset, int Length)> tables = new(StringComparer.Ordinal);
    private readonly Dictionary<int, ushort> glyphs = [];
    private readonly int glyphCount, wideGlyphs;
    private readonly bool longLocations;

    public TrueTypeFont(string name, byte[] file)
    {
        (Name, this.file) = (name, file);
        for (var i = 0; i < U16(4); i++)
        {
            var at = 12 + (16 * i);
            tables[Encoding.ASCII.GetString(file, at, 4)] = ((int)U32(at + 8), (int)U32(at + 12));
        }
        var (head, hhea) = (tables["head"].Offset, tables["hhea"].Offset);
        UnitsPerEm = U16(head + 18);
        longLocations = U16(head + 50) == 1;
        Box = [Scaled(I16(head + 36)), Scaled(I16(head + 38)), Scaled(I16(head + 40)), Scaled(I16(head + 42))];
        (Ascent, Descent) = (Scaled(I16(hhea + 4)), Scaled(I16(hhea + 6)));
        wideGlyphs = U16(hhea + 34);
        glyphCount = U16(tables["maxp"].Offset + 4);
        ReadCharacters(tables["cmap"].Offset);
    }

    /// <summary>As PDF calls it: ASCII letters and hyphens.</summary>
    public string Name { get; }

    public int UnitsPerEm { get; }

    /// <summary>Around all glyphs; as all lengths here in thousandths of the size.</summary>
    public int[] Box { get; }

    public int Ascent { get; }
    public int Descent { get; }

    /// <summary>0 where the font has no glyph for it.</summary>
    public ushort GlyphOf(int character) => glyphs.GetValueOrDefault(character);

    /// <summary>Thousandths of the size.</summary>
    public double WidthOf(ushort glyph) => U16(tables["hmtx"].Offset + (4 * Math.Min(glyph, wideGlyphs - 1))) * 1000.0 / UnitsPerEm;

    /// <summary>The font with the outlines of these glyphs alone. Every glyph keeps its number.</summary>
    public byte[] With(IEnumerable<ushort> used)
    {
        var kept = new SortedSet<ushort>(used) { 0 };
        foreach (var glyph in kept.ToList()) AddParts(glyph, kept);
        var outlines = new MemoryStream();
        var locations = new byte[4 * (glyphCount + 1)];
        for (var glyph = 0; glyph < glyphCount; glyph++)
        {
            BinaryPrimitives.WriteUInt32BigEndian(locations.AsSpan(4 * glyph), (uint)outlines.Length);
            if (!kept.Contains((ushort)glyph)) continue;
            var (from, length) = Outline(glyph);
            outlines.Write(file, from, length);
            while (outlines.Length % 4 != 0) outlines.WriteByte(0);
        }
        BinaryPrimitives.WriteUInt32BigEndian(locations.AsSpan(4 * glyphCount), (uint)outlines.Length);
        var head = Table("head");
        head[51] = 1;     // long locations
        SortedDictionary<string, byte[]> made = new(StringComparer.Ordinal) { ["glyf"] = outlines.ToArray(), ["head"] = head, ["loca"] = locations };
        foreach (var name in new[] { "cvt ", "fpgm", "hhea", "hmtx", "maxp", "prep" })
        {
            if (tables.ContainsKey(name)) made[name] = Table(name);
        }
        return Assemble(made);
    }

    private static byte[] Assemble(SortedDictionary<string, byte[]> made)
    {
        var power = 1;
        while (power * 2 <= made.Count) power *= 2;
        var result = new MemoryStream();
        Span<byte> entry = stackalloc byte[16];
        entry.Clear();
        BinaryPrimitives.WriteUInt32BigEndian(entry, 0x00010000);
        BinaryPrimitives.WriteUInt16BigEndian(entry[4..], (ushort)made.Count);
        BinaryPrimitives.WriteUInt16BigEndian(entry[6..], (ushort)(power * 16));
        BinaryPrimitives.WriteUInt16BigEndian(entry[8..], (ushort)int.Log2(power));
        BinaryPrimitives.WriteUInt16BigEndian(entry[10..], (ushort)((made.Count - power) * 16));
        result.Write(entry[..12]);
        var at = 12 + (16 * made.Count);
        foreach (var (name, table) in made)
        {
            Encoding.ASCII.GetBytes(name, entry);
            BinaryPrimitives.WriteUInt32BigEndian(entry[4..], Sum(table));
            BinaryPrimitives.WriteUInt32BigEndian(entry[8..], (uint)at);
            BinaryPrimitives.WriteUInt32BigEndian(entry[12..], (uint)table.Length);
            result.Write(entry);
            at += (table.Length + 3) / 4 * 4;
        }
        foreach (var table in made.Values)
        {
            result.Write(table);
            while (result.Length % 4 != 0) result.WriteByte(0);
        }
        return result.ToArray();
    }

    private static uint Sum(byte[] table)
    {
        var sum = 0u;
        for (var i = 0; i < table.Length; i++) sum += (uint)table[i] << (24 - (8 * (i % 4)));
        return sum;
    }

    /// <summary>A glyph may be put together from others.</summary>
    private void AddParts(ushort glyph, SortedSet<ushort> kept)
    {
        const int wordArguments = 1, scale = 8, moreParts = 32, twoScales = 64, fourScales = 128;
        var (at, length) = Outline(glyph);
        if (length == 0 || I16(at) >= 0) return;
        at += 10;
        int flags;
        do
        {
            flags = U16(at);
            var part = U16(at + 2);
            if (part < glyphCount && kept.Add(part)) AddParts(part, kept);
            at += 4 + ((flags & wordArguments) != 0 ? 4 : 2) + ((flags & scale) != 0 ? 2 : (flags & twoScales) != 0 ? 4 : (flags & fourScales) != 0 ? 8 : 0);
        }
        while ((flags & moreParts) != 0);
    }

    private (int From, int Length) Outline(int glyph)
    {
        var (locations, outlines) = (tables["loca"].Offset, tables["glyf"].Offset);
        var (from, to) = longLocations
            ? ((int)U32(locations + (4 * glyph)), (int)U32(locations + (4 * glyph) + 4))
            : (2 * U16(locations + (2 * glyph)), 2 * U16(locations + (2 * glyph) + 2));
        return (outlines + from, to - from);
    }

    // Of the tables of characters the ones for all of Unicode (format 12) and for its first plane (format 4).
    private void ReadCharacters(int cmap)
    {
        var subtables = Enumerable.Range(0, U16(cmap + 2)).Select(i => cmap + (int)U32(cmap + 8 + (8 * i))).Distinct().ToList();
        foreach (var at in subtables.Where(s => U16(s) == 4)) ReadFirstPlane(at);
        foreach (var at in subtables.Where(s => U16(s) == 12))
        {
            for (var i = 0; i < (int)U32(at + 12); i++)
            {
                var group = at + 16 + (12 * i);
                var (first, last, glyph) = ((int)U32(group), (int)U32(group + 4), (int)U32(group + 8));
                for (var character = first; character <= last; character++) Add(character, glyph + character - first);
            }
        }
    }

    private void ReadFirstPlane(int at)
    {
        var segments = U16(at + 6) / 2;
        var (ends, starts) = (at + 14, at + 16 + (2 * segments));
        var (deltas, ranges) = (starts + (2 * segments), starts + (4 * segments));
        for (var i = 0; i < segments; i++)
        {
            var (start, end, delta, range) = (U16(starts + (2 * i)), U16(ends + (2 * i)), U16(deltas + (2 * i)), U16(ranges + (2 * i)));
            for (var character = (int)start; character <= end && character != 0xFFFF; character++)
            {
                if (range == 0)
                {
                    Add(character, (character + delta) & 0xFFFF);
                    continue;
                }
                var glyph = U16(ranges + (2 * i) + range + (2 * (character - start)));
                if (glyph != 0) Add(character, (glyph + delta) & 0xFFFF);
            }
        }
    }

    private void Add(int character, int glyph)
    {
        if (glyph > 0 && glyph < glyphCount) glyphs[character] = (ushort)glyph;
    }

    private byte[] Table(string name) => file.AsSpan(tables[name].Offset, tables[name].Length).ToArray();

    private int Scaled(int units) => units * 1000 / UnitsPerEm;

    private ushort U16(int at) => BinaryPrimitives.ReadUInt16BigEndian(file.AsSpan(at));

    private short I16(int at) => BinaryPrimitives.ReadInt16BigEndian(file.AsSpan(at));

    private uint U32(int at) => BinaryPrimitives.ReadUInt32BigEndian(file.AsSpan(at));
}
