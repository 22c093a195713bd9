using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Footfall.Capture;
using Microsoft.Extensions.Primitives;

namespace Footfall.Leads;

/// <summary>Which leads, as text: from a query string, or the body of POST /v1/leads/search.</summary>
internal sealed record LeadSearchBody
{
    public string? Search { get; init; }
    public string? Status { get; init; }
    public string? Source { get; init; }
    public string? From { get; init; }
    public string? To { get; init; }
    public string? DomainKind { get; init; }
    public bool? Mailable { get; init; }
    public string? Property { get; init; }
    public int? Limit { get; init; }
    public string? Cursor { get; init; }
}

/// <summary>What is wrong with which parameter.</summary>
internal sealed record LeadFilterProblem(string Parameter, string Message);

/// <summary>Which leads, checked. Newest first.</summary>
/// <param name="Search">Part of the address, lower case.</param>
/// <param name="From">First captured from the beginning of this day (UTC).</param>
/// <param name="To">To the end of this one.</param>
/// <param name="Free">True: addresses of free mail hosts; false: all others.</param>
/// <param name="Behind">Only leads behind this one.</param>
internal sealed record LeadFilter(
    string? Property, string? Search, ConsentStatus? Status, string? Source, DateOnly? From, DateOnly? To, bool? Free, bool Mailable, int Limit,
    (DateTimeOffset At, Guid Id)? Behind)
{
    public const int UsualLimit = 100;
    public const int MostAtOnce = 1_000;
    public const int MostAsCsv = 100_000;
    private const int LongestText = 254;

    /// <summary>What a lead's source can be.</summary>
    public static readonly string[] Sources = [.. Enum.GetValues<TrafficSource>().Select(Ingestion.Names.Of), "import"];

    /// <summary>The parameters of the query string.</summary>
    public static readonly string[] Names = ["search", "status", "source", "from", "to", "domainKind", "mailable", "property", "limit", "cursor", "format", "bom"];

    /// <summary>The text form of a query string. Unknown and repeated parameters are refused: a filter that is overlooked gives people who were not meant.</summary>
    public static (LeadSearchBody? Body, LeadFilterProblem? Problem) Read(IEnumerable<KeyValuePair<string, StringValues>> query)
    {
        var body = new LeadSearchBody();
        foreach (var (name, values) in query)
        {
            var text = values.Count == 1 ? values[0] : null;
            if (!Names.Contains(name)) return (null, new("query", $"There is a parameter that is not known here; there are {string.Join(", ", Names)}."));
            if (text is null) return (null, new(name, $"{name} is given {values.Count} times; give it once."));
            switch (name)
            {
                case "search" when text.Contains('@'): return (null, new(name, "An address does not belong in a URL, which is kept in logs and histories: send the search as the body of POST /v1/leads/search."));
                case "search": body = body with { Search = text }; break;
                case "status": body = body with { Status = text }; break;
                case "source": body = body with { Source = text }; break;
                case "from": body = body with { From = text }; break;
                case "to": body = body with { To = text }; break;
                case "domainKind": body = body with { DomainKind = text }; break;
                case "property": body = body with { Property = text }; break;
                case "cursor": body = body with { Cursor = text }; break;
                case "mailable":
                    if (text is not ("true" or "false")) return (null, new(name, "mailable must be true or false."));
                    body = body with { Mailable = text == "true" };
                    break;
                case "limit":
                    if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var limit)) return (null, new(name, $"limit must be a whole number from 1 to {MostAtOnce}."));
                    body = body with { Limit = limit };
                    break;
                default: break;   // the form of the answer, which AnswerForm reads
            }
        }
        return (body, null);
    }

    public static (LeadFilter? Filter, LeadFilterProblem? Problem) Of(LeadSearchBody body, bool asCsv)
    {
        foreach (var (name, text) in new[] { ("search", body.Search), ("source", body.Source), ("property", body.Property), ("cursor", body.Cursor) })
        {
            if (text is { Length: > LongestText } || text?.Any(c => char.IsControl(c) || char.IsSurrogate(c)) == true)
                return Problem(name, $"{name} may have at most {LongestText} characters, none of them a control character.");
        }
        if (body.Status is not null && ConsentNames.Status(body.Status) is null) return Problem("status", $"status must be one of {string.Join(", ", Enum.GetValues<ConsentStatus>().Select(s => s.Text()))}.");
        if (body.DomainKind is not (null or "free" or "business")) return Problem("domainKind", "domainKind must be free or business.");
        if (!TryDay(body.From, out var from)) return Problem("from", "from must be a day such as 2026-02-13.");
        if (!TryDay(body.To, out var to)) return Problem("to", "to must be a day such as 2026-02-13.");
        if (from > to) return Problem("from", "from must not be after to.");
        var most = asCsv ? MostAsCsv : MostAtOnce;
        if (body.Limit is < 1 || body.Limit > most) return Problem("limit", $"limit must be 1 to {most}.");
        var filter = new LeadFilter(
            body.Property, body.Search is { Length: > 0 } search ? search.ToLowerInvariant() : null, ConsentNames.Status(body.Status), body.Source is { Length: > 0 } source ? source : null,
            from, to, body.DomainKind is null ? null : body.DomainKind == "free", body.Mailable ?? false, body.Limit ?? (asCsv ? MostAsCsv : UsualLimit), null);
        if (string.IsNullOrEmpty(body.Cursor)) return (filter, null);
        return filter.Decode(body.Cursor) is { } behind ? (filter with { Behind = behind }, null) : Problem("cursor", "The cursor belongs to another question. Ask without it to begin anew.");
    }

    /// <summary>Where the next page begins: behind this lead, of this question only.</summary>
    public string CursorBehind(DateTimeOffset at, Guid id)
    {
        var bytes = new byte[32];
        BitConverter.TryWriteBytes(bytes, at.UtcTicks);
        id.TryWriteBytes(bytes.AsSpan(8));
        Fingerprint().CopyTo(bytes.AsSpan(24));
        return Base64Url.EncodeToString(bytes);
    }

    private (DateTimeOffset, Guid)? Decode(string cursor)
    {
        if (cursor.Length != 43 || !Base64Url.IsValid(cursor)) return null;
        var bytes = Base64Url.DecodeFromChars(cursor);
        var ticks = BitConverter.ToInt64(bytes);
        if (!bytes.AsSpan(24).SequenceEqual(Fingerprint()) || ticks < 0 || ticks > DateTimeOffset.MaxValue.UtcTicks) return null;
        return (new DateTimeOffset(ticks, TimeSpan.Zero), new Guid(bytes.AsSpan(8, 16)));
    }

    private byte[] Fingerprint() =>
        SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', Property, Search, Status, Source, From, To, Free, Mailable)))[..8];

    private static (LeadFilter?, LeadFilterProblem?) Problem(string parameter, string message) => (null, new(parameter, message));

    private static bool TryDay(string? text, out DateOnly? day)
    {
        day = null;
        if (string.IsNullOrEmpty(text)) return true;
        if (!DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var parsed) || parsed.Year is < 1970 or > 9000) return false;
        day = parsed;
        return true;
    }
}
