using Footfall.Benchmarks;

var command = args.Length > 0 ? args[0] : "all";
var folder = Path.Combine(Path.GetTempPath(), "footfall-benchmarks");
switch (command)
{
    case "ingest":
        await using (var database = await BenchDatabase.OpenAsync(Path.Combine(folder, "ingest")))
        {
            await IngestionBenchmark.RunAsync(database, history: args.Length > 1 ? int.Parse(args[1]) : 5_000_000, rows: 400_000, batch: args.Length > 2 ? int.Parse(args[2]) : 20_000);
        }
        return 0;
    case "profile-batch":
        await using (var database = await BenchDatabase.OpenAsync(Path.Combine(folder, "ingest")))
        {
            await IngestionBenchmark.ProfileAsync(database, history: args.Length > 1 ? int.Parse(args[1]) : 5_000_000, batch: args.Length > 2 ? int.Parse(args[2]) : 20_000);
        }
        return 0;
    case "capture-loop":
        CaptureLoop.Run();
        return 0;
    default:
        Console.Error.WriteLine("Usage: dotnet run -c Release --project benchmarks/Footfall.Benchmarks -- ingest|profile-batch [history] [batch] | capture-loop");
        return 2;
}
