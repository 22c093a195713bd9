using System.Text;
using System.Text.Json;

namespace Footfall.Capture;

/// <summary>A field of the wire contract.</summary>
/// <param name="Name">Dotted path inside the event, as issues name it.</param>
internal sealed record Field(string Name)
{
    /// <summary>The last part of the name, as it stands in the JSON.</summary>
    public byte[] Key { get; } = Encoding.UTF8.GetBytes(Name[(Name.LastIndexOf('.') + 1)..]);
}

/// <summary>The names of the wire contract, by the object they stand in.</summary>
internal static class EventFields
{
    public const string EventType = "eventType";
    public const string AnonId = "anonId";
    public const string EventId = "eventId";
    public const string Path = "path";
    public const string Timestamp = "timestamp";
    public const string Referrer = "referrer";
    public const string Title = "title";
    public const string AccountId = "accountId";
    public const string AccountSignature = "accountSignature";
    public const string EntityType = "entityType";
    public const string EntityId = "entityId";
    public const string Props = "props";
    public const string Utm = "utm";
    public const string UtmSource = "utm.source";
    public const string UtmMedium = "utm.medium";
    public const string UtmCampaign = "utm.campaign";
    public const string UtmTerm = "utm.term";
    public const string UtmContent = "utm.content";
    public const string Account = "account";
    public const string AccountUsername = "account.username";
    public const string AccountDisplayName = "account.displayName";
    public const string Traffic = "traffic";
    public const string PropertyId = "traffic.propertyId";
    public const string DeviceType = "traffic.deviceType";
    public const string CountryCode = "traffic.countryCode";
    public const string IsEntrance = "traffic.isEntrance";
    public const string IsExit = "traffic.isExit";
    public const string IsConversion = "traffic.isConversion";
    public const string EngagedTimeMs = "traffic.engagedTimeMs";
    public const string ScrollDepthPercent = "traffic.scrollDepthPercent";
    public const string WebVitals = "traffic.webVitals";
    public const string FcpMs = "traffic.webVitals.fcpMs";
    public const string LcpMs = "traffic.webVitals.lcpMs";
    public const string InpMs = "traffic.webVitals.inpMs";
    public const string TtfbMs = "traffic.webVitals.ttfbMs";
    public const string ClsScore = "traffic.webVitals.clsScore";

    public static readonly Field[] Event = Table(EventType, AnonId, EventId, Path, Timestamp, Referrer, Title, Utm, AccountId, AccountSignature, Account, EntityType, EntityId, Props, Traffic);
    public static readonly Field[] UtmFields = Table(UtmSource, UtmMedium, UtmCampaign, UtmTerm, UtmContent);
    public static readonly Field[] AccountFields = Table(AccountUsername, AccountDisplayName);
    public static readonly Field[] TrafficFields = Table(PropertyId, DeviceType, CountryCode, IsEntrance, IsExit, IsConversion, EngagedTimeMs, ScrollDepthPercent, WebVitals);
    public static readonly Field[] WebVitalFields = Table(FcpMs, LcpMs, InpMs, TtfbMs, ClsScore);

    /// <summary>The field that the reader's property name stands for; null when the contract has none of that name.</summary>
    public static Field? Find(ref Utf8JsonReader reader, Field[] fields)
    {
        var name = reader.ValueSpan;
        // No field's name has a character that PostgreSQL cannot hold, and to compare those would throw.
        if (reader.ValueIsEscaped && !JsonText.IsStorable(name)) return null;
        foreach (var field in fields)
        {
            if (reader.ValueIsEscaped ? reader.ValueTextEquals(field.Key) : name.SequenceEqual(field.Key)) return field;
        }
        return null;
    }

    private static Field[] Table(params ReadOnlySpan<string> names)
    {
        var fields = new Field[names.Length];
        for (var i = 0; i < names.Length; i++) fields[i] = new Field(names[i]);
        return fields;
    }
}
