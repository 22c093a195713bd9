namespace Footfall.Capture;

/// <summary>The form of a property's id: it stands in URLs, table keys and file names.</summary>
internal static class PropertyId
{
    public const string Rule = "1 to 64 letters, digits, dots, hyphens or underscores, beginning with a letter or digit";

    public static bool IsValid(string? id)
    {
        if (id is not { Length: >= 1 and <= 64 } || !char.IsAsciiLetterOrDigit(id[0])) return false;
        foreach (var c in id)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('.' or '_' or '-')) return false;
        }
        return true;
    }
}
