using System.Collections.Concurrent;
using System.Net;
using Microsoft.Extensions.Options;

namespace Footfall.Capture;

/// <summary>The country of an address: from the operator's database, read again when its file changes, else from the one that Footfall ships with.</summary>
internal sealed class Countries(IOptions<GeoIpOptions> options, ILogger<Countries> logger)
{
    private readonly string file = string.IsNullOrWhiteSpace(options.Value.DatabasePath) ? DataLists.File("country.mmdb") : Path.GetFullPath(options.Value.DatabasePath);
    private readonly Lock gate = new();
    private Loaded? loaded;
    private DateTime refused;

    private sealed record Loaded(MmdbReader Reader, DateTime Written, ConcurrentDictionary<string, string> Codes)
    {
        public bool Complained { get; set; }
    }

    /// <summary>Two upper-case letters; null where it is not known, as for private addresses.</summary>
    public string? Find(IPAddress address)
    {
        // Databases made from registries know an owner for these, too: 192.168.1.1 would be in Australia.
        if (SpecialNetworks.Hold(address) || (loaded ?? Refresh()) is not { } database) return null;
        try
        {
            var code = database.Reader.Country(address);
            if (code is not { Length: 2 } || !char.IsAsciiLetter(code[0]) || !char.IsAsciiLetter(code[1])) return null;
            // One string for each country, not one for each event. ZZ is the lists' word for "nowhere".
            var known = database.Codes.GetOrAdd(code, static c => c.ToUpperInvariant());
            return known == "ZZ" ? null : known;
        }
        catch (InvalidDataException e)
        {
            if (!database.Complained) logger.CountryDatabaseBroken(file, e.Message);
            database.Complained = true;
            return null;
        }
    }

    /// <summary>Reads the file if it is not the one that was read. On failure the old one stays in use.</summary>
    internal object? RefreshIfChanged() => Refresh();

    private Loaded? Refresh()
    {
        lock (gate)
        {
            var written = File.GetLastWriteTimeUtc(file);
            if (loaded?.Written == written || refused == written) return loaded;
            try
            {
                var fresh = new Loaded(new MmdbReader(File.ReadAllBytes(file)), written, new ConcurrentDictionary<string, string>(StringComparer.Ordinal));
                fresh.Reader.Country(IPAddress.Parse("8.8.8.8"));
                if (loaded is not null) logger.CountryDatabaseReread(file);
                loaded = fresh;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
            {
                refused = written;
                if (loaded is null) logger.CountryDatabaseUnreadable(file, e.Message);
                else logger.CountryDatabaseKept(file, e.Message);
            }
            return loaded;
        }
    }
}
