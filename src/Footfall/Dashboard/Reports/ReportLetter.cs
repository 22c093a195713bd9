using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Footfall.Dashboard.Overview;

namespace Footfall.Dashboard.Reports;

/// <summary>
/// A weekly report as mail programs show it: tables, since they know little else; one style sheet and nothing inline, so that the
/// preview can be shown under the dashboard's own policy. What visitors sent stands in it as text alone, never as a link.
/// </summary>
internal static class ReportLetter
{
    private const int Rows = 5;

    private const string Style = """
        body{background:#fbfaf8;color:#1c1d21;font:14px/1.45 -apple-system,"Segoe UI",Roboto,Helvetica,Arial,sans-serif;margin:0;padding:24px 0}
        .sheet{background:#fff;border:1px solid #e6e3dd;border-radius:8px;margin:0 auto;max-width:600px;width:100%}
        td,th{padding:0;text-align:left;vertical-align:top}
        .in{padding:24px}
        h1{font-size:20px;font-weight:600;margin:0}
        h2{font-size:14px;font-weight:600;margin:24px 0 8px}
        p{margin:4px 0 0}
        .muted{color:#63666e}
        .small{font-size:12px}
        .good{color:#0f6b5c}
        .bad{color:#b3402e}
        .cards{border-collapse:collapse;margin-top:16px;width:100%}
        .cards td{border:1px solid #e6e3dd;padding:10px 12px;width:33%}
        .cards b{display:block;font-size:20px;font-weight:600}
        .list{border-collapse:collapse;table-layout:fixed;width:100%}
        .list td{border-bottom:1px solid #e6e3dd;padding:6px 0;word-break:break-word}
        .list .n{text-align:right;white-space:nowrap;width:76px}
        .button{background:#0f6b5c;border-radius:4px;color:#fff;display:inline-block;font-weight:600;margin-top:24px;padding:8px 16px;text-decoration:none}
        .foot{border-top:1px solid #e6e3dd;color:#63666e;font-size:12px;margin-top:24px;padding-top:12px}
        .foot a{color:#63666e}
        """;

    /// <summary>What allows the style sheet, and nothing beside it, where the letter is shown by the server.</summary>
    public static string Policy { get; } =
        $"default-src 'none'; style-src 'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Style)))}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    public static string Html(WeeklyReport report, string page, string? stop)
    {
        var html = new StringBuilder();
        html.Append($"""
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light"><title>{Safe(report.Subject)}</title><style>{Style}</style></head>
            <body><main><table class="sheet" role="presentation" align="center"><tr><td class="in">
            <p class="muted small">Footfall, the week in figures</p>
            <h1>{Safe(Labels.Visible(report.Property.Name))}</h1>
            <p class="muted">{Safe(report.DaysText)}{Beside(report)}</p>
            <table class="cards" role="presentation">
            """);
        foreach (var row in report.Text.Cards.Chunk(3))
        {
            html.Append("<tr>");
            foreach (var card in row) html.Append(CultureInfo.InvariantCulture, $"""<td><span class="muted small">{Safe(card.Title)}</span><b>{Safe(card.Value)}</b><span class="small {card.Delta?.Class}">{Safe(card.Delta?.Text ?? "\u00a0")}</span></td>""");
            html.Append("</tr>");
        }
        html.Append("</table>");
        foreach (var panel in Lists(report))
        {
            html.Append(CultureInfo.InvariantCulture, $"""<h2>{Safe(Title(panel))}</h2><table class="list"><tr class="small muted"><td></td><td class="n">{Safe(panel.Value)}</td><td class="n">{(report.Model.Then is null ? "" : "Change")}</td></tr>""");
            foreach (var row in panel.Rows.Take(Rows)) html.Append(CultureInfo.InvariantCulture, $"""<tr><td><bdi>{Sent(row.Label.Whole)}</bdi></td><td class="n">{Safe(row.Value)}</td><td class="n muted">{Safe(row.Delta?.Text ?? "")}</td></tr>""");
            html.Append("</table>");
        }
        if (report.Model.Notes.Count > 0)
        {
            html.Append("<h2>Notes</h2><table class=\"list\">");
            foreach (var note in report.Text.ChartNotes) html.Append(CultureInfo.InvariantCulture, $"<tr><td><b>{Safe(note.Day)}</b> <bdi>{Safe(note.Text)}</bdi></td></tr>");
            html.Append("</table>");
        }
        html.Append(CultureInfo.InvariantCulture, $"""
            <a class="button" href="{Safe(page)}">See all of it</a>
            <p class="foot">{Safe(report.Text.Trust)}<br>{(stop is null ? "" : $"""You get this because somebody who runs {Safe(Labels.Visible(report.Property.Name))} entered your address. <a href="{Safe(stop)}">No more of these</a>""")}</p>
            </td></tr></table></main></body></html>
            """);
        return html.ToString();
    }

    public static string Text(WeeklyReport report, string page, string? stop)
    {
        var text = new StringBuilder();
        text.AppendLine(Labels.Visible(report.Property.Name)).AppendLine(CultureInfo.InvariantCulture, $"{report.DaysText}{Beside(report)}").AppendLine();
        foreach (var card in report.Text.Cards) text.AppendLine(CultureInfo.InvariantCulture, $"{card.Title + ":",-20} {card.Value,10}   {card.Delta?.Text}");
        foreach (var panel in Lists(report))
        {
            text.AppendLine().AppendLine(Title(panel));
            foreach (var row in panel.Rows.Take(Rows)) text.AppendLine(CultureInfo.InvariantCulture, $"  {row.Value,8}  {Cut(row.Label.Whole)}");
        }
        if (report.Model.Notes.Count > 0)
        {
            text.AppendLine().AppendLine("Notes");
            foreach (var note in report.Text.ChartNotes) text.AppendLine(CultureInfo.InvariantCulture, $"  {note.Day}: {note.Text}");
        }
        text.AppendLine().AppendLine(CultureInfo.InvariantCulture, $"All of it: {page}").AppendLine().AppendLine(report.Text.Trust);
        if (stop is not null) text.AppendLine().AppendLine(CultureInfo.InvariantCulture, $"You get this because somebody who runs {Labels.Visible(report.Property.Name)} entered your address. No more of these: {stop}");
        return text.ToString();
    }

    private static IEnumerable<PanelText> Lists(WeeklyReport report) => report.Text.Panels.Where(p => p.Key is "sources" or "pages" or "countries" && p.Rows.Count > 0);

    // A property's first week has none before it.
    private static string Beside(WeeklyReport report) => report.Model.Then is null ? "" : ", beside the week before";

    private static string Title(PanelText panel) => panel.Tabs.FirstOrDefault(t => t.IsChosen) is { } tab && panel.Tabs.Count > 1 ? tab.Label : panel.Title;

    /// <summary>A text that a visitor may have sent: as long as a line, and with nothing that mail programs would make a link of.</summary>
    private static string Sent(string text) => Safe(Cut(text)).Replace(".", ".&#8203;", StringComparison.Ordinal).Replace("/", "/&#8203;", StringComparison.Ordinal);

    private static string Cut(string text)
    {
        const int longest = 80, tail = 16;
        var starts = StringInfo.ParseCombiningCharacters(text);
        return starts.Length <= longest ? text : $"{text[..starts[longest - tail]]}\u2026{text[starts[^tail]..]}";
    }

    private static string Safe(string text) => Page.Text(text);
}
