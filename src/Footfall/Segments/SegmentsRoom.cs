using Footfall.Leads;
using Footfall.Rollups;

namespace Footfall.Segments;

/// <summary>A property's days in columns: built from raw rows beside the rollups, decoded where questions are answered.</summary>
public static class SegmentsRoom
{
    public static IServiceCollection AddSegments(this IServiceCollection services)
    {
        services.AddOptions<SegmentOptions>().BindConfiguration("Explore").ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton(SegmentLimits.Usual);
        services.AddSingleton<IDayModel, SegmentModel>();
        services.AddSingleton<IPersonalTrace, SegmentTraces>();
        services.AddSingleton<SegmentStore>();
        services.AddSingleton<SegmentCache>();
        return services;
    }
}
