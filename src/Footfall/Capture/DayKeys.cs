using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using Footfall.Hosting;

namespace Footfall.Capture;

/// <summary>
/// The random keys of cookieless visitors, one per UTC day. Held in memory and, for a restart, in the data folder (0600);
/// shared between servers through the database by <see cref="DayKeyKeeper"/>. Two days after its day a key is gone
/// everywhere, and nobody can tell any more who a cookieless visitor was.
/// </summary>
internal sealed class DayKeys(DataFolder folder) : IVisitorKeys
{
    private const string FilePrefix = "visitor-day-";
    private const int Bytes = 32;

    private readonly Lock gate = new();
    private ImmutableDictionary<DateOnly, byte[]> keys = ImmutableDictionary<DateOnly, byte[]>.Empty;

    public byte[] For(DateOnly day)
    {
        if (Volatile.Read(ref keys).TryGetValue(day, out var key)) return key;
        lock (gate)
        {
            if (keys.TryGetValue(day, out key)) return key;
            key = folder.Secret(FileName(day), Bytes);
            Volatile.Write(ref keys, keys.SetItem(day, key));
            return key;
        }
    }

    /// <summary>Takes over the key that all servers agreed on. False when it was ours already.</summary>
    public bool Adopt(DateOnly day, byte[] agreed)
    {
        lock (gate)
        {
            if (For(day).AsSpan().SequenceEqual(agreed)) return false;
            var file = Path.Combine(folder.Keys, FileName(day));
            // Not in place: a reader of the old file must never see half of a key.
            var fresh = $"{file}.{RandomNumberGenerator.GetHexString(8)}.new";
            DataFolder.WriteOnce(fresh, Convert.ToHexStringLower(agreed));
            File.Move(fresh, file, overwrite: true);
            Volatile.Write(ref keys, keys.SetItem(day, agreed));
            return true;
        }
    }

    /// <summary>Forgets the keys of <paramref name="last"/> and of all days before, in memory and on disk.</summary>
    public void Forget(DateOnly last)
    {
        lock (gate)
        {
            Volatile.Write(ref keys, keys.RemoveRange(keys.Keys.Where(d => d <= last)));
            foreach (var file in Directory.EnumerateFiles(folder.Keys, FilePrefix + "*"))
            {
                if (DayOf(Path.GetFileName(file)) is { } day && day <= last) File.Delete(file);
            }
        }
    }

    private static string FileName(DateOnly day) => FilePrefix + day.ToString("yyyy-MM-dd");

    private static DateOnly? DayOf(string name) =>
        name.Length >= FilePrefix.Length + 10 && DateOnly.TryParseExact(name.AsSpan(FilePrefix.Length, 10), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) ? day : null;
}

/// <summary>
/// Keys for logs of days long gone, whose random keys are gone too: derived from the pepper, so that reading the same file
/// twice finds the same visitors. Whoever holds the log's addresses can name these visitors; whoever holds only the database cannot.
/// </summary>
internal sealed class ImportDayKeys(PersonalHashes hashes) : IVisitorKeys
{
    public byte[] For(DateOnly day) => hashes.ImportDayKey(day);
}
