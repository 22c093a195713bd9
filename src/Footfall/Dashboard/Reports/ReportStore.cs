using Npgsql;
using NpgsqlTypes;

namespace Footfall.Dashboard.Reports;

/// <summary>When a property's weekly report goes out.</summary>
/// <param name="Weekday">1 is Monday.</param>
/// <param name="Hour">Of the day, UTC.</param>
internal sealed record ReportSchedule(string PropertyId, bool Enabled, int Weekday, int Hour, DateTimeOffset ChangedAt)
{
    public static ReportSchedule Usual(string property) => new(property, false, 1, 6, default);

    /// <summary>The last moment at or before <paramref name="now"/> at which it was to go out.</summary>
    public DateTimeOffset LastDue(DateTimeOffset now)
    {
        var day = now.UtcDateTime.Date;
        var due = new DateTimeOffset(day.AddDays(Weekday - IsoWeekday(day)).AddHours(Hour), TimeSpan.Zero);
        return due <= now ? due : due.AddDays(-7);
    }

    /// <summary>Monday of the last whole week before the moment.</summary>
    public static DateOnly WeekBefore(DateTimeOffset at)
    {
        var day = DateOnly.FromDateTime(at.UtcDateTime);
        return day.AddDays(1 - IsoWeekday(at.UtcDateTime) - 7);
    }

    private static int IsoWeekday(DateTime day) => day.DayOfWeek == DayOfWeek.Sunday ? 7 : (int)day.DayOfWeek;
}

/// <param name="StoppedAt">When they said that they want no more; null while they get them.</param>
internal sealed record ReportRecipient(Guid Id, string Address, DateTimeOffset AddedAt, DateTimeOffset? StoppedAt);

/// <summary>A report on its way to somebody.</summary>
/// <param name="Address">Null for the operator's own program.</param>
internal sealed record ReportDelivery(Guid Id, string PropertyId, DateOnly Week, Guid RecipientId, string? Address, int Attempts);

/// <summary>What became of one.</summary>
/// <param name="Address">Null for the operator's own program.</param>
internal sealed record ReportOutcome(DateOnly Week, string? Address, string State, DateTimeOffset At, string? Error);

internal enum AddedRecipient
{
    Added,
    Known,
    Stopped,
    TooMany,
}

/// <summary>The tables of weekly reports.</summary>
internal sealed class ReportStore(NpgsqlDataSource database, TimeProvider clock)
{
    public const int MostRecipients = 50;
    private const int OutcomesShown = 20;
    private static readonly TimeSpan OutcomesKept = TimeSpan.FromDays(400);

    private const string ReadSchedules = "select property_id, enabled, weekday::int, hour::int, changed_at from report_settings where (@property::text is null and enabled) or property_id = @property";

    private const string Save = """
        insert into report_settings (property_id, enabled, weekday, hour, changed_at)
        values (@property, @enabled, @weekday, @hour, @now)
        on conflict (property_id) do update set enabled = excluded.enabled, weekday = excluded.weekday, hour = excluded.hour, changed_at = excluded.changed_at
        """;

    private const string ReadRecipients = "select id, address, added_at, stopped_at from report_recipients where property_id = @property order by address";

    private const string AddRecipient = """
        insert into report_recipients (id, property_id, address, added_at)
        select @id, @property, @address, @now
        where (select count(*) from report_recipients where property_id = @property) < @most
        on conflict (property_id, address) do nothing
        returning true
        """;

    // Who wants no more of them stays known as that, so that nobody puts them back by mistake.
    private const string RemoveRecipient = """
        with removed as (delete from report_recipients where property_id = @property and id = @id and stopped_at is null returning id),
             known as (insert into removed_recipients (id, removed_at) select id, @now from removed on conflict (id) do nothing)
        delete from report_deliveries where state = 'waiting' and recipient_id in (select id from removed)
        """;

    private const string Stop = """
        with stopped as (update report_recipients set stopped_at = coalesce(stopped_at, @now) where id = @id returning id, property_id),
             unsent as (delete from report_deliveries where state = 'waiting' and recipient_id in (select id from stopped))
        select coalesce(p.name, s.property_id) from stopped s left join properties p on p.id = s.property_id
        """;

