using System.Text.Json;

namespace Footfall.Capture;

/// <summary>What a body held: the valid events with their positions, and what is wrong with the others.</summary>
internal sealed class EventBatch
{
    /// <summary>The valid ones; empty when <see cref="Error"/> is set.</summary>
    public List<EventRequest> Events { get; } = [];

    public List<CaptureIssue> Issues { get; } = [];

    /// <summary>One per event that has an issue: the property it named, if it did so readably.</summary>
    public List<string?> RejectedProperties { get; } = [];

    /// <summary>Set when nothing of the body is taken: one of <see cref="ErrorCodes"/>.</summary>
    public string? Error { get; set; }

    /// <summary>Where the JSON breaks, for people; set with <see cref="Error"/> where that helps.</summary>
    public string? Message { get; set; }
}

/// <summary>
/// Reads the body of POST /v1/events. Every field has its limit here, and every error its field. Unknown fields are
/// skipped, of a repeated one the last counts, null is the same as absent. A body that is no JSON is refused whole.
/// </summary>
internal static class EventReader
{
    public const int MaxEvents = 500;
    public const int MaxDepth = 32;
    private const int MaxIssuesPerEvent = 8;
    private const int DayMs = 86_400_000;

    private static readonly JsonReaderOptions Options = new() { MaxDepth = MaxDepth, CommentHandling = JsonCommentHandling.Disallow };

    public static EventBatch Read(ReadOnlySpan<byte> body)
    {
        var batch = new EventBatch();
        if (body.StartsWith("\uFEFF"u8)) body = body[3..];      // RFC 8259 lets a reader overlook it
        if (!System.Text.Unicode.Utf8.IsValid(body)) return Refused(ErrorCodes.InvalidJson, "The body is not valid UTF-8.");
        var reader = new Utf8JsonReader(body, Options);
        try
        {
            reader.Read();
            if (reader.TokenType == JsonTokenType.StartArray)
            {
                var n = 0;
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
                    if (n < MaxEvents) ReadEvent(ref reader, batch, n, inArray: true);
                    else reader.Skip();
                    n++;
                }
                if (n == 0) return Refused(ErrorCodes.EmptyBatch, "The array holds no event.");
                if (n > MaxEvents) return Refused(ErrorCodes.BatchTooLarge, $"The array holds {n} events; {MaxEvents} are allowed.");
            }
            else
            {
                ReadEvent(ref reader, batch, 0, inArray: false);
            }
            reader.Read();      // throws where something follows
        }
        catch (JsonException e)
        {
            return Refused(ErrorCodes.InvalidJson, $"The body is not valid JSON of at most {MaxDepth} levels: line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}.");
        }
        if (batch.Events.Count == 0) batch.Error = ErrorCodes.ValidationFailed;
        return batch;

