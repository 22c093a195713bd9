using Footfall.Access;
using Footfall.Hosting;
using Footfall.Journal;

namespace Footfall.Backups;

/// <summary>
/// What of a backup goes into files, put beside the data folder's own while it is read, and in their place when the tables are in.
/// Only places that a backup writes from are written to, whatever a file says.
/// </summary>
internal sealed class RestoredFiles : IDisposable
{
    private const string DayKeys = "visitor-day-";
    private const string Replaced = ".replaced-";
    private const UnixFileMode Closed = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private readonly DataFolder folder;
    private readonly string waiting;
    private readonly List<string> files = [];

    public RestoredFiles(DataFolder folder)
    {
        this.folder = folder;
        waiting = Path.Combine(folder.Path, "restoring");
        if (Directory.Exists(waiting)) Directory.Delete(waiting, recursive: true);   // of a restore that was killed
        Directory.CreateDirectory(waiting, Closed);
    }

    /// <summary>Folders with the backup's segments, one for each journal.</summary>
    public HashSet<string> Journals { get; } = new(StringComparer.Ordinal);

    /// <summary>The files of the data folder's keys that go into a backup. Those of cookieless visitors do not: they are to be gone two days after their day.</summary>
    public static IEnumerable<string> KeysOf(DataFolder folder) =>
        Directory.EnumerateFiles(folder.Keys, "*", SearchOption.AllDirectories).Where(f => !Path.GetFileName(f).StartsWith(DayKeys, StringComparison.Ordinal) && !f.EndsWith(".new", StringComparison.Ordinal) && !f.Contains(Replaced, StringComparison.Ordinal)).Order(StringComparer.Ordinal);

    /// <summary>Where the section's bytes go; null when it is none that Footfall writes.</summary>
    public FileStream? Open(SectionBegin begin)
    {
        if (begin.Section == SectionBegin.Journal && Guid.TryParse(begin.Name, out var journal) && begin is { Segment: > 0, From: >= JournalFormat.HeaderBytes })
        {
            var home = Path.Combine(waiting, "journal", journal.ToString());
            Directory.CreateDirectory(home, Closed);
            Journals.Add(home);
            return Create(SegmentFile.PathOf(home, begin.Segment.Value));
        }
        if (begin.Section != SectionBegin.File || !IsOurs(begin.Name)) return null;
        files.Add(begin.Name);
        var file = Path.Combine(waiting, begin.Name);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!, Closed);
        return Create(file);
    }

    /// <summary>
    /// Puts keys and set-aside records in place. What another key was there is kept under another name; but a key that was changed since
    /// stays, with the backup's as the one of before: else a restore would end the change. Returns the names of keys that were replaced, and that stayed.
    /// </summary>
    public (List<string> Replaced, List<string> Kept) Place(DateTimeOffset now)
    {
        List<string> replaced = [], kept = [];
        // Before anything is moved: what is decided about a key must not hang on what was placed before it.
        var staying = files.Where(Stays).ToHashSet(StringComparer.Ordinal);
        foreach (var name in files)
        {
            var (from, to) = (Path.Combine(waiting, name), Path.Combine(folder.Path, name));
            if (staying.Contains(name))
            {
                kept.Add(name);
                continue;
            }
            Directory.CreateDirectory(Path.GetDirectoryName(to)!, Closed);
            if (File.Exists(to))
            {
                if (Same(from, to)) continue;
                File.Move(to, $"{to}{Replaced}{now:yyyyMMddHHmmss}", overwrite: true);
                replaced.Add(name);
            }
            File.Move(from, to);
        }
        return (replaced, kept);
    }

    /// <summary>An admin key that is there is the one that holds: one of before may have been in wrong hands. Of another secret, the one that has come in the place of the backup's.</summary>
    private bool Stays(string name)
    {
        var (from, to) = (Path.Combine(waiting, name), Path.Combine(folder.Path, name));
        var file = Path.GetFileName(name);
        if (Path.GetDirectoryName(to) != folder.Keys) return false;
        if (file == AdminKey.SecretName || file.StartsWith(AdminKey.SecretName + ".", StringComparison.Ordinal))
            return File.Exists(Path.Combine(folder.Keys, AdminKey.SecretName)) && !(File.Exists(to) && Same(from, to));
        return File.Exists(to) && !Same(from, to) && DataFolder.FormerOf(to).Any(f => Same(from, f));
    }

    private static bool Same(string one, string other) => File.ReadAllBytes(one).AsSpan().SequenceEqual(File.ReadAllBytes(other));

    public void Dispose() => Directory.Delete(waiting, recursive: true);

    private bool IsOurs(string name)
    {
        var whole = Path.GetFullPath(name, folder.Path);
        return !Path.IsPathRooted(name)
            && (whole.StartsWith(folder.Keys + Path.DirectorySeparatorChar, StringComparison.Ordinal) || whole.StartsWith(folder.SetAside + Path.DirectorySeparatorChar, StringComparison.Ordinal));
    }

    private static FileStream Create(string file) =>
        new(file, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite });
}
