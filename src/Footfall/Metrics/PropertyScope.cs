using Footfall.Access;
using Footfall.Capture;
using Footfall.Explore;
using Microsoft.Extensions.Options;

namespace Footfall.Metrics;

/// <summary>What every question about a property has in common: which one, whether there is one, whether the caller may ask.</summary>
internal sealed class PropertyScope(SummaryStore store, IOptions<CaptureOptions> capture, TimeProvider clock)
{
    public DateTimeOffset Now => clock.GetUtcNow();

    /// <summary>In UTC.</summary>
    public DateOnly Today => DateOnly.FromDateTime(Now.UtcDateTime);

    /// <summary>The property asked about (<c>property</c>, or <c>propertyId</c> as in the summary), else the caller's own, else the default one.</summary>
    public string Read(ParameterReader reader, HttpContext context)
    {
        var (property, other) = (reader.Text("property"), reader.Text("propertyId"));
        if (property is not null && other is not null && property != other) reader.Refuse("property", "property and propertyId are the same thing; give one of them.");
        property ??= other;
        if (property is null) return context.CallerOf().PropertyId ?? capture.Value.DefaultPropertyId;
        if (!PropertyId.IsValid(property)) reader.Refuse(other is null ? "property" : "propertyId", $"property must have {PropertyId.Rule}.");
        return property;
    }

    /// <summary>Why the question is not answered; null when it is, with what the answer depends on.</summary>
    public async Task<(IResult? Refusal, PropertyState State)> CheckAsync(ParameterReader reader, HttpContext context, string property, CancellationToken cancellationToken)
    {
        if (reader.Done() is { } invalid) return (Answers.Refuse(invalid), Unknown);
        if (!context.CallerOf().MayUse(property)) return (AccessRefusal.OtherProperty().Answer(context.Response), Unknown);
        var state = await store.StateAsync(property, cancellationToken);
        if (state.Exists || property == capture.Value.DefaultPropertyId) return (null, state);
        return (Answers.Refuse(StatusCodes.Status404NotFound, new ErrorBody(
            "property_not_found", "There is no property of this id yet. It appears with its first event; `footfall properties list` shows those there are.", "property")), Unknown);
    }

    private static readonly PropertyState Unknown = new(false, false, 0, null, null, null, null, null);
}
