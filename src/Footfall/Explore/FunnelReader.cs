using System.Text.Json;

namespace Footfall.Explore;

/// <summary>From the parameters of a request to the funnel. What cannot be asked is refused through the reader.</summary>
internal static class FunnelReader
{
    private const string Form = """steps is a JSON array such as [{"path":"/cart*"},{"goal":"order"}].""";
    private static readonly string[] Members = ["name", "eventType", "path", "goal", "props", "filters"];

    public static FunnelQuery Read(ParameterReader reader, string propertyId, DateOnly today)
    {
        var window = reader.Window(today);
        var steps = ReadSteps(reader);
        var hours = reader.Whole("windowHours", 1, FunnelQuery.MostHours) ?? FunnelQuery.UsualHours;
        var filters = QueryReader.ReadFilters(reader);
        var by = reader.Text("by");
        Dimension? dimension = null;
        if (by is not null && (dimension = Dimension.Find(by)) is not { IsGroup: true }) reader.Refuse("by", $"by must be one of {string.Join(", ", Dimension.GroupNames)}.");
        var experiment = reader.Text("experiment");
        if (experiment is { Length: 0 or > 256 }) reader.Refuse("experiment", "experiment must be an experiment's id, 1 to 256 characters.");
        if (by is not null && experiment is not null) reader.Refuse("experiment", "Give either by or experiment, not both.");
        var limit = reader.Whole("limit", 1, QueryReader.MaxLimit) ?? QueryReader.UsualLimit;
        var conditions = filters.Count + steps.Sum(s => s.Filters.Count);
        if (conditions > FunnelQuery.MostConditions) reader.Refuse("steps", $"The steps and filters have {conditions} conditions; at most {FunnelQuery.MostConditions} are allowed.");
        return new FunnelQuery(propertyId, window, steps, hours, filters, dimension, experiment) { Limit = limit };
    }

    private static List<FunnelQueryStep> ReadSteps(ParameterReader reader)
    {
        if (reader.Text("steps") is not { } json)
        {
            reader.Refuse("steps", $"steps is required: {Form}");
            return [];
        }
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 8 });
            return ReadSteps(reader, document.RootElement);
        }
        catch (JsonException)
        {
            reader.Refuse("steps", $"steps is no JSON; {Form}");
        }
        catch (InvalidOperationException)
        {
            // GetString on an escaped half of a surrogate pair.
            reader.Refuse("steps", "steps has text that is no Unicode.");
        }
        return [];
    }

    private static List<FunnelQueryStep> ReadSteps(ParameterReader reader, JsonElement array)
    {
        if (array.ValueKind != JsonValueKind.Array || array.GetArrayLength() is < 2 or > FunnelQuery.MostSteps)
        {
            reader.Refuse("steps", $"A funnel has 2 to {FunnelQuery.MostSteps} steps; {Form}");
            return [];
        }
        List<FunnelQueryStep> steps = [];
        foreach (var element in array.EnumerateArray())
        {
            var (step, problem) = ReadStep(element, steps.Count);
            if (step is null)
            {
                reader.Refuse("steps", problem!);
                return [];
            }
            steps.Add(step);
        }
        return steps;
    }

    private static (FunnelQueryStep? Step, string? Problem) ReadStep(JsonElement element, int index)
    {
        var where = $"steps[{index}]";
        if (element.ValueKind != JsonValueKind.Object) return (null, $"{where} must be an object; {Form}");
        var name = $"step {index + 1}";
        List<Filter> filters = [];
        foreach (var member in element.EnumerateObject())
        {
            if (!Members.Contains(member.Name)) return (null, $"{where} has a member that it cannot have; its members are {string.Join(", ", Members)}.");
            var problem = member.Name switch
            {
                "name" => ReadName(member.Value, where, ref name),
                "eventType" => ReadTypes(member.Value, where, filters),
                "path" => ReadPath(member.Value, where, filters),
                "goal" => ReadGoal(member.Value, where, filters),
                "props" => ReadProps(member.Value, where, filters),
                _ => ReadFilters(member.Value, where, filters),
            };
            if (problem is not null) return (null, problem);
        }
        if (filters.Count == 0) return (null, $"{where} must say what it is about: eventType, path, goal, props or filters.");
        return (new FunnelQueryStep(name, filters), null);
    }

    private static string? ReadName(JsonElement value, string where, ref string name)
    {
        if (!IsText(value, 200)) return $"{where}.name must have 1 to 200 characters.";
        name = value.GetString()!;
        return null;
    }

    private static string? ReadTypes(JsonElement value, string where, List<Filter> filters)
    {
        var types = value.ValueKind == JsonValueKind.Array ? value.EnumerateArray().ToList() : [value];
        if (types.Count is < 1 or > 20 || !types.TrueForAll(t => IsText(t, 64))) return $"{where}.eventType must be an event type of 1 to 64 characters, or an array of up to 20.";
        filters.Add(new Filter(new Dimension(DimensionKind.EventType), FilterOperator.Is, [.. types.Select(t => t.GetString())]));
        return null;
    }

    private static string? ReadPath(JsonElement value, string where, List<Filter> filters)
    {
        if (!IsText(value, Filters.MaxCharacters) || !value.GetString()!.StartsWith('/')) return $"{where}.path must begin with / and have at most {Filters.MaxCharacters} characters; one that ends in * is a beginning.";
        filters.Add(new Filter(new Dimension(DimensionKind.Path), FilterOperator.Matches, [value.GetString()]));
        return null;
    }

    private static string? ReadGoal(JsonElement value, string where, List<Filter> filters)
    {
        if (!IsText(value, Filters.MaxCharacters)) return $"{where}.goal must be the name of a goal.";
        filters.Add(new Filter(new Dimension(DimensionKind.Goal), FilterOperator.Is, [value.GetString()]));
        return null;
    }

    private static string? ReadProps(JsonElement value, string where, List<Filter> filters)
    {
        if (value.ValueKind != JsonValueKind.Object || value.EnumerateObject().Count() is < 1 or > 10) return $"{where}.props must be an object with 1 to 10 members.";
        foreach (var prop in value.EnumerateObject())
        {
            if (prop.Name.Length is < 1 or > Dimension.MaxKeyCharacters || !StorableText.Is(prop.Name) || !IsText(prop.Value, Filters.MaxCharacters)) return $"{where}.props must have names of 1 to {Dimension.MaxKeyCharacters} characters, and texts as values.";
            filters.Add(new Filter(new Dimension(DimensionKind.Prop, prop.Name), FilterOperator.Is, [prop.Value.GetString()]));
        }
        return null;
    }

    private static string? ReadFilters(JsonElement value, string where, List<Filter> filters)
    {
        var (read, problem) = Filters.Read(value, $"{where}.filters");
        if (read is not null) filters.AddRange(read);
        return problem;
    }

    private static bool IsText(JsonElement value, int most) => value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text && text.Length <= most && StorableText.Is(text);
}
