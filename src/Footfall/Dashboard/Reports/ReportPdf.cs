using System.Globalization;
using Footfall.Dashboard.Overview;

namespace Footfall.Dashboard.Reports;

internal enum Paper
{
    A4,
    Letter,
}

/// <summary>The overview of a period on two pages of paper: drawn, not a picture of the page, so that it is sharp at any size and its text can be searched.</summary>
internal sealed class ReportPdf(CurrentPage current, OverviewModel model, Paper paper)
{
    private const double Margin = 40, Gap = 18;
    private const int CardColumns = 3, MostNotes = 5, ListRows = 9;

    private readonly OverviewText text = new(current, model);
    private ReportSheet sheet = null!;
    private double y;

    public byte[] Render()
    {
        var document = new PdfFile($"{Labels.Visible(current.Property.Name)}, {Days}", current.Now);
        Begin(document);
        Masthead();
        Cards();
        Trend();
        Notes();
        var panels = text.Panels;
        Lists([panels[0]], [panels[1]]);
        Foot(1);

        Begin(document);
        RunningHead();
        Map(panels[2]);
        Lists([panels[2]], [panels[3], panels[4]]);
        Vitals();
        Explanations();
        Foot(2);

        return document.Save();
    }

    private const double ListHeight = 15 + (ListRows * 15) + Gap;

    private int NotesShown => Math.Min(model.Notes.Count, MostNotes + 1);

    private string Days => Period.Text(current.Period.Days, current.Today);

    private double Inner => sheet.Width - (2 * Margin);

    private void Begin(PdfFile document)
    {
        var (width, height) = paper == Paper.Letter ? (612, 792) : (595, 842);
        sheet = new ReportSheet(document.AddPage(width, height));
        y = Margin;
    }

    private void Masthead()
    {
        sheet.Mark(Margin, y, 18);
        sheet.Text.Line("Footfall", Margin + 25, y + 13, 10, ReportSheet.Ink, bold: true);
        sheet.Text.Line($"Made {current.Now.UtcDateTime.ToString("d MMMM yyyy, HH:mm", CultureInfo.InvariantCulture)} UTC", Margin + Inner, y + 13, 8, ReportSheet.Muted, right: true);
        y += 44;
        sheet.Text.Line(Labels.Visible(current.Property.Name), Margin, y, 22, ReportSheet.Ink, bold: true, most: Inner);
        y += 18;
        var compared = current.Period.CompareTo is { } then ? $"compared with {Period.Text(then, current.Today)}" : "without comparison";
        sheet.Text.Line($"{Days}, {compared}{(current.Period.IsSoFar(current.Today) ? "; the last day is not over" : "")}", Margin, y, 10, ReportSheet.Muted, most: Inner);
        if (current.Filters.Count > 0)
        {
            y += 15;
            sheet.Text.Line($"Only: {string.Join("; ", current.Filters.Select(FilterText.Said))}", Margin, y, 9, ReportSheet.Ink, most: Inner);
        }
        y += 16;
    }

    private void RunningHead()
    {
        sheet.Text.Line(Labels.Visible(current.Property.Name), Margin, y + 8, 9, ReportSheet.Ink, bold: true, most: Inner * 0.6);
        sheet.Text.Line(Days, Margin + Inner, y + 8, 9, ReportSheet.Muted, right: true);
        y += 24;
    }

    private void Cards()
    {
        const double height = 50;
        var cards = text.Cards;
        var width = Inner / CardColumns;
        var rows = (cards.Count + CardColumns - 1) / CardColumns;
        sheet.Frame(Margin, y, Inner, rows * height);
        for (var i = 0; i < cards.Count; i++)
        {
            var (x, top) = (Margin + (i % CardColumns * width), y + (i / CardColumns * height));
            if (i % CardColumns > 0) sheet.Rule(x, top, x, top + height);
            if (i >= CardColumns && i % CardColumns == 0) sheet.Rule(Margin, top, Margin + Inner, top);
            var card = cards[i];
            sheet.Text.Line(card.Title, x + 10, top + 16, 8, ReportSheet.Muted);
            var wide = sheet.Text.Line(card.Value, x + 10, top + 36, 15, ReportSheet.Ink, bold: true);
            if (card.Delta is { } delta) sheet.Text.Line(delta.Text, x + 16 + wide, top + 36, 8, ReportSheet.Of(delta.IsGood));
            sheet.Spark(model.Now.Series.TakeWhile(p => p.Start <= current.Now).Select(p => p.Values[i]).ToList(), x + width - 62, top + 12, 52, 24);
        }
        y += (rows * height) + Gap;
    }

