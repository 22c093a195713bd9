namespace Footfall.Capture;

internal enum SourceKind
{
    None,
    SearchEngine,
    Social,
    WebMail,

    /// <summary>A host of a search company that is no search: its links are plain referrals.</summary>
    Neither,
}

/// <summary>
/// Who sends visitors, by host. A host stands for its subdomains too, the longest entry wins. Companies with an address
/// per country are entered by their name, with what their subdomains are. AI assistants need no entry: they are referrals.
/// </summary>
internal static class SourceHosts
{
    private static readonly Dictionary<string, SourceKind> Hosts = Table(
        (SourceKind.SearchEngine, [
            "bing.com", "duckduckgo.com", "ecosia.org", "qwant.com", "startpage.com", "search.brave.com", "baidu.com", "sogou.com", "so.com", "sm.cn",
            "naver.com", "daum.net", "seznam.cz", "swisscows.com", "mojeek.com", "kagi.com", "you.com", "dogpile.com", "metager.org", "metager.de",
            "search.aol.com", "ask.com", "lycos.com", "gibiru.com", "searx.be", "search.marginalia.nu", "presearch.com", "petalsearch.com", "rambler.ru",
            "nova.rambler.ru", "go.mail.ru", "coccoc.com", "biglobe.ne.jp", "goo.ne.jp", "search.smt.docomo.ne.jp", "excite.com", "info.com", "webcrawler.com",
            "search.lilo.org", "ekoru.org", "karmasearch.org", "oceanhero.today", "search.walla.co.il", "sapo.pt", "virgilio.it", "yep.com", "wiby.me",
            "lite.duckduckgo.com", "search.xfinity.com", "cn.bing.com", "yandex.ru", "ya.ru", "android:com.google.android.googlequicksearchbox",
            "android:com.duckduckgo.mobile.android", "android:com.microsoft.bing", "android:com.yandex.searchapp", "android:ru.yandex.searchplugin"]),
        (SourceKind.Social, [
            "facebook.com", "fb.com", "fb.me", "messenger.com", "instagram.com", "threads.net", "threads.com", "x.com", "twitter.com", "t.co",
            "linkedin.com", "lnkd.in", "pinterest.com", "pin.it", "reddit.com", "redd.it", "out.reddit.com", "tiktok.com", "youtube.com", "youtu.be",
            "snapchat.com", "tumblr.com", "t.umblr.com", "mastodon.social", "mastodon.online", "mstdn.social", "fosstodon.org", "hachyderm.io", "bsky.app",
            "go.bsky.app", "vk.com", "vk.ru", "away.vk.com", "ok.ru", "weibo.com", "weibo.cn", "wechat.com", "weixin.qq.com", "qzone.qq.com", "douban.com",
            "zhihu.com", "xiaohongshu.com", "douyin.com", "bilibili.com", "line.me", "telegram.org", "t.me", "telegram.me", "whatsapp.com", "wa.me",
            "discord.com", "discord.gg", "quora.com", "news.ycombinator.com", "lobste.rs", "lemmy.world", "lemmy.ml", "vimeo.com", "twitch.tv", "flickr.com",
            "meetup.com", "nextdoor.com", "xing.com", "slideshare.net", "producthunt.com", "stumbleupon.com", "digg.com", "truthsocial.com",
            "gab.com", "disqus.com", "livejournal.com", "mixi.jp", "hatena.ne.jp", "kakao.com", "viadeo.com", "tagged.com",
            "android:com.facebook.katana", "android:com.facebook.lite", "android:com.facebook.orca", "android:com.instagram.android",
            "android:com.instagram.barcelona", "android:com.twitter.android", "android:com.linkedin.android", "android:com.pinterest",
            "android:com.reddit.frontpage", "android:com.zhiliaoapp.musically", "android:com.snapchat.android", "android:org.telegram.messenger",
            "android:com.whatsapp", "android:com.google.android.youtube", "android:com.vkontakte.android", "android:com.discord"]),
        (SourceKind.WebMail, [
            "mail.google.com", "gmail.com", "outlook.live.com", "outlook.office.com", "outlook.office365.com", "outlook.com", "hotmail.com",
            "mail.live.com", "mail.aol.com", "mail.proton.me", "mail.protonmail.com", "app.fastmail.com", "fastmail.com", "mail.zoho.com", "mail.zoho.eu",
            "app.tuta.com", "mail.tutanota.com", "icloud.com", "e.mail.ru", "mail.qq.com", "mail.163.com", "mail.126.com", "mail.yandex.ru", "navigator.gmx.net",
            "gmx.net", "gmx.com", "web.de", "mail.com", "posteo.de", "webmail.free.fr", "messagerie.orange.fr", "webmail.laposte.net", "email.seznam.cz",
            "mail.naver.com", "mail.daum.net", "webmail.strato.de", "hey.com", "app.hey.com", "superhuman.com", "mail.superhuman.com", "mail.libero.it",
            "android:com.google.android.gm", "android:com.microsoft.office.outlook", "android:com.yahoo.mobile.client.android.mail",
            "android:ch.protonmail.android"]),
        (SourceKind.Neither, [
            "blog.naver.com", "cafe.naver.com", "shopping.naver.com", "copilot.microsoft.com", "gemini.google.com", "blog.ecosia.org", "blog.mojeek.com",
            "help.kagi.com", "blog.kagi.com", "pan.baidu.com", "tieba.baidu.com", "baike.baidu.com", "webmaster.bing.com", "help.duckduckgo.com", "duck.ai"]));

