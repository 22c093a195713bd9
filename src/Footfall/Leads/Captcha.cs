using System.Net;
using System.Text.Json;
using Microsoft.Extensions.Options;

namespace Footfall.Leads;

internal enum CaptchaVerdict
{
    Passed,
    Failed,

    /// <summary>The provider did not answer.</summary>
    Unknown,
}

/// <summary>Whether a person filled the form in.</summary>
internal interface ICaptcha
{
    /// <param name="response">What the captcha's script put into the form; null when the form has none.</param>
    Task<CaptchaVerdict> VerifyAsync(string? response, CancellationToken cancellationToken);
}

/// <summary>Nobody is asked.</summary>
internal sealed class NoCaptcha : ICaptcha
{
    public Task<CaptchaVerdict> VerifyAsync(string? response, CancellationToken cancellationToken) => Task.FromResult(CaptchaVerdict.Passed);
}

/// <summary>
/// Turnstile, hCaptcha and reCAPTCHA: the three ask their server the same question in the same form ("siteverify"). The
/// visitor's address, which they would like to have, is not sent.
/// </summary>
internal sealed class SiteVerifyCaptcha(HttpClient client, IOptions<LeadsOptions> options, ILogger<SiteVerifyCaptcha> log) : ICaptcha
{
    private readonly LeadsOptions.CaptchaOptions options = options.Value.Captcha;

    private Uri VerifyUrl => new(string.IsNullOrEmpty(options.VerifyUrl)
        ? options.Provider switch
        {
            CaptchaProvider.Turnstile => "https://challenges.cloudflare.com/turnstile/v0/siteverify",
            CaptchaProvider.HCaptcha => "https://api.hcaptcha.com/siteverify",
            CaptchaProvider.ReCaptcha => "https://www.google.com/recaptcha/api/siteverify",
            CaptchaProvider.None => throw new InvalidOperationException("No captcha is configured, and one is asked."),
            _ => throw new InvalidOperationException($"The captcha {options.Provider} has no address."),
        }
        : options.VerifyUrl);

    public async Task<CaptchaVerdict> VerifyAsync(string? response, CancellationToken cancellationToken)
    {
        if (response is null) return CaptchaVerdict.Failed;
        try
        {
            using var form = new FormUrlEncodedContent([new("secret", options.Secret), new("response", response)]);
            using var answer = await client.PostAsync(VerifyUrl, form, cancellationToken);
            if (answer.StatusCode != HttpStatusCode.OK)
            {
                log.CaptchaAway($"it answers {(int)answer.StatusCode}");
                return CaptchaVerdict.Unknown;
            }
            await using var body = await answer.Content.ReadAsStreamAsync(cancellationToken);
            using var said = await JsonDocument.ParseAsync(body, cancellationToken: cancellationToken);
            return Judge(said.RootElement);
        }
        catch (Exception e) when (e is HttpRequestException or JsonException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            log.CaptchaAway(e is OperationCanceledException ? "it does not answer in time" : e.InnerException is OutgoingRefusedException refused ? refused.Message : e.GetType().Name);
            return CaptchaVerdict.Unknown;
        }
    }

    private CaptchaVerdict Judge(JsonElement said)
    {
        if (said.ValueKind != JsonValueKind.Object || !said.TryGetProperty("success", out var success) || success.ValueKind is not (JsonValueKind.True or JsonValueKind.False))
        {
            log.CaptchaAway("its answer is of an unknown form");
            return CaptchaVerdict.Unknown;
        }
        if (success.ValueKind == JsonValueKind.False)
        {
            if (IsOurFault(said)) log.CaptchaRefusesUs();
            return CaptchaVerdict.Failed;
        }
        var isPerson = !said.TryGetProperty("score", out var score) || score.ValueKind != JsonValueKind.Number || score.GetDouble() >= options.MinScore;
        return isPerson ? CaptchaVerdict.Passed : CaptchaVerdict.Failed;
    }

    // Nobody passes with a wrong secret: the operator should hear of it.
    private static bool IsOurFault(JsonElement said) =>
        said.TryGetProperty("error-codes", out var codes) && codes.ValueKind == JsonValueKind.Array
        && codes.EnumerateArray().Any(c => c.ValueKind == JsonValueKind.String && c.GetString()!.Contains("secret", StringComparison.Ordinal));
}
