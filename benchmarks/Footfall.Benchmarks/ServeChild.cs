using System.Text.Json;
using Footfall.Capture;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Footfall.Benchmarks;

/// <summary>The product's server in a process of its own, with the yardsticks beside it: a log that keeps nothing, and endpoints that only ask the database for 1, and insert one row.</summary>
internal static class ServeChild
{
    public const string Command = "child-serve";
    public const string WithoutLog = "--answer-only";
    public const string SelectOne = "/benchmark/select-1";
    public const string InsertOne = "/benchmark/insert-1";

    public static async Task RunAsync(string[] args)
    {
        var answerOnly = args.Contains(WithoutLog);
        await using var app = FootfallHost.Build([.. args.Where(a => a != WithoutLog)], builder =>
        {
            if (answerOnly) builder.Services.AddSingleton<ICaptureLog, NoLog>();
        });
        app.MapGet(SelectOne, async (NpgsqlDataSource database, CancellationToken stop) =>
        {
            await using var command = database.CreateCommand("select 1");
            return TypedResults.Text((await command.ExecuteScalarAsync(stop))!.ToString());
        });
        app.MapPost(InsertOne, async (HttpContext context, NpgsqlDataSource database, TimeProvider time, CancellationToken stop) =>
        {
            using var body = await JsonDocument.ParseAsync(context.Request.Body, cancellationToken: stop);
            await using var connection = await database.OpenConnectionAsync(stop);
            await using var command = new NpgsqlCommand("insert into benchmark_rows (id, email, at) values (@id, @email, @at)", connection);
            command.Parameters.AddWithValue("id", Guid.NewGuid());
            command.Parameters.AddWithValue("email", body.RootElement.GetProperty("email").GetString()!);
            command.Parameters.AddWithValue("at", time.GetUtcNow());
            await command.PrepareAsync(stop);
            await command.ExecuteNonQueryAsync(stop);
            return TypedResults.Json(new { ok = true }, statusCode: StatusCodes.Status201Created);
        });
        await app.RunAsync();
    }

    private sealed class NoLog : ICaptureLog
    {
        public ValueTask<AppendResult> AppendAsync(ReadOnlyMemory<byte> payload, CancellationToken cancellationToken) => new(AppendResult.Durable);
    }
}
