namespace Footfall.Dashboard.Components;

/// <summary>A text that a visitor may have sent, cut in the middle where it is long.</summary>
public sealed record CutText(string Whole, string Head, string Tail)
{
    private const int Longest = 28, TailLength = 10, HeadLength = 160;

    public bool IsCut => Tail.Length > 0;

    public static CutText Of(string text)
    {
        if (text.Length <= Longest) return new CutText(text, text, "");
        var tail = text.Length - TailLength;
        if (char.IsLowSurrogate(text[tail])) tail++;
        var head = Math.Min(tail, HeadLength);
        if (char.IsLowSurrogate(text[head])) head--;
        return new CutText(text, head < tail ? text[..head] + "\u2026" : text[..head], text[tail..]);
    }
}

/// <summary>A row of a list with bars.</summary>
/// <param name="Link">Adds the row's filter, or takes it away.</param>
/// <param name="Bar">Percent of the widest.</param>
/// <param name="Exact">The value with every digit, where the text is shortened; else null.</param>
public sealed record BarRow(CutText Label, string Link, bool IsChosen, double Bar, string Value, string? Exact, string Share, DeltaView? Delta);

/// <summary>A link that is one of several.</summary>
public sealed record Choice(string Label, string Link, bool IsChosen, string? Key = null);
