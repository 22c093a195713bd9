using System.Text.Json.Serialization;
using Footfall.Hosting;
using Npgsql;
using NpgsqlTypes;

namespace Footfall.Leads;

/// <summary>A lead as the list shows it.</summary>
/// <param name="DomainKind"><c>free</c> or <c>business</c>.</param>
/// <param name="Mailable">Whether mail to the person is lawful now: express consent, or implied that has not ended.</param>
/// <param name="Source">Where the visit came from that the address was first given on.</param>
/// <param name="FirstPage">The page on which the first visit began that is certainly theirs and still stored; null without one.</param>
/// <param name="MergedInto">The lead that an admin has said to be the same person.</param>
/// <param name="UnsubscribeUrl">Withdraws this lead's consent: for the mail's List-Unsubscribe header and its text.</param>
internal sealed record LeadEntry(
    Guid Id, string Email, string Domain, string DomainKind, string ConsentStatus, bool Mailable, string? ConsentMethod, IReadOnlyList<string> ConsentPurposes,
    DateTimeOffset? ConsentChangedAt, DateTimeOffset? ConsentExpiresAt, string? Source, string? FirstPage, string PropertyId, DateTimeOffset FirstCapturedAt, DateTimeOffset LastCapturedAt, Guid? MergedInto, string UnsubscribeUrl);

/// <param name="NextCursor">Null on the last page.</param>
internal sealed record LeadPage(IReadOnlyList<LeadEntry> Leads, string? NextCursor)
{
    [JsonPropertyOrder(-1)]
    public bool Ok => true;
}

/// <summary>Lists leads, newest first.</summary>
internal sealed class LeadList(NpgsqlDataSource database, SignedLinks links, TimeProvider clock)
{
    // The first pages are looked up for all leads of the page at once: a cluster has the sessions elsewhere.
    private const string Select = $"""
        with page as materialized (
            select l.*
            from leads l
            {Which}
              and (@at is null or (l.first_captured_at, l.id) < (@at, @id))
            order by l.first_captured_at desc, l.id desc
            limit @most
        )
        select l.id, coalesce(l.email, l.email_normalized), l.email_domain, l.email_domain = any (@free_hosts), l.consent_status::text,
               l.consent_status = 'express' or (l.consent_status = 'implied' and l.consent_expires_at > @now),
               l.consent_method, l.consent_purposes, l.consent_changed_at, l.consent_expires_at, l.source_channel, l.property_id,
               l.first_captured_at, l.last_captured_at,
               m.into_lead_id, f.landing_path
        from page l
        left join lead_merges m on m.from_lead_id = l.id and m.undone_at is null
        left join (
            select distinct on (c.lead_id) c.lead_id, s.landing_path
            from (select i.lead_id, i.visitor_id
                  from lead_identities i
                  where i.confidence = 1 and i.lead_id in (select id from page)) c
            join sessions s on s.visitor_id = c.visitor_id
            order by c.lead_id, s.started_at, s.id) f on f.lead_id = l.id
        order by l.first_captured_at desc, l.id desc
        """;

    private const string Count = $"""
        select count(*),
               count(*) filter (where l.consent_status = 'express' or (l.consent_status = 'implied' and l.consent_expires_at > @now))
        from leads l
        {Which}
        """;

    private const string Which = """
        where (@property is null or l.property_id = @property)
          and (@search is null or strpos(l.email_normalized, @search) > 0)
          and (@status is null or l.consent_status = @status::consent_status)
          and (@source is null or l.source_channel = @source)
          and (@from is null or l.first_captured_at >= @from)
          and (@until is null or l.first_captured_at < @until)
          and (@free is null or (l.email_domain = any (@free_hosts)) = @free)
          and (not @mailable or l.consent_status = 'express' or (l.consent_status = 'implied' and l.consent_expires_at > @now))
        """;

    private static readonly string[] Columns =
    [
        "id", "email", "domain", "domainKind", "consentStatus", "mailable", "consentMethod", "consentPurposes", "consentChangedAt", "consentExpiresAt",
        "source", "firstPage", "propertyId", "firstCapturedAt", "lastCapturedAt", "mergedInto", "unsubscribeUrl",
    ];

