using Footfall.Capture;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Footfall.Benchmarks;

/// <summary>The product's server in a process of its own, with the yardsticks beside it: a log that keeps nothing, and an endpoint that only asks the database for 1.</summary>
internal static class ServeChild
{
    public const string Command = "child-serve";
    public const string WithoutLog = "--answer-only";
    public const string SelectOne = "/benchmark/select-1";

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
        await app.RunAsync();
    }

    private sealed class NoLog : ICaptureLog
    {
        public ValueTask<AppendResult> AppendAsync(ReadOnlyMemory<byte> payload, CancellationToken cancellationToken) => new(AppendResult.Durable);
    }
}
