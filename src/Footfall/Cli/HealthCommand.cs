using System.CommandLine;
using System.Text.Json;
using Footfall.Hosting;

namespace Footfall.Cli;

/// <summary><c>footfall health</c>: asks a server that runs here how it is. For containers, which have no curl.</summary>
internal static class HealthCommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    public static Command Build(string[] configuration)
    {
        var ready = new Option<bool>("--ready") { Description = "Ask whether it does its whole work (/v1/readyz), not only whether it takes events (/v1/healthz)." };
        var url = new Option<string?>("--url") { Description = "Its address. Default: the one that this configuration has it listen on.", HelpName = "URL" };
        var command = new Command("health", "Ask the running server how it is. Exit code 1 when it does not answer, or answers that something is wrong.") { ready, url };
        command.SetAction((parsed, stop) => AskAsync(
            parsed.GetValue(url) ?? AddressOf(configuration), parsed.GetValue(ready) ? "/v1/readyz" : "/v1/healthz", parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error, stop));
        return command;
    }

    private static async Task<int> AskAsync(string address, string path, TextWriter output, TextWriter error, CancellationToken stop)
    {
        if (!Uri.TryCreate(address, UriKind.Absolute, out var server) || server.Scheme is not ("http" or "https")) throw new CommandException($"{address} is no address of a server; give one such as http://localhost:5280 with --url.", exitCode: ExitCodes.Usage);
        try
        {
            using var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false };
            // A certificate names the host that the world knows, not this machine's own name for itself.
#pragma warning disable CA5359 // The loopback device leads to this machine alone, and what is asked is no secret.
            if (server.IsLoopback) handler.SslOptions.RemoteCertificateValidationCallback = (_, _, _, _) => true;
#pragma warning restore CA5359
            using var client = new HttpClient(handler) { Timeout = Patience };
            using var answer = await client.GetAsync(new Uri(server, path), stop);
            var text = await answer.Content.ReadAsStringAsync(stop);
            await (answer.IsSuccessStatusCode ? output : error).WriteLineAsync(Words((int)answer.StatusCode, text));
            return answer.IsSuccessStatusCode ? ExitCodes.Ok : ExitCodes.Failed;
        }
        catch (Exception e) when (e is HttpRequestException || (e is TaskCanceledException && !stop.IsCancellationRequested))
        {
            await error.WriteLineAsync($"No answer from {server}: {(e is TaskCanceledException ? $"nothing within {Patience.TotalSeconds:N0} seconds" : e.Message)}");
            return ExitCodes.Failed;
        }
    }

    private static string Words(int status, string text)
    {
        try
        {
            using var body = JsonDocument.Parse(text);
            var problems = body.RootElement.GetProperty("problems").EnumerateArray().Select(p => p.GetString()).ToList();
            return problems.Count == 0 ? body.RootElement.GetProperty("status").GetString()! : string.Join('\n', problems);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return $"It answers {status}, and is no Footfall server.";
        }
    }

    private static string AddressOf(string[] configuration)
    {
        var builder = WebApplication.CreateSlimBuilder(configuration);
        builder.Configuration.AddPlainNames();
        try
        {
            return ListenAddress.Of(builder.Configuration);
        }
        catch (InvalidDataException e)
        {
            throw new CommandException(e.Message, e, ExitCodes.Usage);
        }
    }
}