    private const string Plan = """
        insert into report_deliveries (property_id, week, recipient_id, id, state, next_attempt_at, changed_at)
        select @property, @week, r.id, gen_random_uuid(), 'waiting', @now, @now
        from report_recipients r
        where r.property_id = @property and r.stopped_at is null
        on conflict (property_id, week, recipient_id) do nothing
        """;

    private const string PlanProgram = """
        insert into report_deliveries (property_id, week, recipient_id, id, state, next_attempt_at, changed_at)
        values (@property, @week, '00000000-0000-0000-0000-000000000000', gen_random_uuid(), 'waiting', @now, @now)
        on conflict (property_id, week, recipient_id) do nothing
        """;

    private const string Next = """
        update report_deliveries d
        set state = 'sending', attempts = d.attempts + 1, changed_at = @now
        from (
            select w.property_id, w.week, w.recipient_id, r.address
            from report_deliveries w
            join report_settings s on s.property_id = w.property_id and s.enabled
            left join report_recipients r on r.id = w.recipient_id and r.stopped_at is null
            where w.state = 'waiting' and w.next_attempt_at <= @now
              and (r.id is not null or w.recipient_id = '00000000-0000-0000-0000-000000000000')
            order by w.next_attempt_at, w.id
            limit 1
        ) due
        where d.property_id = due.property_id and d.week = due.week and d.recipient_id = due.recipient_id and d.state = 'waiting'
        returning d.id, d.property_id, d.week, d.recipient_id, due.address, d.attempts
        """;

    private const string Finish = "update report_deliveries set state = @state, error = @error, next_attempt_at = @next, changed_at = @now where id = @id";

    private const string Abandoned = "update report_deliveries set state = 'failed', error = @error, changed_at = @now where state = 'sending'";

    private const string Forget = """
        delete from report_deliveries where changed_at < @before;
        delete from removed_recipients where removed_at < @before
        """;

    private const string ReadOutcomes = """
        select d.week, case when d.recipient_id = '00000000-0000-0000-0000-000000000000' then null else coalesce(r.address, 'taken off the list') end, d.state, d.changed_at, d.error
        from report_deliveries d
        left join report_recipients r on r.id = d.recipient_id
        where d.property_id = @property
        order by d.changed_at desc, 2
        limit @limit
        """;

    /// <summary>Of every property whose reports go out.</summary>
    public Task<List<ReportSchedule>> EnabledAsync(CancellationToken cancellationToken) => SchedulesAsync(null, cancellationToken);

    public async Task<ReportSchedule> ScheduleAsync(string property, CancellationToken cancellationToken) =>
        (await SchedulesAsync(property, cancellationToken)).FirstOrDefault() ?? ReportSchedule.Usual(property);