    /// <param name="server">Scheme and host that links begin with.</param>
    public async Task<LeadPage> ReadAsync(LeadFilter filter, string server, CancellationToken cancellationToken)
    {
        await using var command = Command(Select, filter);
        var p = command.Parameters;
        p.Add(new NpgsqlParameter("at", NpgsqlDbType.TimestampTz) { Value = Or(filter.Behind?.At) });
        p.Add(new NpgsqlParameter("id", NpgsqlDbType.Uuid) { Value = Or(filter.Behind?.Id) });
        p.AddWithValue("most", filter.Limit + 1);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        List<LeadEntry> leads = [];
        while (await rows.ReadAsync(cancellationToken)) leads.Add(Entry(rows, server));
        if (leads.Count <= filter.Limit) return new LeadPage(leads, null);
        leads.RemoveAt(leads.Count - 1);
        return new LeadPage(leads, filter.CursorBehind(leads[^1].FirstCapturedAt, leads[^1].Id));
    }

    /// <summary>How many there are on all pages, and how many of them may be mailed now.</summary>
    public async Task<(long All, long Mailable)> CountAsync(LeadFilter filter, CancellationToken cancellationToken)
    {
        await using var command = Command(Count, filter);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        await rows.ReadAsync(cancellationToken);
        return (rows.GetInt64(0), rows.GetInt64(1));
    }

    private NpgsqlCommand Command(string sql, LeadFilter filter)
    {
        var command = database.CreateCommand(sql);
        var p = command.Parameters;
        p.AddWithValue("free_hosts", FreeMailHosts.Names);
        p.AddWithValue("now", clock.GetUtcNow());
        p.Add(new NpgsqlParameter("property", NpgsqlDbType.Text) { Value = Or(filter.Property) });
        p.Add(new NpgsqlParameter("search", NpgsqlDbType.Text) { Value = Or(filter.Search) });
        p.Add(new NpgsqlParameter("status", NpgsqlDbType.Text) { Value = Or(filter.Status?.Text()) });
        p.Add(new NpgsqlParameter("source", NpgsqlDbType.Text) { Value = Or(filter.Source) });
        p.Add(new NpgsqlParameter("from", NpgsqlDbType.TimestampTz) { Value = Or(Start(filter.From)) });
        p.Add(new NpgsqlParameter("until", NpgsqlDbType.TimestampTz) { Value = Or(Start(filter.To?.AddDays(1))) });
        p.Add(new NpgsqlParameter("free", NpgsqlDbType.Boolean) { Value = Or(filter.Free) });
        p.AddWithValue("mailable", filter.Mailable);
        return command;
    }

    /// <summary>The same as rows; an address that a spreadsheet would take for a formula begins with an apostrophe there.</summary>
    public static CsvTable Table(LeadPage page)
    {
        var table = new CsvTable(Columns);
        foreach (var l in page.Leads)
        {
            object?[] cells =
            [
                l.Id.ToString(), l.Email, l.Domain, l.DomainKind, l.ConsentStatus, l.Mailable ? "true" : "false", l.ConsentMethod, string.Join("; ", l.ConsentPurposes),
                l.ConsentChangedAt, l.ConsentExpiresAt, l.Source, l.FirstPage, l.PropertyId, l.FirstCapturedAt, l.LastCapturedAt, l.MergedInto?.ToString(), l.UnsubscribeUrl,
            ];
            table.Add(cells);
        }
        return table;
    }

    private LeadEntry Entry(NpgsqlDataReader rows, string server) => new(
        rows.GetGuid(0), rows.GetString(1), rows.GetString(2), rows.GetBoolean(3) ? "free" : "business", rows.GetString(4), rows.GetBoolean(5),
        Text(rows, 6), rows.GetFieldValue<string[]>(7), Instant(rows, 8), Instant(rows, 9), Text(rows, 10), Text(rows, 15), rows.GetString(11),
        rows.GetFieldValue<DateTimeOffset>(12), rows.GetFieldValue<DateTimeOffset>(13), rows.IsDBNull(14) ? null : rows.GetGuid(14),
        $"{server}{SignedLinks.UnsubscribePath}?token={links.Unsubscribe(rows.GetGuid(0))}");

    private static string? Text(NpgsqlDataReader rows, int column) => rows.IsDBNull(column) ? null : rows.GetString(column);

    private static DateTimeOffset? Instant(NpgsqlDataReader rows, int column) => rows.IsDBNull(column) ? null : rows.GetFieldValue<DateTimeOffset>(column);

    private static DateTimeOffset? Start(DateOnly? day) => day is { } d ? new DateTimeOffset(d.ToDateTime(TimeOnly.MinValue), TimeSpan.Zero) : null;

    private static object Or(object? value) => value ?? DBNull.Value;
}
