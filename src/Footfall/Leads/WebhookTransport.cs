using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Options;

namespace Footfall.Leads;

/// <summary>What the webhook gets.</summary>
/// <param name="Id">The same when it is sent again.</param>
internal sealed record ConfirmationCall(string Type, Guid Id, string Email, string PropertyId, string PropertyName, string? Purpose, string ConfirmUrl, string UnsubscribeUrl, DateTimeOffset ExpiresAt);

/// <summary>Hands the mail to the operator's own program: POST of JSON, signed. Any 2xx takes it.</summary>
internal sealed class WebhookTransport(HttpClient client, IOptions<LeadsOptions> options) : IConfirmationTransport
{
    public const string SignatureHeader = "x-footfall-signature";
    private readonly LeadsOptions.WebhookOptions options = options.Value.Webhook;

    public async Task SendAsync(Confirmation c, CancellationToken cancellationToken)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(
            new ConfirmationCall("consent.confirm", c.Id, c.Address, c.PropertyId, c.PropertyName, c.Purpose, c.Link, c.Unsubscribe, c.ExpiresAt), LeadsJson.Default.ConfirmationCall);
        using var request = new HttpRequestMessage(HttpMethod.Post, options.Url) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json") { CharSet = "utf-8" };
        if (!string.IsNullOrEmpty(options.Secret)) request.Headers.Add(SignatureHeader, "sha256=" + Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(options.Secret), body)));
        try
        {
            using var answer = await client.SendAsync(request, cancellationToken);
            if (!answer.IsSuccessStatusCode) throw new ConfirmationException($"Leads:Webhook:Url answers {(int)answer.StatusCode}");
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            throw new ConfirmationException(e switch
            {
                OperationCanceledException => "Leads:Webhook:Url does not answer in time",
                { InnerException: OutgoingRefusedException refused } => $"Leads:Webhook:Url: {refused.Message}",
                _ => "Leads:Webhook:Url cannot be reached",
            }, e);
        }
    }
}
