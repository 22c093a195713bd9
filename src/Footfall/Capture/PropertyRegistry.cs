using Microsoft.Extensions.Options;

namespace Footfall.Capture;

/// <summary>
/// The properties that events may be for: those of the database, as last read, and those that events have named since,
/// up to <c>Capture:MaxProperties</c>. Answers from memory, also while the database is away.
/// </summary>
internal sealed class PropertyRegistry
{
    private readonly int maxProperties;
    private readonly Lock gate = new();
    private readonly string defaultId;
    private HashSet<string> lastStored = [];
    private Dictionary<string, Property> known = [];     // replaced whole, never changed: readers take no lock

    public PropertyRegistry(IOptions<CaptureOptions> options)
    {
        maxProperties = options.Value.MaxProperties;
        defaultId = options.Value.DefaultPropertyId;
        known[defaultId] = new Property(defaultId, [], []);
    }

    /// <summary>The property of a valid id, made when there is room for another; null when there is not. The default one is always there.</summary>
    public Property? Admit(string id)
    {
        if (Volatile.Read(ref known).TryGetValue(id, out var property)) return property;
        lock (gate)
        {
            if (known.TryGetValue(id, out property)) return property;
            if (known.Count >= maxProperties) return null;
            property = new Property(id, [], []);
            Volatile.Write(ref known, new Dictionary<string, Property>(known) { [id] = property });
            return property;
        }
    }

    /// <summary>The property of the id, as far as it is known; never makes one.</summary>
    public Property? Find(string? id) => Volatile.Read(ref known).GetValueOrDefault(id ?? defaultId);

    /// <summary>The property that a refused event is counted for: never makes one, so that strangers cannot fill the tables.</summary>
    public string CountedAs(string? id) => id is not null && Volatile.Read(ref known).ContainsKey(id) ? id : defaultId;

    /// <summary>
    /// Takes over what the database says. What events have named meanwhile stays: its row is still on its way there. What was there the last
    /// time and is no more was deleted, and is as if it had never been named.
    /// </summary>
    public void Refresh(IEnumerable<Property> stored)
    {
        lock (gate)
        {
            var fresh = new Dictionary<string, Property>(known);
            HashSet<string> now = [];
            foreach (var property in stored)
            {
                fresh[property.Id] = property;
                now.Add(property.Id);
            }
            foreach (var gone in lastStored.Where(id => !now.Contains(id)))
            {
                if (gone == defaultId) fresh[gone] = new Property(gone, [], []);
                else fresh.Remove(gone);
            }
            lastStored = now;
            Volatile.Write(ref known, fresh);
        }
    }
}
