namespace Footfall.Postgres;

/// <summary>Advisory locks that several rooms take.</summary>
internal static class Locks
{
    /// <summary>Held by whoever changes visitors, sessions and events.</summary>
    public const long VisitorRows = 0x466F6F7466616C6C; // "Footfall"
}
