using Footfall.Capture;

namespace Footfall.Leads;

/// <summary>
/// GET and POST /v1/leads/unsubscribe: by a link's signed token, with one click as RFC 8058 wants it, or by address. Only POST
/// withdraws: programs that look at the links in mail follow them with GET. Who asks cannot tell whether an address is known.
/// </summary>
internal static class UnsubscribeEndpoints
{
    private const int MaxBodyBytes = 8 * 1024;
    private const string Title = "No more mail";
    private const string DoneText = "If we have this address, it gets no more mail from us, beginning now.";

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet(SignedLinks.UnsubscribePath, Show).WithName("unsubscribePage").WithMetadata(LeadNotes.UnsubscribePage);
        routes.MapPost(SignedLinks.UnsubscribePath, WithdrawAsync).AddEndpointFilter(LeadAnswers.WithoutDatabase).WithName("unsubscribe").Produces<LeadDone>().WithMetadata(LeadNotes.Unsubscribe);
    }

    private static IResult Show(HttpContext context, SignedLinks links)
    {
        var token = context.Request.Query["token"].ToString();
        if (token.Length == 0) return LeadPages.AskForAddress(Title, "Enter the address that should get no more mail.", SignedLinks.UnsubscribePath, "Stop mail to this address");
        return links.ReadUnsubscribe(token) is null
            ? LeadPages.Message("This link is not whole", "Part of it was lost on the way. Copy all of it from the mail, or open this page without it to enter your address.", StatusCodes.Status400BadRequest)
            : LeadPages.Ask(Title, "With one click, this address gets no more mail from us.", SignedLinks.UnsubscribePath, "Stop the mail", token);
    }

    private static async Task<IResult> WithdrawAsync(HttpContext context, SignedLinks links, Withdrawals withdrawals, SubmitLimits limits, PersonalHashes hashes)
    {
        var (fields, isForm, refusal) = await LinkBodies.ReadAsync(context, MaxBodyBytes);
        if (fields is null) return LeadAnswers.Refuse(context, refusal!);
        var ipHash = context.Connection.RemoteIpAddress is { } from ? hashes.OfAddress(from) : null;
        var token = fields.Token ?? context.Request.Query["token"].ToString();
        if (token.Length > 0)
        {
            if (links.ReadUnsubscribe(token) is not { } lead) return Invalid(isForm);
            await withdrawals.WithdrawAsync(lead, ConsentMethod.UnsubscribeLink, ipHash, CancellationToken.None);
            return Done(isForm);
        }
        if (!limits.TryTake(context.Connection.RemoteIpAddress, out var seconds)) return LeadAnswers.Refuse(context, LeadRejection.RateLimited(seconds));
        if (!EmailAddress.TryParse(fields.Email, out var address, out var fault))
        {
            return isForm
                ? LeadPages.Message("That is no address", $"{char.ToUpperInvariant(EmailAddress.Message(fault)[0])}{EmailAddress.Message(fault)[1..]}. Go back and try again.", StatusCodes.Status400BadRequest)
                : LeadAnswers.Refuse(context, LeadRejection.InvalidAddress(fault));
        }
        await withdrawals.WithdrawAsync(address, ConsentMethod.UnsubscribeForm, ipHash, CancellationToken.None);
        return Done(isForm);
    }

    private static IResult Done(bool isForm) => isForm ? LeadPages.Message("Done", DoneText) : LeadAnswers.Ok(new LeadDone(), LeadsJson.Default.LeadDone);

    private static IResult Invalid(bool isForm) => isForm
        ? LeadPages.Message("This link is not whole", "Part of it was lost on the way. Copy all of it from the mail, or open the page without it to enter your address.", StatusCodes.Status400BadRequest)
        : LeadAnswers.Refuse(StatusCodes.Status400BadRequest, "invalid_token", "The token is not one of this server: part of the link was lost. Send all of it, or the address as email.", "token");
}
