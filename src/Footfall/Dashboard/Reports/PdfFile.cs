using System.Globalization;
using System.IO.Compression;
using System.Text;

namespace Footfall.Dashboard.Reports;

/// <summary>
/// A PDF of drawn pages (ISO 32000-1): lines, shapes, and text in embedded fonts that can be searched and copied. It has no links,
/// scripts, forms or files, so that nothing of what stands in it can do anything.
/// </summary>
internal sealed class PdfFile(string title, DateTimeOffset madeAt)
{
    private readonly List<PdfPage> pages = [];
    private readonly Dictionary<TrueTypeFont, SortedDictionary<ushort, int>> used = [];
    private readonly List<int> offsets = [];
    private readonly List<byte> file = [];

    public PdfPage AddPage(double width, double height)
    {
        var page = new PdfPage(this, width, height);
        pages.Add(page);
        return page;
    }

    /// <summary>The font's name on pages, and the glyph that is noted as used.</summary>
    internal string Use(TrueTypeFont font, ushort glyph, int character)
    {
        if (!used.TryGetValue(font, out var glyphs)) used[font] = glyphs = [];
        glyphs[glyph] = character;
        return $"/{font.Name}";
    }

    public byte[] Save()
    {
        Write("%PDF-1.7\n%\u00e2\u00e3\u00cf\u00d3\n");
        var catalog = Reserve();
        var tree = Reserve();
        var fonts = used.ToDictionary(f => f.Key.Name, f => WriteFont(f.Key, f.Value));
        var resources = Write(Reserve(), $"<< /Font << {string.Join(' ', fonts.Select(f => $"/{f.Key} {f.Value} 0 R"))} >> >>");
        List<int> kids = [];
        foreach (var page in pages)
        {
            var content = WriteStream(Reserve(), "", Encoding.ASCII.GetBytes(page.Content));
            kids.Add(Write(Reserve(), string.Create(CultureInfo.InvariantCulture, $"<< /Type /Page /Parent {tree} 0 R /MediaBox [0 0 {page.Width:0.##} {page.Height:0.##}] /Resources {resources} 0 R /Contents {content} 0 R >>")));
        }
        Write(tree, $"<< /Type /Pages /Count {kids.Count} /Kids [{string.Join(' ', kids.Select(k => $"{k} 0 R"))}] >>");
        Write(catalog, $"<< /Type /Catalog /Pages {tree} 0 R /Lang (en) /ViewerPreferences << /DisplayDocTitle true >> >>");
        var about = Write(Reserve(), $"<< /Title {Hex(title)} /Producer (Footfall) /CreationDate (D:{madeAt.UtcDateTime.ToString("yyyyMMddHHmmss", CultureInfo.InvariantCulture)}Z) >>");
        var start = file.Count;
        Write($"xref\n0 {offsets.Count + 1}\n0000000000 65535 f \n");
        foreach (var offset in offsets) Write($"{offset:0000000000} 00000 n \n");
        Write($"trailer\n<< /Size {offsets.Count + 1} /Root {catalog} 0 R /Info {about} 0 R >>\nstartxref\n{start}\n%%EOF\n");
        return file.ToArray();
    }

