using Npgsql;

namespace Footfall.Segments;

/// <summary>A segment as stored, without its payload.</summary>
/// <param name="Changed">Its raw rows have changed since.</param>
internal readonly record struct StoredSegment(DateOnly Day, long Version, int Format, long DecodedBytes, bool HasPayload, DateTimeOffset BuiltAt, bool Changed);

/// <summary>What is known of a window's days.</summary>
/// <param name="Waiting">Days that have changed and have no segment at all.</param>
internal sealed record SegmentList(IReadOnlyList<StoredSegment> Segments, IReadOnlySet<DateOnly> Waiting);

/// <summary>The rows of <c>day_segments</c>.</summary>
internal sealed class SegmentStore(NpgsqlDataSource database)
{
    /// <summary>How long a day that was too large is taken for too large.</summary>
    public static readonly TimeSpan TooLargeFor = TimeSpan.FromHours(12);

    // One statement, hence of one moment. What arrives for a day whose raw rows are gone is counted by nothing.
    private const string List = """
        select coalesce(s.day, d.day), s.version, s.format, s.decoded_bytes, s.has_payload, s.built_at, d.day is not null
        from (select day, version, format, decoded_bytes, length(payload) > 0 as has_payload, built_at
              from day_segments
              where property_id = @property and day between @from and @to) s
        full join (select d.day
                   from dirty_days d
                   left join purged_days w on w.property_id = d.property_id
                   where d.property_id = @property and d.day between @from and @to and (w.through is null or d.day > w.through)) d on d.day = s.day
        order by 1
        """;

    // Hits lie in the day, and where a session has none left, it still began there. The first row that is found is enough, on each node of a cluster too.
    private const string Busy = """
        select exists (select 1
                       from events
                       where property_id = @property and occurred_at >= @start and occurred_at < @end
                         and session_id is not null and device_type <> 'bot'
                       limit 1)
            or exists (select 1
                       from sessions
                       where property_id = @property and started_at >= @start and started_at < @end and device_type <> 'bot'
                       limit 1)
        """;

    private const string Payloads = "select day, payload from day_segments where property_id = @property and version = any (@versions)";

    private const string Write = """
        insert into day_segments as s (property_id, day, version, format, visits, guests, hits, decoded_bytes, payload, built_at)
        values (@property, @day, nextval('segment_versions'), @format, @visits, @guests, @hits, @decoded_bytes, @payload, @now)
        on conflict (property_id, day) do update set
            version = excluded.version, format = excluded.format, visits = excluded.visits, guests = excluded.guests, hits = excluded.hits,
            decoded_bytes = excluded.decoded_bytes, payload = excluded.payload, built_at = excluded.built_at
        """;

    // The same bytes again: what is decoded of them stays good, and is as new as this build.
    private const string Confirm = """
        update day_segments
        set built_at = @now
        where property_id = @property and day = @day and format = @format and decoded_bytes = @decoded_bytes and length(payload) = @length and sha256(payload) = @hash
        """;

    private const string Replace = """
        update day_segments
        set version = nextval('segment_versions'), format = @format, visits = @visits, guests = @guests, hits = @hits, decoded_bytes = @decoded_bytes, payload = @payload
        where property_id = @property and day = @day
        """;

    // A day only grows, but by an erasure, which removes what is stored for it. Other limits, or enough time, and it is looked at again.
    private const string StillTooLarge = """
        select exists (select from day_segments
                       where property_id = @property and day = @day and length(payload) = 0 and format = @format and decoded_bytes = @limit and built_at > @since)
        """;

    private const string Remove = "delete from day_segments where property_id = @property and day = @day";

    private const string Rebuild = """
        insert into dirty_days as d (property_id, day, marks, marked_at)
        select @property, @day, 1, @now
        where not exists (select from purged_days w where w.property_id = @property and w.through >= @day)
        on conflict (property_id, day) do update set marks = d.marks + 1
        returning 1
        """;

    public async Task<SegmentList> ListAsync(string propertyId, DateOnly from, DateOnly to, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(List);
        command.Parameters.AddWithValue("property", propertyId);
        command.Parameters.AddWithValue("from", from);
        command.Parameters.AddWithValue("to", to);
        List<StoredSegment> segments = [];
        HashSet<DateOnly> waiting = [];
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        while (await rows.ReadAsync(cancellationToken))
        {
            var day = rows.GetFieldValue<DateOnly>(0);
            if (rows.IsDBNull(1)) waiting.Add(day);
            else segments.Add(new StoredSegment(day, rows.GetInt64(1), rows.GetInt16(2), rows.GetInt64(3), rows.GetBoolean(4), rows.GetFieldValue<DateTimeOffset>(5), rows.GetBoolean(6)));
        }
        return new SegmentList(segments, waiting);
    }

