using Footfall.Hosting;
using Microsoft.Extensions.Options;

namespace Footfall.Telemetry;

/// <summary>A port for <c>/metrics</c> alone, where <c>Telemetry:MetricsUrl</c> asks for one. A host of its own: the server's other addresses stay as they are, and nothing else is reachable there.</summary>
internal sealed class MetricsListener(MetricsEndpoint endpoint, IOptions<TelemetryOptions> options) : IHostedService, IAsyncDisposable
{
    private WebApplication? app;

    /// <summary>Where it listens; null without one.</summary>
    public string? Address => app?.Urls.FirstOrDefault();

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (string.IsNullOrEmpty(options.Value.MetricsUrl)) return;
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls(options.Value.MetricsUrl).ConfigureKestrel(ConnectionLimits.Set);
        app = builder.Build();
        app.Run(context =>
        {
            context.Response.Headers.XContentTypeOptions = "nosniff";
            if (context.Request.Path == MetricsEndpoint.Path && HttpMethods.IsGet(context.Request.Method)) return endpoint.AnswerAsync(context);
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        });
        await app.StartAsync(cancellationToken);
    }

    public Task StopAsync(CancellationToken cancellationToken) => app?.StopAsync(cancellationToken) ?? Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (app is not null) await app.DisposeAsync();
    }
}
