using Footfall.Ingestion;
using Footfall.Journal;
using Npgsql;
using NpgsqlTypes;

namespace Footfall.Leads;

/// <summary>
/// Takes the erased out of this server's own files: its journal, whose newest segment keeps records that the database has long had,
/// and what was set aside. Each server does it for itself; the database knows up to which erasure it has.
/// </summary>
internal sealed class JournalScrub(EventJournal journal, JournalPositions positions, ErasedFiles files, NpgsqlDataSource database, TimeProvider clock, ILogger<JournalScrub> log)
{
    /// <summary>So long an event may be on its way; later ones are out of range anyway, and nothing watches for them any more.</summary>
    public static readonly TimeSpan WatchedFor = TimeSpan.FromDays(180);

    private static readonly TimeSpan InFlight = TimeSpan.FromSeconds(1);

    private const string Newer = """
        select x.visitor_id, x.erased_at
        from erased_visitors x
        where x.erased_at > coalesce((select s.through from journal_scrubs s where s.journal_id = @journal), '-infinity')
        """;

    private const string NewestErasure = "select max(erased_at) from erasures where erased_at > coalesce((select s.through from journal_scrubs s where s.journal_id = @journal), '-infinity')";

    private const string Through = """
        insert into journal_scrubs as s (journal_id, through) values (@journal, @through)
        on conflict (journal_id) do update set through = greatest(s.through, excluded.through)
        """;

    private const string Forget = "delete from erased_visitors where erased_at < @before";

    private JournalPosition? turnedAt;
    private DateTimeOffset turnedFor;

    /// <summary>One step; to be called again until it says true: nothing of the erased is in this server's files.</summary>
    public async Task<bool> StepAsync(CancellationToken cancellationToken)
    {
        if (await NewestAsync(cancellationToken) is not { } newest) return true;
        // Records that came before the erasure was stored end here; where it is passed, all of them went through ingestion, which turned the person's away.
        // A request that was in the middle of things then has had the time to write its record.
        if (clock.GetUtcNow() - newest < InFlight) return false;
        if (turnedAt is null || turnedFor < newest) (turnedAt, turnedFor) = (journal.Turn(), newest);
        var position = (await positions.ReadAsync(journal.Id, cancellationToken)).Through;
        if (position < turnedAt) return false;
        journal.Release(position);

        List<Guid> visitors = await VisitorsAsync(cancellationToken);
        var found = files.Find(visitors, []);
        ErasedFiles.Delete(found);
        foreach (var file in found) log.FileDeleted(Path.GetFileName(file));
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var command = new NpgsqlCommand(Through, connection);
        command.Parameters.AddWithValue("journal", journal.Id);
        command.Parameters.AddWithValue("through", turnedFor);
        await command.ExecuteNonQueryAsync(cancellationToken);
        await using var forget = new NpgsqlCommand(Forget, connection);
        forget.Parameters.AddWithValue("before", clock.GetUtcNow() - WatchedFor);
        await forget.ExecuteNonQueryAsync(cancellationToken);
        turnedAt = null;
        return true;
    }

    private async Task<DateTimeOffset?> NewestAsync(CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(NewestErasure);
        command.Parameters.AddWithValue("journal", journal.Id);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        return await rows.ReadAsync(cancellationToken) && !rows.IsDBNull(0) ? rows.GetFieldValue<DateTimeOffset>(0) : null;
    }

    private async Task<List<Guid>> VisitorsAsync(CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Newer);
        command.Parameters.AddWithValue("journal", NpgsqlDbType.Uuid, journal.Id);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        List<Guid> visitors = [];
        while (await rows.ReadAsync(cancellationToken)) visitors.Add(rows.GetGuid(0));
        return visitors;
    }
}
