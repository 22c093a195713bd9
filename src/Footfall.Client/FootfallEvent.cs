using System.Text.Json.Serialization;

namespace Footfall.Client;

/// <summary>What may be said of an event beside its name. All of it is optional; limits are the server's (docs/api.md).</summary>
public sealed record FootfallEvent
{
    /// <summary>The visitor's id in the browser, where the server knows it: cookie or field. Without it and without an account the event belongs to a cookieless visitor of this server's address.</summary>
    public string? AnonId { get; init; }

    /// <summary>The signed-in user.</summary>
    public string? AccountId { get; init; }

    /// <summary>Proof of <see cref="AccountId"/> where the property asks for one: <see cref="Footfall.Client.AccountSignature"/>. A client with a token needs none.</summary>
    public string? AccountSignature { get; init; }

    public string? Path { get; init; }
    public string? Referrer { get; init; }
    public string? EntityType { get; init; }
    public string? EntityId { get; init; }

    /// <summary>When it happened; now when left out.</summary>
    public DateTimeOffset? Timestamp { get; init; }

    /// <summary>Makes the event count once however often it is sent; made up when left out.</summary>
    public string? EventId { get; init; }

    /// <summary>Another property than the configured one.</summary>
    public string? PropertyId { get; init; }

    public bool IsConversion { get; init; }

    /// <summary>Any object that JSON can hold: at most 30 keys and 8 KiB.</summary>
    public object? Props { get; init; }
}

/// <summary>The wire form. docs/api.md.</summary>
internal sealed record WireEvent(
    string EventType, string EventId, string? AnonId, DateTimeOffset Timestamp, string? Path, string? Referrer, string? AccountId, string? AccountSignature, WireAccount? Account,
    string? EntityType, string? EntityId, object? Props, WireTraffic Traffic);

internal sealed record WireAccount(string? Username, string? DisplayName);

internal sealed record WireTraffic(string? PropertyId, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool IsConversion);
