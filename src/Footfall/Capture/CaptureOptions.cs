using Microsoft.Extensions.Options;

namespace Footfall.Capture;

/// <summary>Section <c>Capture</c>.</summary>
public sealed class CaptureOptions
{
    public const string Section = "Capture";

    /// <summary>The property of events that name none, and the one that unreadable requests are counted for.</summary>
    public string DefaultPropertyId { get; set; } = "default";

    /// <summary>How many properties may exist: an unknown <c>propertyId</c> makes one until then.</summary>
    public int MaxProperties { get; set; } = 100;

    /// <summary>Origins whose pages may send (<c>https://example.com, https://shop.example.com</c>). Empty: any.</summary>
    public string CorsAllowedOrigins { get; set; } = "";

    /// <summary>Key of the address and user-agent hashes. Unset: made once, kept in the data folder.</summary>
    public string? IpHashPepper { get; set; }

    /// <summary>Peppers of before: what was hashed with them is still known again where that matters (addresses that were erased).</summary>
    public IReadOnlyList<string> PreviousIpHashPeppers { get; init; } = [];

    /// <summary>What Global Privacy Control (<c>Sec-GPC: 1</c>) does.</summary>
    public OptOutHandling Gpc { get; set; } = OptOutHandling.Cookieless;

    /// <summary>What Do Not Track (<c>DNT: 1</c>) does.</summary>
    public OptOutHandling Dnt { get; set; } = OptOutHandling.Ignore;

    public BotHandling Bots { get; set; } = BotHandling.Store;

    public RateLimitOptions RateLimit { get; set; } = new();

    public int MaxBodyBytes { get; set; } = 256 * 1024;

    /// <summary>Requests per address (IPv6: per /64 network).</summary>
    public sealed class RateLimitOptions
    {
        public bool Enabled { get; set; } = true;

        /// <summary>Requests a second in the long run.</summary>
        public int PerSecond { get; set; } = 50;

        /// <summary>Requests at once after a pause.</summary>
        public int Burst { get; set; } = 500;
    }
}

/// <summary>What a browser's wish not to be tracked does.</summary>
public enum OptOutHandling
{
    /// <summary>Counted without a lasting id: neither anon id nor account is kept.</summary>
    Cookieless,

    /// <summary>Not counted.</summary>
    Drop,

    Ignore,
}

public enum BotHandling
{
    Store,
    Drop,
}

/// <summary>Section <c>GeoIp</c>.</summary>
public sealed class GeoIpOptions
{
    public const string Section = "GeoIp";

    /// <summary>A MaxMind GeoLite2/GeoIP2 Country or City <c>.mmdb</c>, read again when the file changes. Unset: the database that Footfall ships with.</summary>
    public string? DatabasePath { get; set; }
}

/// <summary>All failures at once, each naming its key and what it may be.</summary>
internal sealed class CaptureOptionsValidator : IValidateOptions<CaptureOptions>
{
    public ValidateOptionsResult Validate(string? name, CaptureOptions options)
    {
        List<string> failures = [];
        void Must(bool holds, string failure)
        {
            if (!holds) failures.Add(failure);
        }

        Must(PropertyId.IsValid(options.DefaultPropertyId), $"Capture:DefaultPropertyId must be {PropertyId.Rule}.");
        Must(options.MaxProperties is >= 1 and <= 100_000, "Capture:MaxProperties must be 1 to 100000.");
        Must(options.MaxBodyBytes is >= 1024 and <= 16 * 1024 * 1024, "Capture:MaxBodyBytes must be 1024 to 16777216.");
        Must(options.RateLimit.PerSecond is >= 1 and <= 1_000_000, "Capture:RateLimit:PerSecond must be 1 to 1000000.");
        Must(options.RateLimit.Burst is >= 1 and <= 1_000_000, "Capture:RateLimit:Burst must be 1 to 1000000.");
        Must(options.IpHashPepper is null or { Length: 0 or >= 16 }, "Capture:IpHashPepper must have at least 16 characters, or be left out to have one made and kept in the data folder.");
        Must(options.PreviousIpHashPeppers.All(p => p.Length >= 16), "Capture:PreviousIpHashPeppers must each have at least 16 characters.");
        Must(Enum.IsDefined(options.Gpc), "Capture:Gpc must be cookieless, drop or ignore.");
        Must(Enum.IsDefined(options.Dnt), "Capture:Dnt must be cookieless, drop or ignore.");
        Must(Enum.IsDefined(options.Bots), "Capture:Bots must be store or drop.");
        foreach (var origin in AllowedOrigins.Split(options.CorsAllowedOrigins))
        {
            Must(AllowedOrigins.IsOrigin(origin), $"Capture:CorsAllowedOrigins has the entry '{origin}', which is no origin. Write scheme and host, as in https://example.com, separated by commas.");
        }
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }
}

internal sealed class GeoIpOptionsValidator : IValidateOptions<GeoIpOptions>
{
    public ValidateOptionsResult Validate(string? name, GeoIpOptions options) =>
        string.IsNullOrWhiteSpace(options.DatabasePath) || File.Exists(options.DatabasePath)
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail($"GeoIp:DatabasePath names {options.DatabasePath}, which is not there. Give the path of a country or city .mmdb file, or leave it out to use the database that Footfall ships with.");
}
