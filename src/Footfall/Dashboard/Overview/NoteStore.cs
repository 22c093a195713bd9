using Footfall.Explore;
using Npgsql;

namespace Footfall.Dashboard.Overview;

/// <summary>What somebody pinned on a day: a launch, an outage, a campaign.</summary>
internal sealed record DayNote(Guid Id, DateOnly Day, string Text);

/// <summary>The table of notes.</summary>
internal sealed class NoteStore(NpgsqlDataSource database, TimeProvider clock)
{
    public const int MaxCharacters = 200;

    private const string Insert = """
        insert into day_notes (id, property_id, day, text, created_at)
        values (@id, @property, @day, @text, @now)
        """;

    private const string Read = """
        select id, day, text
        from day_notes
        where property_id = @property and day between @from and @to
        order by day desc, created_at desc
        limit 100
        """;

    private const string Change = "update day_notes set day = @day, text = @text where property_id = @property and id = @id returning true";

    private const string Remove = "delete from day_notes where property_id = @property and id = @id";

    public async Task AddAsync(string property, DateOnly day, string text, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Insert);
        command.Parameters.AddWithValue("id", Guid.CreateVersion7(clock.GetUtcNow()));
        command.Parameters.AddWithValue("property", property);
        command.Parameters.AddWithValue("day", day);
        command.Parameters.AddWithValue("text", text);
        command.Parameters.AddWithValue("now", clock.GetUtcNow());
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>The newest first.</summary>
    public async Task<List<DayNote>> ReadAsync(string property, DayRange days, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Read);
        command.Parameters.AddWithValue("property", property);
        command.Parameters.AddWithValue("from", days.From);
        command.Parameters.AddWithValue("to", days.To);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        List<DayNote> notes = [];
        while (await rows.ReadAsync(cancellationToken)) notes.Add(new DayNote(rows.GetGuid(0), rows.GetFieldValue<DateOnly>(1), rows.GetString(2)));
        return notes;
    }

    /// <summary>False when it is gone.</summary>
    public async Task<bool> ChangeAsync(string property, DayNote note, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Change);
        command.Parameters.AddWithValue("property", property);
        command.Parameters.AddWithValue("id", note.Id);
        command.Parameters.AddWithValue("day", note.Day);
        command.Parameters.AddWithValue("text", note.Text);
        return await command.ExecuteScalarAsync(cancellationToken) is true;
    }

    public async Task RemoveAsync(string property, Guid id, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Remove);
        command.Parameters.AddWithValue("property", property);
        command.Parameters.AddWithValue("id", id);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
