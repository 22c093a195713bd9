using System.Globalization;
using Footfall.Dashboard.Components;
using Footfall.Dashboard.Overview;

namespace Footfall.Dashboard.Reports;

/// <summary>A sheet of paper and the shapes that reports are made of. Lengths are points, from the upper left corner.</summary>
internal sealed class ReportSheet(PdfPage page)
{
    private static readonly PdfColour Line = new(0xe6, 0xe3, 0xdd), Accent = new(0x0f, 0x6b, 0x5c);
    private static readonly PdfColour Fill = new(0xdd, 0xea, 0xe7), Wash = new(0xf1, 0xf6, 0xf5);
    public static readonly PdfColour Ink = new(0x1c, 0x1d, 0x21), Muted = new(0x63, 0x66, 0x6e);
    private static readonly PdfColour Bad = new(0xb3, 0x40, 0x2e), Warn = new(0x8a, 0x61, 0x00), Paper = new(0xff, 0xff, 0xff);
    private static readonly PdfColour[] Quarters = [new(0xc3, 0xda, 0xd6), new(0x93, 0xbc, 0xb5), new(0x57, 0x97, 0x8d), Accent];

    private static readonly PdfPen Hair = new(Line, 0.75), Then = new(Muted, 0.9, [1.2, 2.4]);

    public ReportText Text { get; } = new(page);
    public double Width => page.Width;
    public double Height => page.Height;

    public static PdfColour Of(bool? isGood) => isGood switch { true => Accent, false => Bad, null => Muted };

    public static PdfColour OfRating(string rating) => rating switch { "good" => Accent, "bad" => Bad, _ => Warn };

    public void Rule(double x, double y, double toX, double toY) => page.Line(Hair, (x, y), (toX, toY));

    public void Frame(double x, double y, double width, double height) => page.DrawBox(Hair, x, y, width, height, 5);

    public void Bar(double x, double y, double width, double height)
    {
        if (width > 0) page.FillBox(Fill, x, y, Math.Max(2, width), height, 2);
    }

    /// <summary>The product's mark.</summary>
    public void Mark(double x, double y, double size)
    {
        page.FillBox(Accent, x, y, size, size, size * 7 / 32);
        var pen = new PdfPen(Paper, size * 4 / 32, RoundEnds: true);
        foreach (var (at, top) in new[] { (8, 18), (16, 9), (24, 14) }) page.Line(pen, (x + (size * at / 32), y + (size * 23 / 32)), (x + (size * at / 32), y + (size * top / 32)));
    }

    public void Number(int number, double x, double y)
    {
        page.FillBox(Ink, x - 5, y - 5, 10, 10, 5);
        var text = number.ToString(CultureInfo.InvariantCulture);
        Text.Line(text, x - (Text.Width(text, 6.5, bold: true) / 2), y + 2.4, 6.5, Paper, bold: true);
    }

    public void Spark(IReadOnlyList<double?> values, double x, double y, double width, double height)
    {
        var most = values.Count > 0 ? values.Max() ?? 0 : 0;
        if (values.Count < 2 || most <= 0) Rule(x, y + height, x + width, y + height);
        else page.Line(new PdfPen(Accent, 0.9), [.. values.Select((v, i) => (x + (i * width / (values.Count - 1)), y + height - ((v ?? 0) / most * height)))]);
    }

    /// <returns>How wide it is.</returns>
    public double Legend(double x, double baseline, string text, bool dashed)
    {
        page.Line(dashed ? Then : new PdfPen(Accent, 1.5), (x, baseline - 2.6), (x + 14, baseline - 2.6));
        return 19 + Text.Line(text, x + 19, baseline, 7.5, Muted);
    }

