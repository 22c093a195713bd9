using System.Text.Json;
using Footfall.Leads;

namespace Footfall.Dashboard.People;

/// <summary>What the sets of the room of leads are called on pages.</summary>
internal static class LeadText
{
    public static IReadOnlyList<(string Key, string Label)> Statuses { get; } = [.. Enum.GetValues<ConsentStatus>().Select(s => (s.Text(), Status(s.Text())))];

    public static IReadOnlyList<(string Key, string Label)> Sources { get; } = [.. LeadFilter.Sources.Select(s => (s, Source(s)))];

    public static IReadOnlyList<(string Key, string Label)> Domains { get; } = [("business", "A business's own domain"), ("free", "A free mail host")];

    public static string Status(string status) => status switch
    {
        "express" => "Express consent",
        "implied" => "Implied consent",
        "pending" => "Pending",
        "withdrawn" => "Withdrawn",
        _ => Labels.Sentence(status),
    };

    public static string StatusClass(string status) => status switch
    {
        "express" => "good",
        "implied" => "",
        "withdrawn" => "bad",
        _ => "muted",
    };

    public static string Source(string? source) => source switch
    {
        null => Numbers.Unknown,
        "import" => "Imported list",
        _ => Labels.Sentence(source),
    };

    public static string Domain(string kind) => kind == "free" ? "free mail" : "business";

    /// <summary>How a change of consent came about, behind its status.</summary>
    public static string Method(string method) => method switch
    {
        "form" => "in a form",
        "double_opt_in" => "confirmed by mail",
        "import" => "from an imported list",
        "api" => "told by an admin or the site's server",
        "unsubscribe_link" => "by the link in a mail",
        "unsubscribe_form" => "on the page for unsubscribing",
        "expiry" => "ran out",
        _ => Labels.Sentence(method),
    };

    public static string Basis(string basis) => basis == "business_relationship" ? "a business relationship" : "an inquiry";

    public static string LinkSource(string source) => source switch
    {
        "form_submit" => "sent the form",
        "same_ip_ua_window" => "same address and browser within 30 minutes",
        "manual_merge" => "merged by an admin",
        _ => Labels.Sentence(source),
    };

    /// <summary>What the form held, field by field.</summary>
    public static IEnumerable<(string Name, string Value)> Fields(string? payload)
    {
        if (payload is null) yield break;
        using var document = JsonDocument.Parse(payload);
        if (document.RootElement.ValueKind != JsonValueKind.Object) yield break;
        foreach (var field in document.RootElement.EnumerateObject())
        {
            yield return (Labels.Visible(field.Name), Labels.Visible(field.Value.ValueKind == JsonValueKind.String ? field.Value.GetString()! : field.Value.GetRawText()));
        }
    }

    /// <summary>"page_view" of a page is the page; all else is its own name.</summary>
    public static string Step(LeadStep step) => step.EventType == "page_view" ? Labels.Visible(step.Path ?? "/") : Labels.Visible(step.EventType);
}
