using Footfall.Rollups;
using Npgsql;

namespace Footfall.Segments;

/// <summary>A day's segment, from the sessions that began in it and the events that happened in it: in range and not of bots, as in every figure.</summary>
internal sealed class SegmentModel(SegmentLimits limits, ILogger<SegmentModel> log) : IDayModel
{
    private const int FirstFact = 8;

    /// <summary>A day of so many hits takes tens of megabytes for a moment.</summary>
    private const int Large = 50_000;

    private const int GuestsAtOnce = 10_000;

    /// <summary>What is called a session's source.</summary>
    public const string Source = @"coalesce(lower(s.utm_source), regexp_replace(s.referrer_host, '^www\.', ''))";

    private static readonly SessionFact[] Facts = Enum.GetValues<SessionFact>();

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
        if (await SegmentStore.IsStillTooLargeAsync(connection, scope.PropertyId, scope.Day, limits, scope.Now, cancellationToken)) return new DayOutcome(0, 0);
        if (await BuildAsync(connection, scope, cancellationToken) is not { } segment)
        {
            await SegmentStore.RemoveAsync(connection, scope.PropertyId, scope.Day, cancellationToken);
            return new DayOutcome(0, 0);
        }
        var changed = await SegmentStore.WriteAsync(connection, scope.PropertyId, scope.Day, segment, scope.Now, cancellationToken);
        if (segment.Hits >= Large) NativeBlocks.Trim();
        return new DayOutcome(changed ? 1 : 0, 0);
    }

    /// <summary>Null where nothing happened.</summary>
    private async Task<EncodedSegment?> BuildAsync(NpgsqlConnection connection, DayScope scope, CancellationToken cancellationToken)
    {
        using var builder = new SegmentBuilder(scope.Day, limits);
        var letters = new RowTexts();
        await using (var begun = scope.Command(Begun, connection)) await AddSessionsAsync(begun, builder, letters, scope, cancellationToken);
        if (!builder.IsTooLarge) await AddEventsAsync(connection, builder, letters, scope, cancellationToken);
        foreach (var unknown in builder.Unknown.Chunk(GuestsAtOnce))
        {
            if (builder.IsTooLarge) break;
            await using var guests = scope.Command(Guests, connection);
            guests.Parameters.AddWithValue("visitors", Array.ConvertAll(unknown, u => u.Visitor));
            guests.Parameters.AddWithValue("sessions", Array.ConvertAll(unknown, u => u.Session));
            await AddSessionsAsync(guests, builder, letters, scope, cancellationToken);
        }
        if (builder.IsTooLarge)
        {
            log.DayTooLarge(scope.PropertyId, scope.Day, builder.Hits, builder.Sessions, builder.Texts);
            return EncodedSegment.TooLarge(limits);
        }
        return builder.Sessions == 0 ? null : builder.Encode();
    }

    private static async Task AddSessionsAsync(NpgsqlCommand command, SegmentBuilder builder, RowTexts letters, DayScope scope, CancellationToken cancellationToken)
    {
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        while (!builder.IsTooLarge && await rows.ReadAsync(cancellationToken))
        {
            var ended = rows.GetDateTime(4);
            var flags = (rows.GetBoolean(6) ? SessionFlags.Bounce : SessionFlags.None) | (rows.GetBoolean(7) ? SessionFlags.Converted : SessionFlags.None)
                | (ended >= scope.End.UtcDateTime ? SessionFlags.GoesOn : SessionFlags.None);
            var session = builder.Add(rows.GetGuid(0), rows.GetGuid(1), rows.GetInt32(2), Since(rows.GetDateTime(3), scope), Since(ended, scope), rows.GetInt64(5), flags);
            foreach (var fact in Facts)
            {
                var column = FirstFact + (int)fact;
                if (!rows.IsDBNull(column)) builder.AddFact(session, fact, builder.Code(Vocabulary.KindOf(fact), letters.Read(rows, column)));
            }
        }
    }

    private static async Task AddEventsAsync(NpgsqlConnection connection, SegmentBuilder builder, RowTexts letters, DayScope scope, CancellationToken cancellationToken)
    {
        await using var command = scope.Command(Events, connection);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        while (!builder.IsTooLarge && await rows.ReadAsync(cancellationToken))
        {
            var type = builder.Code(SegmentWords.EventType, letters.Read(rows, 4));
            var path = rows.IsDBNull(5) ? 0 : builder.Code(SegmentWords.Path, letters.Read(rows, 5));
            builder.Add(rows.GetGuid(0), rows.GetGuid(1), type, path, Since(rows.GetDateTime(2), scope), rows.GetBoolean(3), rows.IsDBNull(6) ? default : letters.Read(rows, 6));
            // What taking in so many events has left to the collector would otherwise lie about beside it: nothing here asks the collector for room.
            if (builder.Hits == Large) GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: false);
        }
    }

    private static long Since(DateTime at, DayScope scope) => (at - scope.Start.UtcDateTime).Ticks / TimeSpan.TicksPerMicrosecond;

    /// <summary>Texts of rows as the UTF-8 that they come in: strings of a whole day would be garbage by the hundred megabytes.</summary>
    private sealed class RowTexts
    {
        private byte[] letters = new byte[1_024];

        /// <summary>Good until the next.</summary>
        public ReadOnlySpan<byte> Read(NpgsqlDataReader rows, int column)
        {
            var length = (int)rows.GetBytes(column, 0, null, 0, 0);
            if (letters.Length < length) letters = new byte[length * 2];
            rows.GetBytes(column, 0, letters, 0, length);
            return letters.AsSpan(0, length);
        }
    }
}
