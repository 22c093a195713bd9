using System.Text.Json;

namespace Footfall.Backups;

/// <summary>A file that holds what has to last, one request a line, beside backups and in the data folder: what the database knew, when the database is lost.</summary>
internal sealed class RequestList(string folder)
{
    public const string FileName = "requests.jsonl";

    // No backup should be that old; and then nothing here has to last.
    private static readonly TimeSpan Kept = TimeSpan.FromDays(400);

    private readonly HashSet<(string, Guid, string?, DateTimeOffset)> known = [];
    private long length = -1;

    public string Path { get; } = System.IO.Path.Combine(folder, FileName);

    /// <summary>What a list says. A line that was cut off by a crash is passed over: it is written again.</summary>
    public static IReadOnlyList<PersonRequest> Read(string file)
    {
        if (!File.Exists(file)) return [];
        List<PersonRequest> requests = [];
        foreach (var line in File.ReadLines(file))
        {
            try
            {
                if (line.Length > 0 && JsonSerializer.Deserialize(line, RequestJson.Default.PersonRequest) is { Kind: not null } request) requests.Add(request);
            }
            catch (JsonException)
            {
                // See above.
            }
        }
        return requests;
    }

    /// <summary>Adds those that it does not hold, durably.</summary>
    public void Add(IReadOnlyList<PersonRequest> requests, DateTimeOffset now)
    {
        if (File.Exists(Path) ? new FileInfo(Path).Length != length : length != -1) Look();   // several servers may share the folder
        var fresh = requests.Where(r => r.At > now - Kept && !known.Contains(r.Key)).DistinctBy(r => r.Key).ToList();
        // One that holds nothing says that nothing was asked for; one that is not there says nothing.
        if (fresh.Count == 0 && length >= 0) return;
        using var stream = new FileStream(Path, new FileStreamOptions
        {
            Mode = FileMode.Append,
            Access = FileAccess.Write,
            Share = FileShare.ReadWrite,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        // An empty line first ends one that a crash cut off.
        stream.Write("\n"u8);
        foreach (var request in fresh)
        {
            stream.Write([.. JsonSerializer.SerializeToUtf8Bytes(request, RequestJson.Default.PersonRequest), (byte)'\n']);
            known.Add(request.Key);
        }
        stream.Flush(flushToDisk: true);
        length = stream.Length;
    }

    /// <summary>Drops what is older than any backup should be.</summary>
    public void Prune(DateTimeOffset now)
    {
        var all = Read(Path);
        var kept = all.Where(r => r.At > now - Kept).DistinctBy(r => r.Key).ToList();
        if (kept.Count == all.Count) return;
        var fresh = $"{Path}.{Environment.ProcessId}.new";
        File.Delete(fresh);
        Hosting.DataFolder.WriteOnce(fresh, string.Concat(kept.Select(r => JsonSerializer.Serialize(r, RequestJson.Default.PersonRequest) + "\n")));
        File.Move(fresh, Path, overwrite: true);
        length = -2;
    }

    private void Look()
    {
        known.Clear();
        known.UnionWith(Read(Path).Select(r => r.Key));
        length = File.Exists(Path) ? new FileInfo(Path).Length : -1;
    }
}
