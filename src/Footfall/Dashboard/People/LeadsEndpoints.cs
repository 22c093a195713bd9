using System.Globalization;
using Footfall.Dashboard.SignIn;
using Footfall.Leads;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;

namespace Footfall.Dashboard.People;

/// <param name="Problem">What the form just sent was missing; null for none.</param>
/// <param name="Open">The act whose form stays open.</param>
/// <param name="Confirmations">Questions that wait for the person's click, with the link where the server sends no mail itself.</param>
internal sealed record LeadModel(LeadHistory History, IReadOnlyList<ConfirmationState> Confirmations, string? Problem, string? Open);

internal sealed record EraseModel(Lead Lead, ErasureCounts Counts, string? Problem);

/// <summary>Leads of a property: /p/{property}/leads. Addresses travel in bodies and pages, never in URLs.</summary>
internal static class LeadsEndpoints
{
    public static void Map(IEndpointRouteBuilder pages)
    {
        var name = new PageName("leads");
        var list = pages.MapGroup("").AddEndpointFilter(PageGuard.AdmitAdmin);
        list.MapGet("leads", ListAsync).WithMetadata(name);
        list.MapGet("leads.csv", FileAsync).WithMetadata(name);
        list.MapPost("leads/search", SearchAsync).WithMetadata(name).AddEndpointFilter(Forms.RequireToken);

        var people = list.MapGroup("leads").AddEndpointFilter(PageGuard.AdmitWhole);
        people.MapGet("{lead:guid}", ShowAsync).WithMetadata(name);
        people.MapGet("erasures/{receipt:guid}", ReceiptAsync).WithMetadata(new PageName("leads/erasures"));
        var acts = people.MapGroup("{lead:guid}").AddEndpointFilter(Forms.RequireToken);
        acts.MapPost("unsubscribe", UnsubscribeAsync).WithMetadata(name);
        acts.MapPost("merge", MergeAsync).WithMetadata(name);
        acts.MapPost("undo-merge", UndoMergeAsync).WithMetadata(name);
        acts.MapPost("export", ExportAsync).WithMetadata(name);
        acts.MapPost("erase", EraseAsync).WithMetadata(name);
    }

    private static async Task<IResult> ListAsync(CurrentPage page, LeadsOverview reader, CancellationToken cancellationToken)
    {
        // A form sends what was not chosen too; an address says it once.
        string[] unused = [.. LeadsOverview.Filters.Where(f => page.Address.Parameters.Any(p => p.Key == f && p.Value.Length == 0))];
        if (unused.Length > 0) return TypedResults.LocalRedirect(page.Address.Without(unused).ToString());
        var (model, problem) = await reader.ReadAsync(cancellationToken);
        if (model is null) return CannotBeShown(page, problem!);
        page.Show(model);
        return Views.Page<LeadsPage>(page.Context);
    }

    private static async Task<IResult> FileAsync(CurrentPage page, LeadsOverview reader, TimeProvider clock, CancellationToken cancellationToken)
    {
        var (table, problem) = await reader.TableAsync(cancellationToken);
        if (table is null) return CannotBeShown(page, problem!);
        page.Context.Response.Headers.CacheControl = "private, no-store";
        return TypedResults.File(table.ToBytes(withByteOrderMark: true), "text/csv; charset=utf-8", $"{page.Property.Id}-leads-{clock.GetUtcNow():yyyy-MM-dd}.csv");
    }

    /// <summary>Searched for is what the body says; the address that shows it holds it sealed.</summary>
    private static async Task<IResult> SearchAsync(CurrentPage page, SealedText searches, CancellationToken cancellationToken)
    {
        var form = await page.Context.Request.ReadFormAsync(cancellationToken);
        var text = form["q"].ToString().Trim();
        return SignInEndpoints.Redirect(page.Context, page.Address.Without("cursor").With(LeadsOverview.Search, text.Length == 0 ? null : searches.Seal(text)).ToString());
    }

    private static async Task<IResult> ShowAsync(Guid lead, CurrentPage page, LeadHistoryReader reader, CancellationToken cancellationToken) => await PageAsync(lead, page, reader, null, null, cancellationToken);

