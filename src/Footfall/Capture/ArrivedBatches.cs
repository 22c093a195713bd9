using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.WebUtilities;

namespace Footfall.Capture;

/// <summary>
/// The keys under which batches arrived lately. A page that goes away sends its last events by a beacon and sees no answer;
/// the next page asks for the key (<c>arrived=</c>) and sends again only what is not known here. What a server forgot, by a
/// restart or for want of room, is sent twice and counted once.
/// </summary>
internal sealed class ArrivedBatches
{
    /// <summary>A minute of a thousand page leaves a second; about 4 MB.</summary>
    public const int Kept = 65_536;

    private readonly Lock gate = new();
    private readonly HashSet<Guid> known = [];
    private readonly Queue<Guid> oldestFirst = [];

    public void Add(string key)
    {
        var id = IdOf(key);
        lock (gate)
        {
            if (!known.Add(id)) return;
            oldestFirst.Enqueue(id);
            if (oldestFirst.Count > Kept) known.Remove(oldestFirst.Dequeue());
        }
    }

    public bool Has(string key)
    {
        var id = IdOf(key);
        lock (gate) return known.Contains(id);
    }

    // Keys are of any length: what is kept of them is not.
    private static Guid IdOf(string key) => new(SHA256.HashData(Encoding.UTF8.GetBytes(key)).AsSpan(0, 16));
}

/// <summary>What the address of POST /v1/events says of batches: <c>?batch=KEY&amp;arrived=KEY,KEY</c>. A key that is none is ignored.</summary>
internal readonly record struct BatchKeys(string? Batch, string[] Asked)
{
    private const int ShortestKey = 16;
    private const int LongestKey = 64;
    private const int MostAsked = 40;

    public static BatchKeys Of(HttpRequest request)
    {
        string? batch = null;
        string[] asked = [];
        foreach (var pair in new QueryStringEnumerable(request.QueryString.Value))
        {
            if (pair.EncodedName.Span.SequenceEqual("batch")) batch = pair.DecodeValue().ToString();
            else if (pair.EncodedName.Span.SequenceEqual("arrived")) asked = pair.DecodeValue().ToString().Split(',', MostAsked + 1, StringSplitOptions.RemoveEmptyEntries);
        }
        return new BatchKeys(batch is not null && IsKey(batch) ? batch : null, [.. asked.Take(MostAsked).Where(IsKey)]);
    }

    // The answer repeats keys in a header: nothing that could end one.
    private static bool IsKey(string text) => text.Length is >= ShortestKey and <= LongestKey && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_');
}
