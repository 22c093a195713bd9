using System.Globalization;
using System.Text.RegularExpressions;
using Footfall.Tests.Infrastructure;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.Serialization;

namespace Footfall.Tests.Deploy;

/// <summary>The recipes of deploy/, read as far as their tests need.</summary>
internal static partial class DeployFiles
{
    public static string Text(string name) => Repository.Text("deploy", name);

    /// <summary>Maps, lists and texts; anchors and merge keys resolved. Fails on a key that stands twice.</summary>
    public static Dictionary<object, object> Yaml(string name)
    {
        var parser = new MergingParser(new Parser(new StringReader(Text(name))));
        parser.Consume<StreamStart>();
        return new DeserializerBuilder().WithDuplicateKeyChecking().Build().Deserialize<Dictionary<object, object>>(parser);
    }

    public static Dictionary<object, object> Map(this Dictionary<object, object> map, string key) =>
        map.TryGetValue(key, out var value) ? (Dictionary<object, object>)value : throw new KeyNotFoundException($"There is no {key} among {string.Join(", ", map.Keys)}.");

    public static IEnumerable<string> Names(this Dictionary<object, object> map) => map.Keys.Cast<string>();

    public static List<string> List(this Dictionary<object, object> map, string key) => map.TryGetValue(key, out var value) ? [.. ((List<object>)value).Cast<string>()] : [];

    /// <summary>What of TOML fly.toml uses: tables, lists of tables, and texts, whole numbers and yes or no, a line each.</summary>
    public static Dictionary<string, object> Toml(string name)
    {
        Dictionary<string, object> values = new(StringComparer.Ordinal);
        var table = "";
        var number = 0;
        foreach (var raw in Text(name).Split('\n'))
        {
            number++;
            var line = raw.Trim();
            if (line.Length == 0 || line[0] == '#') continue;
            if (TableLine().Match(line) is { Success: true } header)
            {
                table = header.Groups["name"].Value + ".";
                continue;
            }
            var match = ValueLine().Match(line);
            if (!match.Success) throw new FormatException($"{name}:{number} is no line of TOML that this reader knows: {line}");
            object value = match.Groups["text"].Success ? match.Groups["text"].Value : match.Groups["bool"].Success ? match.Groups["bool"].Value == "true" : long.Parse(match.Groups["number"].Value, CultureInfo.InvariantCulture);
            if (!values.TryAdd(table + match.Groups["key"].Value, value)) throw new FormatException($"{name}:{number} says {table}{match.Groups["key"].Value} a second time.");
        }
        return values;
    }

    [GeneratedRegex(@"^(\[(?<name>[A-Za-z_.-]+)\]|\[\[(?<name>[A-Za-z_.-]+)\]\])$")]
    private static partial Regex TableLine();

    [GeneratedRegex("""^(?<key>[A-Za-z_-]+) = ("(?<text>[^"\\]*)"|(?<bool>true|false)|(?<number>[0-9]+))$""")]
    private static partial Regex ValueLine();
}
