using Footfall.Hosting;

namespace Footfall.Definitions;

/// <summary>What the API's document says of this room's endpoints.</summary>
internal static class DefinitionTexts
{
    private const string ExperimentExample = """
        {"id":"button","propertyId":"shop","name":"Button","variants":[{"id":"red","weight":1},{"id":"blue","weight":1}],"control":"red",
         "metric":{"eventType":"purchase","withinHours":48},"start":"2026-03-01","end":"2026-03-31"}
        """;

    private const string FunnelExample = """
        {"name":"checkout","propertyId":"shop","windowHours":24,
         "steps":[{"name":"cart","eventTypes":["page_view"],"path":"/cart*"},{"name":"pay","eventTypes":["purchase"],"props":{"plan":"pro"}}]}
        """;

    private static readonly ApiParameter Property = new("propertyId", "Whose it is. Left out: the token's own property, else the default one.", "shop");

    private static readonly ApiError Invalid = new(400, "validation_failed", "A field or parameter cannot be what it is; `parameter` names it.");
    private static readonly ApiError Unreadable = new(400, "invalid_json", "The body is no JSON of the expected form; `parameter` names the place.");
    private static readonly ApiError TooLarge = new(413, "body_too_large", "More than 64 KiB.");
    private static readonly ApiError NoJson = new(415, "unsupported_media_type", "Send application/json.");
    private static readonly ApiError Away = new(503, "temporarily_unavailable", "The database does not answer; nothing was changed. See Retry-After.");
    private static readonly ApiError[] OfBodies = [Invalid, Unreadable, TooLarge, NoJson, Away];

    private static readonly ApiError NoExperiment = new(404, "experiment_not_found", "The property has no experiment of this id.");

    public static readonly ApiNotes ExperimentAdd = new(
        "Define an experiment",
        "Variants with the weights of their expected split, the control (left out: the first variant), and the metric: users convert with an event of this type within so many hours after they were assigned (24 when left out). "
        + "Assignments are events `experiment_assigned` with `props.experimentId` and `props.variantId`. Days that are there already are counted for it within a minute or so.")
    {
        Request = (typeof(ExperimentBody), ExperimentExample),
        Example = $$"""{"ok":true,"experiment":{{ExperimentExample}}}""",
        Errors = [.. OfBodies, new(409, "experiment_exists", "The property has an experiment of this id already.")],
    };

    public static readonly ApiNotes ExperimentList = new("The property's experiments", "Those that are defined, by id.", Property)
    {
        Example = $$"""{"ok":true,"experiments":[{{ExperimentExample}}]}""",
        Csv = "id, name, variant, weight, is_control, metric_event_type, metric_within_hours, start, end: a row for each variant.",
        Errors = [Invalid, Away],
    };

    public static readonly ApiNotes ExperimentChange = new(
        "Change an experiment", "What the body leaves out stays as it is; an empty `start` or `end` removes it. Once users are assigned the split stands.", Property)
    {
        Request = (typeof(ExperimentBody), """{"name":"The new button","end":"2026-04-15"}"""),
        Example = $$"""{"ok":true,"experiment":{{ExperimentExample}}}""",
        Errors = [.. OfBodies, NoExperiment, new(409, "experiment_has_users", "Users have been assigned: another split would move them between variants.")],
    };

    public static readonly ApiNotes ExperimentRemove = new("Remove an experiment", "What it was to achieve is forgotten; everybody then gets 404 for a variant. Who was assigned stays known, as of an experiment that nobody has defined.", Property)
    {
        Example = """{"ok":true}""",
        Errors = [Invalid, NoExperiment, Away],
    };

    public static readonly ApiNotes ExperimentVariant = new(
        "The variant of a user",
        "Needs no key, as sending events does not. Decided by a hash of property, experiment and user: the same each time and on every server, as long as the split stays. Before the start and after the end everybody gets the control, and `running` is false. "
        + "It assigns nobody: send `experiment_assigned` when the user sees the variant.",
        new ApiParameter("userId", "The account's id, or the browser's anon id: 1 to 128 characters.", "user-1", IsRequired: true), Property)
    {
        Example = """{"ok":true,"experimentId":"button","variantId":"blue","running":true}""",
        Errors = [Invalid, NoExperiment, new(429, "rate_limited", "Too many requests from this address; see Retry-After."), Away],
    };

    public static readonly ApiNotes FunnelAdd = new(
        "Define a funnel",
        "Two to twenty steps, each of event types and, where wanted, a path (one that ends in `*` is a beginning) and props. Users must come from the first step to the last within `windowHours` (24 when left out). "
        + "Days that are there already are counted for it within a minute or so.")
    {
        Request = (typeof(FunnelBody), FunnelExample),
        Example = $$"""{"ok":true,"funnel":{{FunnelExample}}}""",
        Errors = [.. OfBodies, new(409, "funnel_exists", "The property has a funnel of this name already.")],
    };

    public static readonly ApiNotes FunnelList = new("The property's funnels", "Its own, and those that the server's configuration gives to every property (`isConfigured`).", Property)
    {
        Example = $$"""{"ok":true,"funnels":[{{FunnelExample}}]}""",
        Csv = "name, window_hours, is_configured, step, step_name, event_types, path, props: a row for each step.",
        Errors = [Invalid, Away],
    };

    public static readonly ApiNotes FunnelReplace = new("Replace a funnel", "Other steps under the same name. What was counted for the old ones goes; days that are there already are counted anew within a minute or so.", Property)
    {
        Request = (typeof(FunnelBody), FunnelExample),
        Example = $$"""{"ok":true,"funnel":{{FunnelExample}}}""",
        Errors = [.. OfBodies, new(404, "funnel_not_found", "The property has no funnel of this name."), new(409, "funnel_is_configured", "It comes from the server's configuration.")],
    };

    public static readonly ApiNotes FunnelRemove = new("Remove a funnel", "With what was counted for it.", Property)
    {
        Example = """{"ok":true}""",
        Errors = [Invalid, new(404, "funnel_not_found", "The property has no funnel of this name."), new(409, "funnel_is_configured", "It comes from the server's configuration."), Away],
    };

    public static readonly ApiNotes AccountPut = new(
        "Replace an account's profile",
        "From the host product's own server: what is left out is removed. The account belongs to `propertyId`, or to the property of the token; with neither, to all. A key for one property may write new accounts and its own.")
    {
        Request = (typeof(AccountBody), """{"username":"ann","displayName":"Ann B.","firstName":"Ann","lastName":"B","propertyId":"shop"}"""),
        Example = """{"ok":true,"account":{"id":"42","username":"ann","displayName":"Ann B.","firstName":"Ann","lastName":"B","propertyId":"shop"}}""",
        Errors = [.. OfBodies, new(403, "account_not_allowed", "The account belongs to another property, or to all, and the key is for one.")],
    };
}
