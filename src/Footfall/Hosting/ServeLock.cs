namespace Footfall.Hosting;

/// <summary>Held while a server serves from a data folder: two servers on one folder would write into each other's journal.</summary>
internal sealed class ServeLock(DataFolder folder) : IHostedLifecycleService, IDisposable
{
    private FileLock? held;

    /// <summary>Takes the lock, or says who has it.</summary>
    public void Take()
    {
        folder.Create();
        var processFile = Path.Combine(folder.Path, "server.pid");
        held ??= FileLock.TryExclusive(Path.Combine(folder.Path, "server.lock"))
            ?? throw new SetupException($"Another Footfall server (process {ProcessIn(processFile)}) already uses the data folder {folder.Path}. Stop it first, or give this one a folder of its own with DataDir.");
        File.WriteAllText(processFile, $"{Environment.ProcessId}\n");
    }

    // Before any other room opens a file of the folder.
    public Task StartingAsync(CancellationToken cancellationToken)
    {
        Take();
        return Task.CompletedTask;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    // After every other room has let go.
    public Task StoppedAsync(CancellationToken cancellationToken)
    {
        Dispose();
        return Task.CompletedTask;
    }

    public void Dispose()
    {
        held?.Dispose();
        held = null;
    }

    private static string ProcessIn(string file)
    {
        try
        {
            return File.ReadAllText(file).Trim();
        }
        catch (IOException)
        {
            return "unknown";   // it has the lock and is about to write its number
        }
    }
}
