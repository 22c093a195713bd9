namespace Footfall.Leads;

/// <summary>Whether a person may be written to. In PostgreSQL and on the wire by the lower-case name.</summary>
internal enum ConsentStatus
{
    /// <summary>Asked for and not confirmed, never given, or implied and expired: no mail.</summary>
    Pending,

    /// <summary>Given by the person's own act; holds until withdrawn.</summary>
    Express,

    /// <summary>Follows from an inquiry or a business relationship; holds for a time.</summary>
    Implied,

    /// <summary>The person said no: only express consent given anew changes it.</summary>
    Withdrawn,
}

/// <summary>How a change of consent came about. In PostgreSQL and on the wire by the snake-case name.</summary>
internal enum ConsentMethod
{
    Form,
    DoubleOptIn,
    Import,
    Api,
    UnsubscribeLink,
    UnsubscribeForm,
    Expiry,
}

/// <summary>What implied consent follows from, which decides how long it holds.</summary>
internal enum ConsentBasis
{
    /// <summary>6 months.</summary>
    Inquiry,

    /// <summary>24 months: a purchase, a contract, a membership.</summary>
    BusinessRelationship,
}

/// <summary>The names of the closed sets, as they are stored and sent.</summary>
internal static class ConsentNames
{
    public static string Text(this ConsentStatus status) => status switch
    {
        ConsentStatus.Pending => "pending",
        ConsentStatus.Express => "express",
        ConsentStatus.Implied => "implied",
        ConsentStatus.Withdrawn => "withdrawn",
        _ => throw new ArgumentOutOfRangeException(nameof(status), status, null),
    };

    public static string Text(this ConsentMethod method) => method switch
    {
        ConsentMethod.Form => "form",
        ConsentMethod.DoubleOptIn => "double_opt_in",
        ConsentMethod.Import => "import",
        ConsentMethod.Api => "api",
        ConsentMethod.UnsubscribeLink => "unsubscribe_link",
        ConsentMethod.UnsubscribeForm => "unsubscribe_form",
        ConsentMethod.Expiry => "expiry",
        _ => throw new ArgumentOutOfRangeException(nameof(method), method, null),
    };

    public static string Text(this ConsentBasis basis) => basis switch
    {
        ConsentBasis.Inquiry => "inquiry",
        ConsentBasis.BusinessRelationship => "business_relationship",
        _ => throw new ArgumentOutOfRangeException(nameof(basis), basis, null),
    };

    /// <summary>Null when the text names none.</summary>
    public static ConsentStatus? Status(string? text) => Find<ConsentStatus>(text, Text);

    /// <inheritdoc cref="Status"/>
    public static ConsentMethod? Method(string? text) => Find<ConsentMethod>(text, Text);

    /// <inheritdoc cref="Status"/>
    public static ConsentBasis? Basis(string? text) => Find<ConsentBasis>(text, Text);

    private static T? Find<T>(string? text, Func<T, string> name) where T : struct, Enum
    {
        foreach (var value in Enum.GetValues<T>())
        {
            if (name(value) == text) return value;
        }
        return null;
    }
}

/// <summary>What holds of a lead's consent now: the row of <c>leads</c> says the same as the newest of its ledger.</summary>
/// <param name="Purposes">What was consented to since consent was last given anew.</param>
/// <param name="ChangedAt">When the standing was last changed, in the time of those who changed it.</param>
/// <param name="ExpiresAt">Only of implied consent.</param>
internal sealed record ConsentStanding(
    ConsentStatus Status, ConsentMethod? Method, IReadOnlyList<string> Purposes, DateTimeOffset? ChangedAt, DateTimeOffset? ExpiresAt)
{
    /// <summary>Whether mail is lawful at <paramref name="now"/>, also while the job that notes expiry has not run yet.</summary>
    public bool MayBeMailed(DateTimeOffset now) => Status == ConsentStatus.Express || (Status == ConsentStatus.Implied && ExpiresAt > now);
}

/// <summary>A change of a lead's consent, real by <see cref="ConsentRules"/>: one row of the ledger, and the lead's new standing.</summary>
/// <param name="Purposes">All that is consented to after the change.</param>
/// <param name="Purpose">What this change names.</param>
/// <param name="Source">The page, without its query.</param>
internal sealed record ConsentChange(
    ConsentStatus Status, ConsentMethod Method, ConsentBasis? Basis, string? Purpose, IReadOnlyList<string> Purposes,
    string? Source, byte[]? IpHash, string PropertyId, DateTimeOffset OccurredAt, DateTimeOffset? ExpiresAt)
{
    public ConsentStanding Standing => new(Status, Method, Purposes, OccurredAt, ExpiresAt);
}
