namespace Footfall.Rollups;

/// <summary>
/// When each user did one kind of thing on a UTC day. As bytes, users ascending: varint(distance of the number to the
/// one before), varint(how many times), then each time as varint(microseconds after the one before, the first after
/// the day's start). The same times always give the same bytes.
/// </summary>
internal sealed class UserTimes
{
    private readonly SortedDictionary<int, List<long>> times = [];

    public bool IsEmpty => times.Count == 0;

    public IEnumerable<int> Users => times.Keys;

    public int Count => times.Values.Sum(t => t.Count);

    /// <param name="micros">Microseconds after the day's start.</param>
    public void Add(int user, long micros)
    {
        if (!times.TryGetValue(user, out var list)) times[user] = list = [];
        list.Add(micros);
    }

    /// <summary>Ascending; empty for a user who did not.</summary>
    public IReadOnlyList<long> Of(int user) => times.TryGetValue(user, out var list) ? list : [];

    public byte[] Encode()
    {
        using var output = new MemoryStream();
        var previousUser = 0;
        foreach (var (user, list) in times)
        {
            list.Sort();
            Varint.Write(output, (ulong)(user - previousUser));
            Varint.Write(output, (ulong)list.Count);
            var previous = 0L;
            foreach (var at in list)
            {
                Varint.Write(output, (ulong)(at - previous));
                previous = at;
            }
            previousUser = user;
        }
        return output.ToArray();
    }

    /// <exception cref="InvalidDataException">The bytes are not times of users.</exception>
    public static UserTimes Decode(ReadOnlySpan<byte> encoded)
    {
        var decoded = new UserTimes();
        var user = 0;
        while (!encoded.IsEmpty)
        {
            user += (int)Varint.Read(ref encoded);
            var n = (int)Varint.Read(ref encoded);
            var list = new List<long>(Math.Min(n, encoded.Length));
            var at = 0L;
            for (var i = 0; i < n; i++)
            {
                at += (long)Varint.Read(ref encoded);
                list.Add(at);
            }
            decoded.times[user] = list;
        }
        return decoded;
    }
}

/// <summary>The same over several days, on one axis: microseconds since 0001-01-01.</summary>
internal sealed class UserTimeline
{
    public const long DayMicros = 86_400_000_000;
    public const long HourMicros = 3_600_000_000;

    private readonly SortedDictionary<DateOnly, UserTimes> days = [];

    public void Add(DateOnly day, UserTimes times) => days[day] = times;

    public static long Micros(DateTimeOffset at) => at.UtcTicks / TimeSpan.TicksPerMicrosecond;

    public static long Start(DateOnly day) => day.DayNumber * DayMicros;

    /// <summary>The user's first time at or after <paramref name="from"/> and not after <paramref name="until"/>; null where there is none.</summary>
    public long? First(int user, long from, long until)
    {
        foreach (var at in Between(user, from, until)) return at;
        return null;
    }

    /// <summary>The user's times at or after <paramref name="from"/> and not after <paramref name="until"/>, ascending.</summary>
    public IEnumerable<long> Between(int user, long from, long until)
    {
        for (var day = (int)(from / DayMicros); day <= until / DayMicros; day++)
        {
            if (day > DateOnly.MaxValue.DayNumber || !days.TryGetValue(DateOnly.FromDayNumber(day), out var times)) continue;
            foreach (var micros in times.Of(user))
            {
                var at = day * DayMicros + micros;
                if (at > until) yield break;
                if (at >= from) yield return at;
            }
        }
    }
}