    // Characters are glyph numbers; the map back to Unicode is what searching and copying need.
    private int WriteFont(TrueTypeFont font, SortedDictionary<ushort, int> glyphs)
    {
        var name = $"FOOTFA+{font.Name}";
        var program = font.With(glyphs.Keys);
        var embedded = WriteStream(Reserve(), $"/Length1 {program.Length}", program);
        var descriptor = Write(Reserve(), $"<< /Type /FontDescriptor /FontName /{name} /Flags 4 /FontBBox [{string.Join(' ', font.Box)}] /ItalicAngle 0 /Ascent {font.Ascent} /Descent {font.Descent} /CapHeight {font.Ascent} /StemV 80 /FontFile2 {embedded} 0 R >>");
        var widths = string.Join(' ', glyphs.Keys.Select(g => string.Create(CultureInfo.InvariantCulture, $"{g} [{font.WidthOf(g):0.##}]")));
        var descendant = Write(Reserve(), $"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /{name} /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> /FontDescriptor {descriptor} 0 R /CIDToGIDMap /Identity /DW 1000 /W [{widths}] >>");
        var unicode = WriteStream(Reserve(), "", Encoding.ASCII.GetBytes(ToUnicode(glyphs)));
        return Write(Reserve(), $"<< /Type /Font /Subtype /Type0 /BaseFont /{name} /Encoding /Identity-H /DescendantFonts [{descendant} 0 R] /ToUnicode {unicode} 0 R >>");
    }

    private static string ToUnicode(SortedDictionary<ushort, int> glyphs)
    {
        var map = new StringBuilder("/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n");
        foreach (var some in glyphs.Chunk(100))
        {
            map.Append(CultureInfo.InvariantCulture, $"{some.Length} beginbfchar\n");
            foreach (var (glyph, character) in some) map.Append(CultureInfo.InvariantCulture, $"<{glyph:X4}> <{Convert.ToHexString(Encoding.BigEndianUnicode.GetBytes(char.ConvertFromUtf32(character)))}>\n");
            map.Append("endbfchar\n");
        }
        return map.Append("endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n").ToString();
    }

    private static string Hex(string text) => $"<FEFF{Convert.ToHexString(Encoding.BigEndianUnicode.GetBytes(text))}>";

    private int Reserve()
    {
        offsets.Add(0);
        return offsets.Count;
    }

    private int Write(int number, string body)
    {
        offsets[number - 1] = file.Count;
        Write($"{number} 0 obj\n{body}\nendobj\n");
        return number;
    }

    private int WriteStream(int number, string entries, byte[] content)
    {
        using var packed = new MemoryStream();
        using (var deflate = new ZLibStream(packed, CompressionLevel.Optimal, leaveOpen: true)) deflate.Write(content);
        offsets[number - 1] = file.Count;
        Write($"{number} 0 obj\n<< /Length {packed.Length} /Filter /FlateDecode {entries} >>\nstream\n");
        file.AddRange(packed.ToArray());
        Write("\nendstream\nendobj\n");
        return number;
    }

    private void Write(string text) => file.AddRange(Encoding.Latin1.GetBytes(text));
}

/// <summary>A colour of print, each part from 0 to 255.</summary>
internal readonly record struct PdfColour(byte Red, byte Green, byte Blue)
{
    public string Operands => string.Create(CultureInfo.InvariantCulture, $"{Red / 255.0:0.###} {Green / 255.0:0.###} {Blue / 255.0:0.###}");
}

/// <summary>A line's look.</summary>
/// <param name="Dash">Lengths of line and gap; empty for a whole one.</param>
internal sealed record PdfPen(PdfColour Colour, double Width, double[]? Dash = null, bool RoundEnds = false);

/// <summary>A page that is drawn on. Lengths are points, from the upper left corner.</summary>
internal sealed class PdfPage(PdfFile owner, double width, double height)
{
    private const double Circle = 0.5523;     // of the radius: how far the handles of a quarter of a circle reach

    private readonly StringBuilder content = new();

    public double Width { get; } = width;
    public double Height { get; } = height;
    public string Content => content.ToString();

    public void Line(PdfPen pen, params IReadOnlyList<(double X, double Y)> points)
    {
        content.Append(CultureInfo.InvariantCulture, $"q {pen.Colour.Operands} RG {pen.Width:0.##} w 1 j {(pen.RoundEnds ? 1 : 0)} J {(pen.Dash is { } dash ? $"[{string.Join(' ', dash.Select(d => d.ToString(CultureInfo.InvariantCulture)))}] 0 d" : "")}\n");
        Path(points);
        content.Append("S Q\n");
    }

