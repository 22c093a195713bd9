namespace Footfall.Leads;

/// <summary>Consent as a form, an import or the API brings it.</summary>
/// <param name="Status">Pending, express or implied; nobody is withdrawn by a form.</param>
/// <param name="GivenAt">When the person gave it, which for an import may be long ago.</param>
internal sealed record ConsentGiven(
    ConsentStatus Status, ConsentMethod Method, ConsentBasis Basis, string? Purpose, string? Source, byte[]? IpHash, string PropertyId, DateTimeOffset GivenAt);

/// <summary>
/// Which acts change consent, and to what. Every change of a lead's consent goes through here, whoever makes it. Consent that
/// stands is never weakened by less: pending and implied leave express alone, and nobody but the person undoes a withdrawal.
/// </summary>
internal static class ConsentRules
{
    /// <summary>Half a year after an inquiry, two years after the last business.</summary>
    public static DateTimeOffset ImpliedUntil(ConsentBasis basis, DateTimeOffset from) =>
        from.AddMonths(basis == ConsentBasis.Inquiry ? 6 : 24);

    // A form sent twice in an hour would otherwise make two rows that say the same.
    private static readonly TimeSpan LeastExtension = TimeSpan.FromDays(1);
    private const int MostPurposes = 20;

    /// <summary>What giving consent changes; null when what stands already says as much or more.</summary>
    /// <param name="standing">Null for a lead that is new.</param>
    /// <param name="now">The present: implied consent that had ended before is not made anew by what was given still earlier.</param>
    public static ConsentChange? Give(ConsentStanding? standing, ConsentGiven given, DateTimeOffset now) => given.Status switch
    {
        ConsentStatus.Express => GiveExpress(standing, given),
        ConsentStatus.Implied => GiveImplied(standing, given, now),
        ConsentStatus.Pending => standing is null ? Change(ConsentStatus.Pending, given, []) : null,
        _ => throw new ArgumentException("Giving consent cannot withdraw it.", nameof(given)),
    };

    /// <summary>Null when it is withdrawn already.</summary>
    public static ConsentChange? Withdraw(ConsentStanding standing, ConsentMethod method, string? source, byte[]? ipHash, string propertyId, DateTimeOffset now) =>
        standing.Status == ConsentStatus.Withdrawn ? null : new(ConsentStatus.Withdrawn, method, null, null, [], source, ipHash, propertyId, now, null);

    /// <summary>Null when nothing is to expire. It does not count as withdrawn: the person said nothing, and may imply consent again.</summary>
    public static ConsentChange? Expire(ConsentStanding standing, string propertyId, DateTimeOffset now) =>
        standing.Status == ConsentStatus.Implied && standing.ExpiresAt <= now ? new(ConsentStatus.Pending, ConsentMethod.Expiry, null, null, [], null, null, propertyId, now, null) : null;

    private static ConsentChange? GiveExpress(ConsentStanding? standing, ConsentGiven given)
    {
        if (standing is null) return Change(ConsentStatus.Express, given, With([], given.Purpose));
        // An older list must not bring back who has said no since.
        if (standing.Status == ConsentStatus.Withdrawn && standing.ChangedAt > given.GivenAt) return null;
        if (standing.Status != ConsentStatus.Express) return Change(ConsentStatus.Express, given, With([], given.Purpose));
        return IsNew(standing, given.Purpose) ? Change(ConsentStatus.Express, given, With(standing.Purposes, given.Purpose)) : null;
    }

    private static ConsentChange? GiveImplied(ConsentStanding? standing, ConsentGiven given, DateTimeOffset now)
    {
        var until = ImpliedUntil(given.Basis, given.GivenAt);
        // From long ago, and over: the lead is known, and may not be written to.
        if (until <= now) return standing is null ? Change(ConsentStatus.Pending, given, []) : null;
        if (standing is null or { Status: ConsentStatus.Pending }) return Change(ConsentStatus.Implied, given, With([], given.Purpose), until);
        if (standing.Status != ConsentStatus.Implied) return null;
        if (standing.ExpiresAt <= now) return Change(ConsentStatus.Implied, given, With([], given.Purpose), until);
        var longer = until >= standing.ExpiresAt + LeastExtension;
        if (!longer && !IsNew(standing, given.Purpose)) return null;
        return Change(ConsentStatus.Implied, given, With(standing.Purposes, given.Purpose), longer ? until : standing.ExpiresAt);
    }

    private static bool IsNew(ConsentStanding standing, string? purpose) =>
        purpose is not null && standing.Purposes.Count < MostPurposes && !standing.Purposes.Contains(purpose);

    private static IReadOnlyList<string> With(IReadOnlyList<string> purposes, string? purpose) =>
        purpose is null || purposes.Contains(purpose) || purposes.Count >= MostPurposes ? purposes : [.. purposes, purpose];

    private static ConsentChange Change(ConsentStatus status, ConsentGiven given, IReadOnlyList<string> purposes, DateTimeOffset? expires = null) => new(
        status, given.Method, status == ConsentStatus.Implied ? given.Basis : null, given.Purpose, purposes,
        given.Source, given.IpHash, given.PropertyId, given.GivenAt, expires);
}