    public void Chart(ChartView view, double x, double top, double width, double height)
    {
        foreach (var tick in view.Ticks)
        {
            Rule(x, Y(tick.At), x + width, Y(tick.At));
            Text.Line(tick.Text, x - 6, Y(tick.At) + 2.6, 7.5, Muted, right: true);
        }
        foreach (var note in view.Notes) page.Line(new PdfPen(Muted, 0.6, [1, 2]), (X(note.At), top), (X(note.At), top + height));
        var now = view.Now.Values;
        var last = now.Count - 1;
        foreach (var piece in Pieces(now, view.SoFar ? last - 1 : last).Where(p => p.Count > 1)) page.Fill(Wash, [[(piece[0].X, top + height), .. piece, (piece[^1].X, top + height)]]);
        if (view.Then is { } then) Stroke(Pieces(then.Values, Math.Min(then.Values.Count, view.Axis.Count) - 1), Then);
        Stroke(Pieces(now, view.SoFar ? last - 1 : last), new PdfPen(Accent, 1.4));
        if (view.SoFar && last > 0 && now[last - 1] is { } before && now[last] is { } soFar) page.Line(new PdfPen(Accent, 1.4, [4, 3]), (X(last - 1), Y(before)), (X(last), Y(soFar)));
        foreach (var note in view.Notes) Number(note.Number, X(note.At), top);

        double X(int i) => view.Axis.Count < 2 ? x + (width / 2) : x + (i * width / (view.Axis.Count - 1));
        double Y(double value) => top + height - (view.Max > 0 ? value / view.Max * height : 0);

        IEnumerable<List<(double X, double Y)>> Pieces(IReadOnlyList<double?> values, int to)
        {
            List<(double X, double Y)> piece = [];
            for (var i = 0; i <= to; i++)
            {
                if (values[i] is { } value)
                {
                    piece.Add((X(i), Y(value)));
                    continue;
                }
                if (piece.Count > 0) yield return piece;
                piece = [];
            }
            if (piece.Count > 0) yield return piece;
        }
    }

    /// <summary>The countries of the world, darker where more visitors came from.</summary>
    public void World(IReadOnlyList<MapCountry> countries, double x, double y, double scale)
    {
        var edge = new PdfPen(Paper, 0.35);
        page.Within(x, y, Countries.Size.Width * scale, Countries.Size.Height * scale, () =>
        {
            foreach (var country in countries) Country(country);
        });

        void Country(MapCountry country)
        {
            var colour = country.Class is ['q', >= '1' and <= '4'] ? Quarters[country.Class[1] - '1'] : Line;
            page.Fill(colour, MapShape.Rings(country.Shape).Select(IReadOnlyList<(double, double)> (ring) => [.. ring.Select(p => (x + (p.X * scale), y + (p.Y * scale)))]), edge);
        }
    }

    private void Stroke(IEnumerable<List<(double X, double Y)>> pieces, PdfPen pen)
    {
        foreach (var piece in pieces)
        {
            if (piece.Count > 1) page.Line(pen, piece);
            else page.FillBox(pen.Colour, piece[0].X - 1.5, piece[0].Y - 1.5, 3, 3, 1.5);
        }
    }
}

/// <summary>The shapes of countries as the build writes them: M, then steps from point to point, closed by z.</summary>
internal static class MapShape
{
    public static IEnumerable<IReadOnlyList<(double X, double Y)>> Rings(string path)
    {
        foreach (var ring in path.Split('z', StringSplitOptions.RemoveEmptyEntries))
        {
            var numbers = ring.Split(['M', 'l', ' '], StringSplitOptions.RemoveEmptyEntries).Select(n => double.Parse(n, CultureInfo.InvariantCulture)).ToArray();
            List<(double X, double Y)> points = [];
            var (x, y) = (0.0, 0.0);
            for (var i = 0; i + 1 < numbers.Length; i += 2)
            {
                (x, y) = i == 0 ? (numbers[0], numbers[1]) : (x + numbers[i], y + numbers[i + 1]);
                points.Add((x, y));
            }
            if (points.Count > 2) yield return points;
        }
    }
}
