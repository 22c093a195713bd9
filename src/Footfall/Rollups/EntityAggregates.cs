using Npgsql;

namespace Footfall.Rollups;

/// <summary>Views of each entity, per hour and per day: formulas in docs/definitions.md.</summary>
internal sealed class EntityAggregates : IDayModel
{
    /// <summary>The hour of a day's own row.</summary>
    public const short WholeDay = -1;

    public string Job => "hourly";

    private const string Write = """
        delete from analytics_aggregates a
        where a.property_id = @property and a.day = @day
          and not exists (select from unnest(@types, @ids, @hours) as t (entity_type, entity_id, hour)
                          where t.entity_type = a.entity_type and t.entity_id = a.entity_id and t.hour = a.hour);

        insert into analytics_aggregates as a (
            entity_type, entity_id, property_id, day, hour, total_views, unique_visitors, unique_accounts, anonymous_visitors,
            engaged_ms, engaged_views, entered_sessions, bounced_sessions, viewers, generated_at)
        select entity_type, entity_id, @property, @day, hour, total_views, unique_visitors, unique_accounts, anonymous_visitors,
               engaged_ms, engaged_views, entered_sessions, bounced_sessions, viewers, @now
        from unnest(@types, @ids, @hours, @views, @visitors, @accounts, @anonymous, @engaged, @engaged_views, @entered, @bounced, @viewers)
             as t (entity_type, entity_id, hour, total_views, unique_visitors, unique_accounts, anonymous_visitors,
                   engaged_ms, engaged_views, entered_sessions, bounced_sessions, viewers)
        on conflict (entity_type, entity_id, property_id, day, hour) do update set
            total_views = excluded.total_views, unique_visitors = excluded.unique_visitors, unique_accounts = excluded.unique_accounts,
            anonymous_visitors = excluded.anonymous_visitors, engaged_ms = excluded.engaged_ms, engaged_views = excluded.engaged_views,
            entered_sessions = excluded.entered_sessions, bounced_sessions = excluded.bounced_sessions,
            viewers = excluded.viewers, generated_at = excluded.generated_at
        where (a.total_views, a.unique_visitors, a.unique_accounts, a.anonymous_visitors, a.engaged_ms, a.engaged_views, a.entered_sessions, a.bounced_sessions, a.viewers)
           <> (excluded.total_views, excluded.unique_visitors, excluded.unique_accounts, excluded.anonymous_visitors, excluded.engaged_ms, excluded.engaged_views,
               excluded.entered_sessions, excluded.bounced_sessions, excluded.viewers)
        """;

    private sealed class Tally
    {
        public HashSet<int> Users { get; } = [];
        public long Views { get; private set; }
        public long EngagedMs { get; private set; }
        public long EngagedViews { get; private set; }
        public int Entered { get; private set; }
        public int Bounced { get; private set; }

        public void Add(EntityView view)
        {
            Users.Add(view.User);
            Views++;
            if (view.EngagedMs > 0)
            {
                EngagedMs += view.EngagedMs;
                EngagedViews++;
            }
            if (!view.IsEntrance) return;
            Entered++;
            if (view.IsBounce) Bounced++;
        }
    }

    public async Task<DayOutcome> RollAsync(NpgsqlConnection connection, DayScope scope, CancellationToken cancellationToken)
    {
        var tallies = new Dictionary<(string Type, string Id, short Hour), Tally>();
        foreach (var view in await EntityViews.OfAsync(connection, scope, cancellationToken))
        {
            Of(view, (short)view.At.UtcDateTime.Hour).Add(view);
            Of(view, WholeDay).Add(view);
        }

        var rows = tallies.ToArray();
        await using var write = scope.Command(Write, connection);
        write.Parameters.AddWithValue("types", rows.Select(r => r.Key.Type).ToArray());
        write.Parameters.AddWithValue("ids", rows.Select(r => r.Key.Id).ToArray());
        write.Parameters.AddWithValue("hours", rows.Select(r => r.Key.Hour).ToArray());
        write.Parameters.AddWithValue("views", rows.Select(r => r.Value.Views).ToArray());
        write.Parameters.AddWithValue("visitors", rows.Select(r => r.Value.Users.Count).ToArray());
        write.Parameters.AddWithValue("accounts", rows.Select(r => r.Value.Users.Count(UserNumber.IsAccount)).ToArray());
        write.Parameters.AddWithValue("anonymous", rows.Select(r => r.Value.Users.Count(u => !UserNumber.IsAccount(u))).ToArray());
        write.Parameters.AddWithValue("engaged", rows.Select(r => r.Value.EngagedMs).ToArray());
        write.Parameters.AddWithValue("engaged_views", rows.Select(r => r.Value.EngagedViews).ToArray());
        write.Parameters.AddWithValue("entered", rows.Select(r => r.Value.Entered).ToArray());
        write.Parameters.AddWithValue("bounced", rows.Select(r => r.Value.Bounced).ToArray());
        write.Parameters.AddWithValue("viewers", rows.Select(r => r.Key.Hour == WholeDay ? VisitorSet.Encode(r.Value.Users.Order().ToArray()) : []).ToArray());
        await write.ExecuteNonQueryAsync(cancellationToken);
        return new DayOutcome(rows.Length, 0);

        Tally Of(EntityView view, short hour)
        {
            var key = (view.EntityType, view.EntityId, hour);
            if (!tallies.TryGetValue(key, out var tally)) tallies[key] = tally = new Tally();
            return tally;
        }
    }
}
