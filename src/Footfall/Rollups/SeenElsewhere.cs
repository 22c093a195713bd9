namespace Footfall.Rollups;

/// <summary>
/// Visitors of a property's day that were first seen on another property, before that day, each with the UTC day on
/// which they were. A window needs them to tell who was first seen inside it: a visitor's first time is one for all
/// properties, and a property's own days do not show it. As bytes: pairs of varint(distance of the number to the one
/// before), varint(day number), ascending by number; empty for most.
/// </summary>
internal static class SeenElsewhere
{
    public static byte[] Encode(IEnumerable<(int Number, DateOnly FirstSeen)> ascending)
    {
        using var output = new MemoryStream();
        var previous = 0;
        foreach (var (number, day) in ascending)
        {
            Varint.Write(output, (ulong)(number - previous));
            Varint.Write(output, (ulong)day.DayNumber);
            previous = number;
        }
        return output.ToArray();
    }

    /// <summary>Adds to <paramref name="into"/> those first seen on <paramref name="from"/> or later.</summary>
    public static void AddFrom(DateOnly from, ReadOnlySpan<byte> encoded, VisitorUnion into)
    {
        var number = 0;
        while (!encoded.IsEmpty)
        {
            number += (int)Varint.Read(ref encoded);
            if ((int)Varint.Read(ref encoded) >= from.DayNumber) into.Add(number);
        }
    }
}
