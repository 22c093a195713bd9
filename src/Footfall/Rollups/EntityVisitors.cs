using System.Buffers;
using System.Text.Json;
using Npgsql;
using NpgsqlTypes;

namespace Footfall.Rollups;

/// <summary>
/// Who viewed which entity: a row per user and day, and one per user over all days. Only users whose day changed are
/// written, and only their totals are summed up again.
/// </summary>
internal sealed class EntityVisitors : IDayModel
{
    /// <summary>Visits of one user to one entity that a day keeps one by one; the others are counted.</summary>
    public const int VisitsKept = 20;

    public string Job => "visitors";

    private const string Stored = """
        select entity_type, entity_id, user_number, views, first_at, last_at, engaged_ms, engaged_views, visits::text
        from entity_visitor_days
        where property_id = @property and day = @day
        """;

    private const string Remove = """
        delete from entity_visitor_days d
        using unnest(@types, @ids, @users) as t (entity_type, entity_id, user_number)
        where d.property_id = @property and d.day = @day
          and d.entity_type = t.entity_type and d.entity_id = t.entity_id and d.user_number = t.user_number
        """;

    private const string Write = """
        insert into entity_visitor_days (property_id, entity_type, entity_id, user_number, day, views, first_at, last_at, engaged_ms, engaged_views, visits)
        select @property, entity_type, entity_id, user_number, @day, views, first_at, last_at, engaged_ms, engaged_views, visits
        from unnest(@types, @ids, @users, @views, @firsts, @lasts, @engaged, @engaged_views, @visits)
             as t (entity_type, entity_id, user_number, views, first_at, last_at, engaged_ms, engaged_views, visits)
        on conflict (property_id, entity_type, entity_id, user_number, day) do update set
            views = excluded.views, first_at = excluded.first_at, last_at = excluded.last_at,
            engaged_ms = excluded.engaged_ms, engaged_views = excluded.engaged_views, visits = excluded.visits
        """;

    private sealed record UserDayRow(int Views, DateTimeOffset FirstAt, DateTimeOffset LastAt, long EngagedMs, int EngagedViews, string Visits);

    public async Task<DayOutcome> RollAsync(NpgsqlConnection connection, DayScope scope, CancellationToken cancellationToken)
    {
        var now = (await EntityViews.OfAsync(connection, scope, cancellationToken))
            .GroupBy(v => new EntityUser(v.EntityType, v.EntityId, v.User))
            .ToDictionary(g => g.Key, g => RowOf([.. g]));
        var stored = await StoredAsync(connection, scope, cancellationToken);
        var gone = stored.Keys.Where(k => !now.ContainsKey(k)).ToArray();
        var changed = now.Where(n => !stored.TryGetValue(n.Key, out var was) || was != n.Value).ToArray();

        if (gone.Length > 0)
        {
            await using var remove = scope.Command(Remove, connection);
            EntityTotals.AddKeys(remove, gone);
            await remove.ExecuteNonQueryAsync(cancellationToken);
        }
        if (changed.Length > 0)
        {
            await using var write = scope.Command(Write, connection);
            EntityTotals.AddKeys(write, [.. changed.Select(c => c.Key)]);
            write.Parameters.AddWithValue("views", changed.Select(c => c.Value.Views).ToArray());
            write.Parameters.AddWithValue("firsts", changed.Select(c => c.Value.FirstAt).ToArray());
            write.Parameters.AddWithValue("lasts", changed.Select(c => c.Value.LastAt).ToArray());
            write.Parameters.AddWithValue("engaged", changed.Select(c => c.Value.EngagedMs).ToArray());
            write.Parameters.AddWithValue("engaged_views", changed.Select(c => c.Value.EngagedViews).ToArray());
            write.Parameters.AddWithValue("visits", NpgsqlDbType.Array | NpgsqlDbType.Jsonb, changed.Select(c => c.Value.Visits).ToArray());
            await write.ExecuteNonQueryAsync(cancellationToken);
        }
        await EntityTotals.SumAsync(connection, scope.PropertyId, [.. gone, .. changed.Select(c => c.Key)], cancellationToken);
        return new DayOutcome(changed.Length, 0);
    }

