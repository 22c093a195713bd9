using Footfall.Explore;
using Footfall.Hosting;

namespace Footfall.Metrics;

/// <summary>What the API's document says of this room's endpoints.</summary>
internal static class ApiTexts
{
    internal static readonly ApiParameter Property = new("property", "The property asked about. Left out: the token's own, else the default one. `propertyId` is the same.", "shop");
    internal static readonly ApiParameter From = new("from", "First day (UTC), `YYYY-MM-DD`. Without from and to: the last 30 days.", "2026-01-14");
    internal static readonly ApiParameter To = new("to", "Last day (UTC), itself included.", "2026-02-13");
    internal static readonly ApiParameter WindowDays = new("window_days", "Instead of from and to: the last N days, today included.", null, Type: "integer");
    internal static readonly ApiParameter CompareTo = new("compareTo", "`previous_period`, `previous_year` (364 days back), or the first day of a window of equal length.", "previous_period");
    internal static readonly ApiParameter Format = new("format", "Instead of the Accept header.", null, Values: ["json", "csv"]);
    internal static readonly ApiParameter Bom = new("bom", "CSV begins with a byte order mark, as Excel wants it.", null, Type: "boolean");
    internal static readonly ApiParameter Limit = new("limit", $"Rows of a page, 1 to {QueryReader.MaxLimit}; {QueryReader.UsualLimit} when left out.", "10", Type: "integer");
    internal static readonly ApiParameter Cursor = new("cursor", "The `nextCursor` of the page before, for the same question.");
    private static readonly ApiParameter Names = new("metrics", $"One or more of {string.Join(", ", Explore.Metrics.Names)}, separated by commas. Rows are ordered by the first.", "visitors,page_views,bounce_rate");

    internal static readonly ApiParameter Filter = new(
        "filters",
        $"A JSON array of conditions, at most {Filters.Most}, all of which must hold: `dimension`, `operator` (`is`, `is_not`, `contains`, `matches`, `any_of`), and `value` or `values` (texts, or null for none). "
        + "Conditions on facts of a session keep whole sessions, those on facts of an event (path, event_type, prop:KEY, goal) keep events.",
        """[{"dimension":"country","operator":"any_of","values":["DE","AT"]}]""");

    internal static readonly ApiError NoProperty = new(404, "property_not_found", "There is no property of this id yet; it appears with its first event.");
    internal static readonly ApiError TooSlow = new(503, "query_timeout", "The question reads more than it may in Explore:StatementTimeoutSeconds.");
    internal static readonly ApiError TooMany = new(503, "too_many_queries", "As many questions as may be are before this one; see Retry-After.");
    internal static readonly ApiError Away = new(503, "temporarily_unavailable", "The database does not answer; see Retry-After.");

    public static readonly ApiNotes Summary = new(
        "The figures of a window", "Totals, ratios, traffic sources and a trend of one property. Formulas: /docs/definitions.md. With `window_days` it is answered without a key for a property whose summary is public, and then with totals only.",
        From, To, WindowDays, new ApiParameter("propertyId", "The default property when left out.", "shop"), CompareTo)
    {
        Example = """
            {"ok":true,"window":{"from":"2026-02-12","to":"2026-02-13"},"compareTo":{"from":"2026-02-10","to":"2026-02-11"},
             "freshness":{"rolledUpThrough":"2026-02-12","lagDays":1,"generatedAt":"2026-02-13T04:00:00+00:00"},
             "metrics":{"uniqueVisitors":{"value":290,"delta":0.12},"returningVisitorsPct":{"value":0.31,"delta":0.02},"totalPageViews":{"value":1204,"delta":0.08},
              "leadCaptureRate":{"value":0.023,"delta":-0.1},"formCompletionRate":{"value":0.4,"delta":0},"landingPageConversionRate":{"value":0.05,"delta":null},
              "avgTimeToFirstCaptureHrs":{"value":31.5,"delta":null},"bounceRate":{"value":0.41,"delta":-0.02},"avgVisitDurationSec":{"value":96.5,"delta":0.01},
              "sessions":{"value":377,"delta":0.09},"trafficSourceMix":{"direct":0.45,"organic_search":0.55}},
             "ingest":{"successPct":0.997,"p95TtfbMs":42,"totalEventsAccepted":1804,"totalEventsRejected":5},
             "trend":[{"day":"2026-02-12","uniqueVisitors":180,"pageViews":702,"newLeads":4},{"day":"2026-02-13","uniqueVisitors":131,"pageViews":502,"newLeads":3}]}
            """,
        Errors = [NoProperty, Away],
    };

