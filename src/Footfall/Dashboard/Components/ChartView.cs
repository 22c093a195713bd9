using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Footfall.Dashboard.Components;

// Public, as are the other views: Razor makes components public, and a parameter's type must be as visible as the component.

/// <summary>One line of a chart.</summary>
/// <param name="Values">Null where nothing is known.</param>
/// <param name="Texts">The values as people read them.</param>
/// <param name="Labels">The pieces of time that they belong to.</param>
public sealed record ChartLine(string Name, IReadOnlyList<double?> Values, IReadOnlyList<string> Texts, IReadOnlyList<string> Labels);

/// <summary>What somebody pinned on a day of the chart.</summary>
/// <param name="At">Which piece of time.</param>
/// <param name="Number">The same as in the list of notes.</param>
public sealed record ChartNote(int At, int Number, string Day, string Text);

/// <summary>A mark on the axis of values.</summary>
public sealed record ChartTick(double At, string Text);

/// <summary>A chart of one figure over time.</summary>
/// <param name="Then">What is compared with; null for none.</param>
/// <param name="SoFar">The last piece is not over.</param>
/// <param name="Links">Where a piece leads to.</param>
public sealed record ChartView(IReadOnlyList<string> Axis, double Max, IReadOnlyList<ChartTick> Ticks, ChartLine Now, ChartLine? Then, bool SoFar, IReadOnlyList<string> Links)
{
    /// <summary>In the order of their numbers.</summary>
    public IReadOnlyList<ChartNote> Notes { get; init; } = [];

    /// <summary>For the script: HTML's own characters are escaped in it.</summary>
    public string Json() => JsonSerializer.Serialize(this, ChartJson.Default.ChartView);

    /// <summary>The line as the points of a path in a square of 1,000 by 100, without what is not known.</summary>
    public string Path(ChartLine line, int from = 0, int? to = null)
    {
        var text = new System.Text.StringBuilder();
        var last = to ?? line.Values.Count - 1;
        var pen = 'M';
        for (var i = from; i <= last; i++)
        {
            if (line.Values[i] is not { } value)
            {
                pen = 'M';
                continue;
            }
            text.Append(CultureInfo.InvariantCulture, $"{pen}{X(i):0.#} {100 - (Max > 0 ? value / Max * 100 : 0):0.##}");
            pen = 'L';
        }
        return text.ToString();
    }

    /// <summary>An upright line at each note.</summary>
    public string NoteMarks() => string.Concat(Notes.Select(n => n.At).Distinct().Select(i => string.Create(CultureInfo.InvariantCulture, $"M{X(i):0.#} 0V100")));

    private double X(int i) => Axis.Count < 2 ? 500 : i * 1000.0 / (Axis.Count - 1);

    /// <summary>Ticks from 0 to a round number at or above the largest value, three or four steps of them.</summary>
    public static IReadOnlyList<ChartTick> TicksFor(double largest, bool whole, Func<double, string> text)
    {
        if (largest <= 0) largest = whole ? 4 : 0.04;
        var rough = largest / 4;
        var power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        var step = new[] { 1, 2, 2.5, 5, 10 }.First(s => s * power >= rough * 0.999) * power;
        if (whole && step < 1) step = 1;
        var steps = (int)Math.Ceiling((largest / step) - 1e-9);
        return [.. Enumerable.Range(0, steps + 1).Select(i => new ChartTick(i * step, text(i * step)))];
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ChartView))]
internal sealed partial class ChartJson : JsonSerializerContext;
