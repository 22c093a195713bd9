using System.Collections.Frozen;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Footfall.Dashboard;

/// <summary>Names and shapes of the countries, by their ISO 3166-1 code, as the build made them (web/dashboard/countries.mjs).</summary>
internal static class Countries
{
    private static readonly CountriesFile File = Load();

    public static FrozenDictionary<string, string> Shapes { get; } = File.Shapes.ToFrozenDictionary(StringComparer.Ordinal);

    public static FrozenDictionary<string, string> Names { get; } = File.Names.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Of the map that the shapes are drawn on.</summary>
    public static (int Width, int Height) Size => (File.Width, File.Height);

    /// <summary>The country's name; the code itself where it is none that is known.</summary>
    public static string Name(string code) => Names.GetValueOrDefault(code, code);

    private static CountriesFile Load()
    {
        using var stream = typeof(Countries).Assembly.GetManifestResourceStream("Footfall.Bundle.countries.json")
            ?? throw new InvalidOperationException("The assembly was built without the countries: build src/Footfall with Node.js installed.");
        return JsonSerializer.Deserialize(stream, CountriesJson.Default.CountriesFile)!;
    }
}

/// <summary>The file as the build makes it.</summary>
internal sealed record CountriesFile(int Width, int Height, Dictionary<string, string> Names, Dictionary<string, string> Shapes);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(CountriesFile))]
internal sealed partial class CountriesJson : JsonSerializerContext;