    /// <summary>Of the days, those that have anything a segment would hold.</summary>
    public async Task<List<DateOnly>> BusyAsync(string propertyId, IReadOnlyCollection<DateOnly> days, CancellationToken cancellationToken)
    {
        List<DateOnly> busy = [];
        if (days.Count == 0) return busy;
        await using var batch = database.CreateBatch();
        foreach (var day in days)
        {
            var start = new DateTimeOffset(day, TimeOnly.MinValue, TimeSpan.Zero);
            var command = batch.CreateBatchCommand();
            command.CommandText = Busy;
            command.Parameters.AddWithValue("property", propertyId);
            command.Parameters.AddWithValue("start", start);
            command.Parameters.AddWithValue("end", start.AddDays(1));
            batch.BatchCommands.Add(command);
        }
        await using var rows = await batch.ExecuteReaderAsync(cancellationToken);
        foreach (var day in days)
        {
            await rows.ReadAsync(cancellationToken);
            if (rows.GetBoolean(0)) busy.Add(day);
            await rows.NextResultAsync(cancellationToken);
        }
        return busy;
    }

    /// <summary>Hands over the payloads of these versions one by one; one that has been replaced meanwhile does not come.</summary>
    public async Task PayloadsAsync(string propertyId, long[] versions, Func<DateOnly, byte[], Task> take, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Payloads);
        command.Parameters.AddWithValue("property", propertyId);
        command.Parameters.AddWithValue("versions", versions);
        await using var rows = await command.ExecuteReaderAsync(System.Data.CommandBehavior.SequentialAccess, cancellationToken);
        while (await rows.ReadAsync(cancellationToken))
        {
            var day = rows.GetFieldValue<DateOnly>(0);
            await take(day, await rows.GetFieldValueAsync<byte[]>(1, cancellationToken));
        }
    }

    /// <summary>Replaces what is stored for the day. False when it came to the same bytes as before.</summary>
    public static async Task<bool> WriteAsync(NpgsqlConnection connection, string propertyId, DateOnly day, EncodedSegment segment, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using (var confirm = new NpgsqlCommand(Confirm, connection))
        {
            confirm.Parameters.AddWithValue("property", propertyId);
            confirm.Parameters.AddWithValue("day", day);
            confirm.Parameters.AddWithValue("hash", System.Security.Cryptography.SHA256.HashData(segment.Payload));
            confirm.Parameters.AddWithValue("length", segment.Payload.Length);
            confirm.Parameters.AddWithValue("format", (short)SegmentCodec.Format);
            confirm.Parameters.AddWithValue("decoded_bytes", segment.DecodedBytes);
            confirm.Parameters.AddWithValue("now", now);
            if (await confirm.ExecuteNonQueryAsync(cancellationToken) > 0) return false;
        }
        await using var command = new NpgsqlCommand(Write, connection);
        AddParameters(command, propertyId, day, segment);
        command.Parameters.AddWithValue("now", now);
        await command.ExecuteNonQueryAsync(cancellationToken);
        return true;
    }

    /// <summary>Another payload in place of the one there is, which is as old as it was.</summary>
    public static async Task ReplaceAsync(NpgsqlConnection connection, string propertyId, DateOnly day, EncodedSegment segment, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Replace, connection);
        AddParameters(command, propertyId, day, segment);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>The day was too large for a segment under these limits, not long ago: there is no need to read it again to find out.</summary>
    public static async Task<bool> IsStillTooLargeAsync(NpgsqlConnection connection, string propertyId, DateOnly day, SegmentLimits limits, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(StillTooLarge, connection);
        command.Parameters.AddWithValue("property", propertyId);
        command.Parameters.AddWithValue("day", day);
        command.Parameters.AddWithValue("format", (short)SegmentCodec.Format);
        command.Parameters.AddWithValue("limit", EncodedSegment.TooLarge(limits).DecodedBytes);
        command.Parameters.AddWithValue("since", now - TooLargeFor);
        return (bool)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    public static async Task<int> RemoveAsync(NpgsqlConnection connection, string propertyId, DateOnly day, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Remove, connection);
        command.Parameters.AddWithValue("property", propertyId);
        command.Parameters.AddWithValue("day", day);
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Has the day built again. False when its raw rows are gone, so that it cannot be.</summary>
    public async Task<bool> RebuildAsync(string propertyId, DateOnly day, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Rebuild);
        command.Parameters.AddWithValue("property", propertyId);
        command.Parameters.AddWithValue("day", day);
        command.Parameters.AddWithValue("now", now);
        return await command.ExecuteScalarAsync(cancellationToken) is not null;
    }

    private static void AddParameters(NpgsqlCommand command, string propertyId, DateOnly day, EncodedSegment segment)
    {
        command.Parameters.AddWithValue("property", propertyId);
        command.Parameters.AddWithValue("day", day);
        command.Parameters.AddWithValue("format", (short)SegmentCodec.Format);
        command.Parameters.AddWithValue("visits", segment.Homes);
        command.Parameters.AddWithValue("guests", segment.Rows - segment.Homes);
        command.Parameters.AddWithValue("hits", segment.Hits);
        command.Parameters.AddWithValue("decoded_bytes", segment.DecodedBytes);
        command.Parameters.AddWithValue("payload", segment.Payload);
    }
}
