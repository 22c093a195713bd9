using Footfall.Postgres;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Footfall.Leads;

/// <summary>A request for confirmation on its way to a person.</summary>
/// <param name="Link">Leads to a page with a button, and expires.</param>
/// <param name="Unsubscribe">Of the address, for the mail's own header.</param>
internal sealed record Confirmation(Guid Id, string Address, string PropertyId, string PropertyName, string? Purpose, string Link, string Unsubscribe, DateTimeOffset ExpiresAt);

/// <summary>Sends what waits to be sent, and tries again later and later. At least once: a server that dies in the middle sends again.</summary>
internal sealed class ConfirmationSender(
    NpgsqlDataSource database, DatabaseGate gate, SignedLinks links, IOptions<LeadsOptions> options, TimeProvider time, ILogger<ConfirmationSender> log, MailWay mail) : BackgroundService
{
    public const int MostAttempts = 8;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(30);

    // Taken by moving the next attempt: of two servers one finds it, and a dead one's comes up again.
    private const string Take = """
        update consent_requests r
        set attempts = r.attempts + 1, next_attempt_at = @now + @retry * power(2, r.attempts)
        from leads l, properties p
        where l.id = r.lead_id and p.id = r.property_id
          and r.id = (select id from consent_requests
                      where next_attempt_at <= @now and confirmed_at is null and voided_at is null and expires_at > @now
                      order by next_attempt_at
                      limit 1
                      for update skip locked)
        returning r.id, coalesce(l.email, l.email_normalized), r.property_id, p.name, r.purpose, r.expires_at, r.attempts, l.id
        """;

    private const string Sent = "update consent_requests set sent_at = @now, next_attempt_at = null where id = @id";

    private const string GiveUp = "update consent_requests set next_attempt_at = null where id = @id";

    private readonly SemaphoreSlim wake = new(0, 1);

    /// <inheritdoc cref="SubmissionRecorder.Wake"/>
    public void Wake()
    {
        try
        {
            wake.Release();
        }
        catch (SemaphoreFullException)
        {
            // It is awake, or about to be.
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (mail.Transport is null) return;
        while (!stoppingToken.IsCancellationRequested)
        {
            await gate.WaitAsync(stoppingToken);
            try
            {
                while (await SendNextAsync(stoppingToken))
                {
                }
            }
            catch (Exception e) when (e is NpgsqlException or TimeoutException)
            {
                log.ConfirmationsNotRead(Database.Describe(e));
            }
            await wake.WaitAsync(Interval, stoppingToken);
        }
    }

    /// <summary>False when nothing is due.</summary>
    internal async Task<bool> SendNextAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        Confirmation confirmation;
        int attempts;
        await using (var take = new NpgsqlCommand(Take, connection))
        {
            take.Parameters.AddWithValue("now", time.GetUtcNow());
            take.Parameters.AddWithValue("retry", FirstRetry);
            await using var rows = await take.ExecuteReaderAsync(cancellationToken);
            if (!await rows.ReadAsync(cancellationToken)) return false;
            var (id, expires) = (rows.GetGuid(0), rows.GetFieldValue<DateTimeOffset>(5));
            confirmation = new Confirmation(
                id, rows.GetString(1), rows.GetString(2), rows.GetString(3), rows.IsDBNull(4) ? null : rows.GetString(4),
                Url(SignedLinks.ConfirmPath, links.Confirm(id, expires)), Url(SignedLinks.UnsubscribePath, links.Unsubscribe(rows.GetGuid(7))), expires);
            attempts = rows.GetInt32(6);
        }
        try
        {
            await mail.Transport!.SendAsync(confirmation, cancellationToken);
            await MarkAsync(connection, Sent, confirmation.Id, cancellationToken);
        }
        catch (MailException e)
        {
            if (attempts < MostAttempts)
            {
                log.ConfirmationWaits(e.Message);
            }
            else
            {
                log.ConfirmationGivenUp(attempts, e.Message);
                await MarkAsync(connection, GiveUp, confirmation.Id, cancellationToken);
            }
        }
        return true;
    }

    public override void Dispose()
    {
        wake.Dispose();
        base.Dispose();
    }

    private string Url(string path, string token) => $"{options.Value.PublicUrl!.TrimEnd('/')}{path}?token={token}";

    private async Task MarkAsync(NpgsqlConnection connection, string sql, Guid id, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        command.Parameters.AddWithValue("id", id);
        command.Parameters.AddWithValue("now", time.GetUtcNow());
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
