using Footfall.Access;
using Npgsql;
using NpgsqlTypes;

namespace Footfall.Definitions;

/// <summary>What a host product says of one of its users.</summary>
internal sealed record AccountBody(string? Id, string? Username, string? DisplayName, string? FirstName, string? LastName);

internal sealed record AccountReply(bool Ok, AccountBody Account);

/// <summary>PUT /v1/accounts/{id}: replaces an account's profile, from the host product's own server.</summary>
internal static class AccountEndpoints
{
    private const int LongestId = 128;
    private const int LongestName = 200;

    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapPut("/v1/accounts/{id}", PutAsync).RequireAccess(AccessRole.Ingest).AddEndpointFilter(DefinitionAnswers.WithoutDatabase).WithName("accountPut");

    private static async Task<IResult> PutAsync(HttpContext context, AccountStore store, string id, CancellationToken cancellationToken)
    {
        var (body, unreadable) = await DefinitionAnswers.ReadAsync(context, DefinitionsJson.Default.AccountBody);
        if (body is null) return unreadable!;
        if (id.Length > LongestId || id.Contains('\0')) return DefinitionAnswers.Invalid(new("id", $"An account's id must have 1 to {LongestId} characters."));
        if (body.Id is not null && body.Id != id) return DefinitionAnswers.Invalid(new("id", "The body names another account than the address."));
        foreach (var (field, value) in new[] { ("username", body.Username), ("displayName", body.DisplayName), ("firstName", body.FirstName), ("lastName", body.LastName) })
        {
            if (value is { Length: > LongestName } || value?.Contains('\0') == true) return DefinitionAnswers.Invalid(new(field, $"{field} may have at most {LongestName} characters, and no zero character."));
        }
        var account = body with { Id = id };
        await store.PutAsync(account, cancellationToken);
        return DefinitionAnswers.Ok(new AccountReply(true, account), DefinitionsJson.Default.AccountReply);
    }
}

/// <summary>Profiles of accounts.</summary>
internal sealed class AccountStore(NpgsqlDataSource database, TimeProvider clock)
{
    private const string Put = """
        insert into accounts (id, username, display_name, first_name, last_name, updated_at)
        values (@id, @username, @display_name, @first_name, @last_name, @now)
        on conflict (id) do update set
            username = excluded.username, display_name = excluded.display_name,
            first_name = excluded.first_name, last_name = excluded.last_name, updated_at = excluded.updated_at
        """;

    /// <summary>Later than any event so far: what the host product says stands until an event that comes after says otherwise.</summary>
    public async Task PutAsync(AccountBody account, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Put);
        command.Parameters.AddWithValue("id", account.Id!);
        Add("username", account.Username);
        Add("display_name", account.DisplayName);
        Add("first_name", account.FirstName);
        Add("last_name", account.LastName);
        command.Parameters.AddWithValue("now", clock.GetUtcNow());
        await command.ExecuteNonQueryAsync(cancellationToken);

        void Add(string name, string? value) => command.Parameters.Add(new NpgsqlParameter(name, NpgsqlDbType.Text) { Value = (object?)value ?? DBNull.Value });
    }
}
