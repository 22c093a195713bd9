using System.Globalization;

namespace Footfall.Backups;

/// <summary>A backup in a folder.</summary>
internal sealed record ShelvedBackup(string Path, DateTimeOffset TakenAt)
{
    public string Name => System.IO.Path.GetFileName(Path);
}

/// <summary>A folder of backups, told apart by the time in their names.</summary>
internal static class BackupShelf
{
    public const string Extension = ".backup";
    public const string Unfinished = ".partial";
    private const string Prefix = "footfall-";
    private const string Stamp = "yyyyMMdd'T'HHmmss'Z'";

    public static string PathOf(string folder, DateTimeOffset at)
    {
        var name = Path.Combine(folder, Prefix + at.UtcDateTime.ToString(Stamp, CultureInfo.InvariantCulture));
        var path = name + Extension;
        for (var n = 2; File.Exists(path); n++) path = $"{name}-{n}{Extension}";
        return path;
    }

    /// <summary>Oldest first.</summary>
    public static List<ShelvedBackup> In(string folder) =>
        !Directory.Exists(folder) ? [] : [.. Directory.EnumerateFiles(folder, $"{Prefix}*{Extension}").Select(Shelved).OfType<ShelvedBackup>().OrderBy(b => b.TakenAt).ThenBy(b => b.Name.Length).ThenBy(b => b.Name, StringComparer.Ordinal)];

    /// <summary>Those that go: all but the newest of each of the last so many days, ISO weeks and months that have one. The newest of all always stays.</summary>
    public static List<ShelvedBackup> Surplus(IReadOnlyList<ShelvedBackup> backups, int days, int weeks, int months)
    {
        var newestFirst = backups.Reverse().ToList();
        HashSet<string> kept = [.. newestFirst.Take(1).Select(b => b.Path)];
        Keep(days, b => b.TakenAt.UtcDateTime.Date.Ticks);
        Keep(weeks, b => ISOWeek.ToDateTime(ISOWeek.GetYear(b.TakenAt.UtcDateTime), ISOWeek.GetWeekOfYear(b.TakenAt.UtcDateTime), DayOfWeek.Monday).Ticks);
        Keep(months, b => (b.TakenAt.UtcDateTime.Year * 12L) + b.TakenAt.UtcDateTime.Month);
        return [.. backups.Where(b => !kept.Contains(b.Path))];

        void Keep(int count, Func<ShelvedBackup, long> period) => kept.UnionWith(newestFirst.DistinctBy(period).Take(count).Select(b => b.Path));
    }

    private static ShelvedBackup? Shelved(string path)
    {
        var name = Path.GetFileName(path)[Prefix.Length..^Extension.Length].Split('-')[0];
        return DateTimeOffset.TryParseExact(name, Stamp, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) ? new ShelvedBackup(path, at) : null;
    }
}
