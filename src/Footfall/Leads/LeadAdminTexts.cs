using Footfall.Hosting;

namespace Footfall.Leads;

/// <summary>What the API's document says of the endpoints for admins.</summary>
internal static class LeadAdminTexts
{
    private static readonly ApiError NotFound = new(404, "lead_not_found", "There is no such lead, and never was.");
    private static readonly ApiError Invalid = new(400, "validation_failed", "A field cannot be what it is; `parameter` names it.");
    private static readonly ApiError Json = new(400, "invalid_json", "The body is no JSON of the expected form.");
    private static readonly ApiError TooLarge = new(413, "body_too_large", "The body is longer than 64 KiB.");
    private static readonly ApiError Type = new(415, "unsupported_media_type", "Send application/json.");
    private static readonly ApiError Away = new(503, "temporarily_unavailable", "The database does not answer; see Retry-After.");

    private const string Receipt = """{"id":"019c5b2e-7d1a-7c8e-9b2f-7c1e5d1a4c8e","erasedAt":"2026-02-13T10:00:00+00:00","counts":{"leads":1,"submissions":2,"consentRequests":0,"consentEvents":2,"links":1,"visitors":1,"sessions":4,"events":31,"eventKeys":31,"accounts":0,"readModelRows":3,"files":0,"days":4},"hash":"5f0c6a3b1d2e4f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8"}""";

    private const string Page = """
        {"ok":true,"leads":[{"id":"019c5b2e-7d1a-7c8e-9b2f-7c1e5d1a4c8e","email":"ann@example.org","domain":"example.org","domainKind":"business","consentStatus":"express","mailable":true,
         "consentMethod":"form","consentPurposes":["newsletter"],"consentChangedAt":"2026-02-13T10:00:00+00:00","consentExpiresAt":null,"source":"organic_search","firstPage":"/pricing","propertyId":"shop",
         "firstCapturedAt":"2026-02-13T10:00:00+00:00","lastCapturedAt":"2026-02-13T10:00:00+00:00","mergedInto":null,"unsubscribeUrl":"https://stats.example.org/v1/leads/unsubscribe?token=..."}],"nextCursor":null}
        """;

    private static readonly ApiParameter Format = new("format", "json or csv; without it what Accept prefers.", null, Values: ["json", "csv"]);

    public static readonly ApiNotes List = new(
        "Leads", "Newest first. With `mailable=true` only people who may lawfully be mailed now. A token for one property sees that property's leads.",
        new ApiParameter("search", "Part of an address, without its @: addresses do not belong in URLs. Whole ones go to POST /v1/leads/search.", "example.org"),
        new ApiParameter("status", "Of consent.", null, Values: ["pending", "express", "implied", "withdrawn"]),
        new ApiParameter("source", "Traffic source of the visit that the address was first given on, or `import`.", "organic_search"),
        new ApiParameter("from", "First day (UTC) of the first capture.", "2026-01-14"),
        new ApiParameter("to", "Last day, itself included.", "2026-02-13"),
        new ApiParameter("domainKind", "free: a host where anybody gets an address; business: any other.", null, Values: ["free", "business"]),
        new ApiParameter("mailable", "Only people who may be mailed.", null, Type: "boolean"),
        new ApiParameter("property", "Only this property's.", "shop"),
        new ApiParameter("limit", $"{LeadFilter.UsualLimit} when left out, {LeadFilter.MostAtOnce} at most; as CSV {LeadFilter.MostAsCsv}.", "100", Type: "integer"),
        new ApiParameter("cursor", "`nextCursor` of the page before; as CSV in the header x-next-cursor."),
        Format, new ApiParameter("bom", "CSV with a byte order mark, for Excel.", null, Type: "boolean"))
    {
        Csv = "One row per lead, with consent. A text that a spreadsheet would take for a formula begins with an apostrophe.",
        Errors = [Away],
        Example = Page,
    };

    public static readonly ApiNotes Search = new(
        "Leads, by address", "The filters of GET /v1/leads as a JSON body: what is searched for does not stand in a URL.", Format, new ApiParameter("bom", "CSV with a byte order mark, for Excel.", null, Type: "boolean"))
    {
        Csv = "As GET /v1/leads.",
        Errors = [Json, TooLarge, Type, Away],
        Example = Page,
    };

