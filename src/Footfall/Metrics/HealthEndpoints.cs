using System.Text.Json.Serialization;
using Footfall.Hosting;
using Footfall.Ingestion;
using Footfall.Journal;
using Footfall.Postgres;
using Footfall.Rollups;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;

namespace Footfall.Metrics;

/// <param name="Status"><c>ok</c>, or <c>failing</c> where an operator must act.</param>
/// <param name="Problems">One sentence each: what is wrong, since when.</param>
internal sealed record HealthBody(string Status, IReadOnlyList<string> Problems)
{
    [JsonPropertyOrder(-1)]
    public bool Ok => Status == "ok";
}

internal static class HealthEndpoints
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/v1/healthz", () => TypedResults.Json(new HealthBody("ok", []), MetricsJson.Default.HealthBody))
            .WithName("healthz").Produces<HealthBody>().WithMetadata(ApiTexts.Healthz);
        routes.MapGet("/v1/readyz", GetReady).WithName("readyz").Produces<HealthBody>().Produces<HealthBody>(StatusCodes.Status503ServiceUnavailable).WithMetadata(ApiTexts.Readyz);
    }

    private static JsonHttpResult<HealthBody> GetReady(Readiness readiness)
    {
        var problems = readiness.Problems();
        return problems.Count == 0
            ? TypedResults.Json(new HealthBody("ok", []), MetricsJson.Default.HealthBody)
            : TypedResults.Json(new HealthBody("failing", problems), MetricsJson.Default.HealthBody, statusCode: 503);
    }
}

/// <summary>What keeps this server from doing its whole work, or soon will: database, journal, ingestion, disk, jobs.</summary>
internal sealed class Readiness(DatabaseGate gate, EventJournal journal, JournalDrain drain, JobScheduler jobs, DataFolder folder, IOptions<HealthOptions> options, TimeProvider time)
{
    public IReadOnlyList<string> Problems()
    {
        List<string> problems = [];
        if (!gate.IsReady) problems.Add($"database: {gate.Problem ?? "starting"}");
        var status = journal.Status;
        if (status.Fault is { } fault) problems.Add($"journal: {fault}");
        else if (status.BytesHeld >= status.MaxBytes * 9 / 10) problems.Add($"journal: {status.BytesHeld:N0} of {status.MaxBytes:N0} bytes are in use; capture answers 503 when it is full. Mend the database, or raise Journal:MaxBytes.");
        if (drain.Trouble is { } trouble) problems.Add($"ingestion: held up since {trouble.Since:yyyy-MM-dd HH:mm:ss}Z: {trouble.Error}");
        else if (status.OldestWaitingSince is { } oldest && time.GetUtcNow() - oldest > TimeSpan.FromMinutes(options.Value.MaxLagMinutes)) problems.Add($"ingestion: events wait since {oldest:yyyy-MM-dd HH:mm:ss}Z. The database takes them more slowly than they come: see its load, or give it more.");
        if (FreeDisk() is { } free && free < options.Value.MinFreeMegabytes) problems.Add($"disk: {free:N0} MB are free where the data folder {folder.Path} lies; events are refused when it is full. Make room, or lower Health:MinFreeMegabytes ({options.Value.MinFreeMegabytes}).");
        foreach (var job in jobs.Health)
        {
            if (job.FailingSince is { } since) problems.Add($"job {job.Name}: failing since {since:yyyy-MM-dd HH:mm:ss}Z: {job.Error}");
        }
        return problems;
    }

    /// <summary>In megabytes; null where the system does not tell.</summary>
    private long? FreeDisk()
    {
        try
        {
            return new DriveInfo(folder.Path).AvailableFreeSpace >> 20;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
