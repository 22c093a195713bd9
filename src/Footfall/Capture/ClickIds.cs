namespace Footfall.Capture;

/// <summary>What the presence of an advertiser's click id says.</summary>
internal enum ClickId
{
    None,

    /// <summary>An advertisement of a search engine or its network was clicked.</summary>
    Search,

    /// <summary>A link on a social network was.</summary>
    Social,

    /// <summary>Follows a person, and says nothing of the source.</summary>
    Other,
}

/// <summary>Query parameters that name one click of one person. Their presence decides the source; their values are never kept.</summary>
internal static class ClickIds
{
    private static readonly Dictionary<string, ClickId> Names = new(StringComparer.OrdinalIgnoreCase)
    {
        // Search advertising
        ["gclid"] = ClickId.Search,         // Google Ads
        ["gbraid"] = ClickId.Search,        // the same, from iOS
        ["wbraid"] = ClickId.Search,
        ["gclsrc"] = ClickId.Search,
        ["gad_source"] = ClickId.Search,
        ["gad_campaignid"] = ClickId.Search,
        ["dclid"] = ClickId.Search,         // Google Marketing Platform
        ["msclkid"] = ClickId.Search,       // Microsoft Advertising
        ["yclid"] = ClickId.Search,         // Yandex Direct
        ["ysclid"] = ClickId.Other,         // Yandex, organic as well
        ["srsltid"] = ClickId.Other,        // Google Merchant Center, organic as well

        // Social networks: on their advertisements and on plain links alike
        ["fbclid"] = ClickId.Social,
        ["igsh"] = ClickId.Social,
        ["igshid"] = ClickId.Social,
        ["twclid"] = ClickId.Social,
        ["ttclid"] = ClickId.Social,
        ["li_fat_id"] = ClickId.Social,
        ["ScCid"] = ClickId.Social,         // Snapchat
        ["rdt_cid"] = ClickId.Social,       // Reddit
        ["epik"] = ClickId.Social,          // Pinterest
        ["vkclid"] = ClickId.Social,
        ["qclid"] = ClickId.Social,         // Quora

        // Mailings and analytics: name a person, not a source
        ["mc_eid"] = ClickId.Other,
        ["_hsenc"] = ClickId.Other,
        ["_hsmi"] = ClickId.Other,
        ["mkt_tok"] = ClickId.Other,
        ["vero_id"] = ClickId.Other,
        ["_kx"] = ClickId.Other,
        ["oly_anon_id"] = ClickId.Other,
        ["oly_enc_id"] = ClickId.Other,
        ["wickedid"] = ClickId.Other,
        ["irclickid"] = ClickId.Other,
        ["_openstat"] = ClickId.Other,
        ["_ga"] = ClickId.Other,
        ["_gl"] = ClickId.Other,
    };

    private static readonly Dictionary<string, ClickId>.AlternateLookup<ReadOnlySpan<char>> Lookup = Names.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>False when the parameter is none.</summary>
    public static bool TryFind(ReadOnlySpan<char> parameter, out ClickId kind) => Lookup.TryGetValue(parameter, out kind);
}
