using Footfall.Explore;
using Footfall.Hosting;

namespace Footfall.Metrics;

/// <summary>What the API's document says of funnels asked for on the spot, returning, ways, and questions as JSON.</summary>
internal static class WayTexts
{
    private static readonly ApiError Invalid = new(400, "invalid_parameter", "A member cannot be what it is; `parameter` names it.");
    private static readonly ApiError Unreadable = new(400, "invalid_json", "The body is no JSON object.");
    private static readonly ApiError TooLarge = new(413, "body_too_large", "More than 64 KiB.");
    private static readonly ApiError NoJson = new(415, "unsupported_media_type", "Send application/json.");
    private static readonly ApiError[] OfQuestions = [ApiTexts.NoProperty, ApiTexts.TooSlow, ApiTexts.TooMany, ApiTexts.Away];
    private static readonly ApiError[] OfBodies = [Invalid, Unreadable, TooLarge, NoJson, .. OfQuestions];

    private static ApiParameter Conditions(string name, string what) => new(name, $"{what}: a JSON array of conditions as in `filters`, which hold of one and the same event. Any event when left out.", """[{"dimension":"event_type","operator":"is","value":"signup"}]""");

    public static readonly ApiNotes Query = new(
        "Any question, as JSON",
        "The questions of breakdown (`dimension`), of timeseries (`interval`), or about the totals alone (neither), with the same members as their parameters; `window_days` is `windowDays`, and `metrics` and `filters` are arrays. For questions that are too long for an address.")
    {
        Request = (typeof(QueryRequest), """
            {"property":"shop","from":"2026-01-14","to":"2026-02-13","metrics":["visitors","sum:prop:revenue"],"dimension":"source","limit":10,
             "filters":[{"dimension":"goal","operator":"is","value":"order"}]}
            """),
        Csv = "As of breakdown and timeseries; of totals one row.",
        Errors = OfBodies,
        Example = """
            {"ok":true,"window":{"from":"2026-01-14","to":"2026-02-13"},"compareTo":null,"dimension":"source","interval":null,"metrics":["visitors","sum:prop:revenue"],
             "totals":{"visitors":{"value":61,"delta":null},"sum:prop:revenue":{"value":2913.5,"delta":null}},
             "rows":[{"value":"google.com","metrics":{"visitors":{"value":38,"delta":null},"sum:prop:revenue":{"value":1804.25,"delta":null}}}],
             "points":null,"comparisonPoints":null,"nextCursor":null,"engine":"sql","completeFrom":"2025-11-15"}
            """,
    };

    public static readonly ApiNotes Funnel = new(
        "A funnel on the spot",
        $"How many visitors go through 2 to {FunnelQuery.MostSteps} steps, one after the other, within `windowHours` (1 to {FunnelQuery.MostHours}, {FunnelQuery.UsualHours} when left out) of the first; how many drop off, and how long they take. "
        + "A step is an event: of an `eventType`, on a `path` (one that ends in `*` is a beginning), of a `goal`, with `props`, or with any `filters`; all that is named must hold of one event. "
        + "`by` groups by a dimension, `experiment` by the variants of an experiment; `filters` are about every event that is looked at. The first step is in the window, later ones may be behind it. "
        + $"At most {FunnelQuery.MostConditions} conditions in all. The unit is the visitor, and each counts once: /docs/definitions.md.")
    {
        Request = (typeof(FunnelRequest), """
            {"property":"shop","from":"2026-01-14","to":"2026-02-13","windowHours":48,"by":"device",
             "steps":[{"name":"product","path":"/products/*"},{"name":"cart","eventType":"add_to_cart"},{"name":"order","goal":"order"}],
             "filters":[{"dimension":"country","operator":"is","value":"DE"}]}
            """),
        Csv = "One row per group and step, all visitors first.",
        Errors = OfBodies,
        Example = """
            {"ok":true,"window":{"from":"2026-01-14","to":"2026-02-13"},"windowHours":48,"by":"device",
             "steps":[{"name":"product","index":1,"visitors":800,"fromPrevious":null,"fromFirst":1,"dropOff":null,"medianSeconds":null},
              {"name":"cart","index":2,"visitors":200,"fromPrevious":0.25,"fromFirst":0.25,"dropOff":600,"medianSeconds":94.5},
              {"name":"order","index":3,"visitors":61,"fromPrevious":0.305,"fromFirst":0.07625,"dropOff":139,"medianSeconds":310}],
             "groups":[{"value":"mobile","steps":[{"name":"product","index":1,"visitors":500,"fromPrevious":null,"fromFirst":1,"dropOff":null,"medianSeconds":null},
              {"name":"cart","index":2,"visitors":110,"fromPrevious":0.22,"fromFirst":0.22,"dropOff":390,"medianSeconds":88},
              {"name":"order","index":3,"visitors":22,"fromPrevious":0.2,"fromFirst":0.044,"dropOff":88,"medianSeconds":402.5}]}],
             "hasMoreGroups":false,"engine":"sql","completeFrom":"2025-11-15"}
            """,
    };

