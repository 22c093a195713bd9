using System.Collections.Concurrent;
using Footfall.Capture;

namespace Footfall.Dashboard.Reports;

/// <summary>
/// The faces that reports are set in, brought by the build (lists/font-*.ttf): one for text, one with the letters of more scripts, one
/// with emoji. What none of them has is shown as a box, so that a text is never shorter than it was.
/// </summary>
internal sealed class ReportFonts
{
    private const int Box = 0x25A1;

    private static readonly Lazy<ReportFonts> One = new(() => new ReportFonts());

    private readonly TrueTypeFont text = Load("text"), bold = Load("bold"), more = Load("more"), emoji = Load("emoji");
    private readonly ConcurrentDictionary<int, (TrueTypeFont? Face, int Drawn)> known = [];

    private ReportFonts()
    {
    }

    /// <summary>Read when the first report is made.</summary>
    public static ReportFonts Instance => One.Value;

    /// <summary>The face that has the character, and the character that is drawn for it; no face for what is not drawn at all.</summary>
    public (TrueTypeFont? Face, int Drawn) FaceFor(int character, bool isBold)
    {
        var found = known.GetOrAdd(character, Find);
        return isBold && found.Face == text && bold.GlyphOf(found.Drawn) != 0 ? (bold, found.Drawn) : found;
    }

    private (TrueTypeFont?, int) Find(int character)
    {
        // What joins or varies the signs beside it needs a text engine; the signs themselves are drawn.
        if (character is 0x200D or < 0x20 or (>= 0x7f and < 0xa0) or (>= 0xFE00 and <= 0xFE0F) or (>= 0xE0000 and <= 0xE0FFF)) return (null, character);
        foreach (var face in new[] { text, more, emoji })
        {
            if (face.GlyphOf(character) != 0) return (face, character);
        }
        return (more, Box);
    }

    private static TrueTypeFont Load(string face)
    {
        var file = DataLists.File($"font-{face}.ttf");
        return File.Exists(file)
            ? new TrueTypeFont($"Footfall-{char.ToUpperInvariant(face[0])}{face[1..]}", File.ReadAllBytes(file))
            : throw new InvalidOperationException($"The font {file} is not there: it comes with the program, made by its build. Build src/Footfall with Node.js installed.");
    }
}
