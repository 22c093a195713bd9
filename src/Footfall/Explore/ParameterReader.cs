using System.Globalization;

namespace Footfall.Explore;

/// <summary>What is wrong with which parameter of a request.</summary>
internal sealed record InvalidParameter(string Parameter, string Message);

/// <summary>
/// Reads the parameters of a query string. The first thing wrong is kept, and what could not be read is null from then on: a reader
/// is asked for everything and for <see cref="Done"/>, which also names parameters that nobody asked for. (A mistyped filter
/// that is overlooked gives a wrong number.)
/// </summary>
/// <param name="ofBody">The values are members of a JSON body (<see cref="BodyParameters"/>), and are called as those are: <c>windowDays</c> for <c>window_days</c>.</param>
internal sealed class ParameterReader(IQueryCollection values, bool ofBody = false)
{
    private const int MaxCharacters = 16_384;
    private readonly HashSet<string> asked = new(StringComparer.OrdinalIgnoreCase);

    public InvalidParameter? Error { get; private set; }

    /// <summary>What is wrong; null when all is well.</summary>
    public InvalidParameter? Done()
    {
        if (Error is not null) return Error;
        var unknown = values.Keys.FirstOrDefault(k => !asked.Contains(k));
        if (unknown is not null) Error = new InvalidParameter(Shown(unknown), $"There is no {(ofBody ? "member" : "parameter")} of this name here; there are {string.Join(", ", asked.Order(StringComparer.Ordinal))}.");
        return Error;
    }

    /// <summary>Keeps the first refusal. Always null, so that it can stand for the value.</summary>
    public void Refuse(string parameter, string message) => Error ??= new InvalidParameter(Named(parameter), message);

    /// <summary>Null when absent; refused when given twice.</summary>
    public string? Text(string name)
    {
        name = Named(name);
        asked.Add(name);
        if (!values.TryGetValue(name, out var given) || given.Count == 0) return null;
        if (given.Count > 1)
        {
            Refuse(name, $"{name} is given {given.Count} times; give it once.");
            return null;
        }
        var text = given[0] ?? "";
        var most = ofBody ? BodyParameters.MaxBytes : MaxCharacters;
        if (text.Length <= most && StorableText.Is(text)) return text;
        Refuse(name, $"{name} is longer than {most} characters, or is no text.");
        return null;
    }

    public int? Whole(string name, int least, int most)
    {
        if (Text(name) is not { } text) return null;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most) return number;
        Refuse(name, $"{Named(name)} must be a whole number from {least} to {most}.");
        return null;
    }

    public bool Flag(string name)
    {
        switch (Text(name))
        {
            case null or "false" or "0":
                return false;
            case "true" or "1":
                return true;
            default:
                Refuse(name, $"{name} must be true or false.");
                return false;
        }
    }

    public DateOnly? Day(string name)
    {
        if (Text(name) is not { } text) return null;
        if (DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) && day >= DayRange.Earliest && day <= DayRange.Latest) return day;
        Refuse(name, $"{name} must be a day such as 2026-02-13, from {DayRange.Earliest:yyyy-MM-dd} to {DayRange.Latest:yyyy-MM-dd}.");
        return null;
    }

    /// <summary>The window asked for by <c>from</c> and <c>to</c>, or by <c>window_days</c>, which ends today. Without any of them the last 30 days.</summary>
    public DayRange Window(DateOnly today, string fromName = "from", string toName = "to")
    {
        const int usual = 30;
        var (days, from, to) = (Whole("window_days", 1, DayRange.MaxDays), Day(fromName), Day(toName));
        if (days is { } n)
        {
            if (from is not null || to is not null) Refuse("window_days", $"Give either {Named("window_days")} or {fromName} and {toName}, not both.");
            return new DayRange(today.AddDays(1 - n), today);
        }
        var last = to ?? (from > today ? from.Value : today);
        var first = from ?? (last.DayNumber - DayRange.Earliest.DayNumber >= usual - 1 ? last.AddDays(1 - usual) : DayRange.Earliest);
        var window = new DayRange(first, last);
        if (first > last) Refuse(fromName, $"{fromName} must not be after {toName}.");
        else if (window.Days > DayRange.MaxDays) Refuse(fromName, $"The window has {window.Days} days; at most {DayRange.MaxDays} can be asked for at once.");
        return window;
    }

    /// <summary>The window to compare with; null when none was asked for.</summary>
    public DayRange? Comparison(DayRange window)
    {
        const int year = 364;   // whole weeks, so that weekdays match
        if (Text("compareTo") is not { Length: > 0 } text) return null;
        if (Error is not null) return null;
        int days;
        switch (text)
        {
            case "previous_period": days = -window.Days; break;
            case "previous_year": days = -year; break;
            default:
                if (!DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var first))
                {
                    Refuse("compareTo", "compareTo must be previous_period, previous_year or the first day of the window to compare with, such as 2025-12-14.");
                    return null;
                }
                days = first.DayNumber - window.From.DayNumber;
                break;
        }
        if (window.Moved(days) is { } moved) return moved;
        Refuse("compareTo", "The window to compare with lies outside the calendar.");
        return null;
    }

    private string Named(string name) => ofBody && name == "window_days" ? "windowDays" : name;

    // What stands in an error is short, and one line.
    private static string Shown(string name) => new([.. name.Where(c => !char.IsControl(c) && !char.IsSurrogate(c)).Take(64)]);
}