    private void Trend()
    {
        const double left = 34;
        // As high as the notes and lists below leave room for.
        var height = Math.Clamp(sheet.Height - Margin - 26 - y - 52 - (NotesShown * 14) - (NotesShown > 0 ? 6 : 0) - ListHeight, 100, 280);
        sheet.Text.Line(model.Kpi.Title, Margin, y + 8, 10, ReportSheet.Ink, bold: true);
        sheet.Text.Line($"by the {OverviewReader.Key(model.Interval)}", Margin + Inner, y + 8, 8, ReportSheet.Muted, right: true);
        y += 20;
        if (text.WhyNoChart is { } why)
        {
            sheet.Text.Line(why, Margin, y + 20, 9, ReportSheet.Muted);
            y += 40;
            return;
        }
        var view = text.Chart;
        var (chartX, right) = (Margin + left, Margin + Inner);
        sheet.Chart(view, chartX, y, right - chartX, height);
        y += height + 14;
        sheet.Text.Line(view.Axis[0], chartX, y, 7.5, ReportSheet.Muted);
        sheet.Text.Line(view.Axis[^1], right, y, 7.5, ReportSheet.Muted, right: true);
        var legend = (chartX + right) / 2 - 110;
        legend += sheet.Legend(legend, y, Days, dashed: false) + 14;
        if (view.Then is not null && current.Period.CompareTo is { } then) sheet.Legend(legend, y, Period.Text(then, current.Today), dashed: true);
        y += Gap;
    }

    private void Notes()
    {
        if (model.Notes.Count == 0) return;
        var notes = text.ChartNotes;
        foreach (var note in notes.Take(MostNotes))
        {
            sheet.Number(note.Number, Margin + 5, y + 1);
            var wide = sheet.Text.Line(note.Day, Margin + 16, y + 4, 8, ReportSheet.Ink, bold: true);
            sheet.Text.Line(note.Text, Margin + 24 + wide, y + 4, 8, ReportSheet.Ink, most: Inner - 28 - wide);
            y += 14;
        }
        if (notes.Count > MostNotes)
        {
            sheet.Text.Line($"and {notes.Count - MostNotes} more notes", Margin + 16, y + 4, 8, ReportSheet.Muted);
            y += 14;
        }
        y += 6;
    }

    /// <summary>Two columns, each of lists below one another.</summary>
    private void Lists(IReadOnlyList<PanelText> left, IReadOnlyList<PanelText> right)
    {
        var (top, bottom, width) = (y, y, (Inner - 24) / 2);
        foreach (var (column, x) in new[] { (left, Margin), (right, Margin + width + 24) })
        {
            y = top;
            foreach (var panel in column) y = List(panel, x, width) + Gap;
            bottom = Math.Max(bottom, y);
        }
        y = bottom;
    }

