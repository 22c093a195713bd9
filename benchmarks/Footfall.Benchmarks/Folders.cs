namespace Footfall.Benchmarks;

/// <summary>Where benchmarks keep their data between runs: FOOTFALL_BENCHMARKS, or footfall-benchmarks in the system's folder for temporary files.</summary>
internal static class Folders
{
    private static readonly string Root = Environment.GetEnvironmentVariable("FOOTFALL_BENCHMARKS") is { Length: > 0 } named
        ? Path.GetFullPath(named)
        : Path.Combine(Path.GetTempPath(), "footfall-benchmarks");

    public static string Named(string name) => Path.Combine(Root, name);

    /// <summary>Emptied first.</summary>
    public static string Fresh(string name)
    {
        var folder = Named(name);
        if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        Directory.CreateDirectory(folder);
        return folder;
    }
}
