using Footfall.Dashboard.Overview;
using Footfall.Rollups;

namespace Footfall.Dashboard.Reports;

/// <summary>Reports: made without anybody looking, so that a command can make them as well as the server.</summary>
internal static class ReportsRoom
{
    /// <summary>Needs AddLeads, AddRollups, AddExplore and AddMetrics.</summary>
    public static IServiceCollection AddReports(this IServiceCollection services)
    {
        services.AddScoped<CurrentPage>();
        services.AddScoped<Questions>();
        services.AddScoped<FiguresReader>();
        services.AddScoped<PanelsReader>();
        services.AddScoped<OverviewReader>();
        services.AddSingleton<NoteStore>();
        services.AddScoped<ReportTables>();
        services.AddSingleton<ReportStore>();
        services.AddSingleton<WeeklyReports>();
        services.AddSingleton<ReportSender>();
        services.AddSingleton(s => new LaterJob("reports", "sends weekly reports", o => o.ReportsSchedule, stop => s.GetRequiredService<ReportSender>().RunAsync(stop)));
        return services;
    }
}
