namespace Footfall.Leads;

/// <summary>No addresses, ids or names of people: a line says what happened, the database to whom.</summary>
internal static partial class LeadsLog
{
    [LoggerMessage(8000, LogLevel.Warning, "The captcha's provider could not be asked ({Reason}); the form was answered with 503.")]
    public static partial void CaptchaAway(this ILogger log, string reason);

    [LoggerMessage(8001, LogLevel.Error, "The captcha's provider refuses Leads:Captcha:Secret, so that no form comes through. Set the secret key that it gave you for this site.")]
    public static partial void CaptchaRefusesUs(this ILogger log);

    [LoggerMessage(8002, LogLevel.Warning, "A form could not be stored ({Reason}); it was answered with 503, and nothing of it was kept.")]
    public static partial void CannotStore(this ILogger log, string reason);

    [LoggerMessage(8003, LogLevel.Warning, "Events of submitted forms could not be recorded ({Reason}); it is tried again.")]
    public static partial void EventsWait(this ILogger log, string reason);

    [LoggerMessage(8004, LogLevel.Warning, "A request for confirmation could not be sent ({Reason}); it is tried again.")]
    public static partial void ConfirmationWaits(this ILogger log, string reason);

    [LoggerMessage(8005, LogLevel.Error, "A request for confirmation could not be sent in {Attempts} attempts ({Reason}) and is given up. The person may submit the form again.")]
    public static partial void ConfirmationGivenUp(this ILogger log, int attempts, string reason);

    [LoggerMessage(8006, LogLevel.Warning, "Requests for confirmation could not be looked for ({Reason}); it is tried again.")]
    public static partial void ConfirmationsNotRead(this ILogger log, string reason);

    [LoggerMessage(8007, LogLevel.Information, "Implied consent of {Leads} leads has expired.")]
    public static partial void ConsentExpired(this ILogger log, int leads);
}