    public static readonly ApiNotes Daily = new(
        "Day by day", "The rolled-up figures of each day, however old the raw events. Unique visitors of days do not add up to those of a window.", Property, From, To, WindowDays, Format, Bom)
    {
        Csv = "One row per day.",
        Errors = [NoProperty, Away],
        Example = """
            {"ok":true,"window":{"from":"2026-02-12","to":"2026-02-12"},"freshness":{"rolledUpThrough":"2026-02-12","lagDays":1,"generatedAt":"2026-02-13T04:00:00+00:00"},
             "days":[{"day":"2026-02-12","uniqueVisitors":180,"returningVisitors":52,"pageViews":702,"entrances":221,"exits":219,"conversions":9,"events":1310,"formStarts":14,"formSubmits":6,
              "sessions":223,"bounces":91,"bounceRate":0.40807,"avgVisitDurationSec":96.5,"convertedSessions":9,"newLeads":4,"leadCaptureRate":0.0222,"sessionsBySource":{"direct":101,"organic_search":122},
              "eventsAccepted":1340,"eventsDuplicate":11,"eventsBot":30,"eventsDropped":0,"eventsRejected":2,"p95TtfbMs":42}],
             "product":{"days":[{"day":"2026-02-12","dau":174,"newUsers":61,"sessionsSubmitted":40,"loggingRate24h":0.35,"ingestionLagP50Ms":120,"ingestionLagP95Ms":900,"eventVolumeByName":{"page_view":702,"app_opened":110}}],
              "window":{"activeUsers":174,"newUsers":61,"sessionsSubmitted":40,"loggingRate24h":0.35,"generatedAt":"2026-02-13T04:00:00+00:00"}}}
            """,
    };

    public static readonly ApiNotes Breakdown = new(
        "By a dimension",
        "Visitors, sessions and the rest by the values of a dimension, with filters, from raw events. Stable pages: `nextCursor`, also in the Link header.",
        Property, From, To, WindowDays, new ApiParameter("dimension", $"One of {string.Join(", ", Dimension.GroupNames)}.", "path", IsRequired: true), Names, Filter, CompareTo, Limit, Cursor, Format, Bom)
    {
        Csv = "The dimension's value, then each metric, with compareTo each followed by its delta.",
        Errors = [NoProperty, TooSlow, TooMany, Away],
        Example = """
            {"ok":true,"window":{"from":"2026-01-14","to":"2026-02-13"},"compareTo":null,"dimension":"path","metrics":["visitors","page_views"],
             "totals":{"visitors":{"value":1420,"delta":null},"page_views":{"value":5802,"delta":null}},
             "rows":[{"value":"/pricing","metrics":{"visitors":{"value":811,"delta":null},"page_views":{"value":1203,"delta":null}}}],
             "nextCursor":null,"engine":"sql","completeFrom":"2025-11-15"}
            """,
    };

    public static readonly ApiNotes Timeseries = new(
        "Over time", $"The metrics of each hour, day, week (from Monday) or month, zeros included, at most {QueryReader.MostPieces} of them.",
        Property, From, To, WindowDays, new ApiParameter("interval", "Hours for up to two days, else days, when left out.", "day", Values: ["hour", "day", "week", "month"]), Names, Filter, CompareTo, Format, Bom)
    {
        Csv = "The piece's start, then each metric, with compareTo each followed by its delta.",
        Errors = [NoProperty, TooSlow, TooMany, Away],
        Example = """
            {"ok":true,"window":{"from":"2026-02-12","to":"2026-02-13"},"compareTo":null,"interval":"day","metrics":["visitors"],"totals":{"visitors":{"value":290,"delta":null}},
             "points":[{"start":"2026-02-12","metrics":{"visitors":{"value":180,"delta":null}}},{"start":"2026-02-13","metrics":{"visitors":{"value":131,"delta":null}}}],
             "comparisonPoints":null,"engine":"sql","completeFrom":"2025-11-15"}
            """,
    };

