using Footfall.Access;
using Footfall.Backups;
using Footfall.Capture;
using Footfall.Cli;
using Footfall.Dashboard;
using Footfall.Dashboard.Reports;
using Footfall.Definitions;
using Footfall.Demo;
using Footfall.Explore;
using Footfall.Hosting;
using Footfall.Ingestion;
using Footfall.Journal;
using Footfall.Leads;
using Footfall.Metrics;
using Footfall.Postgres;
using Footfall.Rollups;
using Footfall.Segments;
using Footfall.Telemetry;
using Footfall.Tracker;
using Microsoft.Extensions.Logging.Console;

namespace Footfall;

/// <summary>Puts the rooms together, in the order in which data flows.</summary>
public static class FootfallHost
{
    /// <summary>The server. <paramref name="args"/> are configuration in the usual ASP.NET form (<c>--DataDir /srv/footfall</c>).</summary>
    public static WebApplication Build(string[] args) => Build(args, change: null);

    /// <param name="change">The last word on what the rooms registered: tests put their clock or disk in its place.</param>
    internal static WebApplication Build(string[] args, Action<WebApplicationBuilder>? change)
    {
        var builder = WebApplication.CreateBuilder(args);
        builder.Configuration.AddPlainNames();
        builder.UseDefaultAddress();
        // Request logs hold addresses and what they asked for.
        builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
        // A line for each form that a stranger sends without our cookie; they get their refusal, and nobody needs to know.
        builder.Logging.AddFilter("Microsoft.AspNetCore.Antiforgery", LogLevel.Error);
        // What these say, the banner and the command line say in one sentence.
        builder.Logging.AddFilter("Microsoft.Hosting.Lifetime", LogLevel.Warning);
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical);
        builder.WebHost.ConfigureKestrel(ConnectionLimits.Set);
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddPostgres(builder.Configuration).AddPostgresServing();
        builder.Services.AddTrustedProxies(builder.Configuration);
        builder.Services.AddAccess();
        builder.Services.AddJournal(builder.Configuration);
        builder.Services.AddCapture(builder.Configuration);
        builder.Services.AddTracker(builder.Configuration);
        builder.Services.AddIngestion().AddJournalDrain();
        builder.Services.AddLeads(builder.Configuration).AddLeadCapture();
        builder.Services.AddLeadAdmin().AddErasureService();
        builder.Services.AddBackups(builder.Configuration).AddRequestKeeper();
        builder.Services.AddDefinitions();
        builder.Services.AddRollups().AddJobSchedule();
        builder.Services.AddSegments();
        builder.Services.AddExplore();
        builder.Services.AddApiDocument();
        MetricsRoom.AddMetrics(builder.Services);   // ASP.NET Core has an AddMetrics of its own
        builder.Services.AddTelemetry(builder.Configuration);
        builder.Services.AddDemo();
        builder.Services.AddDashboard();
        change?.Invoke(builder);

        var app = builder.Build();
        app.UseTrustedProxies();
        app.UseTelemetry();
        app.UseDashboard();
        app.MapCapture();
        app.MapTracker();
        app.MapLeads();
        app.MapLeadAdmin();
        app.MapDefinitions();
        app.MapMetrics();
        app.MapApiDocument();
        app.MapTelemetry();
        app.MapDashboard();
        return app;
    }

    /// <summary>The same rooms for a command: nothing runs in the background, nothing listens, and logs go to standard error.</summary>
    internal static WebApplication BuildForCommands(string[] args, bool verbose)
    {
        var builder = WebApplication.CreateBuilder(args);
        builder.Configuration.AddPlainNames();
        builder.Services.Configure<ConsoleLoggerOptions>(o => o.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.Logging.SetMinimumLevel(verbose ? LogLevel.Information : LogLevel.Error);
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddPostgres(builder.Configuration);
        builder.Services.AddCaptureEnrichment(builder.Configuration);
        builder.Services.AddJournal(builder.Configuration);
        builder.Services.AddIngestion();
        builder.Services.AddLeads(builder.Configuration).AddLeadAdmin();
        builder.Services.AddBackups(builder.Configuration);
        builder.Services.AddDefinitions();
        builder.Services.AddRollups();
        builder.Services.AddSegments();
        builder.Services.AddExplore();
        MetricsRoom.AddMetrics(builder.Services);
        builder.Services.AddReports().AddDashboardRequests();
        builder.Services.AddDemo();
        builder.Services.AddCli();
        return builder.Build();
    }
}
