using System.Text.Json;
using Footfall.Capture;
using Footfall.Ingestion;
using Footfall.Leads;
using Footfall.Rollups;
using Npgsql;
using NpgsqlTypes;

namespace Footfall.Demo;

/// <summary>How far a filling is.</summary>
/// <param name="Events">Made up so far, stored before or not.</param>
internal sealed record DemoProgress(int Days, int Events);

/// <summary>What a filling did.</summary>
/// <param name="Events">Of all days.</param>
/// <param name="Added">Of them, those that were not there.</param>
/// <param name="Error">Why days could not be rolled up; null when all are.</param>
internal sealed record DemoReport(int Events, int Added, int Leads, DateOnly From, DateOnly To, int RolledUp, int Failed, string? Error);

/// <summary>Fills a property with the history. The same days again change nothing, so that a filling that was broken off is begun anew.</summary>
internal sealed class DemoFiller(IServiceProvider services, NpgsqlDataSource database, PropertyStore properties, PropertyRegistry registry, CapturePipeline pipeline, TimeProvider clock)
{
    public const string PropertyId = "demo";
    public const int Days = 90;
    private const int DaysPerBatch = 10;

    private const string Save = """
        insert into properties (id, name, hosts, goals, public_summary, created_at)
        values (@id, 'Halda (demo)', @hosts, @goals, false, @now)
        on conflict (id) do update set name = excluded.name, hosts = excluded.hosts, goals = excluded.goals
        """;

    private const string HasDays = "select exists (select from daily_metric_rollups where property_id = @id) or exists (select from dirty_days where property_id = @id)";

    /// <summary>Whether nothing has been counted for the property.</summary>
    public async Task<bool> IsEmptyAsync(CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(HasDays);
        command.Parameters.AddWithValue("id", PropertyId);
        return await command.ExecuteScalarAsync(cancellationToken) is not true;
    }

    /// <summary>Up to yesterday.</summary>
    public async Task<DemoReport> FillAsync(Action<DemoProgress> progress, CancellationToken stop)
    {
        await SaveAsync(stop);
        registry.Refresh(await properties.LoadAsync(stop));
        var yesterday = DateOnly.FromDateTime(clock.GetUtcNow().UtcDateTime).AddDays(-1);
        var history = new DemoHistory(new DemoAddresses(services.GetRequiredService<Countries>()), services.GetRequiredService<ImportDayKeys>());
        var leads = new DemoLeads(services);
        var (events, added, taken) = (0, 0, 0);
        await using (var writer = services.GetRequiredService<Func<BatchWriter>>()())
        {
            for (var done = 0; done < Days; done += DaysPerBatch)
            {
                var batch = new IngestBatch();
                List<(LeadRequest, Sender)> forms = [];
                for (var i = done; i < Math.Min(Days, done + DaysPerBatch); i++)
                {
                    List<CapturedEvent> day = [];
                    List<(LeadRequest, Sender)> sent = [];
                    foreach (var (request, sender) in history.Of(yesterday.AddDays(i + 1 - Days), sent))
                    {
                        if (pipeline.Run(request, sender).Event is { } e) day.Add(e);
                    }
                    events += day.Count;
                    // A day is stored whole or not at all: its first event speaks for it.
                    if (day.Count > 0 && await IsStoredAsync(day[0], stop)) continue;
                    added += day.Count;
                    day.ForEach(batch.Add);
                    forms.AddRange(sent);
                }
                if (!batch.IsEmpty) await writer.WriteAsync(batch, (_, _) => Task.CompletedTask, stop);     // the events' own ids are the mark
                var (some, submits) = await leads.TakeAsync(forms, stop);
                taken += some;
                if (!submits.IsEmpty) await writer.WriteAsync(submits, (_, _) => Task.CompletedTask, stop);
                progress(new DemoProgress(done + DaysPerBatch, events));
            }
        }
        await services.GetRequiredService<SessionSealer>().SealAsync(stop);
        var report = await services.GetRequiredService<RollupRunner>().RunDirtyAsync(PropertyId, wait: true, stop);
        return new DemoReport(events, added, taken, yesterday.AddDays(1 - Days), yesterday, report.Days, report.Failed, report.Error);
    }

    private async Task SaveAsync(CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Save);
        command.Parameters.AddWithValue("id", PropertyId);
        command.Parameters.AddWithValue("hosts", DemoHistory.Hosts);
        command.Parameters.AddWithValue("goals", NpgsqlDbType.Jsonb, JsonSerializer.Serialize(DemoHistory.Goals.Select(g => new { name = g.Name, eventType = g.EventType })));
        command.Parameters.AddWithValue("now", clock.GetUtcNow());
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private async Task<bool> IsStoredAsync(CapturedEvent e, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("select true from event_keys where visitor_id = @visitor and dedupe_key = @key");
        command.Parameters.AddWithValue("visitor", e.VisitorId);
        command.Parameters.AddWithValue("key", e.DedupeKey!.Value);
        return await command.ExecuteScalarAsync(cancellationToken) is true;
    }
}
