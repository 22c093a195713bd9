using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Options;

namespace Footfall.Leads;

/// <summary>What the webhook gets.</summary>
/// <param name="Id">The same when it is sent again.</param>
internal sealed record ConfirmationCall(string Type, Guid Id, string Email, string PropertyId, string PropertyName, string? Purpose, string ConfirmUrl, string UnsubscribeUrl, DateTimeOffset ExpiresAt);

/// <inheritdoc cref="ConfirmationCall"/>
/// <param name="Email">To whom it goes; null where nobody is named, and the program decides.</param>
internal sealed record LetterCall(
    string Type, Guid Id, string? Email, string PropertyId, string PropertyName, DateOnly From, DateOnly To, string Subject, string Text, string Html, string? UnsubscribeUrl, IReadOnlyList<LetterFigure> Figures);

/// <summary>Hands the mail to the operator's own program: POST of JSON, signed. Any 2xx takes it.</summary>
internal sealed class WebhookTransport(HttpClient client, IOptions<LeadsOptions> options) : IMailTransport
{
    public const string SignatureHeader = "x-footfall-signature";
    private readonly LeadsOptions.WebhookOptions options = options.Value.Webhook;

    public bool IsProgram => true;

    public Task SendAsync(Confirmation c, CancellationToken cancellationToken) => PostAsync(
        JsonSerializer.SerializeToUtf8Bytes(new ConfirmationCall("consent.confirm", c.Id, c.Address, c.PropertyId, c.PropertyName, c.Purpose, c.Link, c.Unsubscribe, c.ExpiresAt), LeadsJson.Default.ConfirmationCall),
        cancellationToken);

    public Task SendAsync(Letter l, CancellationToken cancellationToken) => PostAsync(
        JsonSerializer.SerializeToUtf8Bytes(new LetterCall(l.Kind, l.Id, l.Address, l.PropertyId, l.PropertyName, l.From, l.To, l.Subject, l.Text, l.Html, l.Unsubscribe, l.Figures), LeadsJson.Default.LetterCall),
        cancellationToken);

    private async Task PostAsync(byte[] body, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, options.Url) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json") { CharSet = "utf-8" };
        if (!string.IsNullOrEmpty(options.Secret)) request.Headers.Add(SignatureHeader, "sha256=" + Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(options.Secret), body)));
        try
        {
            using var answer = await client.SendAsync(request, cancellationToken);
            if (!answer.IsSuccessStatusCode) throw new MailException($"Leads:Webhook:Url answers {(int)answer.StatusCode}");
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            throw new MailException(e switch
            {
                OperationCanceledException => "Leads:Webhook:Url does not answer in time",
                { InnerException: OutgoingRefusedException refused } => $"Leads:Webhook:Url: {refused.Message}",
                _ => "Leads:Webhook:Url cannot be reached",
            }, e);
        }
    }
}
