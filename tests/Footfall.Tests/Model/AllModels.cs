using Footfall.Definitions;
using Footfall.Rollups;
using Footfall.Segments;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Footfall.Tests.Model;

/// <summary>The product's day models, as the room puts them together.</summary>
internal static class AllModels
{
    public static FunnelStore Funnels(NpgsqlDataSource database, params FunnelDefinition[] configured)
    {
        var options = new FunnelsOptions();
        foreach (var funnel in configured)
        {
            options.Definitions.Add(new FunnelSetting
            {
                Name = funnel.Name,
                WindowHours = funnel.WindowHours,
                Steps = [.. funnel.Steps.Select(s => new FunnelStepSetting { Name = s.Name, EventTypes = [.. s.EventTypes], Path = s.Path, Props = new(s.Props ?? new Dictionary<string, string>()) })],
            });
        }
        return new FunnelStore(database, Options.Create(options), TimeProvider.System);
    }

    public static RollupRunner Runner(NpgsqlDataSource database, FunnelStore funnels, TimeProvider clock, RollupLimits? limits = null)
    {
        var users = new UserFacts(funnels);
        return new RollupRunner(
            database, new RollupStore(database),
            [new DailyMetrics(), new DailyIngest(), new EntityAggregates(), new ProductMetrics(users), new ExperimentMetrics(users), new FunnelMetrics(users), new EntityVisitors(), new SegmentModel(SegmentLimits.Usual, NullLogger<SegmentModel>.Instance)],
            clock, NullLogger<RollupRunner>.Instance, limits);
    }
}
