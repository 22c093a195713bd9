using Footfall.Hosting;

namespace Footfall.Cli.Import;

/// <summary>Standard input as a file, because an import reads twice: once to know whether it has seen it before. Readable by this user only, and gone with the command.</summary>
internal sealed class SpooledInput : IDisposable
{
    private SpooledInput(string path) => Path = path;

    public string Path { get; }

    public static async Task<SpooledInput> ReadAsync(DataFolder folder, CancellationToken cancellationToken)
    {
        var input = new SpooledInput(System.IO.Path.Combine(folder.Path, $"import-{Environment.ProcessId}-{Guid.NewGuid():N}.tmp"));
        try
        {
            await using var file = new FileStream(input.Path, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
                Options = FileOptions.Asynchronous,
            });
            await using var standardInput = Console.OpenStandardInput();
            await standardInput.CopyToAsync(file, cancellationToken);
            return input;
        }
        catch
        {
            input.Dispose();
            throw;
        }
    }

    public void Dispose() => File.Delete(Path);
}
