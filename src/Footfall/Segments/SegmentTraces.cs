using Footfall.Leads;
using Npgsql;

namespace Footfall.Segments;

/// <summary>
/// What segments hold of a person: the visitor's number, and in texts whatever a site wrote there. Days whose raw rows are there are
/// built anew without the person; until that is done their segments are gone. Older segments are rewritten.
/// </summary>
internal sealed class SegmentTraces(ILogger<SegmentTraces> log) : IPersonalTrace
{
    private const string Remove = """
        delete from day_segments s
        using unnest(@properties, @days) as t (property_id, day)
        where s.property_id = t.property_id and s.day = t.day
          and not exists (select from purged_days w where w.property_id = s.property_id and w.through >= s.day)
        """;

    private const string Purged = """
        select s.property_id, s.day
        from day_segments s
        join purged_days w on w.property_id = s.property_id and s.day <= w.through
        where length(s.payload) > 0
        order by s.property_id, s.day
        """;

    private const string Payload = "select payload from day_segments where property_id = @property and day = @day";

    private const string Bump = """
        insert into rollup_versions as v (property_id, version)
        select distinct property_id, 1 from unnest(@properties) as t (property_id)
        on conflict (property_id) do update set version = v.version + 1
        """;

    public async Task<long> EraseAsync(NpgsqlConnection connection, ErasedPerson person, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Remove, connection);
        command.Parameters.AddWithValue("properties", person.Days.Select(d => d.Property).ToArray());
        command.Parameters.AddWithValue("days", person.Days.Select(d => d.Day).ToArray());
        await command.ExecuteNonQueryAsync(cancellationToken);
        return 0;   // days, not rows of the person
    }

    public async Task SweepAsync(NpgsqlConnection connection, IReadOnlyList<int> visitorNumbers, IReadOnlyList<int> accountNumbers, CancellationToken cancellationToken)
    {
        var visitors = visitorNumbers.ToHashSet();
        if (visitors.Count > 0) await RewriteAsync(connection, data => SegmentRewrite.Without(data, visitors), cancellationToken);
    }

    public async Task<IReadOnlyList<string>> BlotAsync(NpgsqlConnection connection, Func<string, string> blot, CancellationToken cancellationToken) =>
        await RewriteAsync(connection, data => SegmentRewrite.Blotted(data, blot), cancellationToken) ? ["day_segments"] : [];

    /// <summary>Rewrites what cannot be built anew, a day to a transaction. True when any has changed.</summary>
    private async Task<bool> RewriteAsync(NpgsqlConnection connection, Func<SegmentData, SegmentData?> rewrite, CancellationToken cancellationToken)
    {
        List<(string Property, DateOnly Day)> days = [];
        await using (var command = new NpgsqlCommand(Purged, connection) { CommandTimeout = 0 })
        {
            await using var rows = await command.ExecuteReaderAsync(cancellationToken);
            while (await rows.ReadAsync(cancellationToken)) days.Add((rows.GetString(0), rows.GetFieldValue<DateOnly>(1)));
        }
        HashSet<string> changed = new(StringComparer.Ordinal);
        foreach (var (property, day) in days)
        {
            if (await RewriteAsync(connection, property, day, rewrite, cancellationToken)) changed.Add(property);
        }
        if (changed.Count == 0) return false;
        await using var bump = new NpgsqlCommand(Bump, connection);
        bump.Parameters.AddWithValue("properties", changed.ToArray());
        await bump.ExecuteNonQueryAsync(cancellationToken);
        return true;
    }

    private async Task<bool> RewriteAsync(NpgsqlConnection connection, string property, DateOnly day, Func<SegmentData, SegmentData?> rewrite, CancellationToken cancellationToken)
    {
        await using var read = new NpgsqlCommand(Payload, connection) { CommandTimeout = 0 };
        read.Parameters.AddWithValue("property", property);
        read.Parameters.AddWithValue("day", day);
        if (await read.ExecuteScalarAsync(cancellationToken) is not byte[] payload) return false;
        SegmentData before;
        SegmentData? after;
        try
        {
            after = rewrite(before = SegmentCodec.Decode(payload));
        }
        catch (InvalidDataException e)
        {
            log.SegmentNotRewritten(e, property, day);   // what cannot be read tells nobody anything
            return false;
        }
        if (ReferenceEquals(before, after)) return false;
        if (after is null) await SegmentStore.RemoveAsync(connection, property, day, cancellationToken);
        else await SegmentStore.ReplaceAsync(connection, property, day, SegmentCodec.Encode(after), cancellationToken);
        return true;
    }
}
