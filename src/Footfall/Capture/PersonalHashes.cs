using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Footfall.Hosting;
using Microsoft.Extensions.Options;

namespace Footfall.Capture;

/// <summary>The only form in which addresses and user agents are stored: HMAC-SHA256 under a pepper that never leaves this server.</summary>
public sealed class PersonalHashes
{
    /// <summary>Its name among the data folder's keys.</summary>
    internal const string SecretName = "ip-hash-pepper";

    private readonly byte[] pepper;
    private readonly byte[][] former;

    public PersonalHashes(byte[] pepper) : this(pepper, [])
    {
    }

    /// <param name="pepper">What hashes are made with.</param>
    /// <param name="former">What they were made with before.</param>
    internal PersonalHashes(byte[] pepper, IEnumerable<byte[]> former) => (this.pepper, this.former) = (pepper, [.. former]);

    internal static PersonalHashes Create(IOptions<CaptureOptions> options, DataFolder folder, TimeProvider clock)
    {
        var configured = options.Value.IpHashPepper;
        return new(
            string.IsNullOrEmpty(configured) ? folder.Secret(SecretName) : Encoding.UTF8.GetBytes(configured),
            [.. folder.FormerSecrets(SecretName, clock.GetUtcNow()).Select(f => f.Secret), .. options.Value.PreviousIpHashPeppers.Select(Encoding.UTF8.GetBytes)]);
    }

    /// <summary>32 bytes; the same for an IPv4 address and its IPv6 form.</summary>
    public byte[] OfAddress(IPAddress address) => OfText(Normalised(address).ToString());

    /// <summary>32 bytes.</summary>
    public byte[] OfUserAgent(string userAgent) => OfText(userAgent);

    /// <summary>32 bytes; of a normalised e-mail address, to know it again without keeping it.</summary>
    internal byte[] OfEmail(string normalized) => OfText($"email:{normalized}");

    /// <summary>All hashes that the address may be stored as: under this pepper and those of before.</summary>
    internal byte[][] EveryHashOfEmail(string normalized) => [OfEmail(normalized), .. former.Select(p => OfText(p, $"email:{normalized}"))];

    internal byte[] ImportDayKey(DateOnly day) => OfText($"import-day:{day:yyyy-MM-dd}");

    internal static IPAddress Normalised(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6) return address.MapToIPv4();
        return address.AddressFamily == AddressFamily.InterNetworkV6 && address.ScopeId != 0
            ? new IPAddress(address.GetAddressBytes())      // the zone (%eth0) is this machine's, not the visitor's
            : address;
    }

    private byte[] OfText(string text) => OfText(pepper, text);

    private static byte[] OfText(byte[] pepper, string text) => HMACSHA256.HashData(pepper, Encoding.UTF8.GetBytes(text));
}

/// <summary>The ids that are hashes; each kind of input has its own prefix, so that no two kinds can meet.</summary>
internal static class VisitorIds
{
    /// <summary>The same on every property of the server: first 128 bits of SHA-256("anon:" + anon id).</summary>
    public static Guid OfAnonId(string anonId)
    {
        Span<byte> input = stackalloc byte[5 + (128 * 4)];
        "anon:"u8.CopyTo(input);
        var n = 5 + Encoding.UTF8.GetBytes(anonId, input[5..]);
        return First128(SHA256.HashData(input[..n]));
    }

    /// <summary>Holds for one property and day only: HMAC-SHA256 under a key that is thrown away two days later.</summary>
    public static Guid Cookieless(byte[] dayKey, IPAddress? address, string? userAgent, string propertyId, DateOnly day)
    {
        using var hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, dayKey);
        Append(hash, address is null ? "" : PersonalHashes.Normalised(address).ToString());
        Append(hash, userAgent ?? "");
        Append(hash, propertyId);
        Append(hash, day.ToString("yyyy-MM-dd"));
        Span<byte> result = stackalloc byte[32];
        hash.GetHashAndReset(result);
        return First128(result);
    }

    /// <summary>The client's own key of an event.</summary>
    public static Guid DedupeKeyOfEventId(string eventId)
    {
        Span<byte> input = stackalloc byte[8 + (128 * 4)];
        "eventId:"u8.CopyTo(input);
        var n = 8 + Encoding.UTF8.GetBytes(eventId, input[8..]);
        return First128(SHA256.HashData(input[..n]));
    }

    /// <summary>The key of an event that has a client's time, and no id: what it says.</summary>
    public static Guid DedupeKeyOfContent(Guid visitorId, string eventType, string? path, DateTimeOffset timestamp, byte[]? props)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> numbers = stackalloc byte[24];
        hash.AppendData("content:"u8);
        visitorId.TryWriteBytes(numbers, bigEndian: true, out _);
        BinaryPrimitives.WriteInt64BigEndian(numbers[16..], timestamp.UtcTicks);
        hash.AppendData(numbers);
        Append(hash, eventType);
        Append(hash, path ?? "");
        if (props is not null) hash.AppendData(props);
        Span<byte> result = stackalloc byte[32];
        hash.GetHashAndReset(result);
        return First128(result);
    }

    /// <summary>With its length in front, so that "a" + "bc" is not "ab" + "c".</summary>
    private static void Append(IncrementalHash hash, string text)
    {
        Span<byte> buffer = text.Length <= 512 ? stackalloc byte[4 + (512 * 3)] : new byte[4 + (text.Length * 3)];
        var n = Encoding.UTF8.GetBytes(text, buffer[4..]);
        BinaryPrimitives.WriteInt32BigEndian(buffer, n);
        hash.AppendData(buffer[..(4 + n)]);
    }

    private static Guid First128(ReadOnlySpan<byte> hash) => new(hash[..16], bigEndian: true);
}
