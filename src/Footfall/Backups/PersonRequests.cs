using System.Text.Json.Serialization;
using Footfall.Access;
using Footfall.Leads;
using Npgsql;

namespace Footfall.Backups;

/// <summary>What was asked for once and must hold also after a restore of an older backup. Nothing in it says who somebody is: ids are random, hashes keyed.</summary>
/// <param name="Kind"><c>erasure</c>, <c>withdrawal</c> (of consent) or <c>revocation</c> (of an access token).</param>
/// <param name="Id">Of the erasure, the lead, or the token.</param>
/// <param name="Method">Of a withdrawal.</param>
/// <param name="Receipt">Of an erasure, and so are the others.</param>
internal sealed record PersonRequest(
    string Kind, Guid Id, DateTimeOffset At, string? Method = null, string? Receipt = null, IReadOnlyList<Guid>? Leads = null, IReadOnlyList<byte[]>? AddressHashes = null, IReadOnlyList<Guid>? Visitors = null)
{
    public const string Erasure = "erasure";
    public const string Withdrawal = "withdrawal";
    public const string Revocation = "revocation";

    /// <summary>The same for the same request, wherever it was read.</summary>
    [JsonIgnore]
    public (string, Guid, DateTimeOffset) Key => (Kind, Id, At);
}

/// <summary>How many requests were met again.</summary>
internal sealed record RequestReport(int Erasures, int Withdrawals, int Revocations);

/// <summary>Reads such requests from a database, and meets them in one that was restored.</summary>
internal sealed class PersonRequests(IServiceProvider services)
{
    private const string HasErasures = "select to_regclass('erased_leads') is not null";

    /// <summary>All that the connection's database knows; those that its schema has no place for are left out.</summary>
    public async Task<IReadOnlyList<PersonRequest>> ReadAsync(NpgsqlConnection connection, CancellationToken cancellationToken) => (await ReadAsync(connection, DateTimeOffset.MinValue, 0, cancellationToken)).Requests;

    /// <summary>What is new, and the newest row of the ledger among it.</summary>
    /// <param name="connection">To read from.</param>
    /// <param name="erasedAfter">Erasures after that.</param>
    /// <param name="ledgerAfter">Withdrawals by the ledger's rows behind that.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<(IReadOnlyList<PersonRequest> Requests, long Ledger)> ReadAsync(NpgsqlConnection connection, DateTimeOffset erasedAfter, long ledgerAfter, CancellationToken cancellationToken)
    {
        await using (var command = new NpgsqlCommand(HasErasures, connection))
        {
            if (await command.ExecuteScalarAsync(cancellationToken) is not true) return ([], ledgerAfter);
        }
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
        return (requests, ledgerAfter);
    }

    /// <summary>Meets them in the connection's open transaction. Returns the files to delete once it is committed.</summary>
    public async Task<(RequestReport Report, List<string> Files)> MeetAsync(NpgsqlConnection connection, IEnumerable<PersonRequest> requests, CancellationToken cancellationToken)
    {
        var (erasures, withdrawals, revocations) = (0, 0, 0);
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
        }
        return (new RequestReport(erasures, withdrawals, revocations), files);
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(PersonRequest))]
internal sealed partial class RequestJson : JsonSerializerContext;