    private double List(PanelText panel, double x, double width)
    {
        const double row = 15;
        var at = y;
        var title = panel.Tabs.Count > 1 && panel.Tabs.FirstOrDefault(t => t.IsChosen) is { } tab && tab.Key != "map" ? tab.Label : panel.Title;
        sheet.Text.Line(title, x, at + 8, 10, ReportSheet.Ink, bold: true);
        sheet.Text.Line(panel.Value, x + width - 78, at + 8, 7.5, ReportSheet.Muted, right: true);
        sheet.Text.Line(panel.Share, x + width - 40, at + 8, 7.5, ReportSheet.Muted, right: true);
        if (panel.WithDelta) sheet.Text.Line("Change", x + width, at + 8, 7.5, ReportSheet.Muted, right: true);
        at += 15;
        if (panel.Rows.Count == 0)
        {
            sheet.Text.Line(current.Filters.Count > 0 ? "Nothing in these days matches the filters." : panel.WhyEmpty, x, at + 10, 8, ReportSheet.Muted, most: width);
            return at + row;
        }
        var label = width - 118;
        foreach (var shown in panel.Rows.Take(ListRows))
        {
            sheet.Bar(x, at, label * shown.Bar / 100, row - 2);
            sheet.Text.Line(shown.Label.Whole, x + 5, at + 9.5, 8, ReportSheet.Ink, most: label - 8);
            sheet.Text.Line(shown.Value, x + width - 78, at + 9.5, 8, ReportSheet.Ink, right: true);
            sheet.Text.Line(shown.Share, x + width - 40, at + 9.5, 8, ReportSheet.Muted, right: true);
            if (shown.Delta is { } delta) sheet.Text.Line(delta.Text, x + width, at + 9.5, 8, ReportSheet.Muted, right: true);
            at += row;
        }
        return at;
    }

    private void Map(PanelText countries)
    {
        if (countries.Map is not { } map) return;
        var scale = Inner / Countries.Size.Width;
        sheet.World(map, Margin, y, scale);
        y += (Countries.Size.Height * scale) + Gap;
    }

    private void Vitals()
    {
        if (text.Vitals is not { Count: > 0 } vitals) return;
        sheet.Text.Line("Web vitals", Margin, y + 8, 10, ReportSheet.Ink, bold: true);
        sheet.Text.Line("three of four page loads are at least as good", Margin + Inner, y + 8, 8, ReportSheet.Muted, right: true);
        y += 20;
        var width = Inner / vitals.Count;
        for (var i = 0; i < vitals.Count; i++)
        {
            sheet.Text.Line(vitals[i].Title, Margin + (i * width), y + 6, 8, ReportSheet.Muted);
            sheet.Text.Line(vitals[i].Value, Margin + (i * width), y + 22, 13, ReportSheet.OfRating(vitals[i].Class), bold: true);
            sheet.Text.Line(vitals[i].Rating, Margin + (i * width), y + 33, 8, ReportSheet.Muted);
        }
        y += 33 + Gap;
    }

    /// <summary>What the words mean, as far as there is room for it.</summary>
    private void Explanations()
    {
        var bottom = sheet.Height - Margin - 26;
        if (y + 100 > bottom) return;      // a line or two of them would look lost
        sheet.Text.Line("What the figures mean", Margin, y + 8, 10, ReportSheet.Ink, bold: true);
        y += 22;
        var width = (Inner - 24) / 2;
        for (var i = 0; i < text.Cards.Count; i += 2)
        {
            var pair = text.Cards.Skip(i).Take(2).Select(c => (c.Title, Lines: sheet.Text.Wrap(c.Definition, 7.5, width, 2))).ToList();
            var high = 11 + (pair.Max(p => p.Lines.Count) * 10) + 4;
            if (y + high > bottom) return;
            for (var side = 0; side < pair.Count; side++)
            {
                var x = Margin + (side * (width + 24));
                sheet.Text.Line(pair[side].Title, x, y + 4, 7.5, ReportSheet.Ink, bold: true);
                for (var n = 0; n < pair[side].Lines.Count; n++) sheet.Text.Line(pair[side].Lines[n], x, y + 14 + (n * 10), 7.5, ReportSheet.Muted, most: width);
            }
            y += high;
        }
    }

    private void Foot(int number)
    {
        var at = sheet.Height - Margin;
        sheet.Rule(Margin, at - 14, Margin + Inner, at - 14);
        sheet.Text.Line(text.Trust, Margin, at, 7.5, ReportSheet.Muted, most: Inner - 50);
        sheet.Text.Line($"{number} of 2", Margin + Inner, at, 7.5, ReportSheet.Muted, right: true);
    }
}
