namespace Footfall.Access;

/// <summary>Who may ask for what.</summary>
public static class AccessRoom
{
    public static IServiceCollection AddAccess(this IServiceCollection services)
    {
        services.AddAccessTokens();
        services.AddSingleton<AdminKey>();
        services.AddSingleton<DashboardKey>();
        services.AddSingleton<FailedAttempts>();
        services.AddSingleton<KnownTokens>();
        services.AddSingleton<AccessGate>();
        services.AddSingleton<SignInStore>();
        services.AddSingleton<SignIns>();
        services.AddHostedService<TokenUse>(s => s.GetRequiredService<TokenUse>());
        services.AddSingleton<TokenUse>();
        return services;
    }

    /// <summary>The table of tokens alone: what the command line works on.</summary>
    internal static IServiceCollection AddAccessTokens(this IServiceCollection services)
    {
        services.AddOptions<AccessOptions>().BindConfiguration("Access").ValidateDataAnnotations().ValidateOnStart();
        return services.AddSingleton<TokenStore>();
    }

    /// <summary>
    /// Only callers whose key has the role and the plan come through; the others get 401, 403, 429 or 503 (docs/api.md).
    /// The handler finds out who it is by <see cref="CallerOf"/>, and must ask <see cref="Caller.MayUse"/> for its property.
    /// </summary>
    internal static TBuilder RequireAccess<TBuilder>(this TBuilder builder, AccessRole role, AccessPlan plan = AccessPlan.Free) where TBuilder : IEndpointConventionBuilder
    {
        var requirement = new AccessRequirement(role, plan);
        builder.WithMetadata(requirement);
        return builder.AddEndpointFilter(async (invocation, next) =>
        {
            var context = invocation.HttpContext;
            var gate = context.RequestServices.GetRequiredService<AccessGate>();
            var (caller, refusal) = await gate.AuthenticateAsync(context, requirement);
            if (caller is null) return refusal!.Answer(context.Response);
            context.Features.Set(caller);
            return await next(invocation);
        });
    }

    /// <summary>Who asks, behind <see cref="RequireAccess{TBuilder}"/>.</summary>
    internal static Caller CallerOf(this HttpContext context) =>
        context.Features.Get<Caller>() ?? throw new InvalidOperationException("The endpoint has no RequireAccess, and asks who its caller is.");
}
