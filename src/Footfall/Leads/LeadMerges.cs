using Npgsql;

namespace Footfall.Leads;

/// <summary>What a merge did, or why it did not.</summary>
internal enum MergeOutcome
{
    Done,
    LeadNotFound,
    SameLead,

    /// <summary>The lead was merged into one already; that must be undone first.</summary>
    AlreadyMerged,

    /// <summary>The two would be merged into each other in a circle.</summary>
    Circle,
}

/// <summary>
/// Two addresses of one person, because an admin says so. The visitors that are certainly the one's are linked to the other too, as
/// <c>manual_merge</c> of confidence 1; export and erasure take both. Addresses and consents stay two: who let one be written to has said nothing about the other.
/// </summary>
internal sealed class LeadMerges(NpgsqlDataSource database, AuditLog audit, TimeProvider clock)
{
    private const string LockBoth = "select id from leads where id in (@from, @into) order by id for update";

    // Whether the lead that takes over is itself merged, directly or by others, into the one that it would take.
    private const string LeadsBack = """
        with recursive up (id) as (
            select @into::uuid
            union
            select m.into_lead_id from up join lead_merges m on m.from_lead_id = up.id and m.undone_at is null
        )
        select exists (select from up where id = @from)
        """;

    private const string Standing = "select exists (select from lead_merges where from_lead_id = @from and undone_at is null)";

    private const string Merge = """
        insert into lead_merges (id, from_lead_id, into_lead_id, merged_at) values (@merge, @from, @into, @now)
        """;

    private const string Link = """
        insert into lead_identities (id, lead_id, visitor_id, link_source, confidence, linked_at, merge_id)
        select gen_random_uuid(), @into, v.visitor_id, 'manual_merge', 1, @now, @merge
        from (select distinct visitor_id from lead_identities where lead_id = @from and confidence = 1) v
        where not exists (select from lead_identities i where i.lead_id = @into and i.visitor_id = v.visitor_id and i.link_source = 'manual_merge')
        returning visitor_id
        """;

    private const string Undo = """
        update lead_merges set undone_at = @now where id = @merge and undone_at is null
        """;

    private const string Read = "select from_lead_id, into_lead_id, merged_at, undone_at from lead_merges where id = @merge";

    private const string Unlink = "delete from lead_identities where merge_id = @merge";

    // Merges that came after took this one's visitors further: they are linked anew from what is left.
    private const string Later = """
        with recursive down (id, into_id, at, merge_id) as (
            select m.from_lead_id, m.into_lead_id, m.merged_at, m.id from lead_merges m where m.from_lead_id = @into and m.undone_at is null
            union
            select m.from_lead_id, m.into_lead_id, m.merged_at, m.id from down join lead_merges m on m.from_lead_id = down.into_id and m.undone_at is null
        )
        select id, into_id, merge_id from down
        """;

    private const string StillOf = """
        delete from lead_identities i
        where i.merge_id = @merge
          and not exists (select from lead_identities f where f.lead_id = @from and f.visitor_id = i.visitor_id and f.confidence = 1)
        """;

