using System.Text.Json;
using Footfall.Capture;

namespace Footfall.Leads;

/// <summary>Reads the JSON of a lead form. Every field has its limit here, and every error its field. Unknown fields are skipped, of a repeated one the last counts.</summary>
internal static class LeadReader
{
    public const int MaxPurpose = 300;
    public const int MaxFormName = 128;
    private const int MaxIssues = 8;

    private static readonly JsonReaderOptions Options = new() { MaxDepth = 32, CommentHandling = JsonCommentHandling.Disallow };

    private static readonly Field[] Fields =
    [
        .. "email anonId eventId formName propertyId path website formToken captcha payload consent utm".Split(' ').Select(n => new Field(n)),
        .. FormFields.CaptchaNames.Select(n => new Field(n)),
    ];

    private static readonly Field[] ConsentFields = [.. "consent.status consent.method consent.purpose consent.basis".Split(' ').Select(n => new Field(n))];

    public static LeadBody Read(ReadOnlySpan<byte> body)
    {
        if (body.StartsWith("\uFEFF"u8)) body = body[3..];
        if (!System.Text.Unicode.Utf8.IsValid(body)) return new(null, ErrorCodes.InvalidJson, "The body is not valid UTF-8.", []);
        List<CaptureIssue> issues = [];
        var request = new LeadRequest();
        var reader = new Utf8JsonReader(body, Options);
        try
        {
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartObject) return new(null, ErrorCodes.InvalidJson, "The body must be a JSON object.", []);
            var context = new FieldContext(issues, 0, inArray: false, MaxIssues);
            ReadObject(ref reader, Fields, request, context);
            reader.Read();      // throws where something follows
        }
        catch (JsonException e)
        {
            return new(null, ErrorCodes.InvalidJson, $"The body is not valid JSON: line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}.", []);
        }
        return new(request, issues.Count > 0 ? ErrorCodes.ValidationFailed : null, null, issues);
    }

    private static void ReadObject(ref Utf8JsonReader reader, Field[] fields, LeadRequest request, FieldContext context)
    {
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            var field = EventFields.Find(ref reader, fields);
            reader.Read();
            if (field is null) reader.Skip();
            else ReadField(ref reader, field, request, context);
        }
    }

    private static void ReadGroup(ref Utf8JsonReader reader, Field group, Field[] fields, LeadRequest request, FieldContext context)
    {
        if (reader.TokenType == JsonTokenType.Null) return;
        if (reader.TokenType == JsonTokenType.StartObject)
        {
            ReadObject(ref reader, fields, request, context);
            return;
        }
        reader.Skip();
        context.Add(group.Name, IssueCodes.ExpectedObject, "expected an object");
    }

    private static void ReadField(ref Utf8JsonReader reader, Field field, LeadRequest r, FieldContext context)
    {
        switch (field.Name)
        {
            // Longer than any address: what is wrong with it is said by EmailAddress, in better words.
            case "email": r.Email = FieldValues.Text(ref reader, field, context, 1024); break;
            case "anonId": r.AnonId = FieldValues.Id(ref reader, field, context, 8, 128); break;
            case "eventId": r.EventId = FieldValues.Id(ref reader, field, context, 1, 128); break;
            case "formName": r.FormName = FieldValues.Text(ref reader, field, context, MaxFormName); break;
            case "propertyId": r.PropertyId = FieldValues.Property(ref reader, field, context); break;
            case "path": r.Path = FieldValues.Text(ref reader, field, context, 2048); break;
            case "website": r.Website = FieldValues.Text(ref reader, field, context, 1024); break;
            case "formToken": r.FormToken = FieldValues.Text(ref reader, field, context, 256); break;
            case "payload": r.Payload = PropsReader.Read(ref reader, context, field.Name); break;
            case "consent": ReadGroup(ref reader, field, ConsentFields, r, context); break;
            case "utm": ReadGroup(ref reader, field, EventFields.UtmFields, r, context); break;
            case "consent.status": r.ConsentStatus = Status(ref reader, field, context); break;
            case "consent.method": r.ConsentMethod = FieldValues.Text(ref reader, field, context, 64); break;
            case "consent.basis": r.ConsentBasis = Basis(ref reader, field, context); break;
            case "consent.purpose": r.ConsentPurpose = FieldValues.Text(ref reader, field, context, MaxPurpose); break;
            case EventFields.UtmSource: r.UtmSource = FieldValues.Text(ref reader, field, context, 256); break;
            case EventFields.UtmMedium: r.UtmMedium = FieldValues.Text(ref reader, field, context, 256); break;
            case EventFields.UtmCampaign: r.UtmCampaign = FieldValues.Text(ref reader, field, context, 256); break;
            case EventFields.UtmTerm: r.UtmTerm = FieldValues.Text(ref reader, field, context, 256); break;
            case EventFields.UtmContent: r.UtmContent = FieldValues.Text(ref reader, field, context, 256); break;
            default: r.Captcha = FieldValues.Text(ref reader, field, context, 8192); break;      // each captcha has a name of its own
        }
    }

    private static ConsentStatus? Status(ref Utf8JsonReader reader, Field field, FieldContext context)
    {
        var text = FieldValues.Text(ref reader, field, context, 64);
        if (text is null) return null;
        if (ConsentNames.Status(text) is { } status and not ConsentStatus.Withdrawn) return status;
        context.Add(field.Name, IssueCodes.InvalidFormat, text == "withdrawn" ? "consent is withdrawn by POST /v1/leads/unsubscribe" : "expected express, implied or pending");
        return null;
    }

    private static ConsentBasis? Basis(ref Utf8JsonReader reader, Field field, FieldContext context)
    {
        var text = FieldValues.Text(ref reader, field, context, 64);
        if (text is null) return null;
        if (ConsentNames.Basis(text) is { } basis) return basis;
        context.Add(field.Name, IssueCodes.InvalidFormat, "expected inquiry or business_relationship");
        return null;
    }
}
