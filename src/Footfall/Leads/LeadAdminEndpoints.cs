using System.Globalization;
using Footfall.Access;
using Footfall.Capture;

namespace Footfall.Leads;

/// <summary>What admins do with leads: list, merge, give a person their data, erase it; and who did what.</summary>
internal static class LeadAdminEndpoints
{
    private const int UsualAudit = 100;
    private const int MostAudit = 1_000;

    public static void Map(IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/v1").RequireAccess(AccessRole.Admin).AddEndpointFilter(LeadAnswers.WithoutDatabase);
        group.MapGet("/leads", ListAsync).WithName("leadList").Produces<LeadPage>().WithMetadata(LeadAdminTexts.List);
        group.MapPost("/leads/search", SearchAsync).WithName("leadSearch").Accepts<LeadSearchBody>("application/json").Produces<LeadPage>().WithMetadata(LeadAdminTexts.Search);
        group.MapGet("/leads/{id}/export", ExportAsync).WithName("leadExport").Produces(StatusCodes.Status200OK, contentType: "application/json").WithMetadata(LeadAdminTexts.Export);
        group.MapPost("/leads/delete", EraseAsync).WithName("leadErase").Accepts<EraseRequestBody>("application/json").Produces<ErasureBody>().WithMetadata(LeadAdminTexts.Erase);
        group.MapGet("/leads/erasures/{id}", ErasureAsync).WithName("leadErasure").Produces<ErasureStateReply>().WithMetadata(LeadAdminTexts.Erasure);
        group.MapPost("/leads/merge", MergeAsync).WithName("leadMerge").Accepts<MergeRequestBody>("application/json").Produces<MergeReply>().WithMetadata(LeadAdminTexts.Merge);
        group.MapPost("/leads/merge/undo", UnmergeAsync).WithName("leadMergeUndo").Accepts<UnmergeRequestBody>("application/json").Produces<MergeReply>().WithMetadata(LeadAdminTexts.Unmerge);
        group.MapGet("/audit", AuditAsync).WithName("audit").Produces<AuditReply>().WithMetadata(LeadAdminTexts.Audit);
    }

    private static async Task<IResult> ListAsync(HttpContext context, LeadList list, AuditLog audit, CancellationToken cancellationToken)
    {
        var (body, problem) = LeadFilter.Read(context.Request.Query);
        return problem is null ? await AnswerAsync(context, body!, list, audit, cancellationToken) : InvalidParameter(problem);
    }

    private static async Task<IResult> SearchAsync(HttpContext context, LeadList list, AuditLog audit, CancellationToken cancellationToken)
    {
        var (body, refusal) = await LeadAdminAnswers.ReadAsync(context, LeadAdminJson.Default.LeadSearchBody);
        return body is null ? refusal! : await AnswerAsync(context, body, list, audit, cancellationToken);
    }

    private static async Task<IResult> AnswerAsync(HttpContext context, LeadSearchBody body, LeadList list, AuditLog audit, CancellationToken cancellationToken)
    {
        var format = context.Request.Query["format"].ToString();
        var bom = context.Request.Query["bom"].ToString();
        if (format is not ("" or "json" or "csv")) return InvalidParameter(new("format", "format must be json or csv."));
        if (bom is not ("" or "true" or "false")) return InvalidParameter(new("bom", "bom must be true or false."));
        var asCsv = format == "csv" || (format.Length == 0 && context.Request.Headers.Accept.ToString().StartsWith("text/csv", StringComparison.OrdinalIgnoreCase));
        var (filter, problem) = LeadFilter.Of(body, asCsv);
        if (filter is null) return InvalidParameter(problem!);
        var caller = context.CallerOf();
        if (filter.Property is { } property && !PropertyId.IsValid(property)) return InvalidParameter(new("property", $"property must have {PropertyId.Rule}."));
        filter = filter with { Property = filter.Property ?? caller.PropertyId };
        if (caller.PropertyId is not null && filter.Property != caller.PropertyId) return AccessRefusal.OtherProperty().Answer(context.Response);

        var page = await list.ReadAsync(filter, LeadAdminAnswers.Server(context), cancellationToken);
        await audit.AddAsync(caller.Actor, AuditAction.LeadsListed, null, $$"""{"rows":{{page.Leads.Count}},"form":"{{(asCsv ? "csv" : "json")}}","mailable":{{(filter.Mailable ? "true" : "false")}}}""", cancellationToken);
        if (!asCsv) return LeadAnswers.Ok(page, LeadAdminJson.Default.LeadPage);
        if (page.NextCursor is not null) context.Response.Headers["x-next-cursor"] = page.NextCursor;
        return TypedResults.File(LeadList.Table(page).ToBytes(bom == "true"), "text/csv; charset=utf-8", "leads.csv");
    }

