using System.Net.Sockets;
using Footfall.Hosting;
using Footfall.Postgres;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Footfall.Cli;

/// <summary>Turns what went wrong into a sentence or two for the person at the terminal.</summary>
internal static class CommandFailure
{
    /// <summary>Writes the sentences to standard error; the stack only when <paramref name="verbose"/>. Returns the exit code.</summary>
    public static int Report(Exception e, TextWriter error, bool verbose)
    {
        error.WriteLine(Describe(e));
        if (verbose) error.WriteLine(e);
        return e is CommandException command ? command.ExitCode : ExitCodes.Failed;
    }

    private static string Describe(Exception e) => e switch
    {
        CommandException or SetupException => e.Message,
        OptionsValidationException invalid => string.Join('\n', invalid.Failures.Select(f => $"Configuration: {f}")),
        AggregateException { InnerExceptions.Count: > 0 } many when many.InnerExceptions.All(i => i is OptionsValidationException) => string.Join('\n', many.InnerExceptions.Select(Describe)),
        IOException { InnerException: AddressInUseException } => $"{AddressIn(e.Message)} is in use by another program. Stop that one, or choose another port: footfall --urls http://localhost:5281 (or PORT=5281).",
        SocketException { SocketErrorCode: SocketError.AccessDenied } => "This user may not open the port: those below 1024 belong to root. Choose a higher one with --urls or PORT, and put a proxy in front.",
        SocketException { SocketErrorCode: SocketError.AddressNotAvailable } => "The address to listen on is not one of this machine's. Correct --urls, ASPNETCORE_URLS or PORT.",
        NpgsqlException => $"The database failed: {Database.Describe(e)} Check DATABASE_URL (Postgres:ConnectionString), or start the server and look at /v1/readyz.",
        FormatException when e.Message.Contains("ppsettings", StringComparison.Ordinal) => e.Message,
        InvalidDataException or IOException or UnauthorizedAccessException => e.Message,
        _ => $"{e.Message} (Run it again with --verbose to see where.)",
    };

    // "Failed to bind to address http://127.0.0.1:5280: address already in use."
    private static string AddressIn(string message)
    {
        var start = message.IndexOf("http", StringComparison.Ordinal);
        if (start < 0) return "The address";
        var end = message.IndexOf(": ", start, StringComparison.Ordinal);
        return end < 0 ? "The address" : $"The address {message[start..end]}";
    }
}
