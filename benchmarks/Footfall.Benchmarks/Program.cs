using System.Globalization;
using Footfall.Benchmarks;
using Footfall.Benchmarks.Load;

string[] every = ["capture", "ingest", "rollup", "summary", "memory", "start", "tracker", "leads", "erase", "leads-import", "explore"];
switch (args.FirstOrDefault())
{
    case "all":
        foreach (var name in every) await RunAsync(name);
        return 0;
    case { } name when every.Contains(name):
        await RunAsync(name);
        return 0;
    case "product-models":
        await using (var database = await BenchDatabase.OpenAsync(Folders.Named("product-models"))) await ProductModels.RunAsync(database);
        await ProductAnswers.RunAsync(Folders.Named("product-models"));
        return 0;
    case "product-answers":
        await ProductAnswers.RunAsync(Folders.Named("product-models"));
        return 0;
    case "cluster" when args.Length >= 3:
        await ClusterBenchmark.RunAsync(args[1], args[2], history: Number(3, 1_000_000));
        return 0;
    case "profile-cluster" when args.Length >= 2:
        await ClusterBenchmark.ProfileAsync(args[1], history: Number(2, 200_000));
        return 0;
    case "load" when args.Length > 1 && (args[1] == "all" || Scenario.All.Any(s => s.Name == args[1])):
        var held = true;
        double? seconds = args.Length > 2 ? double.Parse(args[2], CultureInfo.InvariantCulture) : null;
        foreach (var scenario in Scenario.All.Where(s => args[1] == "all" ? !s.IsSoak : s.Name == args[1])) held &= await LoadRun.RunAsync(scenario, seconds);
        return held ? 0 : 1;
    case "capture-loop":
        CaptureLoop.Run();
        return 0;
    case "profile-batch":
        await using (var database = await BenchDatabase.OpenAsync(Folders.Named("ingest"))) await IngestionBenchmark.ProfileAsync(database, history: 5_000_000, Number(1, 20_000));
        return 0;
    case ServeChild.Command:
        await ServeChild.RunAsync(args[1..]);
        return 0;
    case LoadChild.Command:
        return await LoadChild.MainAsync(args[1..]);
    default:
        Console.Error.WriteLine($"Usage: dotnet run -c Release --project benchmarks/Footfall.Benchmarks -- {string.Join('|', every)}|all|product-models|product-answers|profile-batch|capture-loop|cluster URL URL|profile-cluster URL|load all|load {string.Join("|load ", Scenario.All.Select(s => s.Name))} (explore: --scale 0.1, --without-rows). docs/performance.md says what each measures.");
        return 2;
}

async Task RunAsync(string name)
{
    switch (name)
    {
        case "capture":
            await CaptureBenchmark.RunAsync(rounds: Number(1, 5), seconds: Number(2, 10));
            break;
        case "ingest":
            await using (var database = await BenchDatabase.OpenAsync(Folders.Named("ingest"))) await IngestionBenchmark.RunAsync(database, history: 5_000_000, rows: 200_000, batch: Number(1, 20_000));
            break;
        case "rollup":
            await using (var database = await BenchDatabase.OpenAsync(Folders.Named("history"))) await RollupBenchmark.RunAsync(database);
            break;
        case "summary":
            await SummaryBenchmark.RunAsync(Folders.Named("history"));
            break;
        case "memory":
            await MemoryBenchmark.RunAsync(Folders.Fresh("memory"), seconds: Number(1, 20));
            break;
        case "erase":
            await using (var database = await BenchDatabase.OpenAsync(Folders.Named("erase"))) await ErasureBenchmark.EraseAsync(database);
            break;
        case "leads-import":
            await using (var database = await BenchDatabase.OpenAsync(Folders.Fresh("leads-import"))) await ErasureBenchmark.ImportAsync(database);
            break;
        case "explore":
            await ExploreBenchmark.RunAsync(Scale(), withRows: !args.Contains("--without-rows"));
            break;
        case "leads":
            await LeadBenchmark.RunAsync(rounds: Number(1, 5), requests: Number(2, 2000));
            break;
        case "start":
            await StartBenchmark.RunAsync(Folders.Fresh("start"));
            break;
        case "tracker":
            await TrackerBenchmark.RunAsync(Folders.Fresh("tracker"), rounds: Number(1, 20));
            break;
        default:
            throw new InvalidOperationException($"There is no benchmark {name}.");
    }
}

// `all` takes the usual sizes.
int Number(int position, int usual) => args[0] != "all" && args.Length > position ? int.Parse(args[position], null) : usual;

// --scale 0.1: a tenth of the data set, for trying the benchmark out.
double Scale() => Array.IndexOf(args, "--scale") is var at and >= 0 ? double.Parse(args[at + 1], System.Globalization.CultureInfo.InvariantCulture) : 1;