        static EventBatch Refused(string error, string message) => new() { Error = error, Message = message };
    }

    private static void ReadEvent(ref Utf8JsonReader reader, EventBatch batch, int index, bool inArray)
    {
        var context = new FieldContext(batch.Issues, index, inArray, MaxIssuesPerEvent);
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            reader.Skip();
            context.Add("", IssueCodes.ExpectedObject, "expected an object");
            batch.RejectedProperties.Add(null);
            return;
        }
        var e = new EventRequest();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            var field = EventFields.Find(ref reader, EventFields.Event);
            reader.Read();
            ReadField(ref reader, field, e, context);
        }
        if (e.EventType.Length == 0 && !context.Has("eventType")) context.Add("eventType", IssueCodes.Required, "is required: 1 to 64 characters");
        if (context.Count == 0)
        {
            batch.Events.Add(e);
        }
        else
        {
            batch.RejectedProperties.Add(e.PropertyId);
        }
    }

    private static void ReadGroup(ref Utf8JsonReader reader, string name, Field[] fields, EventRequest e, FieldContext context)
    {
        if (reader.TokenType == JsonTokenType.Null) return;
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            reader.Skip();
            context.Add(name, IssueCodes.ExpectedObject, "expected an object");
            return;
        }
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            var field = EventFields.Find(ref reader, fields);
            reader.Read();
            ReadField(ref reader, field, e, context);
        }
    }

    private static void ReadField(ref Utf8JsonReader reader, Field? field, EventRequest e, FieldContext context)
    {
        if (field is null)
        {
            reader.Skip();
            return;
        }
        switch (field.Name)
        {
            case EventFields.EventType: e.EventType = FieldValues.Id(ref reader, field, context, 1, 64) ?? ""; break;
            case EventFields.AnonId: e.AnonId = FieldValues.Id(ref reader, field, context, 8, 128); break;
            case EventFields.EventId: e.EventId = FieldValues.Id(ref reader, field, context, 1, 128); break;
            case EventFields.Path: e.Path = FieldValues.Text(ref reader, field, context, 2048); break;
            case EventFields.Timestamp: e.Timestamp = FieldValues.Instant(ref reader, field, context); break;
            // Sites have referrers longer than what is kept of them, which is no reason to lose the visit.
            case EventFields.Referrer: e.Referrer = FieldValues.Text(ref reader, field, context, 8192); break;
            case EventFields.Title: e.Title = FieldValues.Text(ref reader, field, context, 1024); break;
            case EventFields.AccountId: e.AccountId = FieldValues.Id(ref reader, field, context, 1, 128); break;
            case EventFields.AccountSignature: e.AccountSignature = FieldValues.Text(ref reader, field, context, 256); break;
            case EventFields.EntityType: e.EntityType = FieldValues.Id(ref reader, field, context, 1, 64); break;
            case EventFields.EntityId: e.EntityId = FieldValues.Id(ref reader, field, context, 1, 256); break;
            case EventFields.Utm:
                e.UtmSource = e.UtmMedium = e.UtmCampaign = e.UtmTerm = e.UtmContent = null;      // of a repeated one the last counts, whole
                ReadGroup(ref reader, field.Name, EventFields.UtmFields, e, context);
                break;
            case EventFields.UtmSource: e.UtmSource = FieldValues.Text(ref reader, field, context, 256); break;
            case EventFields.UtmMedium: e.UtmMedium = FieldValues.Text(ref reader, field, context, 256); break;
            case EventFields.UtmCampaign: e.UtmCampaign = FieldValues.Text(ref reader, field, context, 256); break;
            case EventFields.UtmTerm: e.UtmTerm = FieldValues.Text(ref reader, field, context, 256); break;
            case EventFields.UtmContent: e.UtmContent = FieldValues.Text(ref reader, field, context, 256); break;
            case EventFields.Account:
                e.AccountUsername = e.AccountDisplayName = null;      // of a repeated one the last counts, whole
                ReadGroup(ref reader, field.Name, EventFields.AccountFields, e, context);
                break;
            case EventFields.AccountUsername: e.AccountUsername = FieldValues.Text(ref reader, field, context, 256); break;
            case EventFields.AccountDisplayName: e.AccountDisplayName = FieldValues.Text(ref reader, field, context, 256); break;
            case EventFields.Props: e.Props = PropsReader.Read(ref reader, context); break;
            case EventFields.Traffic: ReadGroup(ref reader, field.Name, EventFields.TrafficFields, e, context); break;
            case EventFields.PropertyId: e.PropertyId = FieldValues.Property(ref reader, field, context); break;
            case EventFields.DeviceType: e.DeviceType = FieldValues.Device(ref reader, field, context); break;
            // Country, entrance and exit are decided by the server: the client's word is checked, and not used.
            case EventFields.CountryCode: FieldValues.Country(ref reader, field, context); break;
            case EventFields.IsEntrance: FieldValues.Flag(ref reader, field, context); break;
            case EventFields.IsExit: FieldValues.Flag(ref reader, field, context); break;
            case EventFields.IsConversion: e.IsConversion = FieldValues.Flag(ref reader, field, context); break;
            case EventFields.EngagedTimeMs: e.EngagedTimeMs = FieldValues.Whole(ref reader, field, context, DayMs); break;
            case EventFields.ScrollDepthPercent: e.ScrollDepthPercent = FieldValues.Whole(ref reader, field, context, 100); break;
            case EventFields.WebVitals: ReadGroup(ref reader, field.Name, EventFields.WebVitalFields, e, context); break;
            case EventFields.FcpMs: e.FcpMs = FieldValues.Whole(ref reader, field, context, DayMs); break;
            case EventFields.LcpMs: e.LcpMs = FieldValues.Whole(ref reader, field, context, DayMs); break;
            case EventFields.InpMs: e.InpMs = FieldValues.Whole(ref reader, field, context, DayMs); break;
            case EventFields.TtfbMs: e.TtfbMs = FieldValues.Whole(ref reader, field, context, DayMs); break;
            case EventFields.ClsScore: e.ClsScore = FieldValues.Score(ref reader, field, context, 1000); break;
            default: throw new InvalidOperationException($"The field {field.Name} is in the table of fields and is not read.");
        }
    }
}
