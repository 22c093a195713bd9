using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;

namespace Footfall.Leads;

/// <summary>The few pages that people see who have never heard of Footfall: small, without script, complete in themselves, since a site may forward nothing but /v1/leads/.</summary>
internal static class LeadPages
{
    private const string Style = """
        :root{color-scheme:light dark}body{font:17px/1.55 system-ui,sans-serif;max-width:34rem;margin:12vh auto;padding:0 1.2rem}
        h1{font-size:1.5rem;line-height:1.25}button{font:inherit;padding:.55rem 1.1rem;border-radius:.4rem;border:1px solid currentColor;cursor:pointer}
        input{font:inherit;padding:.5rem .6rem;width:100%;box-sizing:border-box;margin:.3rem 0 1rem;border-radius:.4rem;border:1px solid currentColor}
        footer{margin-top:3rem;font-size:.85rem}
        :focus-visible{outline:3px solid #2a6fdb;outline-offset:2px}
        """;

    private static readonly string Policy =
        $"default-src 'none'; style-src 'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Style)))}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    public static IResult Thanks() => Message("Thank you", "We have your address.");

    /// <param name="code">Why; anything may stand there, since it comes with the address.</param>
    public static IResult Sorry(string? code) => Message("That did not work", code switch
    {
        "validation_failed" => "Something in the form is missing or not right, most likely the e-mail address. Go back and check it.",
        "rate_limited" => "Too many forms came from here. Wait a minute, then go back and send it again.",
        "captcha_failed" or "captcha_unavailable" => "It could not be checked that you are a person. Go back and try again.",
        "too_fast" or "form_token_invalid" or "form_token_required" => "The form was open for too short or too long. Go back, load the page anew, and send it again.",
        "disposable_domain" => "Throw-away addresses are not taken. Go back and use another address.",
        "mail_host_missing" => "The part of the address behind the @ takes no mail. Go back and check how it is spelt.",
        "temporarily_unavailable" => "Nothing can be stored at the moment. Go back and send it again in a minute.",
        "body_too_large" => "The form holds more than can be taken. Go back and shorten it.",
        _ => "The form could not be taken. Go back and try again.",
    });

    public static IResult Message(string title, string text, int status = StatusCodes.Status200OK) => Whole(title, $"<p>{WebUtility.HtmlEncode(text)}</p>", status);

    /// <summary>A question with one button: what follows a link in a mail is done by a person's click, not by a program that looks at links.</summary>
    public static IResult Ask(string title, string text, string action, string button, string token) => Whole(title, $"""
        <p>{WebUtility.HtmlEncode(text)}</p>
        <form method="post" action="{action}"><input type="hidden" name="token" value="{WebUtility.HtmlEncode(token)}"><button>{WebUtility.HtmlEncode(button)}</button></form>
        """);

    public static IResult AskForAddress(string title, string text, string action, string button) => Whole(title, $"""
        <p>{WebUtility.HtmlEncode(text)}</p>
        <form method="post" action="{action}"><label for="email">E-mail address</label><input id="email" name="email" type="email" autocomplete="email" required><button>{WebUtility.HtmlEncode(button)}</button></form>
        """);

    private static PageResult Whole(string title, string body, int status = StatusCodes.Status200OK) => new(contact => $"""
        <!doctype html>
        <html lang="en">
        <head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex"><title>{WebUtility.HtmlEncode(title)}</title><style>{Style}</style></head>
        <body><main><h1>{WebUtility.HtmlEncode(title)}</h1>
        {body}
        </main>{contact}</body>
        </html>
        """, status);

    private static string Footer(string? contact)
    {
        if (string.IsNullOrWhiteSpace(contact)) return "";
        var text = WebUtility.HtmlEncode(contact.Trim());
        var isWeb = Uri.TryCreate(contact.Trim(), UriKind.Absolute, out var uri) && (uri.Scheme == Uri.UriSchemeHttp || uri.Scheme == Uri.UriSchemeHttps);
        var address = isWeb ? text : EmailAddress.TryParse(contact.Trim(), out _, out _) ? "mailto:" + text : null;
        return $"<footer><p>Questions about your data: {(address is null ? text : $"<a href=\"{address}\">{text}</a>")}</p></footer>";
    }

    private sealed class PageResult(Func<string, string> page, int status) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            var response = httpContext.Response;
            response.StatusCode = status;
            response.ContentType = "text/html; charset=utf-8";
            response.Headers.ContentSecurityPolicy = Policy;
            response.Headers["Referrer-Policy"] = "no-referrer";      // the address holds a token
            response.Headers.CacheControl = "private, no-store";
            response.Headers["X-Robots-Tag"] = "noindex";
            return response.WriteAsync(page(Footer(httpContext.RequestServices.GetRequiredService<IOptions<LeadsOptions>>().Value.PrivacyContact)), httpContext.RequestAborted);
        }
    }
}
