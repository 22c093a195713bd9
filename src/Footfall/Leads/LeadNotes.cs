using Footfall.Hosting;

namespace Footfall.Leads;

/// <summary>What the API's document says of the endpoints of leads.</summary>
internal static class LeadNotes
{
    private static readonly ApiError Away = new(503, "temporarily_unavailable", "The database is away, nothing was stored; see Retry-After.");
    private static readonly ApiError TooLarge = new(413, "body_too_large", "More than Leads:MaxBodyBytes.");
    private static readonly ApiError Unreadable = new(415, "unsupported_media_type", "Neither JSON nor a form.");
    private static readonly ApiError RateLimited = new(429, "rate_limited", "Too many from this network address, or for this e-mail address; see Retry-After.");

    public static readonly ApiNotes Capture = new(
        "A form becomes a lead",
        """
        Takes `application/json`, `application/x-www-form-urlencoded` and `multipart/form-data`. JSON is answered with 201 for an address that is new and 200 for one that was known. A form is answered with 303 to its field `thanks`, or `error` with the reason as the query's `error`, where those are paths, or addresses on the property's own hosts or `Leads:RedirectHosts`; else to pages of this server.

        Fields: `email`; `anonId`, which links what the visitor did before; `formName`; `propertyId`; `path`; `eventId` of a `form_submit` that is reported too, so that it counts once; `consent.status` (`express`, `implied`, `pending`), `consent.basis` of implied consent (`inquiry`: 6 months, `business_relationship`: 24), `consent.method`, `consent.purpose`; `utm.source` and so on; `payload`, an object of up to 30 keys and 8 KiB (in a form, every other field); `website`, which must stay empty; `formToken`; `captcha`, or the field of Turnstile, hCaptcha or reCAPTCHA. In JSON `consent` and `utm` are objects.

        With a key of role ingest, a site's own server may send what a person told it: limits and captchas do not apply, and the consent's method is `api`.
        """)
    {
        Example = """{"ok":true,"leadId":"0197f3a2-4d6e-7c1a-9b3e-5f8a2c4d6e8f","mustConfirm":false}""",
        Errors =
        [
            new(400, "validation_failed", "Fields are missing or wrong; issues names them."), new(400, "invalid_json", "The body is no JSON object in UTF-8."), new(400, "invalid_form", "The body is not the form that it says it is."),
            new(400, "honeypot", "The field website was filled in."), new(400, "form_token_required", "Leads:RequireFormToken is on, and the form has none."), new(400, "form_token_invalid", "The formToken is not this server's, or older than a day."),
            new(400, "too_fast", "Sent sooner than Leads:MinFillSeconds after it was shown."), new(400, "captcha_failed", "The captcha was not solved."),
            new(400, "disposable_domain", "A throw-away mail host, and Leads:RejectDisposable is on."), new(400, "mail_host_missing", "The domain takes no mail, and Leads:CheckMailHost is on."),
            new(400, "bot", "From a crawler, and Capture:Bots is drop."), new(400, "property_limit", "No room for another property."),
            new(401, "unauthorized", "A key was sent, and is wrong."), new(403, "origin_not_allowed", "Pages of this origin may not send: Capture:CorsAllowedOrigins."),
            TooLarge, Unreadable, RateLimited, new(503, "captcha_unavailable", "The captcha cannot be checked."), Away,
        ],
    };

    public static readonly ApiNotes FormToken = new("A token that tells when a form was shown", "Put it into the form's field `formToken`. It holds for a day, and tells nothing of the person.")
    {
        Example = """{"ok":true,"formToken":"AwAAAAAAAAAAAAAAAAAAAAAAAAGXg...","minFillSeconds":3}""",
    };

    public static readonly ApiNotes Unsubscribe = new(
        "No more mail",
        "Withdraws consent at once: by the signed `token` of an unsubscribe link, in the query or the body, or by `email`. Takes JSON and forms, among them the one-click form of RFC 8058 (`List-Unsubscribe=One-Click`). The answer is the same whether the address is known or not, and however often it is asked.",
        new ApiParameter("token", "Of the link; may stand in the body instead."))
    {
        Example = """{"ok":true}""",
        Errors = [new(400, "validation_failed", "The email is none; issues says why."), new(400, "invalid_token", "The token is not this server's."), new(400, "invalid_json", "The body is no JSON object."), TooLarge, Unreadable, RateLimited, Away],
    };

    public static readonly ApiNotes UnsubscribePage = new(
        "The page behind an unsubscribe link", "HTML with a button that posts the token; without a token it asks for the address. Looking at it changes nothing.", new ApiParameter("token", "Of the link."));

    public static readonly ApiNotes Confirm = new(
        "Consent is confirmed", "Double opt-in: makes consent express, by the signed `token` of the link in a confirmation mail, in the query or the body. Done again it changes nothing.", new ApiParameter("token", "Of the link; may stand in the body instead."))
    {
        Example = """{"ok":true}""",
        Errors = [new(400, "invalid_token", "Not this server's, expired, or consent was withdrawn since."), new(400, "invalid_json", "The body is no JSON object."), TooLarge, Unreadable, Away],
    };

    public static readonly ApiNotes ConfirmPage = new("The page behind a confirmation link", "HTML with a button that posts the token. Looking at it changes nothing.", new ApiParameter("token", "Of the link."));

    public static readonly ApiNotes ThanksPage = new("The page behind a form that was taken", "HTML, for a form without script that names no page of its own.");

    public static readonly ApiNotes SorryPage = new(
        "The page behind a form that was not taken", "HTML, for a form without script that names no page of its own.", new ApiParameter("error", "The reason's code.", "validation_failed"));

    public static readonly ApiNotes Consent = new(
        "A lead's consent, with its whole history",
        "What holds now, the link that withdraws it, requests to confirm, and every row of the ledger with its hash. `confirmUrl` is there only where the server has no way to send it.")
    {
        Example = """
        {"ok":true,"leadId":"0197f3a2-4d6e-7c1a-9b3e-5f8a2c4d6e8f","status":"express","mayBeMailed":true,"method":"form","purposes":["monthly letter"],"changedAt":"2026-02-01T10:00:00Z",
         "unsubscribeUrl":"https://stats.example.com/v1/leads/unsubscribe?token=AQGX...","confirmations":[],
         "history":[{"id":41,"status":"express","method":"form","purpose":"monthly letter","source":"shop.example/letters","propertyId":"shop","occurredAt":"2026-02-01T10:00:00Z","hash":"5f2b..."}]}
        """,
        Errors = [new(404, "lead_not_found", "There is no lead of this id."), Away],
    };
}
