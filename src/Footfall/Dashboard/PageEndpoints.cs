using System.Globalization;
using Footfall.Dashboard.By;
using Footfall.Dashboard.Entities;
using Footfall.Dashboard.Experiments;
using Footfall.Dashboard.Funnels;
using Footfall.Dashboard.Health;
using Footfall.Dashboard.Now;
using Footfall.Dashboard.Overview;
using Footfall.Dashboard.People;
using Footfall.Dashboard.Reports;
using Footfall.Dashboard.Returning;
using Footfall.Dashboard.Settings;
using Footfall.Dashboard.Sharing;
using Footfall.Dashboard.SignIn;
using Footfall.Dashboard.WebVitals;
using Footfall.Explore;
using Footfall.Rollups;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Footfall.Dashboard;

/// <summary>The pages of a property: /p/{property}/...</summary>
internal static class PageEndpoints
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        var pages = routes.MapGroup("/p/{property}").ExcludeFromDescription().AddEndpointFilter(PageGuard.Failures).AddEndpointFilter(PageGuard.Admit);
        MapAggregates(pages);
        pages.MapGet("realtime", RealtimeAsync).WithMetadata(new PageName("realtime"));
        pages.MapGet("realtime/stream", RealtimeStream.WriteAsync).WithMetadata(new PageName("realtime"));
        pages.MapGet("entities", EntitiesAsync).WithMetadata(new PageName("entities")).AddEndpointFilter(PageGuard.AdmitPro);
        pages.MapGet("entities.csv", EntitiesFileAsync).WithMetadata(new PageName("entities")).AddEndpointFilter(PageGuard.AdmitPro);
        pages.MapGet("entities-days.csv", EntityDaysFileAsync).WithMetadata(new PageName("entities")).AddEndpointFilter(PageGuard.AdmitPro);
        pages.MapGet("health", HealthAsync).WithMetadata(new PageName("health"));
        LeadsEndpoints.Map(pages);
        SettingsEndpoints.Map(pages);
        SharedLinksEndpoints.Map(pages);

        var changes = pages.MapGroup("").AddEndpointFilter(PageGuard.AdmitAdmin).AddEndpointFilter(Forms.RequireToken);
        NoteEndpoints.Map(changes);
        ReportEndpoints.Map(pages, changes);
        FunnelForms.Map(pages, changes);
        ExperimentForms.Map(pages, changes);
        changes.MapPost("health/recount", RecountAsync).WithMetadata(new PageName("health"));
    }

    /// <summary>Pages whose figures are of many people: what a shared link may show too.</summary>
    public static void MapAggregates(IEndpointRouteBuilder pages)
    {
        pages.MapGet("", OverviewAsync).WithMetadata(new PageName(""));
        pages.MapGet("by/{dimension}", DetailsAsync).WithMetadata(new PageName("by"));
        pages.MapGet("funnels", FunnelsAsync).WithMetadata(new PageName("funnels"));
        pages.MapGet("funnels/{funnel}", FunnelAsync).WithMetadata(new PageName("funnels"));
        pages.MapGet("funnels/{funnel}/steps.csv", FunnelFileAsync).WithMetadata(new PageName("funnels"));
        pages.MapGet("retention", RetentionAsync).WithMetadata(new PageName("retention"));
        pages.MapGet("experiments", ExperimentsAsync).WithMetadata(new PageName("experiments"));
        pages.MapGet("vitals", VitalsAsync).WithMetadata(new PageName("vitals"));
        ReportEndpoints.MapAggregates(pages);
    }

    private static async Task<IResult> OverviewAsync(CurrentPage page, OverviewReader reader, CancellationToken cancellationToken)
    {
        page.Show(await reader.ReadAsync(cancellationToken));
        return Views.Page<OverviewPage>(page.Context);
    }

    /// <summary>The page of a dimension; with .csv behind its name, the whole list as a file.</summary>
    private static async Task<IResult> DetailsAsync(string dimension, CurrentPage page, DetailsReader reader, CancellationToken cancellationToken)
    {
        const string file = ".csv";
        var isFile = dimension.EndsWith(file, StringComparison.Ordinal);
        if (Dimension.Find(isFile ? dimension[..^file.Length] : dimension) is not { IsGroup: true } by)
            return Views.Error(page.Context, StatusCodes.Status404NotFound, "No such list", $"There are lists by {string.Join(", ", Dimension.Names)}.");
        if (isFile)
        {
            var table = await reader.TableAsync(by, cancellationToken);
            return File(page, table.ToBytes(withByteOrderMark: true), by.Name.Replace(':', '-'));
        }
        if (await reader.ReadAsync(by, cancellationToken) is not { } model)
            return Views.Error(page.Context, StatusCodes.Status400BadRequest, "This page of the list is gone", $"Its days, sorting or filters are others now. Begin anew at {page.Address.Without("cursor")}.");
        page.Show(model);
        return Views.Page<DetailsPage>(page.Context);
    }

    /// <summary>A table as a file for a spreadsheet.</summary>
    public static FileContentHttpResult File(CurrentPage page, byte[] bytes, string name)
    {
        page.Context.Response.Headers.CacheControl = "private, no-store";
        return TypedResults.File(bytes, "text/csv; charset=utf-8", $"{page.Property.Id}-{name}-{page.Period.Days.From:yyyy-MM-dd}-{page.Period.Days.To:yyyy-MM-dd}.csv");
    }

    private static async Task<IResult> RealtimeAsync(CurrentPage page, RealtimeFeed feed, CancellationToken cancellationToken)
    {
        page.Show(await feed.ReadAsync(page.Property.Id, cancellationToken));
        return Views.Page<RealtimePage>(page.Context);
    }

    private static async Task<IResult> FunnelsAsync(CurrentPage page, FunnelsOverview reader, CancellationToken cancellationToken)
    {
        page.Show(await reader.ReadAsync(cancellationToken));
        return Views.Page<FunnelsPage>(page.Context);
    }

    /// <summary>One funnel, each visitor once: how long between steps, and who comes how far.</summary>
    private static async Task<IResult> FunnelAsync(string funnel, CurrentPage page, FunnelDetails reader, CancellationToken cancellationToken)
    {
        if (await reader.ReadAsync(funnel, cancellationToken) is not { } model) return NoFunnel(page);
        page.Show(model);
        return Views.Page<FunnelPage>(page.Context);
    }

    private static async Task<IResult> FunnelFileAsync(string funnel, CurrentPage page, FunnelDetails reader, CancellationToken cancellationToken) =>
        await reader.ReadAsync(funnel, cancellationToken) is { } model ? File(page, model.ToTable().ToBytes(withByteOrderMark: true), $"funnel-{model.Definition.Name}") : NoFunnel(page);

    private static RazorComponentResult NoFunnel(CurrentPage page) => Views.Error(page.Context, StatusCodes.Status404NotFound, "No such funnel", "The page Funnels shows those there are.");

    private static async Task<IResult> RetentionAsync(CurrentPage page, RetentionOverview reader, CancellationToken cancellationToken)
    {
        page.Show(await reader.ReadAsync(cancellationToken));
        return Views.Page<RetentionPage>(page.Context);
    }

    private static async Task<IResult> ExperimentsAsync(CurrentPage page, ExperimentsOverview reader, CancellationToken cancellationToken)
    {
        page.Show(await reader.ReadAsync(cancellationToken));
        return Views.Page<ExperimentsPage>(page.Context);
    }

    private static async Task<IResult> EntitiesAsync(CurrentPage page, EntitiesOverview reader, CancellationToken cancellationToken)
    {
        page.Show(await reader.ReadAsync(cancellationToken));
        return Views.Page<EntitiesPage>(page.Context);
    }

    private static async Task<IResult> EntitiesFileAsync(CurrentPage page, EntitiesOverview reader, CancellationToken cancellationToken) =>
        File(page, (await reader.TableAsync(cancellationToken)).ToBytes(withByteOrderMark: true), "entities");

    private static async Task<IResult> EntityDaysFileAsync(CurrentPage page, EntitiesOverview reader, CancellationToken cancellationToken) =>
        await reader.DaysTableAsync(cancellationToken) is { } table
            ? File(page, table.ToBytes(withByteOrderMark: true), "entity-days")
            : Views.Error(page.Context, StatusCodes.Status400BadRequest, "No entity is chosen", "Name its type and id, as the page Entities does.");

    private static async Task<IResult> VitalsAsync(CurrentPage page, VitalsReader reader, CancellationToken cancellationToken)
    {
        page.Show(await reader.ReadAsync(cancellationToken));
        return Views.Page<VitalsPage>(page.Context);
    }

    private static async Task<IResult> HealthAsync(CurrentPage page, HealthReader reader, CancellationToken cancellationToken)
    {
        page.Show(await reader.ReadAsync(cancellationToken));
        return Views.Page<HealthPage>(page.Context);
    }

    private static async Task<IResult> RecountAsync(CurrentPage page, RollupRunner runner, CancellationToken cancellationToken)
    {
        var form = await page.Context.Request.ReadFormAsync(cancellationToken);
        if (!DateOnly.TryParseExact(form["day"], "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) || day < DayRange.Earliest || day > page.Today)
            return Views.Error(page.Context, StatusCodes.Status400BadRequest, "No day was counted anew", "Name a day such as 2026-02-13, not after today.");
        var report = await runner.RunAsync(day, day, page.Property.Id, null, null, cancellationToken);
        if (report.Error is { } error) return Views.Error(page.Context, StatusCodes.Status500InternalServerError, "The day was not counted anew", $"Its figures are as they were before. {error}");
        if (report.Skipped > 0) return Views.Error(page.Context, StatusCodes.Status409Conflict, "The day was not counted anew", "Its raw events are past retention and gone; its figures stay as they were counted while they were there.");
        return SignInEndpoints.Redirect(page.Context, page.Address.On("health").With("done", day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)).ToString());
    }
}
