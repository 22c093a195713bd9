using System.Collections.Frozen;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace Footfall.Cli.Import;

/// <summary>Why a line of a log is no page view. The order is the one of the summary.</summary>
internal enum Skip
{
    None,
    NotAGet,
    NotAnswered,
    Unreadable,
    NoAddress,
    Image,
    Style,
    Script,
    Font,
    Feed,
    Media,
    Archive,
    Data,
    SiteFile,
}

/// <summary>Decides which requests were page views, and reads from them what an event needs.</summary>
internal static class PageViews
{
    private static readonly FrozenDictionary<string, Skip> Extensions = new (Skip Why, string Names)[]
    {
        (Skip.Image, "png jpg jpeg gif webp avif svg svgz ico bmp tif tiff heic heif jxl apng cur psd"),
        (Skip.Style, "css less scss sass"),
        (Skip.Script, "js mjs cjs map wasm ts vue jsx tsx swf"),
        (Skip.Font, "woff woff2 ttf otf eot"),
        (Skip.Feed, "rss atom rdf"),
        (Skip.Media, "mp3 mp4 m4a m4v m4s m3u8 webm ogg ogv oga opus wav flac avi mov mkv mpg mpeg wmv flv vtt srt"),
        (Skip.Archive, "zip gz tgz bz2 xz zst 7z rar tar deb rpm apk dmg iso img exe msi pkg jar war gem whl nupkg bin pdf doc docx xls xlsx ppt pptx odt ods odp epub mobi"),
        (Skip.Data, "json jsonl xml xsl xsd csv tsv yaml yml webmanifest appcache ics vcf sql log bak"),
    }.SelectMany(g => g.Names.Split(' ').Select(n => KeyValuePair.Create(n, g.Why))).ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    private static readonly FrozenSet<string> SiteFiles = new[]
    {
        "robots.txt", "ads.txt", "app-ads.txt", "humans.txt", "security.txt", "llms.txt", "llms-full.txt", "crossdomain.xml", "browserconfig.xml",
        "favicon.ico", "sw.js", "service-worker.js", "manifest.json", "site.webmanifest", "opensearch.xml",
    }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    private static readonly FrozenSet<string> FeedFiles = new[] { "feed", "rss", "atom", "feed.xml", "rss.xml", "atom.xml", "index.rdf", "feed.json" }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);
    private static readonly FrozenSet<string> FeedKeys = new[] { "feed", "flav", "flavor", "flavour", "format", "type" }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    /// <summary>What the summary calls the reason.</summary>
    public static string Name(Skip why) => why switch
    {
        Skip.None => "page view",
        Skip.NotAGet => "not a GET",
        Skip.NotAnswered => "not answered 200 or 304",
        Skip.Unreadable => "no path asked for",
        Skip.NoAddress => "no client address",
        Skip.Image => "image",
        Skip.Style => "style sheet",
        Skip.Script => "script",
        Skip.Font => "font",
        Skip.Feed => "feed",
        Skip.Media => "audio or video",
        Skip.Archive => "download",
        Skip.Data => "data file",
        Skip.SiteFile => "robots.txt, sitemap, favicon, .well-known",
        _ => throw new ArgumentOutOfRangeException(nameof(why), why, null),
    };

    public static Skip Judge(in AccessLogLine line)
    {
        if (line.Method.IsEmpty) return Skip.Unreadable;
        if (!line.Method.SequenceEqual("GET"u8)) return Skip.NotAGet;
        if (line.Status is not (200 or 304)) return Skip.NotAnswered;
        if (line.Address.IsEmpty) return Skip.NoAddress;
        var target = Local(line.Target);
        return target is [(byte)'/', ..] ? JudgeTarget(target) : Skip.Unreadable;
    }

    /// <summary>The path and query asked for, as a browser would show it: bytes that a URL may not hold are percent-encoded.</summary>
    public static string Target(ReadOnlySpan<byte> target) => Url(Local(target));

    /// <summary>A referrer as a browser would have sent it.</summary>
    public static string Url(ReadOnlySpan<byte> url)
    {
        if (!url.ContainsAnyExceptInRange((byte)0x21, (byte)0x7E)) return Encoding.ASCII.GetString(url);
        var text = new StringBuilder(url.Length + 16);
        foreach (var b in url)
        {
            if (b is >= 0x21 and <= 0x7E) text.Append((char)b);
            else text.Append('%').Append(b.ToString("X2", CultureInfo.InvariantCulture));
        }
        return text.ToString();
    }

    /// <summary>
    /// The client's address. A log with names instead of addresses (HostnameLookups) tells visitors apart as well:
    /// each name stands for one address of the private range fd00::/8, of which no country is known.
    /// </summary>
    public static IPAddress Address(ReadOnlySpan<byte> text)
    {
        if (IPAddress.TryParse(Encoding.UTF8.GetString(text), out var address))
            return address is { AddressFamily: AddressFamily.InterNetworkV6, IsIPv4MappedToIPv6: true } ? address.MapToIPv4() : address;
        var bytes = SHA256.HashData(text)[..16];
        bytes[0] = 0xFD;
        return new IPAddress(bytes);
    }

    // A request through a proxy names the whole URL.
    private static ReadOnlySpan<byte> Local(ReadOnlySpan<byte> target)
    {
        if (target is [(byte)'/', ..]) return target;
        var scheme = target.IndexOf("://"u8);
        if (scheme is not (4 or 5) || !target.StartsWith("http"u8)) return default;
        var rest = target[(scheme + 3)..];
        var slash = rest.IndexOf((byte)'/');
        return slash < 0 ? "/"u8 : rest[slash..];
    }

    private static Skip JudgeTarget(ReadOnlySpan<byte> target)
    {
        var cut = target.IndexOfAny((byte)'?', (byte)'#');
        var path = cut < 0 ? target : target[..cut];
        if (path.StartsWith("/.well-known/"u8)) return Skip.SiteFile;

        var whole = path.TrimEnd((byte)'/');
        Span<char> chars = stackalloc char[64];
        var name = Lower(whole[(whole.LastIndexOf((byte)'/') + 1)..], chars);
        if (SiteFiles.GetAlternateLookup<ReadOnlySpan<char>>().Contains(name) || IsSitemap(name) || name.StartsWith("favicon") || name.StartsWith("apple-touch-icon")) return Skip.SiteFile;
        if (FeedFiles.GetAlternateLookup<ReadOnlySpan<char>>().Contains(name)) return Skip.Feed;
        var dot = name.LastIndexOf('.');
        if (dot >= 0 && path.Length == whole.Length && Extensions.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(name[(dot + 1)..], out var why)) return why;
        return cut >= 0 && target[cut] == '?' && AsksForFeed(target[(cut + 1)..]) ? Skip.Feed : Skip.None;
    }

    private static bool IsSitemap(ReadOnlySpan<char> name) =>
        name.StartsWith("sitemap") && (name.EndsWith(".xml") || name.EndsWith(".xml.gz") || name.EndsWith(".txt"));

    // WordPress: ?feed=rss2; Blosxom: ?flav=rss20; others: ?format=rss, ?type=atom.
    private static bool AsksForFeed(ReadOnlySpan<byte> query)
    {
        Span<char> chars = stackalloc char[64];
        foreach (var range in query.Split((byte)'&'))
        {
            var pair = query[range];
            var equals = pair.IndexOf((byte)'=');
            if (equals <= 0 || !FeedKeys.GetAlternateLookup<ReadOnlySpan<char>>().Contains(Lower(pair[..equals], chars))) continue;
            var value = Lower(pair[(equals + 1)..], chars);
            if (value.StartsWith("rss") || value.StartsWith("atom") || value.StartsWith("rdf") || value is "feed") return true;
        }
        return false;
    }

    // Of a longer text its end, which is where the extension is.
    private static ReadOnlySpan<char> Lower(ReadOnlySpan<byte> text, Span<char> chars)
    {
        if (text.Length > chars.Length) text = text[^chars.Length..];
        for (var i = 0; i < text.Length; i++) chars[i] = char.ToLowerInvariant((char)text[i]);
        return chars[..text.Length];
    }
}
