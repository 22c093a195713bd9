using Npgsql;

namespace Footfall.Access;

/// <summary>
/// Finds out who asks. A key comes in <c>x-admin-key</c>, <c>x-dashboard-token</c> or <c>Authorization: Bearer</c>; which of
/// the three makes no difference, the key itself says what it is for. With several the first of this order counts.
/// </summary>
internal sealed class AccessGate(AdminKey adminKey, DashboardKey dashboardKey, KnownTokens tokens, TokenStore store, FailedAttempts failures, ILogger<AccessGate> log)
{
    private const string Bearer = "Bearer ";

    /// <summary>The key of the request; empty when it carries none.</summary>
    public static string KeyOf(HttpRequest request)
    {
        var headers = request.Headers;
        if (headers[AdminKey.Header].ToString() is { Length: > 0 } admin) return admin;
        if (headers[DashboardKey.Header].ToString() is { Length: > 0 } dashboard) return dashboard;
        var authorization = headers.Authorization.ToString();
        return authorization.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase) ? authorization[Bearer.Length..].Trim() : "";
    }

    /// <summary>The caller, or why it does not come through.</summary>
    public async ValueTask<(Caller? Caller, AccessRefusal? Refusal)> AuthenticateAsync(HttpContext context, AccessRequirement requirement)
    {
        var address = context.Connection.RemoteIpAddress;
        var given = KeyOf(context.Request);
        if (failures.IsBlocked(address)) return (null, AccessRefusal.TooManyAttempts);
        try
        {
            if (given.Length > 0)
            {
                if (await OwnerAsync(given, context.RequestAborted) is { Caller: var caller }) return Judge(caller, requirement);
                Remember(context, address);
            }
            return (null, await IsSetUpAsync(requirement.Role, context.RequestAborted) ? AccessRefusal.Unauthorized(requirement.Role) : AccessRefusal.NotConfigured(requirement.Role));
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException)
        {
            log.LookupFailed(e is PostgresException p ? p.SqlState : "no connection");
            return (null, AccessRefusal.NotNow);
        }
    }

    private static (Caller?, AccessRefusal?) Judge(Caller caller, AccessRequirement requirement)
    {
        if (!caller.Has(requirement.Role)) return (null, AccessRefusal.RoleRequired(requirement.Role));
        return caller.Has(requirement.Plan) ? (caller, null) : (null, AccessRefusal.PlanRequired);
    }

    /// <summary>Whom a browser's user is by the key that was typed in, or why that is not told. Only who may read figures gets in.</summary>
    public async ValueTask<(KeyOwner? Owner, AccessRefusal? Refusal)> OwnerAsync(HttpContext context, string given)
    {
        var address = context.Connection.RemoteIpAddress;
        if (failures.IsBlocked(address)) return (null, AccessRefusal.TooManyAttempts);
        try
        {
            if (await OwnerAsync(given, context.RequestAborted) is { } owner) return owner.Caller.Has(AccessRole.Dashboard) ? (owner, null) : (null, AccessRefusal.RoleRequired(AccessRole.Dashboard));
            Remember(context, address);
            return (null, await IsSetUpAsync(AccessRole.Dashboard, context.RequestAborted) ? AccessRefusal.Unauthorized(AccessRole.Dashboard) : AccessRefusal.DashboardNotConfigured);
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException)
        {
            log.LookupFailed(e is PostgresException p ? p.SqlState : "no connection");
            return (null, AccessRefusal.NotNow);
        }
    }

    private async ValueTask<KeyOwner?> OwnerAsync(string given, CancellationToken cancellationToken)
    {
        if (adminKey.Matches(given)) return new KeyOwner(Caller.Admin, null, adminKey.Mark);
        if (dashboardKey.Matches(given)) return new KeyOwner(DashboardKey.Owner, null, dashboardKey.Mark);
        return await tokens.FindAsync(given, cancellationToken) is { } token ? new KeyOwner(Caller.Of(token), token.Id, null) : null;
    }

    // Without any key that could be right, "wrong key" would send the operator looking for one that does not exist.
    private async ValueTask<bool> IsSetUpAsync(AccessRole role, CancellationToken cancellationToken) =>
        adminKey.IsConfigured || (role == AccessRole.Dashboard && dashboardKey.IsConfigured) || await store.AnyAsync(role, cancellationToken);

    private void Remember(HttpContext context, System.Net.IPAddress? address)
    {
        failures.Add(address);
        log.WrongKey((context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText ?? "an endpoint");
        if (failures.IsBlocked(address)) log.AddressBlocked();
    }
}
