using System.Text.Json;
using Npgsql;

namespace Footfall.Explore;

/// <summary>What the goals that a question names are today. A goal is looked at when the question is asked, so that it counts for all of the window, also where it was defined or changed later.</summary>
internal sealed class Goals(NpgsqlDataSource database)
{
    private const string Select = "select goals::text from properties where id = @property";

    /// <summary>The conditions with the meaning of their goals, or a sentence about the first that the property does not have.</summary>
    public async Task<(IReadOnlyList<Filter> Filters, string? Problem)> FindAsync(string propertyId, IReadOnlyList<Filter> filters, CancellationToken cancellationToken)
    {
        if (filters.All(f => f.Dimension.Kind != DimensionKind.Goal)) return (filters, null);
        await using var command = database.CreateCommand(Select);
        command.Parameters.AddWithValue("property", propertyId);
        var goals = await command.ExecuteScalarAsync(cancellationToken) is string json ? Read(json) : [];
        var unknown = filters.Where(f => f.Dimension.Kind == DimensionKind.Goal).SelectMany(f => f.Values).FirstOrDefault(v => goals.All(g => g.Name != v));
        if (unknown is not null) return ([], goals.Count == 0 ? "The property has no goals; `footfall properties set ID --goal` makes them." : $"The property has no goal of this name; there are {string.Join(", ", goals.Select(g => g.Name).Distinct())}.");
        return ([.. filters.Select(f => f.Dimension.Kind == DimensionKind.Goal ? f with { Goals = [.. goals.Where(g => f.Values.Contains(g.Name))] } : f)], null);
    }

    /// <summary>Reads <c>[{"name", "eventType", "path"?}]</c>. An entry without a name or an event type cannot be named.</summary>
    private static List<GoalMeaning> Read(string json)
    {
        using var document = JsonDocument.Parse(json);
        List<GoalMeaning> goals = [];
        if (document.RootElement.ValueKind != JsonValueKind.Array) return goals;
        foreach (var entry in document.RootElement.EnumerateArray())
        {
            if (Text(entry, "name") is { } name && Text(entry, "eventType") is { } type) goals.Add(new GoalMeaning(name, type, Text(entry, "path")));
        }
        return goals;

        static string? Text(JsonElement entry, string name) =>
            entry.ValueKind == JsonValueKind.Object && entry.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
    }
}
