namespace Footfall.Capture;

/// <summary>What a link was tagged with: from the event's utm, else from the query of its path.</summary>
internal readonly record struct CampaignTags(string? Source, string? Medium, string? Campaign, string? Term, string? Content)
{
    public bool Any => (Source ?? Medium ?? Campaign ?? Term ?? Content) is not null;

    public static CampaignTags Of(EventRequest request, PagePath page)
    {
        var sent = new CampaignTags(request.UtmSource, request.UtmMedium, request.UtmCampaign, request.UtmTerm, request.UtmContent);
        if (sent.Any || page.Query is null || !page.Query.Contains("utm_", StringComparison.OrdinalIgnoreCase)) return sent;
        return new CampaignTags(page.Parameter("utm_source"), page.Parameter("utm_medium"), page.Parameter("utm_campaign"), page.Parameter("utm_term"), page.Parameter("utm_content"));
    }
}

/// <summary>Where a session came from: the first rule that fits. The rules and their order are those of docs/definitions.md.</summary>
internal static class TrafficSources
{
    public static TrafficSource Decide(CampaignTags tags, ClickId clickId, Referrer referrer, Property property, string? pageHost)
    {
        var medium = new TagWords(tags.Medium);
        var from = SourceHosts.KindOf(referrer);

        if (clickId == ClickId.Search) return TrafficSource.PaidSearch;
        if (clickId == ClickId.Social) return TrafficSource.Social;
        if (medium.IsPaid)
        {
            var social = medium.IsSocial || from == SourceKind.Social || SourceHosts.IsSocialName(tags.Source);
            return social ? TrafficSource.Social : TrafficSource.PaidSearch;
        }
        if (medium.IsEmail || from == SourceKind.WebMail) return TrafficSource.Email;
        if (medium.IsSocial || from == SourceKind.Social) return TrafficSource.Social;
        if (from == SourceKind.SearchEngine) return TrafficSource.OrganicSearch;
        if (tags.Any) return TrafficSource.Campaign;
        if (referrer.Unreadable) return TrafficSource.Unknown;
        if (referrer.Host is null) return TrafficSource.Direct;
        return property.Owns(referrer.Host) || IsSame(referrer.Host, pageHost) ? TrafficSource.Internal : TrafficSource.Referral;
    }

    private static bool IsSame(string host, string? pageHost) =>
        pageHost is not null && Property.WithoutWww(host).SequenceEqual(Property.WithoutWww(pageHost));

    /// <summary>A medium as people write it: <c>Paid-Social</c>, <c>paid_social</c> and <c>paidsocial</c> are one.</summary>
    private readonly ref struct TagWords(string? text)
    {
        private readonly string text = text?.Trim().ToLowerInvariant() ?? "";

        /// <summary>The cost-per-click family. Not everything with a "p": push and partner are not paid clicks.</summary>
        public bool IsPaid => HasWord("cpc", "ppc", "cpm", "cpa", "cpv", "cpp", "cpl", "sem", "adwords", "retargeting", "remarketing") || HasWordStarting("paid");

        public bool IsEmail => HasWord("email", "emails", "newsletter", "newsletters") || Joined("email", "mail", "mailing", "emailing");

        public bool IsSocial => HasWord("social", "sm") || Joined("social", "paidsocial", "organicsocial", "socialmedia", "socialnetwork", "socialpaid", "socialad", "socialads");

        private bool Joined(params ReadOnlySpan<string> names)
        {
            if (text.Length is 0 or > 32) return false;
            Span<char> letters = stackalloc char[text.Length];
            var n = 0;
            foreach (var c in text)
            {
                if (char.IsLetterOrDigit(c)) letters[n++] = c;
            }
            foreach (var name in names)
            {
                if (letters[..n].SequenceEqual(name)) return true;
            }
            return false;
        }

        private bool HasWord(params ReadOnlySpan<string> words)
        {
            foreach (var range in text.AsSpan().SplitAny(" -_./|+:"))
            {
                foreach (var word in words)
                {
                    if (text.AsSpan(range).SequenceEqual(word)) return true;
                }
            }
            return false;
        }

        private bool HasWordStarting(string start)
        {
            foreach (var range in text.AsSpan().SplitAny(" -_./|+:"))
            {
                if (text.AsSpan(range).StartsWith(start)) return true;
            }
            return false;
        }
    }
}
