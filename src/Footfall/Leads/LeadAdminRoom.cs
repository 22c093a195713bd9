namespace Footfall.Leads;

/// <summary>Working with leads, and one person's data: the part of the room that admins and commands use.</summary>
public static class LeadAdminRoom
{
    /// <summary>Needs, from elsewhere: the database, capture's enrichment, and the journal for <see cref="AddErasureService"/>.</summary>
    public static IServiceCollection AddLeadAdmin(this IServiceCollection services)
    {
        services.AddOptions<LeadErasureOptions>().BindConfiguration("Leads:Erasure").ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<AuditLog>();
        services.AddSingleton<AuditedTokens>();
        services.AddSingleton<LeadList>();
        services.AddSingleton<LeadHistoryReader>();
        services.AddSingleton<AdminWithdrawals>();
        services.AddSingleton<LeadMerges>();
        services.AddSingleton<PersonExport>();
        services.AddSingleton<LeadImport>();
        services.AddSingleton<ErasedFiles>();
        services.AddSingleton<Erasure>();
        services.AddSingleton<ErasureScrub>();
        services.AddSingleton<JournalScrub>();
        return services;
    }

    /// <summary>The server also does what erasures leave to be done; a command does it itself.</summary>
    public static IServiceCollection AddErasureService(this IServiceCollection services) => services.AddHostedService<ErasureService>();

    /// <summary>/v1/leads for admins, and /v1/audit. Contract: docs/api.md.</summary>
    public static IEndpointRouteBuilder MapLeadAdmin(this IEndpointRouteBuilder routes)
    {
        LeadAdminEndpoints.Map(routes);
        return routes;
    }
}