    public static readonly ApiNotes Realtime = new(
        "Now", "Visitors of the last five minutes, where they are and came from; page views of each of the last thirty minutes.", Property, Format, Bom)
    {
        Csv = "figure, value, count: all lists under one another.",
        Errors = [NoProperty, TooSlow, TooMany, Away],
        Example = """
            {"ok":true,"visitors":3,"pageViewsPerMinute":[{"minute":"2026-02-13T09:59:00+00:00","pageViews":4}],"pages":[{"value":"/pricing","visitors":2}],"sources":[{"value":"google.com","visitors":3}]}
            """,
    };

    public static readonly ApiNotes Vitals = new(
        "Web vitals", "The 50th, 75th and 95th percentile of what browsers measured, by page and device, exact over the raw values, with the thresholds of web.dev.",
        Property, From, To, WindowDays, new ApiParameter("path", "Only this page.", "/pricing"), new ApiParameter("device", "Only this kind of device.", null, Values: ["desktop", "mobile", "tablet", "unknown"]), Limit, Cursor, Format, Bom)
    {
        Csv = "path, device, samples, then the percentiles, samples and rating of each measurement.",
        Errors = [NoProperty, TooSlow, TooMany, Away],
        Example = """
            {"ok":true,"window":{"from":"2026-01-14","to":"2026-02-13"},"thresholds":{"lcp":{"good":2500,"poor":4000}},
             "overall":{"path":null,"device":null,"samples":320,"vitals":{"lcp":{"p50":1210,"p75":1840,"p95":3900,"samples":318,"rating":"good"}}},
             "rows":[{"path":"/pricing","device":"mobile","samples":97,"vitals":{"lcp":{"p50":1720,"p75":2610,"p95":5200,"samples":97,"rating":"needs_improvement"}}}],"nextCursor":null,"completeFrom":"2025-11-15"}
            """,
    };

    public static readonly ApiNotes Experiments = new(
        "Experiments", "Day rows of experiments by day of assignment; for the one that is named also its analysis: rates, lift with a 95 % interval, p-values, probability to be best, sample ratio.",
        Property, From, To, WindowDays, new ApiParameter("experiment_id", "Only this one, and its analysis.", "new-onboarding"), Format, Bom)
    {
        Csv = "The day rows.",
        Errors = [NoProperty, Away],
        Example = """
            {"ok":true,"window":{"from":"2026-03-02","to":"2026-03-02"},
             "days":[{"day":"2026-03-02","experimentId":"button","variantId":"blue","metricName":"users_assigned","value":100},{"day":"2026-03-02","experimentId":"button","variantId":"blue","metricName":"users_converted","value":12}],
             "analysis":{
              "definition":{"propertyId":"shop","id":"button","name":"Button","variants":[{"id":"red","weight":1},{"id":"blue","weight":1}],"control":"red","metricEvent":"purchase","metricHours":48,"startsOn":"2026-03-01","endsOn":null},
              "counted":{"from":"2026-03-01","to":"2026-03-10","days":10},
              "variants":[
               {"id":"red","isControl":true,"users":1000,"converted":100,"rate":0.1,"lift":null,"difference":null,"pValue":null,"sequentialPValue":null,"probabilityToBeBest":0.076,"expectedLoss":0.0205,
                "activeD1":410,"sessionsSubmittedD7":1650,"loggingRate24h":0.24,"contaminated":3,"expectedShare":0.5},
               {"id":"blue","isControl":false,"users":1000,"converted":120,"rate":0.12,"lift":{"value":0.2,"low":-0.0659,"high":0.5416},"difference":{"value":0.02,"low":-0.0074,"high":0.0474},"pValue":0.1529,"sequentialPValue":0.939,
                "probabilityToBeBest":0.924,"expectedLoss":0.0005,"activeD1":433,"sessionsSubmittedD7":1702,"loggingRate24h":0.25,"contaminated":4,"expectedShare":0.5}],
              "sampleRatio":{"pValue":1,"mismatch":false},"contaminatedUsers":7,"unknownVariants":0,"generatedAt":"2026-03-11T04:00:00+00:00"}}
            """,
    };

