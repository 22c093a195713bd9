namespace Footfall.Hosting;

/// <summary>The short environment names that operators expect, mapped to the rooms' own keys. The rooms' own keys win where both are given.</summary>
public static class PlainNames
{
    private static readonly (string Plain, string Key)[] Names =
    [
        ("ADMIN_API_KEY", "Access:AdminKey"),
        ("DASHBOARD_TOKEN", "Access:DashboardToken"),
        ("DATABASE_URL", "Postgres:ConnectionString"),
        ("CORS_ALLOWED_ORIGINS", "Capture:CorsAllowedOrigins"),
        ("IP_HASH_PEPPER", "Capture:IpHashPepper"),
        ("BACKUP_KEY", "Backup:Key"),
        ("ROLLUP_BATCH_DAYS", "Rollups:BatchDays"),
        ("ROLLUP_DEFAULT_PROPERTY_ID", "Capture:DefaultPropertyId"),
    ];

    /// <summary>Adds the room's key for every plain name that has a value and whose own key has none.</summary>
    public static void AddPlainNames(this ConfigurationManager configuration)
    {
        var mapped = Names
            .Where(n => !string.IsNullOrWhiteSpace(configuration[n.Plain]) && string.IsNullOrEmpty(configuration[n.Key]))
            .Select(n => KeyValuePair.Create(n.Key, configuration[n.Plain]))
            .ToList();
        configuration.AddInMemoryCollection(mapped);
    }
}
