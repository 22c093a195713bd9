using Footfall.Benchmarks;

switch (args.FirstOrDefault())
{
    case "ingest":
        await using (var database = await BenchDatabase.OpenAsync(Folders.Named("ingest")))
        {
            await IngestionBenchmark.RunAsync(database, history: args.Length > 1 ? int.Parse(args[1]) : 5_000_000, rows: 400_000, batch: args.Length > 2 ? int.Parse(args[2]) : 20_000);
        }
        return 0;
    case "profile-batch":
        await using (var database = await BenchDatabase.OpenAsync(Folders.Named("ingest")))
        {
            await IngestionBenchmark.ProfileAsync(database, history: args.Length > 1 ? int.Parse(args[1]) : 5_000_000, batch: args.Length > 2 ? int.Parse(args[2]) : 20_000);
        }
        return 0;
    case "rollup":
        await using (var database = await BenchDatabase.OpenAsync(Folders.Named("history")))
        {
            await RollupBenchmark.RunAsync(database);
        }
        return 0;
    case "capture":
        await CaptureBenchmark.RunAsync(args.Length > 1 ? int.Parse(args[1]) : 3, args.Length > 2 ? double.Parse(args[2]) : 10);
        return 0;
    case ServeChild.Command:
        await ServeChild.RunAsync(args[1..]);
        return 0;
    case LoadChild.Command:
        await LoadChild.MainAsync(args[1..]);
        return 0;
    default:
        Console.Error.WriteLine("Usage: dotnet run -c Release --project benchmarks/Footfall.Benchmarks -- ingest [history] [batch]");
        return 2;
}
