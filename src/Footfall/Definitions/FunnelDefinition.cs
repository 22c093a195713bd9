using System.Text.Json;

namespace Footfall.Definitions;

/// <summary>A step of a funnel: an event of one of the types, on the path where one is given, with these props where any are given.</summary>
/// <param name="Path">The page, without query; a path that ends in * is a beginning.</param>
/// <param name="Props">Values as text; a number or a truth value is compared by how JSON writes it.</param>
internal sealed record FunnelStep(string Name, IReadOnlyList<string> EventTypes, string? Path = null, IReadOnlyDictionary<string, string>? Props = null)
{
    /// <param name="props">The event's props as JSON; null when it has none or the step asks for none.</param>
    public bool IsReachedBy(string eventType, string? path, string? props)
    {
        if (!EventTypes.Contains(eventType, StringComparer.Ordinal)) return false;
        return OnPath(path) && (Props is not { Count: > 0 } || (props is not null && HasProps(props)));
    }

    private bool OnPath(string? path)
    {
        if (Path is null) return true;
        if (path is null) return false;
        var end = path.AsSpan().IndexOfAny('?', '#');
        var page = end < 0 ? path : path.AsSpan(0, end);
        return Path.EndsWith('*') ? page.StartsWith(Path.AsSpan(0, Path.Length - 1), StringComparison.Ordinal) : page.SequenceEqual(Path);
    }

    private bool HasProps(string json)
    {
        using var document = JsonDocument.Parse(json);
        foreach (var (name, expected) in Props!)
        {
            if (!document.RootElement.TryGetProperty(name, out var value)) return false;
            var text = value.ValueKind == JsonValueKind.String ? value.GetString() : value.GetRawText();
            if (text != expected) return false;
        }
        return true;
    }
}

/// <summary>Steps that users take one after the other, within <paramref name="WindowHours"/> of the first.</summary>
internal sealed record FunnelDefinition(string Name, IReadOnlyList<FunnelStep> Steps, int WindowHours)
{
    public const int MostHours = 24 * 30;
    public const int MostSteps = 20;

    /// <summary>How many days after the day of entering may still matter.</summary>
    public int DaysAhead => (WindowHours + 23) / 24;

    /// <summary>The example that ships: from opening the app to what it is for.</summary>
    public static readonly FunnelDefinition CoreJourney = new("core_journey",
    [
        new("active_open", ["app_opened", "tab_opened"]),
        new("workout_engaged", ["workouts_default_loaded", "workout_started"]),
        new("exercise_logged", ["exercise_logged"]),
        new("session_submitted", ["session_submitted"]),
        new("achievement_unlocked", ["achievement_unlocked"]),
    ], 24);
}
