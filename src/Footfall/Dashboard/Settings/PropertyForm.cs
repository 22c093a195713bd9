using System.Globalization;
using Footfall.Definitions;
using Footfall.Explore;
using Footfall.Leads;
using Microsoft.Extensions.Primitives;

namespace Footfall.Dashboard.Settings;

/// <summary>The fields of a goal, as typed.</summary>
internal sealed record GoalFields(string Name, string EventType, string Path)
{
    public bool IsEmpty => Name.Length + EventType.Length + Path.Length == 0;
}

/// <summary>A property's settings as the form has them: what was typed stays typed until it can be saved.</summary>
/// <param name="Hosts">One to a line.</param>
/// <param name="RawDays">Empty: as configured for all; so with <paramref name="RollupMonths"/>.</param>
/// <param name="Secret">Empty: as it is.</param>
internal sealed record PropertyForm(
    string Name, string Hosts, string TimeZone, bool PublicSummary, IReadOnlyList<GoalFields> Goals, string SubmitEvents, string OpenEvents, string RawDays, string RollupMonths,
    bool DoubleOptIn, string ThanksUrl, string ErrorUrl, string Secret, bool DropSecret)
{
    private static readonly char[] Breaks = ['\r', '\n', ',', ' ', '\t'];

    public static PropertyForm Of(PropertySetting p) => new(
        p.Name, string.Join('\n', p.Hosts), p.TimeZone, p.PublicSummary, [.. p.Goals.Select(g => new GoalFields(g.Name, g.EventType, g.Path ?? ""))],
        string.Join(", ", p.Product.SubmitEvents), string.Join(", ", p.Product.OpenEvents), Text(p.Product.RawDays), Text(p.Product.RollupMonths),
        p.Forms.DoubleOptIn, p.Forms.ThanksUrl ?? "", p.Forms.ErrorUrl ?? "", "", false);

    public static PropertyForm Of(IFormCollection form)
    {
        string Field(string name) => form[name].ToString().Trim();
        string At(StringValues values, int i) => i < values.Count ? values[i]?.Trim() ?? "" : "";
        var (names, types, paths) = (form["goalName"], form["goalEvent"], form["goalPath"]);
        return new PropertyForm(
            Field("name"), form["hosts"].ToString(), Field("timeZone"), form["publicSummary"] == "on",
            [.. Enumerable.Range(0, Math.Min(names.Count, PropertySettings.MaxGoals + 10)).Select(i => new GoalFields(At(names, i), At(types, i), At(paths, i))).Where(g => !g.IsEmpty)],
            Field("submitEvents"), Field("openEvents"), Field("rawDays"), Field("rollupMonths"),
            form["doubleOptIn"] == "on", Field("thanksUrl"), Field("errorUrl"), form["secret"].ToString(), form["dropSecret"] == "on");
    }

    /// <summary>What is wrong, by the field's name; empty when all can be saved.</summary>
    public Dictionary<string, string> Problems()
    {
        Dictionary<string, string> problems = [];
        void Must(bool holds, string field, string problem)
        {
            if (!holds) problems.TryAdd(field, problem);
        }

        Must(Name.Length is > 0 and <= PropertySettings.MaxName && StorableText.Is(Name), "name", $"A name has 1 to {PropertySettings.MaxName} characters.");
        var hosts = HostList();
        Must(hosts.Length <= PropertySettings.MaxHosts, "hosts", $"There can be {PropertySettings.MaxHosts} hosts at most.");
        foreach (var host in hosts) Must(Uri.CheckHostName(host) is UriHostNameType.Dns or UriHostNameType.IPv4, "hosts", $"{Address.Shown(host)} is no host. Write it without scheme, port and path, such as shop.example.");
        Must(TimeZoneInfo.TryFindSystemTimeZoneById(TimeZone, out _), "timeZone", "Choose a time zone of the list.");
        Must(Goals.Count <= PropertySettings.MaxGoals, "goals", $"There can be {PropertySettings.MaxGoals} goals at most.");
        foreach (var goal in Goals)
        {
            Must(goal.Name.Length is > 0 and <= PropertySettings.MaxName && StorableText.Is(goal.Name), "goals", "Each goal needs a name.");
            Must(goal.EventType.Length is > 0 and <= PropertySettings.MaxEventType && StorableText.Is(goal.EventType), "goals", $"The goal {Address.Shown(goal.Name)} needs an event type of at most {PropertySettings.MaxEventType} characters, such as page_view.");
            Must(goal.Path.Length == 0 || (goal.Path[0] == '/' && goal.Path.Length <= 2_048 && StorableText.Is(goal.Path)), "goals", $"The page of the goal {Address.Shown(goal.Name)} begins with a slash, such as /thanks or /orders/*.");
        }
        foreach (var (field, text) in new[] { ("submitEvents", SubmitEvents), ("openEvents", OpenEvents) })
        {
            var types = Events(text);
            Must(types.Length is > 0 and <= PropertySettings.MaxEventTypes && types.All(t => t.Length <= PropertySettings.MaxEventType && StorableText.Is(t)), field, $"Name 1 to {PropertySettings.MaxEventTypes} event types, separated by commas, each of at most {PropertySettings.MaxEventType} characters.");
        }
        Must(RawDays.Length == 0 || Number(RawDays) is >= 1 and <= PropertySettings.MaxRawDays, "rawDays", $"A whole number of days from 1 to {PropertySettings.MaxRawDays}, or nothing.");
        Must(RollupMonths.Length == 0 || Number(RollupMonths) is >= 0 and <= PropertySettings.MaxRollupMonths, "rollupMonths", $"A whole number of months from 0 (for ever) to {PropertySettings.MaxRollupMonths}, or nothing.");
        foreach (var (field, url) in new[] { ("thanksUrl", ThanksUrl), ("errorUrl", ErrorUrl) }) Must(url.Length == 0 || (url.Length <= 2_048 && Redirects.IsAddress(url)), field, "A path such as /thanks, or an http or https address.");
        Must(Secret.Length == 0 || (Secret.Length is >= PropertySettings.MinSecret and <= PropertySettings.MaxSecret && StorableText.Is(Secret)), "secret", $"A secret has {PropertySettings.MinSecret} to {PropertySettings.MaxSecret} characters.");
        return problems;
    }

    /// <summary>Once there are no problems. Event types are given only where they changed: that has every day counted anew.</summary>
    public Task<bool> SaveAsync(PropertySettings settings, PropertySetting before, CancellationToken cancellationToken) => settings.ChangeAsync(
        before.Id, Name, HostList(), [.. Goals.Select(g => new GoalSetting(g.Name, g.EventType, g.Path.Length == 0 ? null : g.Path))], PublicSummary, TimeZone,
        new ProductSetting(
            Changed(SubmitEvents, before.Product.SubmitEvents), Changed(OpenEvents, before.Product.OpenEvents), RawDays.Length == 0 ? 0 : Number(RawDays), RollupMonths.Length == 0 ? -1 : Number(RollupMonths),
            DropSecret ? "" : Secret.Length == 0 ? null : Secret, DoubleOptIn, ThanksUrl, ErrorUrl),
        cancellationToken);

    private string[] HostList() => [.. Hosts.Split(Breaks, StringSplitOptions.RemoveEmptyEntries).Select(HostOf).Distinct(StringComparer.Ordinal)];

    // An international name as browsers send it.
    private static string HostOf(string typed) => Uri.CheckHostName(typed) == UriHostNameType.Dns && Uri.TryCreate($"https://{typed}", UriKind.Absolute, out var uri) ? uri.IdnHost.ToLowerInvariant() : typed.ToLowerInvariant();

    private static string[] Events(string text) => [.. text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Distinct(StringComparer.Ordinal)];

    private static string[]? Changed(string text, string[] before) => Events(text) is var now && now.SequenceEqual(before) ? null : now;

    private static int? Number(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : null;

    private static string Text(int? number) => number?.ToString(CultureInfo.InvariantCulture) ?? "";
}