    private static readonly Dictionary<string, SourceKind>.AlternateLookup<ReadOnlySpan<char>> Lookup = Hosts.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>Companies with a host per country (google.de, google.co.uk): what each subdomain is; "" is the bare name, "*" any other.</summary>
    private static readonly Dictionary<string, Dictionary<string, SourceKind>> Brands = new()
    {
        ["google"] = new() { [""] = SourceKind.SearchEngine, ["www"] = SourceKind.SearchEngine, ["m"] = SourceKind.SearchEngine, ["images"] = SourceKind.SearchEngine, ["cse"] = SourceKind.SearchEngine, ["search"] = SourceKind.SearchEngine, ["mail"] = SourceKind.WebMail, ["*"] = SourceKind.Neither },
        ["yahoo"] = new() { [""] = SourceKind.SearchEngine, ["www"] = SourceKind.SearchEngine, ["search"] = SourceKind.SearchEngine, ["mail"] = SourceKind.WebMail, ["*"] = SourceKind.Neither },
        ["yandex"] = new() { [""] = SourceKind.SearchEngine, ["www"] = SourceKind.SearchEngine, ["m"] = SourceKind.SearchEngine, ["mail"] = SourceKind.WebMail, ["*"] = SourceKind.Neither },
        ["pinterest"] = new() { ["*"] = SourceKind.Social },
        ["ask"] = new() { [""] = SourceKind.SearchEngine, ["www"] = SourceKind.SearchEngine, ["uk"] = SourceKind.SearchEngine, ["*"] = SourceKind.Neither },
    };

    private static readonly HashSet<string> SocialNames =
    [
        "facebook", "fb", "meta", "messenger", "instagram", "ig", "insta", "threads", "x", "twitter", "linkedin", "pinterest", "reddit", "tiktok",
        "youtube", "snapchat", "tumblr", "mastodon", "bluesky", "vk", "vkontakte", "ok", "weibo", "wechat", "telegram", "whatsapp", "discord", "quora",
        "twitch", "line", "social", "xing", "nextdoor",
    ];

    public static SourceKind KindOf(Referrer referrer) => referrer switch
    {
        { Host: null } => SourceKind.None,
        { IsApp: true } => Hosts.GetValueOrDefault("android:" + referrer.Host),
        _ => KindOf(referrer.Host),
    };

    private static SourceKind KindOf(string host)
    {
        var rest = host.AsSpan();
        while (true)
        {
            if (Lookup.TryGetValue(rest, out var kind)) return kind;
            var dot = rest.IndexOf('.');
            if (dot < 0) return OfBrand(host);
            rest = rest[(dot + 1)..];
        }
    }

    /// <summary>Whether a utm_source names a social network, by name or by host.</summary>
    public static bool IsSocialName(string? source)
    {
        if (source is null) return false;
        var name = source.Trim().ToLowerInvariant();
        if (SocialNames.Contains(name) || KindOf(name) == SourceKind.Social) return true;
        // facebook_ads, ig-stories: the first word names the network.
        var end = name.AsSpan().IndexOfAny(" -_/");
        return end > 1 && SocialNames.Contains(name[..end]);
    }

    private static SourceKind OfBrand(string host)
    {
        foreach (var (brand, subdomains) in Brands)
        {
            var at = host.IndexOf(brand + ".", StringComparison.Ordinal);
            if (at < 0 || (at > 0 && host[at - 1] != '.') || !IsCountryEnding(host.AsSpan(at + brand.Length + 1))) continue;
            var before = at == 0 ? "" : host[..(at - 1)];
            // de.search.yahoo.com: the part next to the name says what it is.
            var subdomain = before[(before.LastIndexOf('.') + 1)..];
            return subdomains.TryGetValue(subdomain, out var kind) ? kind : subdomains["*"];
        }
        return SourceKind.None;
    }

    /// <summary>com, de, co.uk, com.br, ne.jp ...</summary>
    private static bool IsCountryEnding(ReadOnlySpan<char> ending)
    {
        var dot = ending.IndexOf('.');
        if (dot < 0) return ending is "com" or "eu" or "cat" || ending.Length == 2;
        return ending[..dot] is "co" or "com" or "ne" or "or" && ending.Length == dot + 3 && ending[(dot + 1)..].IndexOf('.') < 0;
    }

    private static Dictionary<string, SourceKind> Table(params ReadOnlySpan<(SourceKind Kind, string[] Hosts)> groups)
    {
        Dictionary<string, SourceKind> table = [];
        foreach (var (kind, hosts) in groups)
        {
            foreach (var host in hosts) table.Add(host, kind);
        }
        return table;
    }
}
