using Footfall.Rollups;
using Npgsql;

namespace Footfall.Segments;

/// <summary>A day's segment, from the sessions that began in it and the events that happened in it: in range and not of bots, as in every figure.</summary>
internal sealed class SegmentModel(SegmentLimits limits, ILogger<SegmentModel> log) : IDayModel
{
    private const int FirstFact = 8;

    /// <summary>A day of so many hits leaves tens of megabytes behind when it is built.</summary>
    private const int LeavesMuch = 50_000;

    /// <summary>What is called a session's source.</summary>
    public const string Source = @"coalesce(lower(s.utm_source), regexp_replace(s.referrer_host, '^www\.', ''))";

    // The facts in the order of the enum.
    private const string Session = $"""
        select s.visitor_id, s.id, v.number, s.started_at, s.ended_at, s.engaged_ms, s.is_bounce, s.has_conversion,
               s.landing_path, s.exit_path, {Source}, s.traffic_source::text, s.referrer_host,
               s.utm_source, s.utm_medium, s.utm_campaign, s.utm_term, s.utm_content,
               s.country_code, s.device_type::text, s.browser, s.os
        """;

    private const string Begun = $"""
        {Session}
        from sessions s
        join visitors v on v.id = s.visitor_id
        where s.property_id = @property and s.started_at >= @day_start and s.started_at < @day_end and s.device_type <> 'bot'
        """;

    private const string Events = """
        select visitor_id, session_id, occurred_at, is_conversion, event_type, path, props::text
        from events
        where property_id = @property and occurred_at >= @day_start and occurred_at < @day_end
          and session_id is not null and device_type <> 'bot'
        """;

    private const string Guests = $"""
        {Session}
        from unnest(@visitors, @sessions) as t (visitor_id, session_id)
        join sessions s on s.visitor_id = t.visitor_id and s.id = t.session_id
        join visitors v on v.id = s.visitor_id
        where s.started_at < @day_start
        """;

    public string Job => "segments";

    public async Task<DayOutcome> RollAsync(NpgsqlConnection connection, DayScope scope, CancellationToken cancellationToken)
    {
        if (await BuildAsync(connection, scope, cancellationToken) is not { } segment)
        {
            await SegmentStore.RemoveAsync(connection, scope.PropertyId, scope.Day, cancellationToken);
            return new DayOutcome(0, 0);
        }
        var changed = await SegmentStore.WriteAsync(connection, scope.PropertyId, scope.Day, segment, scope.Now, cancellationToken);
        // A busy day is built every few seconds. Left alone, the collector lets several builds' leavings pile up, since nothing else asks for so much.
        if (segment.Hits >= LeavesMuch) GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: false);
        return new DayOutcome(changed ? 1 : 0, 0);
    }

    /// <summary>Null where nothing happened.</summary>
    private async Task<EncodedSegment?> BuildAsync(NpgsqlConnection connection, DayScope scope, CancellationToken cancellationToken)
    {
        var builder = new SegmentBuilder(scope.Day, limits);
        await using (var begun = scope.Command(Begun, connection)) await AddSessionsAsync(begun, builder, scope, cancellationToken);
        await AddEventsAsync(connection, builder, scope, cancellationToken);
        if (builder.IsTooLarge)
        {
            log.DayTooLarge(scope.PropertyId, scope.Day, builder.Hits, builder.Sessions);
            return EncodedSegment.TooLarge;
        }
        var unknown = builder.Unknown.ToList();
        if (unknown.Count > 0)
        {
            await using var guests = scope.Command(Guests, connection);
            guests.Parameters.AddWithValue("visitors", unknown.Select(u => u.Visitor).ToArray());
            guests.Parameters.AddWithValue("sessions", unknown.Select(u => u.Session).ToArray());
            await AddSessionsAsync(guests, builder, scope, cancellationToken);
        }
        return builder.Sessions == 0 ? null : SegmentCodec.Encode(builder.Build());
    }

    private static async Task AddSessionsAsync(NpgsqlCommand command, SegmentBuilder builder, DayScope scope, CancellationToken cancellationToken)
    {
        var facts = new string?[Enum.GetValues<SessionFact>().Length];
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        while (!builder.IsTooLarge && await rows.ReadAsync(cancellationToken))
        {
            for (var fact = 0; fact < facts.Length; fact++) facts[fact] = rows.IsDBNull(FirstFact + fact) ? null : rows.GetString(FirstFact + fact);
            var ended = rows.GetDateTime(4);
            var flags = (rows.GetBoolean(6) ? SessionFlags.Bounce : SessionFlags.None) | (rows.GetBoolean(7) ? SessionFlags.Converted : SessionFlags.None)
                | (ended >= scope.End.UtcDateTime ? SessionFlags.GoesOn : SessionFlags.None);
            builder.Add(new BuiltSession(rows.GetGuid(0), rows.GetGuid(1), rows.GetInt32(2), Since(rows.GetDateTime(3), scope), Since(ended, scope), rows.GetInt64(5), flags, facts));
        }
    }

    private static async Task AddEventsAsync(NpgsqlConnection connection, SegmentBuilder builder, DayScope scope, CancellationToken cancellationToken)
    {
        await using var command = scope.Command(Events, connection);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        while (!builder.IsTooLarge && await rows.ReadAsync(cancellationToken))
        {
            builder.Add(
                rows.GetGuid(0), rows.GetGuid(1), Since(rows.GetDateTime(2), scope), rows.GetBoolean(3), rows.GetString(4),
                rows.IsDBNull(5) ? null : rows.GetString(5), rows.IsDBNull(6) ? default : rows.GetFieldValue<byte[]>(6));
        }
    }

    private static long Since(DateTime at, DayScope scope) => (at - scope.Start.UtcDateTime).Ticks / TimeSpan.TicksPerMicrosecond;
}