    public static readonly ApiNotes Export = new(
        "One person's data", "All that is held on the person: leads (also merged ones), merges, consent, confirmations, submissions, links, and of the visitors that are certainly them (confidence 1) profile, accounts, sessions and events.")
    {
        Errors = [NotFound, Away],
        Example = """{"ok":true,"leads":[],"merges":[],"consent":[],"consentRequests":[],"submissions":[],"links":[],"visitors":[],"accounts":[],"sessions":[],"events":[]}""",
    };

    public static readonly ApiNotes Erase = new(
        "Erase a person", "By `leadId` or `email`. Everything that is certainly theirs goes, also what merged leads have; consent rows stay without anything personal. The receipt proves it, and is the answer whenever it is asked for again. `dryRun`: only the counts of what would go. What is left on the disk of deleted rows is scrubbed within minutes: GET /v1/leads/erasures/{id} tells when it is done.")
    {
        Errors = [NotFound, Invalid, Json, TooLarge, Type, Away],
        Example = $$"""{"ok":true,"dryRun":false,"counts":{"leads":1,"submissions":2,"consentRequests":0,"consentEvents":2,"links":1,"visitors":1,"sessions":4,"events":31,"eventKeys":31,"accounts":0,"readModelRows":3,"files":0,"days":4},"receipt":{{Receipt}}}""",
    };

    public static readonly ApiNotes Erasure = new("An erasure's receipt", "`scrubbedAt` is when nothing of it was left on the disk; null while that is being done.")
    {
        Errors = [new ApiError(404, "erasure_not_found", "There is no receipt of this id."), Away],
        Example = $$"""{"ok":true,"receipt":{{Receipt}},"scrubbedAt":"2026-02-13T10:00:20+00:00"}""",
    };

    public static readonly ApiNotes Merge = new(
        "Merge two leads", "The two addresses are one person's: the visitors that are certainly the lead's of `from` are linked to `into` as well, and export and erasure take both. Addresses and consents stay two.")
    {
        Errors = [NotFound, Invalid, new ApiError(409, "already_merged", "The lead is merged into another one."), new ApiError(409, "merge_circle", "The lead that takes over is itself merged into the other."), Json, TooLarge, Type, Away],
        Example = """{"ok":true,"mergeId":"019c5b2e-7d1a-7c8e-9b2f-7c1e5d1a4c8e","from":"019c5b2e-0000-7c8e-9b2f-7c1e5d1a4c8e","into":"019c5b2e-1111-7c8e-9b2f-7c1e5d1a4c8e","mergedAt":"2026-02-13T10:00:00+00:00","undoneAt":null,"links":2}""",
    };

    public static readonly ApiNotes Unmerge = new("Undo a merge", "Takes away the links that the merge made.")
    {
        Errors = [new ApiError(404, "merge_not_found", "There is no merge of this id."), Invalid, Json, TooLarge, Type, Away],
        Example = """{"ok":true,"mergeId":"019c5b2e-7d1a-7c8e-9b2f-7c1e5d1a4c8e","from":"019c5b2e-0000-7c8e-9b2f-7c1e5d1a4c8e","into":"019c5b2e-1111-7c8e-9b2f-7c1e5d1a4c8e","mergedAt":"2026-02-13T10:00:00+00:00","undoneAt":"2026-02-13T11:00:00+00:00","links":0}""",
    };

    public static readonly ApiNotes Audit = new(
        "Who did what with personal data", "Newest first: what was done through this API, the dashboard and the command line, by which key; also the tokens and shared links that were made and revoked. `actorName` is what the actor's token is called. Nothing in the log itself is personal.",
        new ApiParameter("limit", "100 when left out, 1000 at most.", "100", Type: "integer"),
        new ApiParameter("before", "`nextBefore` of the page before.", null, Type: "integer"),
        new ApiParameter("leadId", "Only what concerned this lead."),
        new ApiParameter("action", "Only this.", null, Values: [.. Enum.GetValues<AuditAction>().Select(AuditLog.Text)]))
    {
        Errors = [Away],
        Example = """{"ok":true,"entries":[{"id":7,"at":"2026-02-13T10:00:00+00:00","actor":"admin key","actorName":null,"action":"person_erased","leadId":"019c5b2e-7d1a-7c8e-9b2f-7c1e5d1a4c8e","detail":{"receipt":"019c5b2e-7d1a-7c8e-9b2f-7c1e5d1a4c8e"}}],"nextBefore":null}""",
    };
}
