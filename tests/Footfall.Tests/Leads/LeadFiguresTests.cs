using System.Text.Json;
using Footfall.Tests.Infrastructure;
using Xunit;

namespace Footfall.Tests.Leads;

/// <summary>What forms do to the figures: computed by hand from what was sent.</summary>
[Trait("Category", TestCluster.Category)]
public sealed class LeadFiguresTests(ApiServer server) : IClassFixture<ApiServer>
{
    [Fact]
    public async Task New_leads_their_rate_and_the_time_to_capture_are_those_of_the_day()
    {
        var today = DateOnly.FromDateTime(TimeProvider.System.GetUtcNow().UtcDateTime);
        var hourAgo = TimeProvider.System.GetUtcNow().AddHours(-1);
        // Two came an hour ago, one of them submits; a third is only there by its submit.
        await server.StoreAsync(
            Told.Event("figure-1", hourAgo.ToString("O"), property: "figures"),
            Told.Event("figure-2", hourAgo.ToString("O"), property: "figures"));
        await server.TakenAsync(Lead("figure1@example.org", "visitor-figure-1"));
        await server.TakenAsync(Lead("figure1@example.org", "visitor-figure-1"));
        await server.TakenAsync(Lead("figure3@example.org", "visitor-figure-3"));
        Assert.Equal(400, (await LeadServer.RefusedAsync(await server.CaptureAsync(new { email = "none", propertyId = "figures" }))).Status);
        await server.SettleAsync();
        await server.RollUpAsync();

        var day = await server.Database.RowsAsync("""
            select new_leads, first_capture_leads, first_capture_ms between 3600000 and 3660000, form_submits, conversions
            from daily_metric_rollups where property_id = 'figures' and day = @day
            """, ("day", today));
        Assert.Equal(["2|2|True|3|3"], day);
        Assert.Equal(["3|1|{\"validation_failed\": 1}"], await server.Database.RowsAsync(
            "select leads_accepted, leads_rejected, leads_rejected_by_reason from daily_ingest_rollups where property_id = 'figures' and day = @day", ("day", today)));
        using var answer = await server.GetAsync($"/v1/metrics/summary?propertyId=figures&from={today:yyyy-MM-dd}&to={today:yyyy-MM-dd}", ("x-admin-key", ApiServer.AdminKey));
        var summary = JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement;
        var visitors = summary.GetProperty("metrics").GetProperty("uniqueVisitors").GetProperty("value").GetDouble();
        Assert.Equal(2 / visitors, summary.GetProperty("metrics").GetProperty("leadCaptureRate").GetProperty("value").GetDouble(), 6);
    }

    [Fact]
    public async Task A_lead_without_any_event_is_in_the_day_all_the_same_and_gone_when_it_is_gone()
    {
        var token = await server.NewTokenAsync(Footfall.Access.AccessRole.Ingest, property: "quiet");
        var lead = await server.TakenAsync(new { email = "quiet@example.org" }, ("Authorization", $"Bearer {token}"));
        await server.SettleAsync();
        await server.RollUpAsync();
        Assert.Equal(["1|0"], await server.Database.RowsAsync("select new_leads, events from daily_metric_rollups where property_id = 'quiet'"));
        await using (var connection = await server.Database.Source.OpenConnectionAsync())
        {
            await server.Database.ExecuteAsync("delete from leads where id = @id", ("id", lead));
            await Footfall.Ingestion.DayMarks.MarkAsync(connection, [("quiet", DateOnly.FromDateTime(TimeProvider.System.GetUtcNow().UtcDateTime))], TimeProvider.System.GetUtcNow(), default);
        }
        await server.RollUpAsync();
        Assert.Empty(await server.Database.RowsAsync("select new_leads from daily_metric_rollups where property_id = 'quiet'"));
        Assert.Equal(["1"], await server.Database.RowsAsync("select leads_accepted from daily_ingest_rollups where property_id = 'quiet'"));
    }

    private static object Lead(string email, string anonId) => new { email, anonId, propertyId = "figures", consent = new { status = "express" } };
}
