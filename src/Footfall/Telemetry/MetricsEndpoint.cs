using System.Security.Cryptography;
using System.Text;
using Footfall.Access;
using Microsoft.Extensions.Options;

namespace Footfall.Telemetry;

/// <summary>GET /metrics: for who has the admin key, or the key for this alone.</summary>
internal sealed class MetricsEndpoint(MetricStore store, AccessGate gate, IOptions<TelemetryOptions> options)
{
    public const string Path = "/metrics";
    private static readonly AccessRequirement Admin = new(AccessRole.Admin, AccessPlan.Free);

    private readonly byte[]? key = string.IsNullOrEmpty(options.Value.MetricsKey) ? null : SHA256.HashData(Encoding.UTF8.GetBytes(options.Value.MetricsKey));

    public async Task HandleAsync(HttpContext context)
    {
        if (!HasKey(context.Request) && (await gate.AuthenticateAsync(context, Admin)).Refusal is { } refusal)
        {
            await refusal.Answer(context.Response).ExecuteAsync(context);
            return;
        }
        await AnswerAsync(context);
    }

    public Task AnswerAsync(HttpContext context)
    {
        context.Response.ContentType = PrometheusText.ContentType;
        context.Response.Headers.CacheControl = "no-store";
        return context.Response.WriteAsync(store.Write(), context.RequestAborted);
    }

    // Hashes are compared, so that neither content nor length of the key shows in the time it takes.
    private bool HasKey(HttpRequest request) => key is not null && CryptographicOperations.FixedTimeEquals(key, SHA256.HashData(Encoding.UTF8.GetBytes(AccessGate.KeyOf(request))));
}
