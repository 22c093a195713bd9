using System.Security.Cryptography;
using System.Text.Json;

namespace Footfall.Explore;

/// <summary>Pieces of time, in UTC; weeks are ISO weeks, from Monday.</summary>
internal enum Interval
{
    Hour,
    Day,
    Week,
    Month,
}

/// <summary>
/// A question about one property, as a value: what asks it, and what answers it, are elsewhere. Only events that are in range and
/// not from bots count.
/// <para>
/// Filters on facts of a session keep the sessions of which they hold, with all their events. Filters on facts of an event keep
/// the events of which all of them hold; a session then counts if it holds such an event in the window. Visitors, page views,
/// events and conversions count kept events that happened in the window; sessions and what is divided by them count kept sessions
/// that began in it; leads those first captured in it, and belong to the session that the visitor who gave the address had begun last
/// by then. By a fact of an event, a session or lead counts under every value that its kept events have.
/// </para>
/// <para>A group is answered when it has at least one of the events, sessions or leads that the asked metrics are computed from.</para>
/// </summary>
/// <param name="Metrics">At least one, each once; groups are ordered by the first, the largest first.</param>
/// <param name="Filters">All must hold.</param>
/// <param name="By">Groups by the values of a dimension; null for no such groups.</param>
/// <param name="Per">Groups by time; null for no such groups. Not together with <paramref name="By"/>.</param>
internal sealed record Query(
    string PropertyId, DayRange Window, IReadOnlyList<Metric> Metrics, IReadOnlyList<Filter> Filters, Dimension? By = null, Interval? Per = null)
{
    /// <summary>How many groups at most; null for all (there are as many as the window has pieces of time, or the answer is asked for by <see cref="Only"/>).</summary>
    public int? Limit { get; init; }

    /// <summary>Only groups behind this one.</summary>
    public Position? After { get; init; }

    /// <summary>Only the groups of these values.</summary>
    public IReadOnlyList<string?>? Only { get; init; }

    /// <summary>The same question without groups.</summary>
    public Query Total => this with { By = null, Per = null, Limit = null, After = null, Only = null };

    public bool HasEventFilters => Filters.Any(f => f.Dimension.IsOfEvent);

    /// <summary>Tells questions apart whose pages must not be mixed: all but where in the answer one is.</summary>
    public string Fingerprint()
    {
        var text = JsonSerializer.Serialize(new object?[]
        {
            PropertyId, Window.From.DayNumber, Window.To.DayNumber, Metrics, By?.Name, Per,
            Filters.Select(f => new object[] { f.Dimension.Name, f.Operator, f.Values }),
        });
        return Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(text)).AsSpan(0, 8));
    }
}

/// <summary>One group of an answer.</summary>
/// <param name="Key">The dimension's value; null for none. For time, the piece's start. Null where there are no groups.</param>
/// <param name="Values">One per metric; null for a ratio without anything to divide by.</param>
internal sealed record Cell(string? Key, double?[] Values);
