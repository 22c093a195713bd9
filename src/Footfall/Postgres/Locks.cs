namespace Footfall.Postgres;

/// <summary>Advisory locks that several rooms take. Who takes several takes them in this order: some are waited for where PostgreSQL does not see who waits for whom.</summary>
internal static class Locks
{
    /// <summary>Held by whoever writes rollups, or removes what they are made of.</summary>
    public const long Rollups = 0x466F6F74726F6C6C; // "Footroll"

    /// <summary>Held by whoever erases people, and shared by whoever stores what was computed from rows that had them: for as long as it takes to see that nobody was erased meanwhile, and to commit.</summary>
    public const long Erasures = 0x466F6F7445726173; // "FootEras"

    /// <summary>Held by whoever changes visitors, sessions and events.</summary>
    public const long VisitorRows = 0x466F6F7466616C6C; // "Footfall"

    /// <summary>Held by whoever makes a week of events.</summary>
    public const long Weeks = 0x66665f7765656b73; // "ff_weeks"
}
