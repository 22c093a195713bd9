using Npgsql;

namespace Footfall.Postgres;

/// <summary>
/// Where on a cluster visitors lie, so that a question about many of them is asked of each shard with those that it has. Asked once about all, every
/// shard gets and looks up all of them: with 32 shards 31 of 32 look-ups are for nothing (measured: more than half the time of a large batch).
/// </summary>
internal sealed class ShardMap
{
    /// <summary>Below this many, looking up all of them on every shard costs less than a statement for each shard.</summary>
    internal const int WorthSplitting = 200;

    /// <summary>Everything in one place.</summary>
    public static readonly ShardMap Whole = new(null);

    // Citus asks the coordinator alone: this touches none of its tables. Should a hash be another one some day, a question goes to several shards again.
    private const string Shards = """
        select width_bucket(worker_hash(v.id), s.begins)
        from unnest(@visitors) with ordinality as v (id, place)
        cross join (select array_agg(shardminvalue::integer order by shardminvalue::integer) as begins from pg_dist_shard where logicalrelid = 'visitors'::regclass) s
        order by v.place
        """;

    private readonly Dictionary<Guid, int>? shards;

    private ShardMap(Dictionary<Guid, int>? shards) => this.shards = shards;

    /// <param name="visitors">Each once.</param>
    public static async Task<ShardMap> OfAsync(NpgsqlConnection connection, Guid[] visitors, CancellationToken ct)
    {
        if (visitors.Length < WorthSplitting || !await Distribution.IsOnAsync(connection, ct)) return Whole;
        await using var command = new NpgsqlCommand(Shards, connection);
        command.Parameters.AddWithValue("visitors", visitors);
        await using var rows = await command.ExecuteReaderAsync(ct);
        var places = new Dictionary<Guid, int>(visitors.Length);
        for (var i = 0; await rows.ReadAsync(ct); i++) places.Add(visitors[i], rows.GetInt32(0));
        return new ShardMap(places);
    }

    /// <summary>Shard by shard, each in the order given; all together where there are no shards, or few rows.</summary>
    /// <param name="visitor">One of those that the map was made of.</param>
    public IEnumerable<IReadOnlyList<T>> Split<T>(IReadOnlyList<T> rows, Func<T, Guid> visitor) =>
        shards is null || rows.Count < WorthSplitting ? [rows] : rows.GroupBy(r => shards[visitor(r)]).Select(g => g.ToList());
}
