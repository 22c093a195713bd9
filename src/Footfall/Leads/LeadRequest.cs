using Footfall.Capture;

namespace Footfall.Leads;

/// <summary>What a form sent, read and within its limits. Absent, null and empty are all null.</summary>
internal sealed class LeadRequest
{
    /// <summary>As typed; whether it is an address is decided later.</summary>
    public string? Email { get; set; }

    public string? AnonId { get; set; }

    /// <summary>Of the form_submit event that the tracker reports for the same submit: the two count once.</summary>
    public string? EventId { get; set; }

    public string? FormName { get; set; }
    public string? PropertyId { get; set; }
    public string? Path { get; set; }
    public ConsentStatus? ConsentStatus { get; set; }

    /// <summary>How the form asked, in its own words: checkbox, sentence, ...</summary>
    public string? ConsentMethod { get; set; }

    public ConsentBasis? ConsentBasis { get; set; }
    public string? ConsentPurpose { get; set; }
    public string? UtmSource { get; set; }
    public string? UtmMedium { get; set; }
    public string? UtmCampaign { get; set; }
    public string? UtmTerm { get; set; }
    public string? UtmContent { get; set; }

    /// <summary>Further fields of the form.</summary>
    public ClientProps? Payload { get; set; }

    /// <summary>The field that people do not see, and must leave empty.</summary>
    public string? Website { get; set; }

    /// <summary>When the form was shown, signed: GET /v1/leads/form-token.</summary>
    public string? FormToken { get; set; }

    /// <summary>What the captcha's script put into the form.</summary>
    public string? Captcha { get; set; }
}

/// <summary>What reading a body gave: a request, or why there is none.</summary>
/// <param name="Request">Also there when a field is wrong, for the property that it names.</param>
/// <param name="Message">Where the JSON breaks, for people.</param>
internal sealed record LeadBody(LeadRequest? Request, string? Error, string? Message, IReadOnlyList<CaptureIssue> Issues);
