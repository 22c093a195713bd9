using System.Buffers;
using System.Text;
using Footfall.Hosting;
using Footfall.Journal;

namespace Footfall.Leads;

/// <summary>Files of the data folder that nobody reads any more and that hold raw records: journal records that the database refused, damaged segments, and segments kept for a restore.</summary>
internal sealed class ErasedFiles(DataFolder folder)
{
    private const int Window = 1 << 20;

    /// <summary>Those that hold one of the visitors, or one of the texts.</summary>
    public List<string> Find(IReadOnlyCollection<Guid> visitors, IReadOnlyCollection<string> texts)
    {
        var needles = visitors.Select(v => v.ToByteArray(bigEndian: true)).Concat(texts.Select(Encoding.UTF8.GetBytes)).Where(n => n.Length > 0).ToArray();
        if (needles.Length == 0) return [];
        List<string> found = [];
        var stored = Path.Combine(folder.Journal, StoredSegments.FolderName);
        foreach (var file in Directory.EnumerateFiles(folder.SetAside).Concat(Directory.EnumerateFiles(folder.Journal, "*.damaged")).Concat(Directory.Exists(stored) ? Directory.EnumerateFiles(stored) : []))
        {
            if (Holds(file, needles)) found.Add(file);
        }
        return found;
    }

    /// <summary>Deletes them; one that is gone already is fine.</summary>
    public static void Delete(IEnumerable<string> files)
    {
        foreach (var file in files) File.Delete(file);
    }

    private static bool Holds(string file, byte[][] needles)
    {
        var overlap = needles.Max(n => n.Length) - 1;
        var buffer = ArrayPool<byte>.Shared.Rent(Window + overlap);
        try
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1);
            var kept = 0;
            while (true)
            {
                var read = stream.ReadAtLeast(buffer.AsSpan(kept, Window), Window, throwOnEndOfStream: false);
                var bytes = buffer.AsSpan(0, kept + read);
                foreach (var needle in needles)
                {
                    if (bytes.IndexOf(needle) >= 0) return true;
                }
                if (read < Window) return false;
                kept = Math.Min(overlap, bytes.Length);
                bytes[^kept..].CopyTo(buffer);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
