namespace Footfall.Capture;

/// <summary>Why a request, or an event of it, was refused: the closed set of <c>error</c> in answers and of <c>reason</c> in the ingest figures, with those of <see cref="Access.AccessRefusal"/> for servers whose token is not right.</summary>
internal static class ErrorCodes
{
    /// <summary>400: the body is no JSON text in UTF-8.</summary>
    public const string InvalidJson = "invalid_json";

    /// <summary>400: no event of the body is valid; <c>issues</c> names the fields.</summary>
    public const string ValidationFailed = "validation_failed";

    /// <summary>400: the body is an empty array.</summary>
    public const string EmptyBatch = "empty_batch";

    /// <summary>400: more events in one body than allowed.</summary>
    public const string BatchTooLarge = "batch_too_large";

    /// <summary>413.</summary>
    public const string BodyTooLarge = "body_too_large";

    /// <summary>415: neither application/json nor text/plain, another charset than UTF-8, or compressed.</summary>
    public const string UnsupportedMediaType = "unsupported_media_type";

    /// <summary>429, with Retry-After.</summary>
    public const string RateLimited = "rate_limited";

    /// <summary>503, with Retry-After: the journal holds as much as it may.</summary>
    public const string Overloaded = "overloaded";

    /// <summary>503, with Retry-After: the journal's disk refused.</summary>
    public const string JournalUnavailable = "journal_unavailable";

    /// <summary>403: an origin list is configured and the page's origin is not in it.</summary>
    public const string OriginNotAllowed = "origin_not_allowed";

    /// <summary>405, with Allow.</summary>
    public const string MethodNotAllowed = "method_not_allowed";
}

/// <summary>What is wrong with one field: the closed set of <c>code</c> in <c>issues</c>.</summary>
internal static class IssueCodes
{
    public const string Required = "required";
    public const string ExpectedString = "expected_string";
    public const string ExpectedNumber = "expected_number";
    public const string ExpectedBoolean = "expected_boolean";
    public const string ExpectedObject = "expected_object";
    public const string TooShort = "too_short";
    public const string TooLong = "too_long";
    public const string TooManyKeys = "too_many_keys";
    public const string TooLarge = "too_large";
    public const string OutOfRange = "out_of_range";
    public const string InvalidCharacters = "invalid_characters";
    public const string InvalidFormat = "invalid_format";
}

/// <summary>Why a valid event was not kept. The closed set of <c>x-footfall-dropped</c>; in the ingest figures by the same text.</summary>
internal enum DropReason
{
    /// <summary>More properties than <c>Capture:MaxProperties</c>.</summary>
    PropertyLimit,

    /// <summary>The browser asked not to be counted, and the server is configured to obey by dropping.</summary>
    OptedOut,

    /// <summary>From a crawler or a program, and the server is configured not to store those.</summary>
    Bot,
}

internal static class DropReasons
{
    public static string Text(this DropReason reason) => reason switch
    {
        DropReason.PropertyLimit => "property_limit",
        DropReason.OptedOut => "opted_out",
        DropReason.Bot => "bot",
        _ => throw new ArgumentOutOfRangeException(nameof(reason), reason, "A drop reason without a text."),
    };
}

/// <summary>One thing wrong with one field of one event.</summary>
/// <param name="Index">Position in the batch; 0 for a single object.</param>
/// <param name="Field">Dotted path inside the event (<c>utm.source</c>); empty for the event as a whole.</param>
/// <param name="Code">One of <see cref="IssueCodes"/>.</param>
/// <param name="Message">For people: where, what was expected. Never repeats the value sent.</param>
internal sealed record CaptureIssue(int Index, string Field, string Code, string Message);
