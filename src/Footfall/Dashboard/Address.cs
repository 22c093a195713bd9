using System.Text;
using Footfall.Explore;

namespace Footfall.Dashboard;

/// <summary>
/// Where a reader is: all that a page shows follows from its address, and every link is this address with a change. Filters are
/// <c>is.country=CA</c>, <c>not.source=google</c> and <c>has.path=/blog</c>; a name given several times means any of the values, and
/// an empty value stands for "has none".
/// </summary>
internal sealed record Address(string Property, string Page, IReadOnlyList<KeyValuePair<string, string>> Parameters)
{
    private const string Is = "is.", Not = "not.", Has = "has.";
    private static readonly string[] Shared = ["period", "from", "to", "compare"];

    public static Address Of(string property, string page, IQueryCollection query) =>
        new(property, page, [.. query.SelectMany(q => q.Value.Select(v => KeyValuePair.Create(q.Key, v ?? "")))]);

    /// <summary>The parameter's last value; null without one.</summary>
    public string? this[string name] => Parameters.LastOrDefault(p => p.Key == name) is { Key: not null, Value: { Length: > 0 } value } ? value : null;

    /// <summary>With another value of the parameter; null takes it away.</summary>
    public Address With(string name, string? value) => this with
    {
        Parameters = value is null ? [.. Parameters.Where(p => p.Key != name)] : [.. Parameters.Where(p => p.Key != name), KeyValuePair.Create(name, value)],
    };

    public Address Without(params IEnumerable<string> names) => names.Aggregate(this, (address, name) => address.With(name, null));

    /// <summary>Another page about the same days, comparison and filters.</summary>
    public Address On(string page) => new(Property, page, [.. Parameters.Where(p => Shared.Contains(p.Key) || IsFilter(p.Key))]);

    /// <summary>The same page about another property: its filters would hold other values.</summary>
    public Address Of(string property) => new(property, Page.Contains('/') ? "" : Page, [.. Parameters.Where(p => Shared.Contains(p.Key))]);

    /// <summary>With the condition, or without it where it is one already.</summary>
    public Address Toggled(Dimension dimension, string? value) => Toggled(Is + dimension.Name, value ?? "");

    /// <param name="kind">is, not or has.</param>
    public Address Added(string kind, string dimension, string value) => HasParameter($"{kind}.{dimension}", value) ? this : Toggled($"{kind}.{dimension}", value);

    public bool HasFilter(Dimension dimension, string? value) => HasParameter(Is + dimension.Name, value ?? "");

    public Address WithoutFilters => this with { Parameters = [.. Parameters.Where(p => !IsFilter(p.Key))] };

    /// <summary>Without one condition and all its values.</summary>
    public Address WithoutFilter(Filter filter)
    {
        var name = NameOf(filter);
        return this with { Parameters = [.. Parameters.Where(p => p.Key != name || (filter.Operator == FilterOperator.Contains && p.Value != filter.Values[0]))] };
    }

    /// <summary>The conditions, or a sentence that says what is wrong with them.</summary>
    public (List<Filter> Filters, string? Problem) Filters()
    {
        List<Filter> filters = [];
        foreach (var group in Parameters.Where(p => IsFilter(p.Key)).GroupBy(p => p.Key))
        {
            var dot = group.Key.IndexOf('.', StringComparison.Ordinal);
            if (Dimension.Find(group.Key[(dot + 1)..]) is not { IsGroup: true } dimension) return ([], $"There is nothing to filter by that is called {Shown(group.Key[(dot + 1)..])}. It can be {string.Join(", ", Dimension.GroupNames)}.");
            var values = group.Select(p => p.Value).Distinct(StringComparer.Ordinal).ToList();
            if (values.Any(v => v.Length > Explore.Filters.MaxCharacters || !StorableText.Is(v))) return ([], $"A filter's value has at most {Explore.Filters.MaxCharacters} characters, and is text.");
            if (values.Count > Explore.Filters.MostValues) return ([], $"A filter has at most {Explore.Filters.MostValues} values.");
            if (group.Key.StartsWith(Has, StringComparison.Ordinal)) filters.AddRange(values.Where(v => v.Length > 0).Select(v => new Filter(dimension, FilterOperator.Contains, [v])));
            else filters.Add(new Filter(dimension, group.Key.StartsWith(Is, StringComparison.Ordinal) ? FilterOperator.Is : FilterOperator.IsNot, [.. values.Select(v => v.Length == 0 ? null : v)]));
        }
        return filters.Count <= Explore.Filters.Most ? (filters, null) : ([], $"There are {filters.Count} filters; at most {Explore.Filters.Most} can be used at once.");
    }

    /// <summary>The parameters that a form must carry along beside its own fields.</summary>
    public IEnumerable<KeyValuePair<string, string>> Besides(params string[] fields) => Parameters.Where(p => !fields.Contains(p.Key));

    public override string ToString()
    {
        var text = new StringBuilder($"/p/{Property}");
        if (Page.Length > 0) text.Append('/').Append(Page);
        var mark = '?';
        foreach (var (name, value) in Parameters)
        {
            text.Append(mark).Append(Escaped(name)).Append('=').Append(Escaped(value));
            mark = '&';
        }
        return text.ToString();
    }

    /// <summary>Text of a request as part of a message: short, and one line.</summary>
    public static string Shown(string text) => new([.. text.Where(c => !char.IsControl(c) && !char.IsSurrogate(c)).Take(64)]);

    private Address Toggled(string name, string value) => HasParameter(name, value)
        ? this with { Parameters = [.. Parameters.Where(p => p.Key != name || p.Value != value)] }
        : this with { Parameters = [.. Parameters, KeyValuePair.Create(name, value)] };

    private bool HasParameter(string name, string value) => Parameters.Any(p => p.Key == name && p.Value == value);

    private static bool IsFilter(string name) => name.StartsWith(Is, StringComparison.Ordinal) || name.StartsWith(Not, StringComparison.Ordinal) || name.StartsWith(Has, StringComparison.Ordinal);

    private static string NameOf(Filter filter) => filter.Operator switch
    {
        FilterOperator.Is => Is,
        FilterOperator.IsNot => Not,
        FilterOperator.Contains => Has,
        _ => throw new ArgumentOutOfRangeException(nameof(filter)),
    } + filter.Dimension.Name;

    // Slashes and colons may stand in a query as they are, and are what paths are read by.
    private static string Escaped(string text) => Uri.EscapeDataString(text).Replace("%2F", "/", StringComparison.Ordinal).Replace("%3A", ":", StringComparison.Ordinal);
}
