using Npgsql;

namespace Footfall.Postgres;

#pragma warning disable MA0054 // The caught errors may quote the value that they stumble over, and that may be a password: they are not passed on.

/// <summary>Reads the two forms in which operators give a database: Npgsql's own, and the URL that hosting platforms put into DATABASE_URL.</summary>
internal static class PostgresConnection
{
    private const string Forms = "Use postgres://user:password@host:5432/database?sslmode=require, or Host=...;Database=...;Username=...;Password=...";

    /// <summary>A <see cref="FormatException"/> says what is wrong without repeating the value, which may hold a password.</summary>
    public static NpgsqlConnectionStringBuilder Parse(string text)
    {
        text = text.Trim();
        try
        {
            var parsed = IsUrl(text) ? FromUrl(text) : new NpgsqlConnectionStringBuilder(text);
            if (string.IsNullOrEmpty(parsed.Host))
                throw new FormatException($"Postgres:ConnectionString (DATABASE_URL) names no host. {Forms}");
            return parsed;
        }
        catch (Exception e) when (e is ArgumentException or UriFormatException or InvalidCastException or OverflowException or KeyNotFoundException)
        {
            throw new FormatException($"Postgres:ConnectionString (DATABASE_URL) cannot be read. {Forms}");
        }
    }

    private static bool IsUrl(string text) =>
        text.StartsWith("postgres://", StringComparison.OrdinalIgnoreCase) || text.StartsWith("postgresql://", StringComparison.OrdinalIgnoreCase);

    private static NpgsqlConnectionStringBuilder FromUrl(string text)
    {
        // System.Uri has no name for an empty host, which libpq allows with ?host=/a/socket/folder.
        var scheme = text.IndexOf("://", StringComparison.Ordinal) + 3;
        var (address, query) = Split(text[scheme..], '?');
        var (authority, database) = Split(address, '/');
        var at = authority.LastIndexOf('@');
        var result = new NpgsqlConnectionStringBuilder();
        if (at >= 0)
        {
            var (user, password) = Split(authority[..at], ':');
            result.Username = Decode(user);
            if (password.Length > 0)
                result.Password = Decode(password);
        }

        ReadHosts(result, authority[(at + 1)..]);
        if (database.Length > 0)
            result.Database = Decode(database);
        foreach (var pair in query.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var (key, value) = Split(pair, '=');
            Set(result, Decode(key), Decode(value));
        }
        return result;
    }

    private static void ReadHosts(NpgsqlConnectionStringBuilder result, string hosts)
    {
        if (hosts.Contains(',', StringComparison.Ordinal))
        {
            result.Host = Decode(hosts);   // several hosts: Npgsql reads each one's port itself
            return;
        }
        var colon = hosts.LastIndexOf(':');
        if (colon > hosts.LastIndexOf(']'))
        {
            result.Port = int.TryParse(hosts[(colon + 1)..], out var port) && port is > 0 and < 65536
                ? port
                : throw new FormatException($"Postgres:ConnectionString (DATABASE_URL) has a port that is not a number from 1 to 65535. {Forms}");
            hosts = hosts[..colon];
        }
        if (hosts.Length > 0)
            result.Host = Decode(hosts.Trim('[', ']'));
    }

    /// <summary>libpq's names of parameters, where Npgsql calls them otherwise.</summary>
    private static void Set(NpgsqlConnectionStringBuilder result, string key, string value)
    {
        switch (key.ToLowerInvariant())
        {
            case "host": result.Host = value; break;
            case "port": result["Port"] = value; break;
            case "user": result.Username = value; break;
            case "password": result.Password = value; break;
            case "dbname": result.Database = value; break;
            case "sslmode": result["SSL Mode"] = value.Replace("-", "", StringComparison.Ordinal); break;
            case "sslrootcert": result.RootCertificate = value; break;
            case "sslcert": result.SslCertificate = value; break;
            case "sslkey": result.SslKey = value; break;
            case "sslpassword": result.SslPassword = value; break;
            case "connect_timeout": result["Timeout"] = value; break;
            case "application_name": result.ApplicationName = value; break;
            case "options": result.Options = value; break;
            case "target_session_attrs": result.TargetSessionAttributes = value; break;
            case "channel_binding": result["Channel Binding"] = value; break;
            case "gssencmode": result["GSS Encryption Mode"] = value; break;
            case "keepalives" or "keepalives_idle" or "keepalives_interval" or "keepalives_count" or "client_encoding" or "sslcompression": break;
            default: SetByOwnName(result, key, value); break;
        }
    }

    private static void SetByOwnName(NpgsqlConnectionStringBuilder result, string key, string value)
    {
        try
        {
            result[key] = value;
        }
        catch (Exception e) when (e is ArgumentException or KeyNotFoundException)
        {
            throw new FormatException($"Postgres:ConnectionString (DATABASE_URL) has a parameter \"{key}\" that is unknown or has a value that cannot be read. {Forms}");
        }
    }

    private static (string Before, string After) Split(string text, char separator)
    {
        var i = text.IndexOf(separator, StringComparison.Ordinal);
        return i < 0 ? (text, "") : (text[..i], text[(i + 1)..]);
    }

    private static string Decode(string text) => Uri.UnescapeDataString(text);
}
