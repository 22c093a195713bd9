using Footfall.Access;
using Footfall.Capture;
using Npgsql;
using NpgsqlTypes;

namespace Footfall.Definitions;

/// <summary>What a host product says of one of its users.</summary>
/// <param name="PropertyId">Whose account it is; left out: that of the token, else every property's.</param>
internal sealed record AccountBody(string? Id, string? Username, string? DisplayName, string? FirstName, string? LastName, string? PropertyId = null);

internal sealed record AccountReply(bool Ok, AccountBody Account);

/// <summary>PUT /v1/accounts/{id}: replaces an account's profile, from the host product's own server.</summary>
internal static class AccountEndpoints
{
    private const int LongestId = 128;
    private const int LongestName = 200;

    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapPut("/v1/accounts/{id}", PutAsync).RequireAccess(AccessRole.Ingest).AddEndpointFilter(DefinitionAnswers.WithoutDatabase).WithName("accountPut")
            .Produces<AccountReply>().WithMetadata(DefinitionTexts.AccountPut);

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
        var caller = context.CallerOf();
        var property = body.PropertyId ?? caller.PropertyId;
        if (property is not null && !PropertyId.IsValid(property)) return DefinitionAnswers.Invalid(new("propertyId", $"propertyId must have {PropertyId.Rule}."));
        if (property is not null && !caller.MayUse(property)) return AccessRefusal.OtherProperty().Answer(context.Response);
        var account = body with { Id = id, PropertyId = property };
        // A key for one property may not rename what belongs to another, or to all.
        if (await store.PutAsync(account, onlyOwn: caller.PropertyId is not null, cancellationToken)) return DefinitionAnswers.Ok(new AccountReply(true, account), DefinitionsJson.Default.AccountReply);
        return DefinitionAnswers.Refuse(StatusCodes.Status403Forbidden, "account_not_allowed", "This account belongs to another property, or to all of them, and the key is for one. Use a key for every property.", "id");
    }
}

/// <summary>Profiles of accounts.</summary>
internal sealed class AccountStore(NpgsqlDataSource database, TimeProvider clock)
{
    private const string Put = """
        insert into accounts as a (id, username, display_name, first_name, last_name, updated_at, property_id)
        values (@id, @username, @display_name, @first_name, @last_name, @now, @property)
        on conflict (id) do update set
            username = excluded.username, display_name = excluded.display_name,
            first_name = excluded.first_name, last_name = excluded.last_name, updated_at = excluded.updated_at,
            property_id = coalesce(excluded.property_id, a.property_id)
        where not @only_own or a.property_id = excluded.property_id
        returning true
        """;

    /// <summary>Later than any event so far: what the host product says stands until an event that comes after says otherwise.</summary>
    /// <param name="onlyOwn">Leaves an account alone that is not the property's.</param>
    /// <returns>False when it was left alone.</returns>
    public async Task<bool> PutAsync(AccountBody account, bool onlyOwn, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Put);
        command.Parameters.AddWithValue("id", account.Id!);
        Add("username", account.Username);
        Add("display_name", account.DisplayName);
        Add("first_name", account.FirstName);
        Add("last_name", account.LastName);
        Add("property", account.PropertyId);
        command.Parameters.AddWithValue("only_own", onlyOwn);
        command.Parameters.AddWithValue("now", clock.GetUtcNow());
        return await command.ExecuteScalarAsync(cancellationToken) is true;

        void Add(string name, string? value) => command.Parameters.Add(new NpgsqlParameter(name, NpgsqlDbType.Text) { Value = (object?)value ?? DBNull.Value });
    }
}
