using System.Globalization;
using Microsoft.Net.Http.Headers;

namespace Footfall.Dashboard;

/// <summary>
/// Numbers as the viewer writes them. The program runs without the system's cultures, so that the marks between digits are named
/// here, by language as CLDR has them; all else is the same everywhere.
/// </summary>
internal sealed class Numbers
{
    public const string Unknown = "\u2013";
    private const char Space = '\u00a0', NarrowSpace = '\u202f';
    private const double CompactFrom = 100_000;

    private static readonly Dictionary<string, (string Point, string Group)> Marks = new(StringComparer.OrdinalIgnoreCase);
    private static readonly Numbers English = new(".", ",");

    private readonly NumberFormatInfo form;

    /// <summary>Where nobody's language is known.</summary>
    public static Numbers Usual => English;

    static Numbers()
    {
        Add(",", ".", "da", "de", "el", "es", "id", "is", "it", "nl", "pt", "sl", "tr", "vi", "hr", "sr", "ro", "ca", "gl");
        Add(",", Space.ToString(), "bg", "cs", "et", "fi", "hu", "lt", "lv", "nb", "nn", "no", "pl", "ru", "sk", "sv", "uk", "pt-PT");
        Add(",", NarrowSpace.ToString(), "fr");
        Add(".", "\u2019", "de-CH", "it-CH", "de-LI");
        Add(".", ",", "en", "es-MX", "es-US");
    }

    private Numbers(string point, string group) => form = new NumberFormatInfo { NumberDecimalSeparator = point, NumberGroupSeparator = group, NumberGroupSizes = [3], NegativeSign = "\u2212" };

    /// <summary>By the browser's first language that is known; English without one.</summary>
    public static Numbers For(HttpRequest request)
    {
        if (!StringWithQualityHeaderValue.TryParseList(request.Headers.AcceptLanguage, out var languages)) return English;
        foreach (var language in languages.OrderByDescending(l => l.Quality ?? 1))
        {
            var name = language.Value.ToString();
            if (Marks.TryGetValue(name, out var marks) || Marks.TryGetValue(name.Split('-')[0], out marks)) return new Numbers(marks.Point, marks.Group);
        }
        return English;
    }

    /// <summary>Whole, with every digit.</summary>
    public string Exact(double count) => Math.Round(count, MidpointRounding.AwayFromZero).ToString("N0", form);

    /// <summary>Whole; from 100,000 on shortened.</summary>
    public string Count(double count) => Math.Abs(count) < CompactFrom ? Exact(count) : Compact(count);

    /// <summary>A fraction as a percentage with one decimal at most.</summary>
    public string Percent(double fraction) => $"{(fraction * 100).ToString(Math.Abs(fraction) < 0.0995 ? "0.#" : "0", form)}{Space}%";

    /// <summary>A difference of fractions in percentage points, with its sign.</summary>
    public string Points(double difference) => $"{Signed(difference * 100)}{Space}pt";

    /// <summary>A change in percent, with its sign; of ten times and more how often, up to a hundred.</summary>
    public string Change(double fraction) => fraction >= 99 ? $"over{Space}\u00d7100" : Math.Abs(fraction) < 10 ? $"{Signed(fraction * 100)}{Space}%" : $"{(fraction > 0 ? "\u00d7" : "")}{(fraction + 1).ToString("0", form)}";

    /// <summary>Some decimals, as many as make sense.</summary>
    public string Decimal(double value, int decimals) => value.ToString(decimals == 0 ? "N0" : $"#,0.{new string('#', decimals)}", form);

    public static string Duration(double seconds)
    {
        var s = (long)Math.Round(seconds, MidpointRounding.AwayFromZero);
        return s < 60 ? $"{s}s"
            : s < 3_600 ? $"{s / 60}m {s % 60:00}s"
            : s < 86_400 ? $"{s / 3_600}h {s % 3_600 / 60:00}m"
            : $"{s / 86_400}d {s % 86_400 / 3_600}h";
    }

    public string Bytes(long bytes) => bytes switch
    {
        < 1L << 10 => $"{bytes}{Space}B",
        < 1L << 20 => $"{Decimal(bytes / 1024.0, 1)}{Space}KiB",
        < 1L << 30 => $"{Decimal(bytes / (1024.0 * 1024), 1)}{Space}MiB",
        _ => $"{Decimal(bytes / (1024.0 * 1024 * 1024), 1)}{Space}GiB",
    };

    private string Compact(double count) => Math.Abs(count) switch
    {
        < 999_500 => $"{(count / 1e3).ToString("0", form)}K",
        < 999_500_000 => $"{(count / 1e6).ToString("0.##", form)}M",
        _ => $"{(count / 1e9).ToString("0.##", form)}B",
    };

    private string Signed(double value)
    {
        var text = Math.Abs(value).ToString(Math.Abs(value) < 9.95 ? "0.#" : "0", form);
        return text == "0" ? text : value > 0 ? $"+{text}" : $"{form.NegativeSign}{text}";
    }

    private static void Add(string point, string group, params string[] languages)
    {
        foreach (var language in languages) Marks[language] = (point, group);
    }
}
