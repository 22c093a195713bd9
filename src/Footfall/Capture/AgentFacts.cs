namespace Footfall.Capture;

/// <summary>What a user agent tells.</summary>
/// <param name="Hash">HMAC of it; null where there is none.</param>
/// <param name="DeviceType">Of the device; bot for crawlers and programs.</param>
/// <param name="Browser">Family without version; null for bots and where it is not known.</param>
/// <param name="Os">As <paramref name="Browser"/>.</param>
/// <param name="IsProgram">A bot by being an HTTP client (curl, a server's library), not by what it says it does.</param>
internal sealed record AgentFacts(byte[]? Hash, DeviceType DeviceType, string? Browser, string? Os, bool IsProgram = false)
{
    public static AgentFacts None { get; } = new(null, DeviceType.Unknown, null, null);
}