    public static readonly ApiNotes Retention = new(
        "Who comes back",
        $"A grid: visitors by the day, week (from Monday) or month of their first entry in the window, and of each cohort those who came back so many pieces later; at most {RetentionQuery.MostPieces} pieces. "
        + "Exact, and what is not over yet is marked `incomplete`.",
        ApiTexts.Property, ApiTexts.From, ApiTexts.To, ApiTexts.WindowDays, new ApiParameter("interval", "week when left out.", "week", Values: ["day", "week", "month"]),
        Conditions("entry", "What makes a visitor part of a cohort"), Conditions("return", "What counts as coming back"), ApiTexts.Filter, ApiTexts.Format, ApiTexts.Bom)
    {
        Csv = "One row per cohort: its start, its visitors, and those of each piece; empty behind the window.",
        Errors = OfQuestions,
        Example = """
            {"ok":true,"window":{"from":"2026-02-02","to":"2026-02-15"},"interval":"week",
             "cohorts":[{"start":"2026-02-02","visitors":400,"incomplete":false,"cells":[{"offset":0,"visitors":400,"share":1,"incomplete":false},{"offset":1,"visitors":90,"share":0.225,"incomplete":false}]},
              {"start":"2026-02-09","visitors":310,"incomplete":false,"cells":[{"offset":0,"visitors":310,"share":1,"incomplete":false}]}],
             "engine":"sql","completeFrom":"2025-11-15"}
            """,
    };

    public static readonly ApiNotes Journeys = new(
        "From page to page",
        $"Where people go from a page and where they come from, and the ways of up to {JourneyQuery.MostSteps} further pages from its first view in a session. The same page several times in a row counts once. Filters may be on facts of sessions only.",
        ApiTexts.Property, ApiTexts.From, ApiTexts.To, ApiTexts.WindowDays, new ApiParameter("path", "The page, as the dimension `path` has it.", "/pricing", IsRequired: true),
        new ApiParameter("steps", $"Further pages of paths, 1 to {JourneyQuery.MostSteps}; {JourneyQuery.UsualSteps} when left out.", "3", Type: "integer"), ApiTexts.Filter,
        new ApiParameter("limit", $"Rows of each list, 1 to {JourneyQuery.MostRows}; {JourneyQuery.UsualRows} when left out.", "10", Type: "integer"), ApiTexts.Format, ApiTexts.Bom)
    {
        Csv = "list (next, previous, path), path, views, sessions, share: the lists under one another.",
        Errors = OfQuestions,
        Example = """
            {"ok":true,"window":{"from":"2026-01-14","to":"2026-02-13"},"path":"/pricing","views":420,"sessions":400,
             "next":[{"path":"/signup","views":200,"sessions":198,"share":0.47619},{"path":null,"views":120,"sessions":120,"share":0.28571}],
             "previous":[{"path":"/","views":300,"sessions":290,"share":0.71429}],
             "paths":[{"pages":["/pricing","/signup","/welcome"],"ended":true,"sessions":150,"share":0.375}],"engine":"sql","completeFrom":"2025-11-15"}
            """,
    };
}
