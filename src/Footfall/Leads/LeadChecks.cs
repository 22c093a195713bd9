using Microsoft.Extensions.Options;

namespace Footfall.Leads;

/// <summary>What a form must pass before it is stored, the cheap checks first.</summary>
internal sealed class LeadChecks(IOptions<LeadsOptions> options, SignedLinks links, ICaptcha captcha, MailHosts hosts, MailDomains domains, TimeProvider time)
{
    public static readonly TimeSpan FormTokenHolds = TimeSpan.FromDays(1);
    private readonly LeadsOptions options = options.Value;

    /// <summary>Those that need nobody else; null when all are passed.</summary>
    public LeadRejection? AtOnce(LeadRequest request)
    {
        if (request.Website is not null) return LeadRejection.Honeypot;
        if (request.FormToken is null) return options.RequireFormToken ? LeadRejection.FormTokenRequired : null;
        var age = time.GetUtcNow() - links.ReadForm(request.FormToken);
        if (age is null || age > FormTokenHolds || age < -TimeSpan.FromMinutes(1)) return LeadRejection.FormTokenInvalid;
        return age < TimeSpan.FromSeconds(options.MinFillSeconds) ? LeadRejection.TooFast : null;
    }

    /// <summary>Those that may ask other servers.</summary>
    public async Task<(LeadRejection? Rejection, bool MailHostUnknown)> ByAskingAsync(LeadRequest request, EmailAddress address, bool isServer, CancellationToken cancellationToken)
    {
        if (options.RejectDisposable && domains.IsDisposable(address.Domain)) return (LeadRejection.DisposableDomain, false);
        if (!isServer)
        {
            switch (await captcha.VerifyAsync(request.Captcha, cancellationToken))
            {
                case CaptchaVerdict.Failed: return (LeadRejection.CaptchaFailed, false);
                case CaptchaVerdict.Unknown: return (LeadRejection.CaptchaUnavailable, false);
                default: break;
            }
        }
        if (!options.CheckMailHost) return (null, false);
        var host = await hosts.FindAsync(address.Domain, cancellationToken);
        return (host == MailHost.Missing ? LeadRejection.MailHostMissing : null, host == MailHost.Unknown);
    }
}
