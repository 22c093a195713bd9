using Footfall.Capture;
using Microsoft.Extensions.Options;

namespace Footfall.Leads;

/// <summary>Section <c>Leads</c>.</summary>
public sealed class LeadsOptions
{
    public const string Section = "Leads";

    /// <summary>Where people reach this server (<c>https://stats.example.com</c>): what links in mail begin with.</summary>
    public string? PublicUrl { get; set; }

    /// <summary>Whom people ask about their data: an e-mail address, an http address, or a line of text. Shown on every page that people see.</summary>
    public string? PrivacyContact { get; set; }

    /// <summary>Key of the signatures in links and form tokens. Unset: made once, kept in the data folder. Several servers need the same.</summary>
    public string? LinkKey { get; set; }

    /// <summary>Keys of before: links that were signed with them hold.</summary>
    public IReadOnlyList<string> PreviousLinkKeys { get; init; } = [];

    /// <summary>Hosts beside the property's own that a form without script may lead to, separated by commas.</summary>
    public string RedirectHosts { get; set; } = "";

    public int MaxBodyBytes { get; set; } = 64 * 1024;

    /// <summary>How long a link that confirms consent holds.</summary>
    public int ConfirmationHours { get; set; } = 72;

    /// <summary>Whether visitors with the submitter's address and browser, seen within 30 minutes, are linked with low confidence.</summary>
    public bool HeuristicLinks { get; set; } = true;

    public LeadLimits RateLimit { get; set; } = new();

    /// <summary>Seconds that must lie between showing a form and sending it; needs the form token. 0: none.</summary>
    public int MinFillSeconds { get; set; }

    /// <summary>Whether a form without a token is turned away.</summary>
    public bool RequireFormToken { get; set; }

    /// <summary>Whether addresses of throw-away mail hosts are turned away.</summary>
    public bool RejectDisposable { get; set; }

    /// <summary>Whether the domain must have a mail host, by DNS.</summary>
    public bool CheckMailHost { get; set; }

    /// <summary>Address of the DNS server for that, with or without port. Unset: the system's.</summary>
    public string? DnsServer { get; set; }

    public CaptchaOptions Captcha { get; set; } = new();
    public WebhookOptions Webhook { get; set; } = new();
    public SmtpOptions Smtp { get; set; } = new();

    /// <summary>Whether mail that asks for confirmation can be sent at all.</summary>
    internal bool SendsMail => !string.IsNullOrEmpty(Webhook.Url) || !string.IsNullOrEmpty(Smtp.Host);

    public sealed class LeadLimits
    {
        public bool Enabled { get; set; } = true;

        /// <summary>Forms per network address (IPv6: per /64) and minute.</summary>
        public int PerAddressPerMinute { get; set; } = 30;

        /// <summary>Forms with the same e-mail address per hour.</summary>
        public int PerEmailPerHour { get; set; } = 100;
    }

    public sealed class CaptchaOptions
    {
        public CaptchaProvider Provider { get; set; } = CaptchaProvider.None;

        public string? Secret { get; set; }

        /// <summary>Unset: the provider's own.</summary>
        public string? VerifyUrl { get; set; }

        /// <summary>Of reCAPTCHA version 3: below it a form is turned away. 0 to 1.</summary>
        public double MinScore { get; set; } = 0.5;
    }

    public sealed class WebhookOptions
    {
        public string? Url { get; set; }

        /// <summary>Signs each call: header <c>x-footfall-signature</c>, HMAC-SHA256 of the body.</summary>
        public string? Secret { get; set; }
    }

    public sealed class SmtpOptions
    {
        public string? Host { get; set; }
        public int Port { get; set; } = 587;
        public SmtpSecurity Security { get; set; } = SmtpSecurity.StartTls;
        public string? User { get; set; }
        public string? Password { get; set; }

        /// <summary>The sender's address.</summary>
        public string? From { get; set; }

        public string? FromName { get; set; }
    }
}

public enum CaptchaProvider
{
    None,
    Turnstile,
    HCaptcha,
    ReCaptcha,
}

public enum SmtpSecurity
{
    /// <summary>In the clear: only for a host on the same machine or network.</summary>
    None,

    /// <summary>Encrypted from the first command after STARTTLS; nothing is sent where the host does not offer it.</summary>
    StartTls,

    /// <summary>Encrypted from the first byte (port 465).</summary>
    Tls,
}

