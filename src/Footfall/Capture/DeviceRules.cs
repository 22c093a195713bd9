namespace Footfall.Capture;

/// <summary>Device types from a user agent's words, in the order in which the words decide.</summary>
internal static class DeviceRules
{
    private static readonly string[] BotWords = ["spider", "crawl", "scraper", "headless", "phantomjs", "selenium", "puppeteer", "playwright", "lighthouse", "archiver", "httpclient", "http_request", "libwww", "python", "facebookexternalhit", "preview", "apachebench/", "wrk/", "k6/"];

    // Programs name themselves first: "curl/8.5.0".
    private static readonly string[] Programs = ["curl/", "wget/", "go-http-client/", "java/", "java-http-client/", "apache-httpclient/", "okhttp/", "axios/", "node-fetch", "node", "undici", "deno/", "bun/", "got ", "ruby", "php/", "guzzlehttp/", "perl", "libwww-perl/", "python-requests/", "python-httpx/", "python-urllib/", "python/", "reqwest/", "dart/", "postmanruntime/", "insomnia/", "httpie/"];

    private static readonly string[] Tablets = ["iPad", "Tablet;", "PlayBook", "Kindle", "Silk/", "SM-T", "Nexus 7", "Nexus 9", "Nexus 10", "Opera Tablet"];

    private static readonly string[] Televisions = ["SmartTV", "SMART-TV", "Smart-TV", "AppleTV", "Apple TV", "GoogleTV", "Android TV", "HbbTV", "Web0S", "BRAVIA", "CrKey", "Roku", "AFTB", "AFTS", "AFTT", "PlayStation", "Nintendo", "Xbox"];

    private static readonly string[] Mobiles = ["iPhone", "iPod", "Mobile", "Mobi/", "Windows Phone", "IEMobile", "BlackBerry", "BB10", "Opera Mini", "Opera Mobi", "webOS", "Symbian", "SymbOS", "Series60", "KAIOS", "J2ME", "MIDP", "UCWEB"];

    private static readonly string[] Desktops = ["Windows NT", "Windows 9", "Windows;", "Macintosh", "Mac OS X", "X11", "CrOS", "Linux x86_64", "Linux i686", "Linux;", "FreeBSD", "OpenBSD"];

    /// <summary>
    /// An HTTP client rather than a browser. One that fetched a page is a bot; one that calls the events API is a
    /// developer's server or terminal, about whose user's device it tells nothing.
    /// </summary>
    public static bool IsProgram(string agent)
    {
        foreach (var program in Programs)
        {
            if (agent.StartsWith(program, StringComparison.OrdinalIgnoreCase)) return !HasBotWord(agent);
        }
        return false;
    }

    /// <summary>A crawler, a monitor, or a driven browser, by its own words.</summary>
    public static bool SaysBot(string agent)
    {
        foreach (var word in BotWords)
        {
            if (agent.Contains(word, StringComparison.OrdinalIgnoreCase)) return true;
        }
        return HasBotWord(agent);
    }

    public static DeviceType DeviceOf(string agent)
    {
        if (Has(agent, Televisions)) return DeviceType.Unknown;
        if (Has(agent, Tablets)) return DeviceType.Tablet;
        // Chrome on Android says "Mobile" on a phone, and leaves it out on a tablet.
        if (agent.Contains("Android", StringComparison.Ordinal)) return agent.Contains("Mobile", StringComparison.Ordinal) ? DeviceType.Mobile : DeviceType.Tablet;
        if (Has(agent, Mobiles)) return DeviceType.Mobile;
        return Has(agent, Desktops) ? DeviceType.Desktop : DeviceType.Unknown;
    }

    /// <summary>"bot" at the end of a word (Googlebot, "bot;"), though not of "Cubot", which makes telephones.</summary>
    private static bool HasBotWord(string agent)
    {
        for (var at = 0; (at = agent.IndexOf("bot", at, StringComparison.OrdinalIgnoreCase)) >= 0; at += 3)
        {
            var endsWord = at + 3 == agent.Length || !char.IsLetter(agent[at + 3]);
            var cubot = at >= 2 && agent.AsSpan(at - 2, 2).Equals("cu", StringComparison.OrdinalIgnoreCase);
            if (endsWord && !cubot) return true;
        }
        return false;
    }

    private static bool Has(string agent, string[] words)
    {
        foreach (var word in words)
        {
            if (agent.Contains(word, StringComparison.Ordinal)) return true;
        }
        return false;
    }
}
