using Microsoft.Extensions.Options;

namespace Footfall.Postgres;

/// <summary>Where the binaries of the embedded PostgreSQL come from.</summary>
internal enum BinarySource
{
    /// <summary>The newest that the system has, else those from npm.</summary>
    Auto,

    /// <summary>Only what the system has.</summary>
    System,

    /// <summary>Only the npm package, whatever the system has.</summary>
    Npm,
}

/// <summary>Section <c>Postgres</c>.</summary>
internal sealed class PostgresOptions
{
    public const string Section = "Postgres";

    /// <summary>A PostgreSQL server to use, in Npgsql's form or as a URL. Empty: the embedded one.</summary>
    public string? ConnectionString { get; set; }

    /// <summary>A folder with initdb, pg_ctl and postgres to use before any other.</summary>
    public string? BinDir { get; set; }

    public BinarySource Binaries { get; set; } = BinarySource.Auto;

    /// <summary>Where fetched binaries are kept. Default: /var/cache/footfall for root, else $XDG_CACHE_HOME/footfall or ~/.cache/footfall.</summary>
    public string? CacheDir { get; set; }

    /// <summary>The user that the embedded PostgreSQL runs as when the server is root. Default: the first that exists of footfall, postgres, nobody.</summary>
    public string? RunAs { get; set; }

    /// <summary>Connections that this server opens at most. The embedded PostgreSQL takes 60 in all.</summary>
    public int MaxPoolSize { get; set; } = 30;

    public bool IsEmbedded => string.IsNullOrWhiteSpace(ConnectionString);
}

internal sealed class PostgresOptionsValidation : IValidateOptions<PostgresOptions>
{
    public ValidateOptionsResult Validate(string? name, PostgresOptions options)
    {
        List<string> failures = [];
        if (!options.IsEmbedded)
        {
            try
            {
                _ = PostgresConnection.Parse(options.ConnectionString!);
            }
            catch (FormatException e)
            {
                failures.Add(e.Message);
            }
        }
        if (!Enum.IsDefined(options.Binaries))
            failures.Add("Postgres:Binaries must be auto, system or npm.");
        if (options.MaxPoolSize is < 4 or > 1000)
            failures.Add($"Postgres:MaxPoolSize is {options.MaxPoolSize}; it must be 4 to 1000.");
        if (options.IsEmbedded && options.MaxPoolSize > 50)
            failures.Add($"Postgres:MaxPoolSize is {options.MaxPoolSize}; the embedded PostgreSQL takes 50 at most, so that commands can connect while the server runs.");
        if (options.IsEmbedded && !string.IsNullOrWhiteSpace(options.BinDir) && !Directory.Exists(options.BinDir))
            failures.Add($"Postgres:BinDir is {options.BinDir}, which does not exist. It must be the folder that holds initdb, pg_ctl and postgres.");
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }
}
