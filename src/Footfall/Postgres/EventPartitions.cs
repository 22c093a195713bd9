using System.Collections.Concurrent;
using System.Globalization;
using Npgsql;

namespace Footfall.Postgres;

/// <summary>
/// The weekly partitions of <c>events</c>: ISO weeks, Monday 00:00Z to Monday, named <c>events_2026w05</c>. What has no week of its own lies in
/// <c>events_default</c> and moves when its week is made.
/// </summary>
internal sealed class EventPartitions(TimeProvider time)
{
    private const int WeeksAhead = 2;

    // Events before are dated by a broken clock; one partition for each of their weeks would only cost.
    private static readonly DateOnly Oldest = new(2000, 1, 3);

    // Attaching needs events_default for itself alone. Who reads events meanwhile must finish first, and everybody else queues behind us:
    // so we wait for short whiles only, and let the queue through in between. All are under deadlock_timeout (1 s), so that in a cycle
    // with a transaction that reads events and then writes to it, we are the ones who step back.
    private static readonly TimeSpan[] Patience = [.. new[] { 100, 200, 400, 800, 800, 800, 800 }.Select(ms => TimeSpan.FromMilliseconds(ms))];

    private readonly ConcurrentDictionary<DateOnly, bool> known = new();

    private const string Existing = """
        select c.relname
        from pg_inherits i
        join pg_class c on c.oid = i.inhrelid
        where i.inhparent = 'events'::regclass
        """;

    /// <summary>Makes the partitions of the weeks in which the instants lie. Call it outside of a transaction: a caller that had already
    /// written to <c>events</c> in one would wait for itself. False when a long read of <c>events</c> left no room for one; the rows are
    /// taken by <c>events_default</c> then, and a later call moves them.</summary>
    public async Task<bool> EnsureAsync(NpgsqlConnection connection, IEnumerable<DateTimeOffset> instants, CancellationToken ct)
    {
        var newest = WeekOf(time.GetUtcNow()).AddDays(7 * (WeeksAhead + 1));
        List<DateOnly> wanted = [.. instants.Select(WeekOf).Distinct().Where(w => w >= Oldest && w <= newest && !known.ContainsKey(w)).Order()];
        if (wanted.Count == 0)
            return true;

        var there = await ExistingAsync(connection, ct);
        var all = true;
        foreach (var week in wanted)
        {
            if (there.Contains(NameOf(week)) || await MakeAsync(connection, week, ct))
                known[week] = true;
            else
                all = false;
        }
        return all;
    }