    private static async Task<IResult> ExportAsync(HttpContext context, PersonExport export, string id, CancellationToken cancellationToken)
    {
        if (OnlyWholeKeys(context) is { } refusal) return refusal;
        if (!Guid.TryParse(id, out var lead)) return LeadAdminAnswers.LeadNotFound("id");
        var found = await export.WriteAsync(lead, context.Response.Body, () =>
        {
            context.Response.ContentType = "application/json; charset=utf-8";
            context.Response.Headers.ContentDisposition = $"attachment; filename=\"lead-{lead}.json\"";
        }, context.CallerOf().Actor, cancellationToken);
        return found ? Results.Empty : LeadAdminAnswers.LeadNotFound("id");
    }

    private static async Task<IResult> EraseAsync(HttpContext context, Erasure erasure, CancellationToken cancellationToken)
    {
        if (OnlyWholeKeys(context) is { } notAllowed) return notAllowed;
        var (body, refusal) = await LeadAdminAnswers.ReadAsync(context, LeadAdminJson.Default.EraseRequestBody);
        if (body is null) return refusal!;
        if (body.LeadId is null == body.Email is null) return LeadAdminAnswers.Invalid(body.LeadId is null ? "leadId" : "email", "Give either leadId or email.");
        Guid? lead = null;
        EmailAddress? address = null;
        if (body.LeadId is not null)
        {
            if (!Guid.TryParse(body.LeadId, out var id)) return LeadAdminAnswers.Invalid("leadId", "leadId must be the id of a lead, a UUID.");
            lead = id;
        }
        else if (!EmailAddress.TryParse(body.Email, out address, out var fault))
        {
            return LeadAdminAnswers.Invalid("email", $"email: {EmailAddress.Message(fault)}.");
        }
        var done = await erasure.EraseAsync(new ErasureSubject(lead, address), body.DryRun ?? false, context.CallerOf().Actor, cancellationToken);
        return done is null ? LeadAdminAnswers.LeadNotFound(lead is null ? "email" : "leadId") : LeadAnswers.Ok(done, LeadAdminJson.Default.ErasureBody);
    }

    private static async Task<IResult> ErasureAsync(HttpContext context, Erasure erasure, string id, CancellationToken cancellationToken)
    {
        if (OnlyWholeKeys(context) is { } refusal) return refusal;
        return Guid.TryParse(id, out var receipt) && await erasure.FindAsync(receipt, cancellationToken) is { } found
            ? LeadAnswers.Ok(found, LeadAdminJson.Default.ErasureStateReply)
            : LeadAnswers.Refuse(StatusCodes.Status404NotFound, "erasure_not_found", "There is no receipt of this id.", "id");
    }

