namespace Footfall.Capture;

/// <summary>The lists that the build makes from npm packages, in lists/ beside the assembly.</summary>
internal static class DataLists
{
    public static string File(string name) => Path.Combine(AppContext.BaseDirectory, "lists", name);
}
