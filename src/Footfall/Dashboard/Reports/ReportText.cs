using System.Globalization;
using System.Text;

namespace Footfall.Dashboard.Reports;

/// <summary>Sets text of any script on a page, one line at a time: measured, cut in the middle where it is too long, never wrapped by surprise.</summary>
internal sealed class ReportText(PdfPage page)
{
    private const char Ellipsis = '\u2026';

    private readonly ReportFonts fonts = ReportFonts.Instance;

    /// <summary>A piece of text in one face.</summary>
    private readonly record struct Run(TrueTypeFont Face, IReadOnlyList<int> Characters)
    {
        public double Width(double size)
        {
            var face = Face;
            return Characters.Sum(c => face.WidthOf(face.GlyphOf(c))) * size / 1000;
        }
    }

    public double Width(string text, double size, bool bold = false) => Runs(text, bold).Sum(r => r.Width(size));

    /// <param name="right">The line ends at <paramref name="x"/> instead of beginning there.</param>
    /// <param name="most">Longer text is cut in the middle.</param>
    /// <returns>How wide it came out.</returns>
    public double Line(string text, double x, double baseline, double size, PdfColour colour, bool bold = false, bool right = false, double most = double.MaxValue)
    {
        var fitting = Fit(text, size, bold, most);
        var runs = Runs(fitting, bold);
        var width = runs.Sum(r => r.Width(size));
        var at = right ? x - width : x;
        foreach (var run in runs)
        {
            page.Text(run.Face, size, at, baseline, colour, run.Characters);
            at += run.Width(size);
        }
        return width;
    }

    /// <summary>The text as lines of words, each at most so wide; a word that is wider alone is cut.</summary>
    public IReadOnlyList<string> Wrap(string text, double size, double most, int lines)
    {
        List<string> wrapped = [];
        var line = "";
        foreach (var word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            var longer = line.Length == 0 ? word : $"{line} {word}";
            if (Width(longer, size) <= most || line.Length == 0)
            {
                line = longer;
                continue;
            }
            wrapped.Add(line);
            line = word;
        }
        wrapped.Add(line);
        if (wrapped.Count <= lines) return wrapped;
        return [.. wrapped.Take(lines - 1), string.Join(' ', wrapped.Skip(lines - 1))];
    }

    private string Fit(string text, double size, bool bold, double most)
    {
        // A visitor's text may have thousands of characters; no line of a page has room for 400.
        if (text.Length > 400) text = $"{text[..200]}{Ellipsis}{text[^200..]}";
        if (Width(text, size, bold) <= most) return text;
        var elements = StringInfo.ParseCombiningCharacters(text);
        var (least, mostElements) = (0, elements.Length);
        while (least < mostElements)
        {
            var middle = (least + mostElements + 1) / 2;
            if (Width(Cut(text, elements, middle), size, bold) <= most) least = middle;
            else mostElements = middle - 1;
        }
        return Cut(text, elements, least);
    }

    /// <summary>The first two thirds of so many characters, and the last third.</summary>
    private static string Cut(string text, int[] elements, int keep)
    {
        if (keep >= elements.Length) return text;
        var tail = keep / 3;
        var head = keep - tail;
        return $"{text[..(head < elements.Length ? elements[head] : text.Length)]}{Ellipsis}{(tail == 0 ? "" : text[elements[^tail]..])}";
    }

    private List<Run> Runs(string text, bool bold)
    {
        List<Run> runs = [];
        List<int> characters = [];
        TrueTypeFont? face = null;
        foreach (var rune in WritingOrder.Visual(text).EnumerateRunes())
        {
            var (its, character) = fonts.FaceFor(rune.Value, bold);
            if (its is null) continue;
            if (face is not null && its != face)
            {
                runs.Add(new Run(face, characters));
                characters = [];
            }
            face = its;
            characters.Add(character);
        }
        if (face is not null) runs.Add(new Run(face, characters));
        return runs;
    }
}

/// <summary>
/// Text as it stands on paper from left to right: what is written from right to left is turned round, with its numbers left as they
/// are. Enough for a path, a name or a campaign within a line that runs to the right; whole paragraphs are not set here.
/// </summary>
internal static class WritingOrder
{
    public static string Visual(string text)
    {
        if (!text.Any(IsFromRight)) return text;
        var result = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length;)
        {
            if (!IsFromRight(text[i]))
            {
                result.Append(text[i++]);
                continue;
            }
            var end = i;
            for (var j = i; j < text.Length && !IsFromLeft(text[j]); j++)
            {
                if (IsFromRight(text[j])) end = j;
            }
            result.Append(Turned(text[i..(end + 1)]));
            i = end + 1;
        }
        return result.ToString();
    }

    private static string Turned(string text)
    {
        var turned = new StringBuilder(text.Length);
        var starts = StringInfo.ParseCombiningCharacters(text);
        for (var i = starts.Length - 1; i >= 0; i--)
        {
            var first = i;
            if (char.IsDigit(text[starts[i]]))
            {
                while (first > 0 && char.IsDigit(text[starts[first - 1]])) first--;
            }
            turned.Append(text[starts[first]..(i + 1 < starts.Length ? starts[i + 1] : text.Length)]);
            i = first;
        }
        return turned.ToString();
    }

    private static bool IsFromRight(char c) => c is (>= '\u0590' and <= '\u08ff') or (>= '\ufb1d' and <= '\ufdff') or (>= '\ufe70' and <= '\ufeff') && !char.IsDigit(c);

    private static bool IsFromLeft(char c) => char.IsLetter(c) && !IsFromRight(c);
}
