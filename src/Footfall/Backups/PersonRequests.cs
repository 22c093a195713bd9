using System.Text.Json.Serialization;
using Footfall.Access;
using Footfall.Leads;
using Npgsql;

namespace Footfall.Backups;

/// <summary>What was asked for once and must hold also after a restore of an older backup. Nothing in it says who somebody is: ids are random, hashes keyed.</summary>
/// <param name="Kind"><c>erasure</c>, <c>withdrawal</c> (of consent), <c>revocation</c> (of an access token), or that of an <see cref="ILastingRequest"/>.</param>
/// <param name="Id">Of the erasure, the lead, the token, or whatever else it is about.</param>
/// <param name="Method">Of a withdrawal.</param>
/// <param name="Receipt">Of an erasure, and so are the next three.</param>
/// <param name="Property">That it is about, where it is about one as a whole.</param>
internal sealed record PersonRequest(
    string Kind, Guid Id, DateTimeOffset At, string? Method = null, string? Receipt = null, IReadOnlyList<Guid>? Leads = null, IReadOnlyList<byte[]>? AddressHashes = null, IReadOnlyList<Guid>? Visitors = null,
    string? Property = null)
{
    public const string Erasure = "erasure";
    public const string Withdrawal = "withdrawal";
    public const string Revocation = "revocation";

    /// <summary>The same for the same request, wherever it was read.</summary>
    [JsonIgnore]
    public (string, Guid, string?, DateTimeOffset) Key => (Kind, Id, Property, At);
}

/// <summary>How many requests were met again.</summary>
/// <param name="Others">Those of later rooms, by what they are called, where there were any.</param>
internal sealed record RequestReport(int Erasures, int Withdrawals, int Revocations, IReadOnlyList<(string What, int Count)> Others);

/// <summary>Reads such requests from a database, and meets them in one that was restored.</summary>
internal sealed class PersonRequests(IServiceProvider services, IEnumerable<ILastingRequest> later)
{
    // A database that is about to be replaced may be of a version that had no such table.
    private const string Existing = "select t from unnest(@tables) as t where to_regclass(t) is not null";

    private const string ErasuresTable = "erased_leads";

    /// <summary>All that the connection's database knows; those that its schema has no place for are left out.</summary>
    public async Task<IReadOnlyList<PersonRequest>> ReadAsync(NpgsqlConnection connection, CancellationToken cancellationToken) => (await ReadAsync(connection, DateTimeOffset.MinValue, 0, cancellationToken)).Requests;

    /// <summary>What is new, and the newest row of the ledger among it.</summary>
    /// <param name="connection">To read from.</param>
    /// <param name="erasedAfter">Erasures after that.</param>
    /// <param name="ledgerAfter">Withdrawals by the ledger's rows behind that.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<(IReadOnlyList<PersonRequest> Requests, long Ledger)> ReadAsync(NpgsqlConnection connection, DateTimeOffset erasedAfter, long ledgerAfter, CancellationToken cancellationToken)
    {
        var tables = await ExistingAsync(connection, [ErasuresTable, .. later.Select(l => l.Table)], cancellationToken);
        if (!tables.Contains(ErasuresTable)) return ([], ledgerAfter);
        List<PersonRequest> requests = [];
        foreach (var e in await ErasureStore.SinceAsync(connection, erasedAfter, cancellationToken))
            requests.Add(new PersonRequest(PersonRequest.Erasure, e.Id, e.ErasedAt, null, e.Receipt, e.Leads, e.AddressHashes, e.Visitors));
        foreach (var w in await Withdrawals.SinceAsync(connection, ledgerAfter, cancellationToken))
        {
            requests.Add(new PersonRequest(PersonRequest.Withdrawal, w.LeadId, w.At, w.Method.Text()));
            ledgerAfter = w.Id;
        }
        foreach (var (id, at) in await TokenStore.RevokedAsync(connection, cancellationToken))
            requests.Add(new PersonRequest(PersonRequest.Revocation, id, at));
        foreach (var l in later.Where(l => tables.Contains(l.Table))) requests.AddRange(await l.ReadAsync(connection, cancellationToken));
        return (requests, ledgerAfter);
    }

    /// <summary>Meets them in the connection's open transaction. Returns the files to delete once it is committed.</summary>
    public async Task<(RequestReport Report, List<string> Files)> MeetAsync(NpgsqlConnection connection, IEnumerable<PersonRequest> requests, CancellationToken cancellationToken)
    {
        var (erasures, withdrawals, revocations) = (0, 0, 0);
        var others = later.ToDictionary(l => l.Kind, l => (Request: l, Count: 0), StringComparer.Ordinal);
        List<string> files = [];
        foreach (var r in requests.DistinctBy(r => r.Key).OrderBy(r => r.At))
        {
            if (r.Kind == PersonRequest.Erasure)
            {
                // Asked for now only: it reads the pepper, which may have come with the backup.
                var erasure = services.GetRequiredService<Erasure>();
                var known = new KnownErasure(r.Id, r.At, r.Receipt ?? "{}", r.Leads ?? [], r.AddressHashes ?? [], r.Visitors ?? []);
                if (await erasure.EraseAgainAsync(connection, known, cancellationToken) is not { } rests) continue;
                files.AddRange(rests);
                erasures++;
            }
            else if (r.Kind == PersonRequest.Withdrawal && ConsentNames.Method(r.Method) is { } method)
            {
                if (await Withdrawals.WithdrawAgainAsync(connection, new KnownWithdrawal(0, r.Id, r.At, method), cancellationToken)) withdrawals++;
            }
            else if (r.Kind == PersonRequest.Revocation)
            {
                if (await TokenStore.RevokeAgainAsync(connection, r.Id, r.At, cancellationToken)) revocations++;
            }
            else if (others.TryGetValue(r.Kind, out var other) && await other.Request.MeetAsync(connection, r, cancellationToken))
            {
                others[r.Kind] = other with { Count = other.Count + 1 };
            }
        }
        return (new RequestReport(erasures, withdrawals, revocations, [.. others.Values.Where(o => o.Count > 0).Select(o => (o.Request.What, o.Count)).OrderBy(o => o.What, StringComparer.Ordinal)]), files);
    }

    private static async Task<HashSet<string>> ExistingAsync(NpgsqlConnection connection, string[] tables, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Existing, connection);
        command.Parameters.AddWithValue("tables", tables);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        HashSet<string> existing = new(StringComparer.Ordinal);
        while (await rows.ReadAsync(cancellationToken)) existing.Add(rows.GetString(0));
        return existing;
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(PersonRequest))]
internal sealed partial class RequestJson : JsonSerializerContext;
