namespace Footfall.Capture;

/// <summary>The names under which the server puts its own values among an event's props.</summary>
internal static class PropNames
{
    public const string FcpMs = "fcpMs";
    public const string LcpMs = "lcpMs";
    public const string InpMs = "inpMs";
    public const string TtfbMs = "ttfbMs";
    public const string ClsScore = "clsScore";
    public const string EngagedTimeMs = "engagedTimeMs";
    public const string ScrollDepthPercent = "scrollDepthPercent";
    public const string Title = "title";

    /// <summary>All but the title: numbers that rollups calculate with.</summary>
    public static readonly string[] Measured = [FcpMs, LcpMs, InpMs, TtfbMs, ClsScore, EngagedTimeMs, ScrollDepthPercent];
}
