using Footfall.Leads;
using Footfall.Rollups;
using Microsoft.Extensions.Options;

namespace Footfall.Segments;

/// <summary>A property's days in columns: built from raw rows beside the rollups, decoded where questions are answered.</summary>
public static class SegmentsRoom
{
    public static IServiceCollection AddSegments(this IServiceCollection services)
    {
        services.AddOptions<SegmentOptions>().BindConfiguration("Explore").ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton(s => SegmentLimits.Within(s.GetRequiredService<IOptions<SegmentOptions>>().Value.MemoryBytes));
        services.AddSingleton<IDayModel, SegmentModel>();
        services.AddSingleton<IPersonalTrace, SegmentTraces>();
        services.AddSingleton<SegmentStore>();
        services.AddSingleton<SegmentCache>();
        return services;
    }
}
