using Footfall.Capture;

namespace Footfall.Leads;

/// <summary>GET and POST /v1/leads/confirm: what the link in a confirmation mail leads to. Only POST confirms.</summary>
internal static class ConfirmEndpoints
{
    private const int MaxBodyBytes = 8 * 1024;

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet(SignedLinks.ConfirmPath, Show).WithName("confirmPage").WithMetadata(LeadNotes.ConfirmPage);
        routes.MapPost(SignedLinks.ConfirmPath, ConfirmAsync).AddEndpointFilter(LeadAnswers.WithoutDatabase).WithName("confirm").Produces<LeadDone>().WithMetadata(LeadNotes.Confirm);
    }

    private static IResult Show(HttpContext context, SignedLinks links, TimeProvider time)
    {
        var token = context.Request.Query["token"].ToString();
        return links.ReadConfirm(token, time.GetUtcNow()) is null
            ? Expired()
            : LeadPages.Ask("Please confirm", "With one click you confirm that we may write to your address.", SignedLinks.ConfirmPath, "Yes, write to me", token);
    }

    private static async Task<IResult> ConfirmAsync(HttpContext context, SignedLinks links, Confirmations confirmations, PersonalHashes hashes, TimeProvider time)
    {
        var (fields, isForm, refusal) = await LinkBodies.ReadAsync(context, MaxBodyBytes);
        if (fields is null) return LeadAnswers.Refuse(context, refusal!);
        var token = fields.Token ?? context.Request.Query["token"].ToString();
        var ipHash = context.Connection.RemoteIpAddress is { } from ? hashes.OfAddress(from) : null;
        if (links.ReadConfirm(token, time.GetUtcNow()) is { } request && await confirmations.ConfirmAsync(request, ipHash, CancellationToken.None) == ConfirmOutcome.Confirmed)
        {
            return isForm ? LeadPages.Message("Thank you", "Your address is confirmed.") : LeadAnswers.Ok(new LeadDone(), LeadsJson.Default.LeadDone);
        }
        return isForm
            ? Expired()
            : LeadAnswers.Refuse(StatusCodes.Status400BadRequest, "invalid_token", "The link is not whole, has expired, or consent was withdrawn since. Submit the form again to get a new one.", "token");
    }

    private static IResult Expired() => LeadPages.Message("This link does not hold any more", "It is not whole, has expired, or you have asked for no more mail since. Fill in the form again to get a new one.", StatusCodes.Status400BadRequest);
}