    /// <summary>Shapes that are filled as one.</summary>
    public void Fill(PdfColour colour, IEnumerable<IReadOnlyList<(double X, double Y)>> shapes, PdfPen? edge = null)
    {
        content.Append(CultureInfo.InvariantCulture, $"q {colour.Operands} rg {(edge is null ? "" : string.Create(CultureInfo.InvariantCulture, $"{edge.Colour.Operands} RG {edge.Width:0.##} w"))}\n");
        foreach (var shape in shapes)
        {
            Path(shape);
            content.Append("h\n");
        }
        content.Append(edge is null ? "f Q\n" : "B Q\n");
    }

    /// <summary>What is drawn meanwhile shows only within the box.</summary>
    public void Within(double x, double y, double width, double height, Action draw)
    {
        content.Append(CultureInfo.InvariantCulture, $"q {x:0.##} {Height - y - height:0.##} {width:0.##} {height:0.##} re W n\n");
        draw();
        content.Append("Q\n");
    }

    public void FillBox(PdfColour colour, double x, double y, double width, double height, double radius)
    {
        content.Append(CultureInfo.InvariantCulture, $"q {colour.Operands} rg\n");
        Box(x, y, width, height, Math.Min(radius, Math.Min(width, height) / 2));
        content.Append("f Q\n");
    }

    public void DrawBox(PdfPen pen, double x, double y, double width, double height, double radius)
    {
        content.Append(CultureInfo.InvariantCulture, $"q {pen.Colour.Operands} RG {pen.Width:0.##} w\n");
        Box(x, y, width, height, radius);
        content.Append("S Q\n");
    }

    public void Text(TrueTypeFont font, double size, double x, double baseline, PdfColour colour, IEnumerable<int> characters)
    {
        var glyphs = new StringBuilder();
        var name = "";
        foreach (var character in characters)
        {
            var glyph = font.GlyphOf(character);
            name = owner.Use(font, glyph, character);
            glyphs.Append(CultureInfo.InvariantCulture, $"{glyph:X4}");
        }
        if (glyphs.Length > 0) content.Append(CultureInfo.InvariantCulture, $"BT {colour.Operands} rg {name} {size:0.##} Tf {x:0.##} {Height - baseline:0.##} Td <{glyphs}> Tj ET\n");
    }

    private void Path(IReadOnlyList<(double X, double Y)> points)
    {
        for (var i = 0; i < points.Count; i++) content.Append(CultureInfo.InvariantCulture, $"{points[i].X:0.##} {Height - points[i].Y:0.##} {(i == 0 ? 'm' : 'l')}\n");
    }

    private void Box(double x, double y, double width, double height, double r)
    {
        var (left, right, top, bottom, handle) = (x, x + width, Height - y, Height - y - height, r * (1 - Circle));
        content.Append(CultureInfo.InvariantCulture, $"{left + r:0.##} {top:0.##} m {right - r:0.##} {top:0.##} l {right - handle:0.##} {top:0.##} {right:0.##} {top - handle:0.##} {right:0.##} {top - r:0.##} c ");
        content.Append(CultureInfo.InvariantCulture, $"{right:0.##} {bottom + r:0.##} l {right:0.##} {bottom + handle:0.##} {right - handle:0.##} {bottom:0.##} {right - r:0.##} {bottom:0.##} c ");
        content.Append(CultureInfo.InvariantCulture, $"{left + r:0.##} {bottom:0.##} l {left + handle:0.##} {bottom:0.##} {left:0.##} {bottom + handle:0.##} {left:0.##} {bottom + r:0.##} c ");
        content.Append(CultureInfo.InvariantCulture, $"{left:0.##} {top - r:0.##} l {left:0.##} {top - handle:0.##} {left + handle:0.##} {top:0.##} {left + r:0.##} {top:0.##} c h\n");
    }
}
