namespace Footfall.Hosting;

/// <summary>The short environment names that operators expect, mapped to the rooms' own keys, and secrets that lie in files. The rooms' own keys win where both are given.</summary>
public static class PlainNames
{
    private const string FileSuffix = "_FILE";
    private const int LongestSecret = 64 << 10;

    private static readonly (string Plain, string Key)[] Names =
    [
        ("ADMIN_API_KEY", "Access:AdminKey"),
        ("ADMIN_API_KEY_PREVIOUS", "Access:PreviousAdminKey"),
        ("DASHBOARD_TOKEN", "Access:DashboardToken"),
        ("DASHBOARD_TOKEN_PREVIOUS", "Access:PreviousDashboardToken"),
        ("DATABASE_URL", "Postgres:ConnectionString"),
        ("CORS_ALLOWED_ORIGINS", "Capture:CorsAllowedOrigins"),
        ("IP_HASH_PEPPER", "Capture:IpHashPepper"),
        ("IP_HASH_PEPPER_PREVIOUS", "Capture:PreviousIpHashPeppers:0"),
        ("BACKUP_KEY", "Backup:Key"),
        ("ROLLUP_BATCH_DAYS", "Rollups:BatchDays"),
        ("ROLLUP_DEFAULT_PROPERTY_ID", "Capture:DefaultPropertyId"),
    ];

    /// <summary>Settings that are secret, and may be given by a file whose path is the value of the same name with _FILE behind it.</summary>
    internal static readonly string[] Secrets =
    [
        "Access:AdminKey", "Access:PreviousAdminKey", "Access:DashboardToken", "Access:PreviousDashboardToken", "Postgres:ConnectionString",
        "Capture:IpHashPepper", "Capture:PreviousIpHashPeppers:0", "Leads:LinkKey", "Leads:PreviousLinkKeys:0",
        "Leads:Captcha:Secret", "Leads:Webhook:Secret", "Leads:Smtp:Password", "Backup:Key", "Telemetry:MetricsKey", "Telemetry:OtlpHeaders",
    ];

    /// <summary>Adds the room's key for every plain name that has a value and whose own key has none; and what files hold.</summary>
    /// <exception cref="SetupException">A file cannot be read, or a secret is given twice.</exception>
    public static void AddPlainNames(this ConfigurationManager configuration)
    {
        Dictionary<string, string?> found = new(StringComparer.OrdinalIgnoreCase);
        foreach (var (plain, key) in Names)
        {
            if (!string.IsNullOrEmpty(configuration[key]) || !string.IsNullOrEmpty(configuration[key + FileSuffix])) continue;
            if (!string.IsNullOrWhiteSpace(configuration[plain])) found[key] = configuration[plain];
            if (Secrets.Contains(key, StringComparer.Ordinal)) TakeFile(configuration, plain, found, key);
        }
        foreach (var key in Secrets) TakeFile(configuration, key, found, key);
        configuration.AddInMemoryCollection(found);
    }

    private static void TakeFile(ConfigurationManager configuration, string name, Dictionary<string, string?> found, string key)
    {
        if (configuration[name + FileSuffix] is not { } path || string.IsNullOrWhiteSpace(path)) return;
        if (!string.IsNullOrEmpty(configuration[name])) throw new SetupException($"{name} and {name}{FileSuffix} are both set. Leave one of them out: which of the two secrets is meant cannot be known.");
        found[key] = Read(name + FileSuffix, path.Trim());
    }

    private static string Read(string name, string path)
    {
        try
        {
            if (new FileInfo(path).Length > LongestSecret) throw new SetupException($"{name} is {path}, which is too long for a secret. Name the file that holds the secret and nothing else.");
            var text = File.ReadAllText(path).TrimEnd('\r', '\n');   // what an editor puts there
            return text.Length > 0 ? text : throw new SetupException($"{name} is {path}, which is empty. Write the secret into it.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SetupException($"{name} is {path}, which cannot be read: {e.Message}", e);
        }
    }
}
