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

    /// <summary>Its name among the data folder's keys.</summary>
    public const string SecretName = "lead-links";

    private readonly byte[] key;
    private readonly byte[][] former;

    public SignedLinks(IOptions<LeadsOptions> options, DataFolder folder, TimeProvider clock)
    {
        key = string.IsNullOrEmpty(options.Value.LinkKey) ? folder.Secret(SecretName) : Encoding.UTF8.GetBytes(options.Value.LinkKey);
        former = [.. folder.FormerSecrets(SecretName, clock.GetUtcNow()).Select(f => f.Secret), .. options.Value.PreviousLinkKeys.Select(Encoding.UTF8.GetBytes)];
    }

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
        Span<byte> token = stackalloc byte[TokenBytes];
        if (text is null || text.Length != Base64Url.GetEncodedLength(TokenBytes) || !Base64Url.TryDecodeFromChars(text, token, out var n) || n != TokenBytes) return null;
        if (!IsSigned(token, key) && !IsSignedBefore(token)) return null;
        if (token[0] != (byte)kind) return null;
        return (new Guid(token[1..17], bigEndian: true), BinaryPrimitives.ReadInt64BigEndian(token[17..25]));
    }

    private bool IsSignedBefore(ReadOnlySpan<byte> token)
    {
        foreach (var old in former)
        {
            if (IsSigned(token, old)) return true;
        }
        return false;
    }

    private static bool IsSigned(ReadOnlySpan<byte> token, byte[] key)
    {
        Span<byte> right = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(key, token[..SignedBytes], right);
        return CryptographicOperations.FixedTimeEquals(right, token[SignedBytes..]);
    }
}