    private static UserDayRow RowOf(List<EntityView> views)
    {
        views.Sort((a, b) => a.At != b.At ? b.At.CompareTo(a.At) : b.Event.CompareTo(a.Event));   // newest first
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartArray();
            foreach (var view in views.Take(VisitsKept))
            {
                json.WriteStartObject();
                json.WriteString("at", view.At.UtcDateTime);
                if (view.Referrer is not null) json.WriteString("referrer", view.Referrer);
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
        return new UserDayRow(views.Count, views[^1].At, views[0].At, views.Sum(v => v.EngagedMs), views.Count(v => v.EngagedMs > 0), System.Text.Encoding.UTF8.GetString(buffer.WrittenSpan));
    }

    private static async Task<Dictionary<EntityUser, UserDayRow>> StoredAsync(NpgsqlConnection connection, DayScope scope, CancellationToken cancellationToken)
    {
        await using var command = scope.Command(Stored, connection);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        Dictionary<EntityUser, UserDayRow> stored = [];
        while (await rows.ReadAsync(cancellationToken))
        {
            stored[new(rows.GetString(0), rows.GetString(1), rows.GetInt32(2))] = new(
                rows.GetInt32(3), rows.GetFieldValue<DateTimeOffset>(4), rows.GetFieldValue<DateTimeOffset>(5), rows.GetInt64(6), rows.GetInt32(7), rows.GetString(8));
        }
        return stored;
    }
}

internal readonly record struct EntityUser(string Type, string Id, int User);

/// <summary>The rows of <c>entity_visitors</c>: each the sum of its user's days.</summary>
internal static class EntityTotals
{
    private const string Sum = """
        delete from entity_visitors v
        using unnest(@types, @ids, @users) as t (entity_type, entity_id, user_number)
        where v.property_id = @property and v.entity_type = t.entity_type and v.entity_id = t.entity_id and v.user_number = t.user_number
          and not exists (select from entity_visitor_days d
                          where d.property_id = @property and d.entity_type = t.entity_type and d.entity_id = t.entity_id and d.user_number = t.user_number);

        insert into entity_visitors (property_id, entity_type, entity_id, user_number, visit_count, first_visit, last_visit, engaged_ms, engaged_views, days_visited)
        select @property, t.entity_type, t.entity_id, t.user_number, d.views, d.first_at, d.last_at, d.engaged_ms, d.engaged_views, d.days
        from unnest(@types, @ids, @users) as t (entity_type, entity_id, user_number)
        cross join lateral (
            select sum(views)::bigint as views, min(first_at) as first_at, max(last_at) as last_at,
                   sum(engaged_ms)::bigint as engaged_ms, sum(engaged_views)::bigint as engaged_views, count(*)::integer as days
            from entity_visitor_days d
            where d.property_id = @property and d.entity_type = t.entity_type and d.entity_id = t.entity_id and d.user_number = t.user_number
        ) d
        where d.days > 0
        on conflict (property_id, entity_type, entity_id, user_number) do update set
            visit_count = excluded.visit_count, first_visit = excluded.first_visit, last_visit = excluded.last_visit,
            engaged_ms = excluded.engaged_ms, engaged_views = excluded.engaged_views, days_visited = excluded.days_visited
        """;

    /// <summary>Sums these users' days up anew; a user without any leaves.</summary>
    public static async Task SumAsync(NpgsqlConnection connection, string property, EntityUser[] users, CancellationToken cancellationToken)
    {
        if (users.Length == 0) return;
        await using var command = new NpgsqlCommand(Sum, connection);
        command.Parameters.AddWithValue("property", property);
        AddKeys(command, users);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    public static void AddKeys(NpgsqlCommand command, EntityUser[] keys)
    {
        command.Parameters.AddWithValue("types", keys.Select(k => k.Type).ToArray());
        command.Parameters.AddWithValue("ids", keys.Select(k => k.Id).ToArray());
        command.Parameters.AddWithValue("users", keys.Select(k => k.User).ToArray());
    }
}
