using System.Reflection;
using Footfall.Access;
using Footfall.Hosting;
using Footfall.Postgres;
using Footfall.Telemetry;
using Npgsql;

namespace Footfall.Cli;

/// <summary>What the server tells its operator once it listens. Printed, not logged: the key is nothing for a log pipeline.</summary>
internal static class StartBanner
{
    public static async Task WriteAsync(WebApplication app, TextWriter output)
    {
        var services = app.Services;
        var data = services.GetRequiredService<DataFolder>();
        var key = services.GetRequiredService<AdminKey>();
        var address = ListenAddress.ForPeople(app.Urls.FirstOrDefault() ?? ListenAddress.Default);

        if (services.LogsAreJson())
        {
            services.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(ServeCommand).FullName!).Serving(Version, address, data.Path, key.Generated is not null ? "in keys/admin-key of the data folder" : key.IsConfigured ? "as configured" : "none configured");
            return;
        }
        await output.WriteLineAsync($"""

              Footfall {Version} runs at {address}

              Data        {data.Path}
              Admin key   {KeyLine(key)}

              Send a first event, and see it a few seconds later:

              curl {address}/v1/events -H 'content-type: application/json' \
                -d '{Curl.FirstEvent}'
              curl '{address}/v1/metrics/summary?window_days=7' -H '{AdminKey.Header}: {key.Generated ?? "YOUR_ADMIN_KEY"}'

            """);
        await output.FlushAsync();
        _ = TellDatabaseAsync(services, output);
    }

    private static string Version => typeof(StartBanner).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    private static string KeyLine(AdminKey key) =>
        key.Generated is { } generated ? $"{generated}\n              (made by this server; kept in keys/admin-key of the data folder)"
        : key.IsConfigured ? "as configured"
        : "none configured: set ADMIN_API_KEY to read metrics";

    // Capture works before the database is there, so the banner does not wait for it.
    private static async Task TellDatabaseAsync(IServiceProvider services, TextWriter output)
    {
        try
        {
            var stopping = services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
            await services.GetRequiredService<DatabaseGate>().WaitAsync(stopping);
            await using var connection = await services.GetRequiredService<NpgsqlDataSource>().OpenConnectionAsync(stopping);
            var embedded = services.GetRequiredService<Database>().Embedded is not null;
            await output.WriteLineAsync($"  PostgreSQL {connection.PostgreSqlVersion} is ready ({(embedded ? "embedded, in the data folder" : $"on {connection.Host}")}). Ctrl-C stops the server.\n");
            await output.FlushAsync();
        }
        catch (Exception e) when (e is OperationCanceledException or NpgsqlException or ObjectDisposedException)
        {
            // The server is stopping, or the database left again at once: its room logs that, and /v1/readyz tells.
        }
    }
}

/// <summary>Requests to copy, for the terminal and the start page.</summary>
internal static class Curl
{
    public const string FirstEvent = """{"eventType":"page_view","path":"/","anonId":"my-first-visitor"}""";
}
