return await Footfall.Cli.FootfallCommand.RunAsync(args);