/// <summary>All failures at once, each naming its key and what it may be.</summary>
internal sealed class LeadsOptionsValidator : IValidateOptions<LeadsOptions>
{
    public ValidateOptionsResult Validate(string? name, LeadsOptions o)
    {
        List<string> failures = [];
        void Must(bool holds, string failure)
        {
            if (!holds) failures.Add(failure);
        }

        Must(string.IsNullOrEmpty(o.PublicUrl) || AllowedOrigins.IsOrigin(o.PublicUrl.TrimEnd('/')), "Leads:PublicUrl must be scheme and host, such as https://stats.example.com.");
        Must(!o.SendsMail || !string.IsNullOrEmpty(o.PublicUrl), "Leads:PublicUrl must be set where mail is sent (Leads:Webhook:Url, Leads:Smtp:Host): links in mail begin with it.");
        Must(o.PrivacyContact is null || (o.PrivacyContact.Length <= 300 && !o.PrivacyContact.Any(char.IsControl)), "Leads:PrivacyContact must be an e-mail address, an http address or one line of text, of at most 300 characters.");
        Must(o.LinkKey is null or { Length: 0 or >= 32 }, "Leads:LinkKey must have at least 32 characters, or be left out to have one made and kept in the data folder.");
        Must(o.PreviousLinkKeys.All(k => k.Length >= 32), "Leads:PreviousLinkKeys must each have at least 32 characters.");
        foreach (var host in Redirects.Split(o.RedirectHosts)) Must(Uri.CheckHostName(host) is UriHostNameType.Dns or UriHostNameType.IPv4, $"Leads:RedirectHosts has the entry '{host}', which is no host name. Write it without scheme, port and path.");
        Must(o.MaxBodyBytes is >= 1024 and <= 4 * 1024 * 1024, "Leads:MaxBodyBytes must be 1024 to 4194304.");
        Must(o.ConfirmationHours is >= 1 and <= 24 * 90, "Leads:ConfirmationHours must be 1 to 2160.");
        Must(o.RateLimit.PerAddressPerMinute is >= 1 and <= 1_000_000, "Leads:RateLimit:PerAddressPerMinute must be 1 to 1000000.");
        Must(o.RateLimit.PerEmailPerHour is >= 1 and <= 1_000_000, "Leads:RateLimit:PerEmailPerHour must be 1 to 1000000.");
        Must(o.MinFillSeconds is >= 0 and <= 600, "Leads:MinFillSeconds must be 0 to 600.");
        Must(string.IsNullOrEmpty(o.DnsServer) || System.Net.IPEndPoint.TryParse(o.DnsServer, out _), "Leads:DnsServer must be an address with or without port, such as 192.0.2.53 or 192.0.2.53:53.");
        Must(Enum.IsDefined(o.Captcha.Provider), "Leads:Captcha:Provider must be none, turnstile, hcaptcha or recaptcha.");
        Must(o.Captcha.Provider == CaptchaProvider.None || !string.IsNullOrEmpty(o.Captcha.Secret), "Leads:Captcha:Secret must be set: the secret key that the captcha's provider gave you.");
        Must(string.IsNullOrEmpty(o.Captcha.VerifyUrl) || IsHttp(o.Captcha.VerifyUrl), "Leads:Captcha:VerifyUrl must be an http or https address.");
        Must(o.Captcha.MinScore is >= 0 and <= 1, "Leads:Captcha:MinScore must be 0 to 1.");
        Must(string.IsNullOrEmpty(o.Webhook.Url) || IsHttp(o.Webhook.Url), "Leads:Webhook:Url must be an http or https address.");
        Must(o.Webhook.Secret is null or { Length: 0 or >= 16 }, "Leads:Webhook:Secret must have at least 16 characters.");
        Must(o.Smtp.Port is >= 1 and <= 65535, "Leads:Smtp:Port must be 1 to 65535.");
        Must(Enum.IsDefined(o.Smtp.Security), "Leads:Smtp:Security must be starttls, tls or none.");
        if (!string.IsNullOrEmpty(o.Smtp.Host)) Must(EmailAddress.TryParse(o.Smtp.From, out _, out _), "Leads:Smtp:From must be the address that mail comes from, such as letters@example.com.");
        Must(string.IsNullOrEmpty(o.Smtp.Host) || string.IsNullOrEmpty(o.Webhook.Url), "Set either Leads:Webhook:Url or Leads:Smtp:Host: each confirmation is sent one way.");
        Must(o.Smtp.FromName?.Any(char.IsControl) is not true, "Leads:Smtp:FromName must not have control characters.");
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }

    private static bool IsHttp(string text) => Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https";
}
