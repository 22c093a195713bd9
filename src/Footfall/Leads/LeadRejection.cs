using Footfall.Capture;

namespace Footfall.Leads;

/// <summary>Why a form made no lead: the closed set of <c>error</c> in answers, and of reasons in the ingest figures.</summary>
/// <param name="RetryAfter">Seconds.</param>
internal sealed record LeadRejection(int Status, string Code, string Message, int? RetryAfter = null)
{
    public IReadOnlyList<CaptureIssue> Issues { get; init; } = [];

    public static readonly LeadRejection UnsupportedMediaType = new(415, ErrorCodes.UnsupportedMediaType, "Send application/json, application/x-www-form-urlencoded or multipart/form-data, in UTF-8 and uncompressed.");
    public static readonly LeadRejection InvalidForm = new(400, "invalid_form", "The body is not the form that its Content-Type says.");
    public static readonly LeadRejection Honeypot = new(400, "honeypot", "The field website must be left empty.");
    public static readonly LeadRejection FormTokenRequired = new(400, "form_token_required", "The form needs a formToken: GET /v1/leads/form-token makes one when the form is shown.");
    public static readonly LeadRejection FormTokenInvalid = new(400, "form_token_invalid", "The formToken is not one of this server, or is older than a day. Load the page anew.");
    public static readonly LeadRejection TooFast = new(400, "too_fast", "The form was sent sooner than a person fills it in. Send it again.");
    public static readonly LeadRejection CaptchaFailed = new(400, "captcha_failed", "The captcha was not solved, or its answer was used before. Solve it and send the form again.");
    public static readonly LeadRejection CaptchaUnavailable = new(503, "captcha_unavailable", "The captcha cannot be checked at the moment. Nothing was stored; send the form again in a minute.", 30);
    public static readonly LeadRejection DisposableDomain = new(400, "disposable_domain", "Addresses of throw-away mail hosts are not taken. Use another address.");
    public static readonly LeadRejection MailHostMissing = new(400, "mail_host_missing", "The domain of the address takes no mail. Check how it is spelt.");
    public static readonly LeadRejection Bot = new(400, "bot", "Forms of crawlers and other programs are not taken.");
    public static readonly LeadRejection PropertyLimit = new(400, "property_limit", "There is no such property, and no room for another one: Capture:MaxProperties.");
    public static readonly LeadRejection OriginNotAllowed = new(403, ErrorCodes.OriginNotAllowed, "Pages of this origin may not send forms: Capture:CorsAllowedOrigins names those that may.");
    public static readonly LeadRejection Unavailable = new(503, "temporarily_unavailable", "The database is away. Nothing was stored; send the form again in a few seconds.", 5);

    public static LeadRejection TooLarge(int bytes) => new(413, ErrorCodes.BodyTooLarge, $"The body may have at most {bytes} bytes.");

    public static LeadRejection RateLimited(int seconds) => new(429, ErrorCodes.RateLimited, "Too many forms came from here, or for this address. Wait, then send it again.", seconds);

    public static LeadRejection Unreadable(LeadBody body) => new(400, body.Error!, body.Message ?? "Fields are missing or wrong; issues names them.") { Issues = body.Issues };

    public static LeadRejection InvalidAddress(AddressFault fault) => new(400, ErrorCodes.ValidationFailed, "Fields are missing or wrong; issues names them.")
    {
        Issues = [new CaptureIssue(0, "email", fault switch
        {
            AddressFault.Empty => IssueCodes.Required,
            AddressFault.TooLong or AddressFault.LocalPartTooLong => IssueCodes.TooLong,
            AddressFault.ControlCharacters => IssueCodes.InvalidCharacters,
            _ => IssueCodes.InvalidFormat,
        }, $"email: {EmailAddress.Message(fault)}")],
    };
}