    /// <summary>Makes the partitions of this week and the next two.</summary>
    public Task<bool> EnsureUpcomingAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        return EnsureAsync(connection, Enumerable.Range(0, WeeksAhead + 1).Select(n => now.AddDays(7 * n)), ct);
    }

    /// <summary>To be said when a week's partition was dropped.</summary>
    public void Forget(DateOnly monday) => known.TryRemove(monday, out _);

    /// <summary>The Mondays of the weeks that have a partition, ascending.</summary>
    public static async Task<List<DateOnly>> WeeksAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        List<DateOnly> weeks = [];
        foreach (var name in await ExistingAsync(connection, ct))
        {
            if (MondayOf(name) is { } monday)
                weeks.Add(monday);
        }
        weeks.Sort();
        return weeks;
    }

    /// <summary>Drops a week with all its rows. False when a long read of <c>events</c> left no room for it; a later call does it then. Call it outside of a transaction.</summary>
    public async Task<bool> DropAsync(NpgsqlConnection connection, DateOnly monday, CancellationToken ct)
    {
        foreach (var patience in Patience)
        {
            try
            {
                await using var transaction = await connection.BeginTransactionAsync(ct);
                await using var drop = new NpgsqlCommand($"set local lock_timeout = '{patience.TotalMilliseconds:0}ms'; drop table if exists {NameOf(monday)}", connection, transaction);
                await drop.ExecuteNonQueryAsync(ct);
                await transaction.CommitAsync(ct);
                Forget(monday);
                return true;
            }
            catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.DeadlockDetected)
            {
                await Task.Delay(patience, ct);
            }
        }
        return false;
    }

    /// <summary>The Monday of the week in which the instant lies, in UTC.</summary>
    public static DateOnly WeekOf(DateTimeOffset instant)
    {
        var day = DateOnly.FromDateTime(instant.UtcDateTime);
        return day.AddDays(-(((int)day.DayOfWeek + 6) % 7));
    }

    /// <summary>The Monday of the week whose partition has this name; null when no week's has.</summary>
    public static DateOnly? MondayOf(string name)
    {
        if (name.Length != 14 || !int.TryParse(name.AsSpan(7, 4), NumberStyles.None, CultureInfo.InvariantCulture, out var year) || !int.TryParse(name.AsSpan(12, 2), NumberStyles.None, CultureInfo.InvariantCulture, out var week)) return null;
        if (year is < 1 or > 9998 || week is < 1 or > 53) return null;
        var monday = DateOnly.FromDateTime(ISOWeek.ToDateTime(year, week, DayOfWeek.Monday));
        return NameOf(monday) == name ? monday : null;
    }

    /// <summary>Makes a week's partition where nobody else is at work: in an empty table, within the connection's open transaction.</summary>
    public static async Task MakeEmptyAsync(NpgsqlConnection connection, DateOnly monday, CancellationToken ct)
    {
        await using var make = new NpgsqlCommand(string.Create(CultureInfo.InvariantCulture, $"create table {NameOf(monday)} partition of events for values from ('{monday:yyyy-MM-dd} 00:00:00+00') to ('{monday.AddDays(7):yyyy-MM-dd} 00:00:00+00') with (fillfactor = 100)"), connection);
        await make.ExecuteNonQueryAsync(ct);
    }

    public static string NameOf(DateOnly monday)
    {
        var date = monday.ToDateTime(TimeOnly.MinValue, DateTimeKind.Utc);
        return string.Create(CultureInfo.InvariantCulture, $"events_{ISOWeek.GetYear(date):0000}w{ISOWeek.GetWeekOfYear(date):00}");
    }

    private static async Task<HashSet<string>> ExistingAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(Existing, connection);
        await using var reader = await command.ExecuteReaderAsync(ct);
        HashSet<string> names = [];
        while (await reader.ReadAsync(ct))
            names.Add(reader.GetString(0));
        return names;
    }

    private static async Task<bool> MakeAsync(NpgsqlConnection connection, DateOnly week, CancellationToken ct)
    {
        foreach (var patience in Patience)
        {
            try
            {
                await MakeOnceAsync(connection, week, patience, ct);
                return true;
            }
            catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.DeadlockDetected)
            {
                await Task.Delay(patience, ct);
            }
        }
        return false;
    }

    private static async Task MakeOnceAsync(NpgsqlConnection connection, DateOnly week, TimeSpan patience, CancellationToken ct)
    {
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await using (var alone = new NpgsqlCommand("select pg_advisory_xact_lock(@key)", connection, transaction))
        {
            alone.Parameters.AddWithValue("key", Locks.Weeks);
            await alone.ExecuteNonQueryAsync(ct);
        }
        if (!(await ExistingAsync(connection, ct)).Contains(NameOf(week)))
        {
            var sql = await Distribution.IsOnAsync(connection, ct) ? MakeDistributedSql(week, patience) : MakeSql(week, patience);
            await using var make = new NpgsqlCommand(sql, connection, transaction) { CommandTimeout = 0 };
            await make.ExecuteNonQueryAsync(ct);
        }
        await transaction.CommitAsync(ct);
    }

    /// <summary>DDL takes no parameters; the name and the bounds are made of a date only. Writers wait at events itself: one that had already
    /// chosen events_default for its row, and waited there, would find the row not to belong there any more (23514).</summary>
    private static string MakeSql(DateOnly week, TimeSpan patience)
    {
        var (name, from, to) = Bounds(week);
        return $"""
            set local lock_timeout = '{patience.TotalMilliseconds:0}ms';
            lock table events in share row exclusive mode;
            lock table events_default in access exclusive mode;
            set local lock_timeout = 0;
            create table {name} (like events including all,
                constraint {name}_week check (occurred_at >= {from} and occurred_at < {to})) with (fillfactor = 100);
            with moved as (delete from events_default where occurred_at >= {from} and occurred_at < {to} returning *)
            insert into {name} select * from moved;
            alter table events attach partition {name} for values from ({from}) to ({to});
            alter table {name} drop constraint {name}_week;
            """;
    }

    /// <summary>A cluster attaches no table with rows in it: they wait aside, on the coordinator. One connection for each node, which then sees what it has just changed.</summary>
    private static string MakeDistributedSql(DateOnly week, TimeSpan patience)
    {
        var (name, from, to) = Bounds(week);
        return $"""
            set local citus.multi_shard_modify_mode = 'sequential';
            set local lock_timeout = '{patience.TotalMilliseconds:0}ms';
            lock table events in access exclusive mode;
            set local lock_timeout = 0;
            create temporary table events_moved on commit drop as
                select * from events_default where occurred_at >= {from} and occurred_at < {to};
            delete from events_default where occurred_at >= {from} and occurred_at < {to};
            create table {name} partition of events for values from ({from}) to ({to}) with (fillfactor = 100);
            insert into events select * from events_moved;
            """;
    }

    private static (string Name, string From, string To) Bounds(DateOnly week) => (
        NameOf(week),
        string.Create(CultureInfo.InvariantCulture, $"timestamptz '{week:yyyy-MM-dd} 00:00:00+00'"),
        string.Create(CultureInfo.InvariantCulture, $"timestamptz '{week.AddDays(7):yyyy-MM-dd} 00:00:00+00'"));
}
