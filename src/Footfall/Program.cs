await Footfall.FootfallHost.Build(args).RunAsync();