    public static readonly ApiNotes Funnels = new(
        "Funnels", "Users per step, overall and per variant of each experiment: the window's sums and the day rows.",
        Property, From, To, WindowDays, new ApiParameter("funnel_name", "Only this one.", "core_journey"), Format, Bom)
    {
        Csv = "The day rows.",
        Errors = [NoProperty, Away],
        Example = """
            {"ok":true,"window":{"from":"2026-03-02","to":"2026-03-02"},
             "funnels":[{"name":"checkout","experimentId":"","variantId":"","generatedAt":"2026-03-03T04:00:00+00:00",
              "steps":[{"name":"cart","index":1,"users":200,"fromPrevious":null,"fromFirst":1},{"name":"pay","index":2,"users":50,"fromPrevious":0.25,"fromFirst":0.25}]}],
             "days":[{"day":"2026-03-02","funnelName":"checkout","stepName":"cart","stepIndex":1,"experimentId":"","variantId":"","users":200},
              {"day":"2026-03-02","funnelName":"checkout","stepName":"pay","stepIndex":2,"experimentId":"","variantId":"","users":50}]}
            """,
    };

    private static readonly ApiParameter EntityType = new("entity_type", "As events have it in entityType.", "profile", IsRequired: true);
    private static readonly ApiParameter EntityId = new("entity_id", "As events have it in entityId.", "42", IsRequired: true);
    private static readonly ApiParameter DateFrom = new("date_from", "First day (UTC). Without both: the last 30 days.", "2026-01-14");
    private static readonly ApiParameter DateTo = new("date_to", "Last day (UTC), itself included.", "2026-02-13");

    public static readonly ApiNotes EntitySeries = new(
        "Views of an entity over time", "Needs a token of plan pro. Unique visitors of weeks (from Monday) and months are exact, not sums of days. Pieces of time without a view are left out.",
        EntityType, EntityId, DateFrom, DateTo, WindowDays, new ApiParameter("period", "daily when left out.", "daily", Values: ["hourly", "daily", "weekly", "monthly"]), Property, Format, Bom)
    {
        Csv = "One row per piece of time.",
        Errors = [NoProperty, Away],
        Example = """
            {"ok":true,"entity_type":"profile","entity_id":"42","date_from":"2026-03-02","date_to":"2026-03-08","period":"weekly",
             "points":[{"start":"2026-03-02T00:00:00+00:00","total_views":31,"unique_visitors":12,"unique_accounts":5,"anonymous_visitors":7,"avg_time_on_page":14.2,"bounce_rate":33.33}]}
            """,
    };

    public static readonly ApiNotes EntityVisitors = new(
        "Visitors of an entity", $"Needs a token of plan pro. The latest first, each with up to {EntitiesReader.MostVisits} of the newest visits. Stable pages: `next_cursor`, also in the Link header.",
        EntityType, EntityId, DateFrom, DateTo, WindowDays, new ApiParameter("search", "Part of an account's id, username or display name, in any letter case."), Limit, Cursor, Property, Format, Bom)
    {
        Csv = "One row per visitor, without the single visits.",
        Errors = [NoProperty, Away],
        Example = """
            {"ok":true,"entity_type":"profile","entity_id":"42","date_from":"2026-03-02","date_to":"2026-03-08",
             "visitors":[{"account_id":"7","username":"ann","display_name":"Ann B.","visit_count":2,"first_visit":"2026-03-02T10:00:00+00:00","last_visit":"2026-03-04T10:00:00+00:00","avg_time_on_page":4,"days_visited":2,
              "visits":[{"viewed_at":"2026-03-04T10:00:00+00:00","referrer_url":null},{"viewed_at":"2026-03-02T10:00:00+00:00","referrer_url":"https://example.org/"}]}],"next_cursor":null}
            """,
    };

    public static readonly ApiNotes Healthz = new("Alive", "The process runs.") { Example = """{"ok":true,"status":"ok","problems":[]}""" };

    public static readonly ApiNotes Readyz = new("Ready", "Database, journal, ingestion and jobs do their work; else 503 with a sentence for each problem. Capture goes on while the database is away.")
    {
        Example = """{"ok":true,"status":"ok","problems":[]}""",
    };
}
