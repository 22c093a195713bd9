using Footfall.Explore;

namespace Footfall.Dashboard;

/// <summary>Conditions in words.</summary>
internal static class FilterText
{
    public static string Word(Filter filter) => filter.Operator switch
    {
        FilterOperator.Is => "is",
        FilterOperator.IsNot => "is not",
        FilterOperator.Contains => "contains",
        _ => throw new ArgumentOutOfRangeException(nameof(filter)),
    };

    public static string Said(Filter filter) => $"{Labels.Of(filter.Dimension)} {Word(filter)} {string.Join(" or ", filter.Values.Select(v => v is null ? Labels.None : Labels.Visible(v)))}";
}
