using Footfall.Ingestion;
using Footfall.Postgres;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Footfall.Leads;

/// <summary>
/// Writes forms: the lead, the submission, the change of consent, the links, and the event that is on its way to the journal,
/// in one transaction, all of it or nothing. Forms that come while others are being written are written together, so that many
/// wait once for the disk and the end of the ledger is held once for all of them. Forms of one address follow each other.
/// </summary>
internal sealed class LeadWriter(NpgsqlDataSource database, IOptions<LeadsOptions> options, IOptions<SessionsOptions> sessions, TimeProvider time)
{
    /// <summary>So many forms go into one transaction at most.</summary>
    internal const int MostTogether = 32;

    private const int Tries = 3;

    /// <summary>Longer than the database ever takes in health.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    private readonly LeadsOptions options = options.Value;
    private readonly Lock gate = new();
    private readonly List<Waiting> waiting = [];
    private bool writing;

    /// <summary>Throws what the database throws, having stored nothing. Cancelling takes back what has not begun to be written.</summary>
    public async Task<LeadTaken> WriteAsync(Submission submission, CancellationToken cancellationToken)
    {
        var own = new Waiting(submission);
        bool mine;
        lock (gate)
        {
            mine = !writing;
            if (mine) writing = true;
            else waiting.Add(own);
        }
        if (mine)
        {
            await WriteTogetherAsync([own]);
            if (!Rest()) _ = Task.Run(DrainAsync, CancellationToken.None);   // who came meanwhile need not wait for this one's answer to be sent
            return await own.Done.Task;
        }
        await using var cancelling = cancellationToken.Register(() =>
        {
            bool taken;
            lock (gate) taken = waiting.Remove(own);
            if (taken) own.Done.TrySetCanceled(cancellationToken);
        });
        return await own.Done.Task;
    }

    /// <summary>True when nothing is waiting, and writing therefore over.</summary>
    private bool Rest()
    {
        lock (gate)
        {
            if (waiting.Count > 0) return false;
            writing = false;
            return true;
        }
    }

    private async Task DrainAsync()
    {
        do await WriteTogetherAsync(Next());
        while (!Rest());
    }

    /// <summary>The first that wait, each address once: what a form changes depends on what the one before it left.</summary>
    private List<Waiting> Next()
    {
        List<Waiting> next = [];
        HashSet<string> addresses = new(StringComparer.Ordinal);
        lock (gate)
        {
            foreach (var one in waiting)
            {
                if (next.Count == MostTogether) break;
                if (addresses.Add(one.Submission.Address.Normalized)) next.Add(one);
            }
            waiting.RemoveAll(next.Contains);
        }
        return next;
    }

    /// <summary>Never throws: each form has its own outcome.</summary>
    private async Task WriteTogetherAsync(List<Waiting> forms)
    {
        // In one order on every server, so that none waits for another in a circle.
        forms.Sort((a, b) => string.CompareOrdinal(a.Submission.Address.Normalized, b.Submission.Address.Normalized));
        using var patience = new CancellationTokenSource(Patience, time);
        for (var i = 1; ; i++)
        {
            try
            {
                var taken = await StoreAsync(forms.ConvertAll(f => f.Submission), patience.Token);
                for (var k = 0; k < forms.Count; k++) forms[k].Done.TrySetResult(taken[k]);
                return;
            }
            catch (PostgresException e) when (i < Tries && e.SqlState is PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure)
            {
                // Another transaction was in the way; nothing was stored.
            }
            catch (PostgresException e) when (forms.Count > 1 && !e.IsTransient && !Database.IsAway(e))
            {
                // What is wrong with one must not cost the others.
                foreach (var form in forms) await WriteTogetherAsync([form]);
                return;
            }
            catch (Exception e)
            {
                foreach (var form in forms) form.Done.TrySetException(e);
                return;
            }
        }
    }

    private async Task<List<LeadTaken>> StoreAsync(List<Submission> forms, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);      // taken back where the commit is not reached
        var leads = await UpsertAsync(connection, forms, cancellationToken);
        List<LeadTaken> taken = [];
        List<NpgsqlBatchCommand> changes = [];
        await using var batch = new NpgsqlBatch(connection);
        for (var i = 0; i < forms.Count; i++)
        {
            var (s, (lead, doubleOptIn)) = (forms[i], leads[i]);
            var isNew = lead.Id == s.Id;
            var given = Given(s);
            var standing = isNew ? null : lead.Consent;

            // What a server says with a key of its own, it answers for.
            var confirms = doubleOptIn && !s.IsServer && given.Status == ConsentStatus.Express;
            var mustConfirm = confirms && ConsentRules.Give(standing, given, s.At) is not null;
            var change = ConsentRules.Give(standing, mustConfirm ? given with { Status = ConsentStatus.Pending } : given, s.At);

            foreach (var command in LeadSql.Storing(s, lead.Id, sessions.Value.Gap)) batch.BatchCommands.Add(command);
            if (mustConfirm) batch.BatchCommands.Add(LeadSql.AskingToConfirm(lead.Id, given, s, TimeSpan.FromHours(options.ConfirmationHours), options.SendsMail));
            if (change is not null) changes.AddRange(LeadStore.Changing(lead.Id, change));
            taken.Add(new LeadTaken(lead.Id, isNew, confirms));
        }
        // Last, and the commit with them rather than behind them: the ledger's end is locked until then, and every other server waits for it.
        foreach (var command in changes) batch.BatchCommands.Add(command);
        batch.BatchCommands.Add(new NpgsqlBatchCommand("commit"));
        await batch.PrepareAsync(cancellationToken);
        await batch.ExecuteNonQueryAsync(cancellationToken);
        return taken;
    }

    private async Task<List<(Lead Lead, bool DoubleOptIn)>> UpsertAsync(NpgsqlConnection connection, List<Submission> forms, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection);
        foreach (var form in forms) batch.BatchCommands.Add(LeadSql.Upserting(form, sessions.Value.Gap));
        await batch.PrepareAsync(cancellationToken);
        await using var rows = await batch.ExecuteReaderAsync(cancellationToken);
        List<(Lead, bool)> leads = [];
        do
        {
            await rows.ReadAsync(cancellationToken);
            var asks = rows.GetOrdinal("double_opt_in");
            leads.Add((LeadStore.Read(rows), !await rows.IsDBNullAsync(asks, cancellationToken) && rows.GetBoolean(asks)));
        }
        while (await rows.NextResultAsync(cancellationToken));
        return leads;
    }

    private static ConsentGiven Given(Submission s) => new(
        s.Request.ConsentStatus ?? ConsentStatus.Pending, s.IsServer ? ConsentMethod.Api : ConsentMethod.Form, s.Request.ConsentBasis ?? ConsentBasis.Inquiry,
        s.Request.ConsentPurpose, s.Page, s.IpHash, s.PropertyId, s.At);

    /// <summary>A form and who waits for what becomes of it.</summary>
    private sealed class Waiting(Submission submission)
    {
        public Submission Submission { get; } = submission;

        public TaskCompletionSource<LeadTaken> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
