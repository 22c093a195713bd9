using Microsoft.Extensions.Options;

namespace Footfall.Client;

/// <summary>Where events go, and how.</summary>
public sealed class FootfallClientOptions
{
    /// <summary>The server's address, such as <c>https://stats.example.com</c>.</summary>
    public Uri? Server { get; set; }

    /// <summary>The property of events that name none; null leaves it to the server.</summary>
    public string? PropertyId { get; set; }

    /// <summary>
    /// A token of role ingest (<c>footfall token create --role ingest</c>), sent as <c>Authorization: Bearer</c>. With it accounts are
    /// believed without proof and the limit of requests per address does not count; null sends none.
    /// </summary>
    public string? Token { get; set; }

    /// <summary>Events per request, 1 to 500.</summary>
    public int BatchSize { get; set; } = 100;

    /// <summary>How long an event may wait for others.</summary>
    public TimeSpan BatchDelay { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Events that may wait; beyond, <see cref="FootfallClient.TrackAsync"/> waits itself.</summary>
    public int Capacity { get; set; } = 10_000;

    /// <summary>The longest pause between two attempts.</summary>
    public TimeSpan LongestPause { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>How long a stopping host goes on sending.</summary>
    public TimeSpan StopTimeout { get; set; } = TimeSpan.FromSeconds(5);
}

/// <summary>All failures at once, each naming its key and what it may be.</summary>
internal sealed class FootfallClientOptionsValidator : IValidateOptions<FootfallClientOptions>
{
    public ValidateOptionsResult Validate(string? name, FootfallClientOptions options)
    {
        List<string> failures = [];
        if (options.Server is not { IsAbsoluteUri: true, Scheme: "http" or "https" }) failures.Add("Footfall client: Server must be the server's address, such as https://stats.example.com.");
        if (options.BatchSize is < 1 or > 500) failures.Add("Footfall client: BatchSize must be 1 to 500.");
        if (options.Capacity < 1) failures.Add("Footfall client: Capacity must be 1 or more.");
        if (options.BatchDelay < TimeSpan.Zero || options.LongestPause <= TimeSpan.Zero || options.StopTimeout < TimeSpan.Zero) failures.Add("Footfall client: BatchDelay and StopTimeout must not be negative, LongestPause must be longer than zero.");
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }
}
