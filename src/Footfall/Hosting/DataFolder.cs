using System.Globalization;
using System.Security.Cryptography;

namespace Footfall.Hosting;

/// <summary>The one folder in which this server keeps what must survive: journal, keys, and the embedded PostgreSQL's files.</summary>
public sealed partial class DataFolder(string path)
{
    /// <summary>Absolute.</summary>
    public string Path { get; } = System.IO.Path.GetFullPath(path);

    /// <summary>A sentence for the operator when the folder is not the one that was asked for; else null.</summary>
    public string? Notice { get; private init; }

    public string Journal => Folder("journal");

    /// <summary>Holds one file per secret, readable by the server's user only.</summary>
    public string Keys => Folder("keys");

    /// <summary>Journal records that the database refused, one file each.</summary>
    public string SetAside => Folder("set-aside");

    /// <summary>Parent of the cluster's own folder; belongs to the user that PostgreSQL runs as.</summary>
    public string Postgres => System.IO.Path.Combine(Path, "postgres");

    /// <summary>The secret of this name, made of random bytes when it is first asked for. Hexadecimal on disk, mode 0600.</summary>
    public byte[] Secret(string name, int bytes = 32)
    {
        var file = System.IO.Path.Combine(Keys, name);
        try
        {
            return Convert.FromHexString(File.ReadAllText(file).Trim());
        }
        catch (FileNotFoundException)
        {
            WriteOnce(file, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(bytes)));
            return Convert.FromHexString(File.ReadAllText(file).Trim());   // what is on disk, also when another process was first
        }
        catch (FormatException e)
        {
            throw new InvalidDataException($"The secret in {file} is not hexadecimal. Restore the file from a backup, or delete it to have a new one made (what the old one protected is then unreadable or unlinkable).", e);
        }
    }

    /// <summary>The secrets that came before the present one and still hold, the newest first. A name ends in when it was replaced, and perhaps until when it holds.</summary>
    public IReadOnlyList<(byte[] Secret, DateTimeOffset Until)> FormerSecrets(string name, DateTimeOffset now) =>
        [.. Directory.EnumerateFiles(Keys, $"{name}{Former}*").OrderDescending(StringComparer.Ordinal).Where(f => HoldsUntil(f) > now).Select(f => (Convert.FromHexString(File.ReadAllText(f).Trim()), HoldsUntil(f)))];

    /// <summary>Makes a new secret of this name. The one before holds for so long yet; null: until its file is deleted. Returns the new one.</summary>
    public byte[] RotateSecret(string name, DateTimeOffset now, TimeSpan? grace, int bytes = 32)
    {
        Secret(name, bytes);
        var former = $"{name}{Former}{now.UtcDateTime.ToString(Stamp, CultureInfo.InvariantCulture)}{(grace is { } g ? $"{Until}{(now + g).UtcDateTime.ToString(Stamp, CultureInfo.InvariantCulture)}" : "")}";
        File.Move(System.IO.Path.Combine(Keys, name), System.IO.Path.Combine(Keys, former));
        foreach (var over in Directory.EnumerateFiles(Keys, $"{name}{Former}*").Where(f => HoldsUntil(f) <= now).ToList()) File.Delete(over);
        return Secret(name, bytes);
    }

    /// <summary>Files of the secrets that came before that of this file, whether they still hold or not.</summary>
    internal static IEnumerable<string> FormerOf(string secret) => Directory.EnumerateFiles(System.IO.Path.GetDirectoryName(secret)!, $"{System.IO.Path.GetFileName(secret)}{Former}*");

    private const string Former = ".before-";
    private const string Until = ".until-";
    private const string Stamp = "yyyyMMddHHmmss";

    private static DateTimeOffset HoldsUntil(string file) =>
        file.LastIndexOf(Until, StringComparison.Ordinal) is >= 0 and var at && DateTimeOffset.TryParseExact(file[(at + Until.Length)..], Stamp, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var until)
            ? until
            : DateTimeOffset.MaxValue;

    /// <summary>Writes a file whole or not at all, mode 0600; an existing one stays as it is.</summary>
    public static void WriteOnce(string file, string text)
    {
        var temporary = $"{file}.{Environment.ProcessId}.{RandomNumberGenerator.GetHexString(8)}";
        try
        {
            using (var stream = new FileStream(temporary, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            }))
            using (var writer = new StreamWriter(stream))
            {
                writer.Write(text);
                writer.Flush();
                stream.Flush(flushToDisk: true);
            }
            File.Move(temporary, file, overwrite: false);
        }
        catch (IOException) when (File.Exists(file))
        {
            // Another process wrote it between our look and our move: theirs stands.
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    private string Folder(string name)
    {
        var folder = System.IO.Path.Combine(Path, name);
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return folder;
    }
}
