using System.Text.Json;

namespace Footfall.Explore;

internal enum FilterOperator
{
    /// <summary>Equal to one of the values.</summary>
    Is,

    /// <summary>Equal to none of the values; also where there is no value.</summary>
    IsNot,

    /// <summary>Has the only value in it, letter case included.</summary>
    Contains,

    /// <summary>Is the page that the only value is, whatever its query; a value that ends in * is a beginning.</summary>
    Matches,
}

/// <summary>One condition.</summary>
/// <param name="Values">A null among them stands for "has none".</param>
internal sealed record Filter(Dimension Dimension, FilterOperator Operator, IReadOnlyList<string?> Values)
{
    /// <summary>What the names of goals mean: filled in by <see cref="Explore.Goals"/> before the question is answered.</summary>
    public IReadOnlyList<GoalMeaning> Goals { get; init; } = [];
}

/// <summary>Events of this type, on the path where one is given; a path that ends in * is a beginning.</summary>
internal sealed record GoalMeaning(string Name, string EventType, string? Path);

/// <summary>
/// Reads conditions, all of which must hold: a JSON array of <c>{"dimension", "operator", "value" | "values"}</c>, the operator one
/// of <c>is, is_not, contains, matches, any_of</c> (which is <c>is</c> by the name that reads better with several values).
/// </summary>
internal static class Filters
{
    public const int Most = 20;
    public const int MostValues = 100;
    public const int MaxCharacters = 2_048;
    private const int MaxDepth = 4;

    private const string Form = """write filters as a JSON array such as [{"dimension":"country","operator":"is","value":"DE"}].""";

    /// <summary>The conditions, or a sentence that says what is wrong with them.</summary>
    public static (List<Filter>? Filters, string? Problem) Read(string json, string name = "filters")
    {
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = MaxDepth });
            return Read(document.RootElement, name);
        }
        catch (JsonException)
        {
            return (null, $"{name} is not valid JSON; {Form}");
        }
        catch (InvalidOperationException)
        {
            // GetString on an escaped half of a surrogate pair.
            return (null, $"{name} has text that is no Unicode.");
        }
    }

    /// <param name="name">What the array is called in the question.</param>
    public static (List<Filter>? Filters, string? Problem) Read(JsonElement array, string name = "filters")
    {
        if (array.ValueKind != JsonValueKind.Array) return (null, $"{name} must be an array; {Form}");
        if (array.GetArrayLength() > Most) return (null, $"{name} has {array.GetArrayLength()} conditions; at most {Most} are allowed.");
        List<Filter> filters = [];
        foreach (var element in array.EnumerateArray())
        {
            var (filter, problem) = ReadOne(element, $"{name}[{filters.Count}]");
            if (filter is null) return (null, problem);
            filters.Add(filter);
        }
        return (filters, null);
    }

    private static (Filter? Filter, string? Problem) ReadOne(JsonElement element, string where)
    {
        if (element.ValueKind != JsonValueKind.Object) return (null, $"{where} must be an object; {Form}");
        foreach (var member in element.EnumerateObject())
        {
            if (member.Name is not ("dimension" or "operator" or "value" or "values")) return (null, $"{where} has a member that it cannot have; its members are dimension, operator, and value or values.");
        }
        if (!element.TryGetProperty("dimension", out var named) || named.ValueKind != JsonValueKind.String || Dimension.Find(named.GetString()!) is not { } dimension)
            return (null, $"{where}.dimension must be one of {string.Join(", ", Dimension.Names)}.");
        if (!element.TryGetProperty("operator", out var word) || word.ValueKind != JsonValueKind.String || OperatorOf(word.GetString()!) is not { } op)
            return (null, $"{where}.operator must be one of is, is_not, contains, matches, any_of.");
        var (values, problem) = ReadValues(element, where);
        if (values is null) return (null, problem);
        if (op == FilterOperator.Contains && values is not [{ Length: > 0 }]) return (null, $"{where}: contains takes one text, not empty.");
        if (op == FilterOperator.Matches && (!dimension.IsPage || values is not [['/', ..]])) return (null, $"{where}: matches is for path, entry_path and exit_path, and takes one page that begins with /; one that ends in * is a beginning.");
        if (dimension.Kind == DimensionKind.Goal && (op is not (FilterOperator.Is or FilterOperator.IsNot) || values.Contains(null))) return (null, $"{where}: a goal takes is, is_not or any_of, with names of goals.");
        return (new Filter(dimension, op, values), null);
    }

    private static FilterOperator? OperatorOf(string word) => word switch
    {
        "is" or "any_of" => FilterOperator.Is,
        "is_not" => FilterOperator.IsNot,
        "contains" => FilterOperator.Contains,
        "matches" => FilterOperator.Matches,
        _ => null,
    };

    private static (List<string?>? Values, string? Problem) ReadValues(JsonElement element, string where)
    {
        var single = element.TryGetProperty("value", out var value);
        var several = element.TryGetProperty("values", out var list);
        if (single == several) return (null, $"{where} must have either value or values.");
        if (several && list.ValueKind != JsonValueKind.Array) return (null, $"{where}.values must be an array.");
        if (several && list.GetArrayLength() is < 1 or > MostValues) return (null, $"{where}.values must have 1 to {MostValues} entries.");
        List<string?> values = [];
        foreach (var entry in several ? list.EnumerateArray().AsEnumerable() : [value])
        {
            if (entry.ValueKind == JsonValueKind.Null)
            {
                values.Add(null);
                continue;
            }
            if (entry.ValueKind != JsonValueKind.String) return (null, $"{where}: values are texts, or null for none.");
            var text = entry.GetString()!;
            if (text.Length > MaxCharacters) return (null, $"{where}: a value has at most {MaxCharacters} characters.");
            if (!StorableText.Is(text)) return (null, $"{where}: a value has a NUL character or half of a surrogate pair.");
            values.Add(text);
        }
        return (values, null);
    }
}