    public async Task<(MergeOutcome Outcome, MergeReply? Reply)> MergeAsync(Guid from, Guid into, string actor, CancellationToken cancellationToken)
    {
        if (from == into) return (MergeOutcome.SameLead, null);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var both = 0;
        await using (var command = Command(connection, LockBoth, from, into))
        await using (var rows = await command.ExecuteReaderAsync(cancellationToken))
        {
            while (await rows.ReadAsync(cancellationToken)) both++;
        }
        if (both < 2) return (MergeOutcome.LeadNotFound, null);
        if (await IsTrueAsync(connection, Standing, from, into, cancellationToken)) return (MergeOutcome.AlreadyMerged, null);
        if (await IsTrueAsync(connection, LeadsBack, from, into, cancellationToken)) return (MergeOutcome.Circle, null);

        var now = clock.GetUtcNow();
        var merge = Guid.CreateVersion7(now);
        await using (var insert = Command(connection, Merge, from, into, merge)) await insert.ExecuteNonQueryAsync(cancellationToken);
        var links = await LinkAsync(connection, from, into, merge, cancellationToken);
        foreach (var (lead, next, id) in await LaterAsync(connection, into, cancellationToken)) await LinkAsync(connection, lead, next, id, cancellationToken);
        await audit.AddAsync(connection, actor, AuditAction.LeadsMerged, into, $$"""{"merge":"{{merge}}","from":"{{from}}","links":{{links}}}""", cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return (MergeOutcome.Done, new MergeReply(true, merge, from, into, now, null, links));
    }

    /// <summary>Takes the links away that the merge made. Undone again, the answer is the same; null when there is no such merge.</summary>
    public async Task<MergeReply?> UndoAsync(Guid merge, string actor, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        if (await ReadAsync(connection, merge, cancellationToken) is not { } found) return null;
        if (found.UndoneAt is not null) return found;
        await using (var command = Command(connection, LockBoth, found.From, found.Into)) await command.ExecuteNonQueryAsync(cancellationToken);
        await using (var undo = Command(connection, Undo, found.From, found.Into, merge)) await undo.ExecuteNonQueryAsync(cancellationToken);
        int links;
        await using (var unlink = Command(connection, Unlink, found.From, found.Into, merge)) links = await unlink.ExecuteNonQueryAsync(cancellationToken);
        foreach (var (lead, next, id) in await LaterAsync(connection, found.Into, cancellationToken))
        {
            await using var still = Command(connection, StillOf, lead, next, id);
            await still.ExecuteNonQueryAsync(cancellationToken);
        }
        var undone = (await ReadAsync(connection, merge, cancellationToken))!;
        await audit.AddAsync(connection, actor, AuditAction.MergeUndone, found.Into, $$"""{"merge":"{{merge}}","from":"{{found.From}}","links":{{links}}}""", cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return undone with { Links = 0 };
    }

    private async Task<int> LinkAsync(NpgsqlConnection connection, Guid from, Guid into, Guid merge, CancellationToken cancellationToken)
    {
        await using var command = Command(connection, Link, from, into, merge);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        var links = 0;
        while (await rows.ReadAsync(cancellationToken)) links++;
        return links;
    }

    private static async Task<MergeReply?> ReadAsync(NpgsqlConnection connection, Guid merge, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Read, connection);
        command.Parameters.AddWithValue("merge", merge);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        return await rows.ReadAsync(cancellationToken)
            ? new MergeReply(true, merge, rows.GetGuid(0), rows.GetGuid(1), rows.GetFieldValue<DateTimeOffset>(2), rows.IsDBNull(3) ? null : rows.GetFieldValue<DateTimeOffset>(3), 0)
            : null;
    }

    private static async Task<List<(Guid Lead, Guid Into, Guid Merge)>> LaterAsync(NpgsqlConnection connection, Guid into, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Later, connection);
        command.Parameters.AddWithValue("into", into);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        List<(Guid, Guid, Guid)> later = [];
        while (await rows.ReadAsync(cancellationToken)) later.Add((rows.GetGuid(0), rows.GetGuid(1), rows.GetGuid(2)));
        return later;
    }

    private static async Task<bool> IsTrueAsync(NpgsqlConnection connection, string sql, Guid from, Guid into, CancellationToken cancellationToken)
    {
        await using var command = Command(connection, sql, from, into);
        return await command.ExecuteScalarAsync(cancellationToken) is true;
    }

    private NpgsqlCommand Command(NpgsqlConnection connection, string sql, Guid from, Guid into, Guid merge)
    {
        var command = Command(connection, sql, from, into);
        command.Parameters.AddWithValue("merge", merge);
        command.Parameters.AddWithValue("now", clock.GetUtcNow());
        return command;
    }

    private static NpgsqlCommand Command(NpgsqlConnection connection, string sql, Guid from, Guid into)
    {
        var command = new NpgsqlCommand(sql, connection);
        command.Parameters.AddWithValue("from", from);
        command.Parameters.AddWithValue("into", into);
        return command;
    }
}