    public async Task SaveAsync(ReportSchedule schedule, CancellationToken cancellationToken)
    {
        await using var command = Of(Save, schedule.PropertyId);
        command.Parameters.AddWithValue("enabled", schedule.Enabled);
        command.Parameters.AddWithValue("weekday", (short)schedule.Weekday);
        command.Parameters.AddWithValue("hour", (short)schedule.Hour);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    public async Task<List<ReportRecipient>> RecipientsAsync(string property, CancellationToken cancellationToken)
    {
        await using var command = Of(ReadRecipients, property);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        List<ReportRecipient> found = [];
        while (await rows.ReadAsync(cancellationToken)) found.Add(new(rows.GetGuid(0), rows.GetString(1), rows.GetFieldValue<DateTimeOffset>(2), rows.IsDBNull(3) ? null : rows.GetFieldValue<DateTimeOffset>(3)));
        return found;
    }

    public async Task<AddedRecipient> AddAsync(string property, string address, CancellationToken cancellationToken)
    {
        await using var command = Of(AddRecipient, property);
        command.Parameters.AddWithValue("id", Guid.NewGuid());
        command.Parameters.AddWithValue("address", address);
        command.Parameters.AddWithValue("most", MostRecipients);
        if (await command.ExecuteScalarAsync(cancellationToken) is true) return AddedRecipient.Added;
        var known = (await RecipientsAsync(property, cancellationToken)).Find(r => r.Address == address);
        return known is null ? AddedRecipient.TooMany : known.StoppedAt is null ? AddedRecipient.Known : AddedRecipient.Stopped;
    }

    public async Task RemoveAsync(string property, Guid id, CancellationToken cancellationToken)
    {
        await using var command = Of(RemoveRecipient, property);
        command.Parameters.AddWithValue("id", id);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>What property it was about; null when there is no such recipient.</summary>
    public async Task<string?> StopAsync(Guid recipient, CancellationToken cancellationToken)
    {
        await using var command = Of(Stop, null);
        command.Parameters.AddWithValue("id", recipient);
        return await command.ExecuteScalarAsync(cancellationToken) as string;
    }

    /// <summary>Notes who is to get the week's report, once.</summary>
    /// <param name="toProgram">The operator's program alone, when nobody is named.</param>
    public async Task PlanAsync(string property, DateOnly week, bool toProgram, CancellationToken cancellationToken)
    {
        await using var command = Of(Plan, property);
        command.Parameters.AddWithValue("week", week);
        if (await command.ExecuteNonQueryAsync(cancellationToken) > 0 || !toProgram || (await RecipientsAsync(property, cancellationToken)).Exists(r => r.StoppedAt is null)) return;
        await using var program = Of(PlanProgram, property);
        program.Parameters.AddWithValue("week", week);
        await program.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Takes one that is due: it counts as begun from then on. Null when none is.</summary>
    public async Task<ReportDelivery?> TakeAsync(CancellationToken cancellationToken)
    {
        await using var command = Of(Next, null);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        return await rows.ReadAsync(cancellationToken)
            ? new(rows.GetGuid(0), rows.GetString(1), rows.GetFieldValue<DateOnly>(2), rows.GetGuid(3), rows.IsDBNull(4) ? null : rows.GetString(4), rows.GetInt32(5))
            : null;
    }

    /// <param name="again">When it is tried once more; null when it is over.</param>
    public async Task FinishAsync(Guid id, string? error, DateTimeOffset? again, CancellationToken cancellationToken)
    {
        await using var command = Of(Finish, null);
        command.Parameters.AddWithValue("id", id);
        command.Parameters.AddWithValue("state", error is null ? "sent" : again is null ? "failed" : "waiting");
        command.Parameters.Add(new NpgsqlParameter("error", NpgsqlDbType.Text) { Value = (object?)error ?? DBNull.Value });
        command.Parameters.AddWithValue("next", again ?? clock.GetUtcNow());
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Those that were begun by a process that is gone: nobody knows whether they arrived, and nobody gets one twice.</summary>
    public async Task<int> GiveUpAbandonedAsync(string error, CancellationToken cancellationToken)
    {
        await using (var forget = Of(Forget, null))
        {
            forget.Parameters.AddWithValue("before", clock.GetUtcNow() - OutcomesKept);
            await forget.ExecuteNonQueryAsync(cancellationToken);
        }
        await using var command = Of(Abandoned, null);
        command.Parameters.AddWithValue("error", error);
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>The newest first.</summary>
    public async Task<List<ReportOutcome>> OutcomesAsync(string property, CancellationToken cancellationToken)
    {
        await using var command = Of(ReadOutcomes, property);
        command.Parameters.AddWithValue("limit", OutcomesShown);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        List<ReportOutcome> found = [];
        while (await rows.ReadAsync(cancellationToken)) found.Add(new(rows.GetFieldValue<DateOnly>(0), rows.IsDBNull(1) ? null : rows.GetString(1), rows.GetString(2), rows.GetFieldValue<DateTimeOffset>(3), rows.IsDBNull(4) ? null : rows.GetString(4)));
        return found;
    }

    private async Task<List<ReportSchedule>> SchedulesAsync(string? property, CancellationToken cancellationToken)
    {
        await using var command = Of(ReadSchedules, property);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        List<ReportSchedule> found = [];
        while (await rows.ReadAsync(cancellationToken)) found.Add(new(rows.GetString(0), rows.GetBoolean(1), rows.GetInt32(2), rows.GetInt32(3), rows.GetFieldValue<DateTimeOffset>(4)));
        return found;
    }

    private NpgsqlCommand Of(string sql, string? property)
    {
        var command = database.CreateCommand(sql);
        command.Parameters.Add(new NpgsqlParameter("property", NpgsqlDbType.Text) { Value = (object?)property ?? DBNull.Value });
        command.Parameters.AddWithValue("now", clock.GetUtcNow());
        return command;
    }
}
