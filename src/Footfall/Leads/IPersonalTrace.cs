using Npgsql;

namespace Footfall.Leads;

/// <summary>A person on the way out, by everything that rows of later rooms know them by.</summary>
/// <param name="Leads">Ids of their leads; the rows are gone already.</param>
/// <param name="VisitorNumbers">The dense numbers of their visitors.</param>
/// <param name="AccountNumbers">Those of their accounts.</param>
/// <param name="Entities">What their stored events were about.</param>
internal sealed record ErasedPerson(
    IReadOnlyList<Guid> Leads, IReadOnlyList<int> VisitorNumbers, IReadOnlyList<int> AccountNumbers, IReadOnlyList<string> Properties,
    IReadOnlyList<(string Property, string Type, string Id)> Entities, IReadOnlyList<(string Property, DateOnly Day)> Days);

/// <summary>What a room after this one keeps of single people beside the raw rows. Each says it here, so that an erasure takes it along.</summary>
internal interface IPersonalTrace
{
    /// <summary>Removes what can be found at once, in the transaction that erases the person. Returns how many rows.</summary>
    Task<long> EraseAsync(NpgsqlConnection connection, ErasedPerson person, CancellationToken cancellationToken);

    /// <summary>Removes what only reading whole tables finds, such as rows of days whose raw events are long gone. Runs in the background.</summary>
    Task SweepAsync(NpgsqlConnection connection, IReadOnlyList<int> visitorNumbers, IReadOnlyList<int> accountNumbers, CancellationToken cancellationToken);

    /// <summary>Takes mentions of addresses out of what is not plain text in a table, where reading it finds them. Runs in the background. Returns the tables that changed.</summary>
    /// <param name="blot">The text without the addresses; the same text where it has none.</param>
    Task<IReadOnlyList<string>> BlotAsync(NpgsqlConnection connection, Func<string, string> blot, CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<string>>([]);
}