    private static async Task<IResult> PageAsync(Guid lead, CurrentPage page, LeadHistoryReader reader, string? problem, string? open, CancellationToken cancellationToken)
    {
        DateTimeOffset? before = null;
        if (page.Address["before"] is { } text)
        {
            if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var ticks) || ticks > DateTimeOffset.MaxValue.UtcTicks) return CannotBeShown(page, "before must be an instant that this page has made.");
            before = new DateTimeOffset(ticks, TimeSpan.Zero);
        }
        if (await reader.ReadAsync(lead, before, page.Caller.Actor, cancellationToken) is not { } history) return NoSuchLead(page);
        var services = page.Context.RequestServices;
        var sendsMail = services.GetRequiredService<IOptions<LeadsOptions>>().Value.SendsMail;
        var asked = await services.GetRequiredService<Confirmations>().OfLeadAsync(lead, sendsMail ? null : LeadAdminAnswers.Server(page.Context), cancellationToken);
        page.Show(new LeadModel(history, [.. asked.Where(c => c.State == "open")], problem, open));
        return Views.Page<LeadPage>(page.Context, status: problem is null ? StatusCodes.Status200OK : StatusCodes.Status400BadRequest);
    }

    private static async Task<IResult> UnsubscribeAsync(Guid lead, CurrentPage page, AdminWithdrawals withdrawals, LeadHistoryReader reader, CancellationToken cancellationToken)
    {
        if (!await IsTypedAsync(page, "stop", cancellationToken)) return await PageAsync(lead, page, reader, "Mail was not stopped: type the word stop to confirm.", "unsubscribe", cancellationToken);
        return await withdrawals.WithdrawAsync(lead, page.Caller.Actor, CancellationToken.None) ? Done(page, "unsubscribed") : NoSuchLead(page);
    }

    private static async Task<IResult> MergeAsync(Guid lead, CurrentPage page, LeadMerges merges, LeadStore leads, LeadHistoryReader reader, CancellationToken cancellationToken)
    {
        var problem = "Nothing was merged: type the word merge to confirm.";
        if (await IsTypedAsync(page, "merge", cancellationToken))
        {
            var form = await page.Context.Request.ReadFormAsync(cancellationToken);
            if (!EmailAddress.TryParse(form["other"], out var other, out var fault)) problem = $"Nothing was merged: {EmailAddress.Message(fault)}.";
            else if (await leads.FindAsync(other, cancellationToken) is not { } into) problem = "Nothing was merged: there is no lead with the other address. The list finds it by a part of it.";
            else
            {
                var (outcome, _) = await merges.MergeAsync(lead, into.Id, page.Caller.Actor, CancellationToken.None);
                if (outcome == MergeOutcome.Done) return Done(page, "merged");
                problem = outcome switch
                {
                    MergeOutcome.SameLead => "Nothing was merged: that is this address itself.",
                    MergeOutcome.AlreadyMerged => "Nothing was merged: this address is merged into another one already. Undo that first.",
                    MergeOutcome.Circle => "Nothing was merged: the other address is itself merged into this one. Undo that first.",
                    _ => "Nothing was merged: one of the two is not there any more.",
                };
            }
        }
        return await PageAsync(lead, page, reader, problem, "merge", cancellationToken);
    }

    private static async Task<IResult> UndoMergeAsync(Guid lead, CurrentPage page, LeadMerges merges, LeadHistoryReader reader, CancellationToken cancellationToken)
    {
        var form = await page.Context.Request.ReadFormAsync(cancellationToken);
        return Guid.TryParse(form["merge"], out var merge) && await merges.UndoAsync(merge, page.Caller.Actor, CancellationToken.None) is not null
            ? Done(page, "undone")
            : await PageAsync(lead, page, reader, "There is no such merge any more.", null, cancellationToken);
    }

    private static async Task<IResult> ExportAsync(Guid lead, CurrentPage page, PersonExport export, CancellationToken cancellationToken)
    {
        var response = page.Context.Response;
        var found = await export.WriteAsync(lead, response.Body, () =>
        {
            response.ContentType = "application/json; charset=utf-8";
            response.Headers.ContentDisposition = $"attachment; filename=\"lead-{lead}.json\"";
            response.Headers.CacheControl = "private, no-store";
        }, page.Caller.Actor, cancellationToken);
        return found ? Results.Empty : NoSuchLead(page);
    }

    /// <summary>Without the typed address it only tries: everything is done and taken back, so that the counts are exact.</summary>
    private static async Task<IResult> EraseAsync(Guid lead, CurrentPage page, Erasure erasure, LeadStore leads, CancellationToken cancellationToken)
    {
        if (await leads.FindAsync(lead, cancellationToken) is not { } found) return NoSuchLead(page);
        var form = await page.Context.Request.ReadFormAsync(cancellationToken);
        var typed = form["typed"].ToString().Trim();
        var subject = new ErasureSubject(lead, null);
        if (typed.Equals(found.Address, StringComparison.OrdinalIgnoreCase))
        {
            return await erasure.EraseAsync(subject, dryRun: false, page.Caller.Actor, CancellationToken.None) is { Receipt: { } receipt }
                ? SignInEndpoints.Redirect(page.Context, page.Address.On($"leads/erasures/{receipt.Id}").ToString())
                : NoSuchLead(page);
        }
        if (await erasure.EraseAsync(subject, dryRun: true, page.Caller.Actor, cancellationToken) is not { } tried) return NoSuchLead(page);
        var problem = form.ContainsKey("typed") ? "Nothing was erased: what was typed is not the address." : null;
        page.Show(new EraseModel(found, tried.Counts, problem));
        return Views.Page<ErasePage>(page.Context, status: problem is null ? StatusCodes.Status200OK : StatusCodes.Status400BadRequest);
    }

    private static async Task<IResult> ReceiptAsync(Guid receipt, CurrentPage page, Erasure erasure, CancellationToken cancellationToken)
    {
        if (await erasure.FindAsync(receipt, cancellationToken) is not { } state) return Views.Error(page.Context, StatusCodes.Status404NotFound, "No such receipt", "There is no erasure with this id on this server.");
        page.Show(state);
        return Views.Page<ReceiptPage>(page.Context);
    }

    private static async Task<bool> IsTypedAsync(CurrentPage page, string word, CancellationToken cancellationToken) =>
        (await page.Context.Request.ReadFormAsync(cancellationToken))["typed"].ToString().Trim().Equals(word, StringComparison.OrdinalIgnoreCase);

    private static IResult Done(CurrentPage page, string what) => SignInEndpoints.Redirect(page.Context, page.Address.Without("before").With("done", what).ToString());

    private static RazorComponentResult NoSuchLead(CurrentPage page) =>
        Views.Error(page.Context, StatusCodes.Status404NotFound, "No such lead", "There is no lead at this address: it may have been erased. The list shows those there are.");

    private static RazorComponentResult CannotBeShown(CurrentPage page, string problem) => Views.Error(page.Context, StatusCodes.Status400BadRequest, "This address cannot be shown", problem);
}
