using System.Globalization;
using Footfall.Dashboard.Overview;
using Footfall.Dashboard.SignIn;
using Footfall.Leads;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Footfall.Dashboard.Reports;

/// <summary>A property's reports: on paper, as files, by mail.</summary>
internal static class ReportEndpoints
{
    /// <param name="pages">The property's address, for whoever may look.</param>
    /// <param name="changes">The same for admins' own forms alone.</param>
    public static void Map(IEndpointRouteBuilder pages, IEndpointRouteBuilder changes)
    {
        pages.MapGet("reports", ShowAsync).WithMetadata(new PageName("reports"));
        pages.MapGet("{table:regex(^(ingest|refused|jobs|notes)$)}.csv", TableAsync).WithMetadata(new PageName("reports"));
        pages.MapGet("reports/preview.html", PreviewAsync).WithMetadata(new PageName("reports"));
        pages.MapGet("reports/preview.txt", PreviewTextAsync).WithMetadata(new PageName("reports"));
        changes.MapPost("reports/schedule", SaveAsync).WithMetadata(new PageName("reports"));
        changes.MapPost("reports/recipients", AddAsync).WithMetadata(new PageName("reports"));
        changes.MapPost("reports/recipients/{id:guid}/remove", RemoveAsync).WithMetadata(new PageName("reports"));
    }

    /// <summary>Files whose figures are of many people: what a shared link may show too.</summary>
    public static void MapAggregates(IEndpointRouteBuilder pages)
    {
        pages.MapGet("overview.pdf", PdfAsync).WithMetadata(new PageName("overview.pdf"));
        pages.MapGet("{table:regex(^(overview|funnels|retention|experiments|vitals|vitals-days)$)}.csv", TableAsync).WithMetadata(new PageName("reports"));
    }

    private static async Task<IResult> ShowAsync(CurrentPage page, ReportStore store, MailWay mail, CancellationToken cancellationToken)
    {
        var property = page.Property.Id;
        page.Show(new ReportsModel(
            mail.Transport is { } transport ? transport.IsProgram ? "your own program (Leads:Webhook)" : "your mail server (Leads:Smtp)" : null,
            mail.Transport?.IsProgram == true, await store.ScheduleAsync(property, cancellationToken),
            // Addresses are for who manages them.
            page.IsAdmin ? await store.RecipientsAsync(property, cancellationToken) : [], page.IsAdmin ? await store.OutcomesAsync(property, cancellationToken) : []));
        return Views.Page<ReportsPage>(page.Context);
    }

    /// <summary>The overview of the address as PDF; <c>paper=a4|letter</c>.</summary>
    private static async Task<IResult> PdfAsync(CurrentPage page, OverviewReader reader, CancellationToken cancellationToken)
    {
        var asked = page.Address["paper"];
        if (asked is not (null or "a4" or "letter")) return Views.Error(page.Context, StatusCodes.Status400BadRequest, "No such paper", "paper is a4 or letter.");
        page.Choose("countries", "map");
        var model = await reader.ReadAsync(cancellationToken);
        var bytes = new ReportPdf(page, model, asked == "letter" ? Paper.Letter : Paper.A4).Render();
        page.Context.Response.Headers.CacheControl = "private, no-store";
        return TypedResults.File(bytes, "application/pdf", $"{page.Property.Id}-{page.Period.Days.From:yyyy-MM-dd}-{page.Period.Days.To:yyyy-MM-dd}.pdf");
    }

    private static async Task<IResult> TableAsync(string table, CurrentPage page, ReportTables tables, CancellationToken cancellationToken) =>
        PageEndpoints.File(page, (await tables.ReadAsync(table, cancellationToken)).ToBytes(withByteOrderMark: true), table);

    private static async Task<IResult> PreviewAsync(CurrentPage page, WeeklyReports reports, CancellationToken cancellationToken)
    {
        var letter = await PreviewOfAsync(page, reports, cancellationToken);
        page.Context.Response.Headers.ContentSecurityPolicy = ReportLetter.Policy;
        return Shown(page, letter.Html, "text/html");
    }

    private static async Task<IResult> PreviewTextAsync(CurrentPage page, WeeklyReports reports, CancellationToken cancellationToken)
    {
        var letter = await PreviewOfAsync(page, reports, cancellationToken);
        return Shown(page, $"Subject: {letter.Subject}\n\n{letter.Text}", "text/plain");
    }

    private static async Task<Letter> PreviewOfAsync(CurrentPage page, WeeklyReports reports, CancellationToken cancellationToken) =>
        reports.Preview((await reports.MakeAsync(page.Property.Id, ReportSchedule.WeekBefore(page.Now), cancellationToken))!);

    private static ContentHttpResult Shown(CurrentPage page, string text, string type)
    {
        page.Context.Response.Headers.CacheControl = "private, no-store";
        return TypedResults.Content(text, $"{type}; charset=utf-8");
    }

    private static async Task<IResult> SaveAsync(CurrentPage page, ReportStore store, TimeProvider clock, CancellationToken cancellationToken)
    {
        var form = await page.Context.Request.ReadFormAsync(cancellationToken);
        if (!int.TryParse(form["weekday"], NumberStyles.None, CultureInfo.InvariantCulture, out var weekday) || weekday is < 1 or > 7 || !int.TryParse(form["hour"], NumberStyles.None, CultureInfo.InvariantCulture, out var hour) || hour > 23)
            return Views.Error(page.Context, StatusCodes.Status400BadRequest, "Nothing was saved", "Choose a weekday, and an hour from 0 to 23.");
        await store.SaveAsync(new ReportSchedule(page.Property.Id, form["enabled"] == "on", weekday, hour, clock.GetUtcNow()), cancellationToken);
        return Back(page, "saved");
    }

    private static async Task<IResult> AddAsync(CurrentPage page, ReportStore store, CancellationToken cancellationToken)
    {
        var form = await page.Context.Request.ReadFormAsync(cancellationToken);
        if (!EmailAddress.TryParse(form["address"].ToString().Trim(), out var address, out _))
            return Views.Error(page.Context, StatusCodes.Status400BadRequest, "Nobody was added", "That is no e-mail address. Write it as ada@example.com.");
        return await store.AddAsync(page.Property.Id, address.Address, cancellationToken) switch
        {
            AddedRecipient.Added => Back(page, "added"),
            AddedRecipient.Known => Back(page, "known"),
            AddedRecipient.Stopped => Views.Error(page.Context, StatusCodes.Status409Conflict, "Nobody was added", "This recipient has said that they want no more of these reports. That stands; send them the PDF if they ask you for one."),
            AddedRecipient.TooMany => Views.Error(page.Context, StatusCodes.Status409Conflict, "Nobody was added", $"A report has {ReportStore.MostRecipients} recipients at most. Enter a mailing list's address, or take somebody off."),
            _ => throw new InvalidOperationException(),
        };
    }

    private static async Task<IResult> RemoveAsync(Guid id, CurrentPage page, ReportStore store, CancellationToken cancellationToken)
    {
        await store.RemoveAsync(page.Property.Id, id, cancellationToken);
        return Back(page, "removed");
    }

    private static IResult Back(CurrentPage page, string done) => SignInEndpoints.Redirect(page.Context, page.Address.On("reports").With("done", done).ToString());
}
