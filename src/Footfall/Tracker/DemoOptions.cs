namespace Footfall.Tracker;

/// <summary>Section <c>Demo</c>.</summary>
public sealed class DemoOptions
{
    public const string Section = "Demo";

    /// <summary>Whether the demo site is served at /demo/. Unset: only in the Development environment. <c>footfall --demo</c> sets it.</summary>
    public bool? Enabled { get; set; }
}