    private static async Task<IResult> MergeAsync(HttpContext context, LeadMerges merges, CancellationToken cancellationToken)
    {
        if (OnlyWholeKeys(context) is { } notAllowed) return notAllowed;
        var (body, refusal) = await LeadAdminAnswers.ReadAsync(context, LeadAdminJson.Default.MergeRequestBody);
        if (body is null) return refusal!;
        if (!Guid.TryParse(body.From, out var from)) return LeadAdminAnswers.Invalid("from", "from must be the id of a lead, a UUID.");
        if (!Guid.TryParse(body.Into, out var into)) return LeadAdminAnswers.Invalid("into", "into must be the id of a lead, a UUID.");
        var (outcome, reply) = await merges.MergeAsync(from, into, context.CallerOf().Actor, cancellationToken);
        return outcome switch
        {
            MergeOutcome.Done => LeadAnswers.Ok(reply!, LeadAdminJson.Default.MergeReply),
            MergeOutcome.LeadNotFound => LeadAdminAnswers.LeadNotFound("from"),
            MergeOutcome.SameLead => LeadAdminAnswers.Invalid("into", "from and into are the same lead."),
            MergeOutcome.AlreadyMerged => LeadAnswers.Refuse(StatusCodes.Status409Conflict, "already_merged", "The lead is merged into another one. Undo that merge first: POST /v1/leads/merge/undo.", "from"),
            MergeOutcome.Circle => LeadAnswers.Refuse(StatusCodes.Status409Conflict, "merge_circle", "The lead that is to take over is itself merged into the other one. Undo that merge first: POST /v1/leads/merge/undo.", "into"),
            _ => throw new ArgumentOutOfRangeException(nameof(context), outcome, null),
        };
    }

    private static async Task<IResult> UnmergeAsync(HttpContext context, LeadMerges merges, CancellationToken cancellationToken)
    {
        if (OnlyWholeKeys(context) is { } notAllowed) return notAllowed;
        var (body, refusal) = await LeadAdminAnswers.ReadAsync(context, LeadAdminJson.Default.UnmergeRequestBody);
        if (body is null) return refusal!;
        if (!Guid.TryParse(body.MergeId, out var merge)) return LeadAdminAnswers.Invalid("mergeId", "mergeId must be the id that the merge was answered with, a UUID.");
        return await merges.UndoAsync(merge, context.CallerOf().Actor, cancellationToken) is { } reply
            ? LeadAnswers.Ok(reply, LeadAdminJson.Default.MergeReply)
            : LeadAnswers.Refuse(StatusCodes.Status404NotFound, "merge_not_found", "There is no merge of this id.", "mergeId");
    }

    private static async Task<IResult> AuditAsync(HttpContext context, AuditLog audit, CancellationToken cancellationToken)
    {
        if (OnlyWholeKeys(context) is { } refusal) return refusal;
        var query = context.Request.Query;
        var (limit, before) = (UsualAudit, (long?)null);
        Guid? lead = null;
        AuditAction? action = null;
        foreach (var (name, values) in query)
        {
            if (values is not [{ } text]) return InvalidParameter(new(name, $"{name} is given {values.Count} times; give it once."));
            switch (name)
            {
                case "limit" when int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out limit) && limit is >= 1 and <= MostAudit: break;
                case "limit": return InvalidParameter(new(name, $"limit must be a whole number from 1 to {MostAudit}."));
                case "before" when long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var id): before = id; break;
                case "before": return InvalidParameter(new(name, "before must be the id of an entry."));
                case "leadId" when Guid.TryParse(text, out var id): lead = id; break;
                case "leadId": return InvalidParameter(new(name, "leadId must be the id of a lead, a UUID."));
                case "action" when AuditLog.Action(text) is { } known: action = known; break;
                case "action": return InvalidParameter(new(name, $"action must be one of {string.Join(", ", Enum.GetValues<AuditAction>().Select(AuditLog.Text))}."));
                default: return InvalidParameter(new("query", "There is a parameter that is not known here; there are limit, before, leadId, action."));
            }
        }
        var entries = await audit.ListAsync(before, lead, action, limit, cancellationToken);
        return LeadAnswers.Ok(new AuditReply(true, entries, entries.Count == limit ? entries[^1].Id : null), LeadAdminJson.Default.AuditReply);
    }

    /// <summary>A person's data is that of every property.</summary>
    private static IResult? OnlyWholeKeys(HttpContext context) =>
        context.CallerOf().PropertyId is null ? null : LeadAnswers.Refuse(StatusCodes.Status403Forbidden, "property_not_allowed", "This concerns a person's data on every property, and the key is for one. Send the admin key, or an admin token without property.");

    private static IResult InvalidParameter(LeadFilterProblem problem) => LeadAnswers.Refuse(StatusCodes.Status400BadRequest, "invalid_parameter", problem.Message, problem.Parameter);
}
