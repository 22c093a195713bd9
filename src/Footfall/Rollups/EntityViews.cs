using Npgsql;

namespace Footfall.Rollups;

/// <summary>A page view that carries an entity.</summary>
/// <param name="Account">The account's number when the view itself names one.</param>
/// <param name="EngagedMs">Engaged time that the view carries, and that the session's later events of the day carry up to its next page view.</param>
internal sealed record EntityView(
    string EntityType, string EntityId, int Visitor, int? Account, DateTimeOffset At, Guid Event, long EngagedMs, string? Referrer, bool IsEntrance, bool IsBounce)
{
    public int User => Account is { } account ? UserNumber.OfAccount(account) : UserNumber.OfVisitor(Visitor);
}

/// <summary>Reads a day's views of entities, once for the models that need them.</summary>
internal static class EntityViews
{
    private const string Any = """
        select true
        from events
        where property_id = @property
          and occurred_at >= @day_start and occurred_at < @day_end
          and event_type = 'page_view' and entity_type is not null and entity_id is not null
          and session_id is not null and device_type <> 'bot'
        limit 1
        """;

    private const string Select = """
        with steps as (
            select visitor_id, session_id, occurred_at, id, event_type, account_id, entity_type, entity_id, is_entrance,
                   case when jsonb_typeof(props -> 'engagedTimeMs') = 'number'
                        then least(greatest(round((props ->> 'engagedTimeMs')::numeric), 0), 86400000)::bigint else 0 end as engaged_ms,
                   count(*) filter (where event_type = 'page_view')
                       over (partition by visitor_id, session_id order by occurred_at, id rows unbounded preceding) as view
            from events
            where property_id = @property
              and occurred_at >= @day_start and occurred_at < @day_end
              and session_id is not null and device_type <> 'bot'
              and (event_type = 'page_view' or props ? 'engagedTimeMs')
        ),
        views as (
            select steps.*, sum(engaged_ms) over (partition by visitor_id, session_id, view) as view_ms
            from steps
        )
        select w.entity_type, w.entity_id, v.number, n.number, w.occurred_at, w.id, w.view_ms::bigint, s.referrer, w.is_entrance, coalesce(s.is_bounce, false)
        from views w
        join visitors v on v.id = w.visitor_id
        left join sessions s on s.visitor_id = w.visitor_id and s.id = w.session_id
        left join account_numbers n on n.account_id = w.account_id
        where w.event_type = 'page_view' and w.entity_type is not null and w.entity_id is not null
        """;

    public static async Task<IReadOnlyList<EntityView>> OfAsync(NpgsqlConnection connection, DayScope scope, CancellationToken cancellationToken) =>
        scope.EntityViews ??= await ReadAsync(connection, scope, cancellationToken);

    private static async Task<IReadOnlyList<EntityView>> ReadAsync(NpgsqlConnection connection, DayScope scope, CancellationToken cancellationToken)
    {
        await using (var any = scope.Command(Any, connection))
        {
            if (await any.ExecuteScalarAsync(cancellationToken) is not true) return [];
        }
        await AccountNumbers.EnsureAsync(connection, scope, cancellationToken);
        await using var command = scope.Command(Select, connection);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        List<EntityView> views = [];
        var names = new Dictionary<string, string>(StringComparer.Ordinal);   // the same few strings over and over
        while (await rows.ReadAsync(cancellationToken))
        {
            views.Add(new EntityView(
                Once(rows.GetString(0)), Once(rows.GetString(1)), rows.GetInt32(2), rows.IsDBNull(3) ? null : rows.GetInt32(3),
                rows.GetFieldValue<DateTimeOffset>(4), rows.GetGuid(5), rows.GetInt64(6), rows.IsDBNull(7) ? null : Once(rows.GetString(7)),
                rows.GetBoolean(8), rows.GetBoolean(9)));
        }
        return Limited(views, scope);

        string Once(string text)
        {
            if (names.TryGetValue(text, out var known)) return known;
            return names[text] = text;
        }
    }

    /// <summary>Views of the day's most viewed entities, as many as may be; of two alike, the one that comes first by its id's characters.</summary>
    private static List<EntityView> Limited(List<EntityView> views, DayScope scope)
    {
        var entities = views.CountBy(v => (v.EntityType, v.EntityId)).ToList();
        if (entities.Count <= scope.Limits.Entities) return views;
        var kept = entities
            .OrderByDescending(e => e.Value).ThenBy(e => e.Key.EntityType, StringComparer.Ordinal).ThenBy(e => e.Key.EntityId, StringComparer.Ordinal)
            .Take(scope.Limits.Entities).Select(e => e.Key).ToHashSet();
        var left = views.Count(v => !kept.Contains((v.EntityType, v.EntityId)));
        scope.LeftOut[("hourly", RollupLimits.EntityLimit)] = left;
        scope.LeftOut[("visitors", RollupLimits.EntityLimit)] = left;
        return views.FindAll(v => kept.Contains((v.EntityType, v.EntityId)));
    }
}
