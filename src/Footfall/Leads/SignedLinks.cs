using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Footfall.Hosting;
using Microsoft.Extensions.Options;

namespace Footfall.Leads;

/// <summary>
/// Tokens that this server gave out and knows again: in links that confirm or withdraw consent, and in forms. A token names a
/// row by its random id, never a person; for whom it is not signed here, it opens nothing. Compared in constant time.
/// </summary>
internal sealed class SignedLinks
{
    public const string UnsubscribePath = "/v1/leads/unsubscribe";
    public const string ConfirmPath = "/v1/leads/confirm";
    private const int SignedBytes = 1 + 16 + 8;
    private const int TokenBytes = SignedBytes + HMACSHA256.HashSizeInBytes;

    private readonly byte[] key;

    public SignedLinks(IOptions<LeadsOptions> options, DataFolder folder) =>
        key = string.IsNullOrEmpty(options.Value.LinkKey) ? folder.Secret("lead-links") : Encoding.UTF8.GetBytes(options.Value.LinkKey);

    private enum Kind : byte
    {
        Unsubscribe = 1,
        Confirm = 2,
        Form = 3,
        StopReport = 4,
    }

    /// <summary>Withdraws the lead's consent; holds for ever, as mail does.</summary>
    public string Unsubscribe(Guid leadId) => Make(Kind.Unsubscribe, leadId, 0);

    /// <summary>Confirms one request for consent.</summary>
    public string Confirm(Guid requestId, DateTimeOffset expires) => Make(Kind.Confirm, requestId, expires.ToUnixTimeMilliseconds());

    /// <summary>Tells when a form was shown.</summary>
    public string Form(DateTimeOffset shown) => Make(Kind.Form, Guid.Empty, shown.ToUnixTimeMilliseconds());

    /// <summary>Ends the mails to a recipient of reports; holds for ever, as mail does.</summary>
    public string StopReport(Guid recipientId) => Make(Kind.StopReport, recipientId, 0);

    public Guid? ReadStopReport(string? token) => Read(Kind.StopReport, token)?.Id;

    public Guid? ReadUnsubscribe(string? token) => Read(Kind.Unsubscribe, token)?.Id;

    /// <summary>Null also when it has expired.</summary>
    public Guid? ReadConfirm(string? token, DateTimeOffset now) =>
        Read(Kind.Confirm, token) is { } t && t.At > now.ToUnixTimeMilliseconds() ? t.Id : null;

    public DateTimeOffset? ReadForm(string? token) => Read(Kind.Form, token) is { } t ? DateTimeOffset.FromUnixTimeMilliseconds(t.At) : null;

    private string Make(Kind kind, Guid id, long at)
    {
        Span<byte> token = stackalloc byte[TokenBytes];
        token[0] = (byte)kind;
        id.TryWriteBytes(token[1..], bigEndian: true, out _);
        BinaryPrimitives.WriteInt64BigEndian(token[17..], at);
        HMACSHA256.HashData(key, token[..SignedBytes], token[SignedBytes..]);
        return Base64Url.EncodeToString(token);
    }

    private (Guid Id, long At)? Read(Kind kind, string? text)
    {
        Span<byte> token = stackalloc byte[TokenBytes], right = stackalloc byte[HMACSHA256.HashSizeInBytes];
        if (text is null || text.Length != Base64Url.GetEncodedLength(TokenBytes) || !Base64Url.TryDecodeFromChars(text, token, out var n) || n != TokenBytes) return null;
        HMACSHA256.HashData(key, token[..SignedBytes], right);
        if (!CryptographicOperations.FixedTimeEquals(right, token[SignedBytes..]) || token[0] != (byte)kind) return null;
        return (new Guid(token[1..17], bigEndian: true), BinaryPrimitives.ReadInt64BigEndian(token[17..25]));
    }
}
