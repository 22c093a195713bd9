using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using Footfall.Cli.Export;
using Footfall.Cli.Import;

namespace Footfall.Cli;

/// <summary>The program: without a command it serves, with one it does that and ends.</summary>
public static class FootfallCommand
{
    private const string About = """
        Footfall: self-hosted, first-party web and product analytics.

        Without a command it starts the server. Configuration can be given anywhere as
        --Key value (--DataDir /srv/footfall, --urls http://localhost:8080), in the
        environment, or in appsettings.json; docs/configuration.md lists every key.
        Commands also work while the server is running.
        """;

    public static Task<int> RunAsync(string[] args) => RunAsync(args, Console.Out, Console.Error, CancellationToken.None);

    internal static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error, CancellationToken stop)
    {
        string[] configuration, command;
        try
        {
            (configuration, command) = ConfigurationArguments.Split(args);
        }
        catch (CommandException e)
        {
            return CommandFailure.Report(e, error, verbose: false);
        }

        var parsed = Build(configuration).Parse(command);
        if (parsed.Action is ParseErrorAction)
        {
            foreach (var problem in parsed.Errors) await error.WriteLineAsync(problem.Message);
            await error.WriteLineAsync($"Run `{PathOf(parsed)} --help` to see what it takes.");
            return ExitCodes.Usage;
        }
        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration
            {
                Output = output,
                Error = error,
                EnableDefaultExceptionHandler = false,   // failures are told in words
                ProcessTerminationTimeout = null,        // the server and CommandRun listen to signals themselves
            }, stop);
        }
        catch (CommandException e)   // arguments that do not go together
        {
            return CommandFailure.Report(e, error, verbose: false);
        }
    }

    private static RootCommand Build(string[] configuration)
    {
        var verbose = new Option<bool>("--verbose") { Description = "Show logs, and where a failure happened.", Recursive = true };
        var run = new CommandRun(configuration, verbose);
        var root = new RootCommand(About);
        root.Options.Add(verbose);
        var demo = new Option<bool>("--demo") { Description = "Serve a demo site at /demo/, to click around in and see live numbers." };
        root.Options.Add(demo);
        var serve = new Command("serve", "Start the server. The same as no command.") { demo };
        root.Subcommands.Add(serve);
        root.Subcommands.Add(MigrateCommand.Build(run));
        root.Subcommands.Add(HealthCommand.Build(configuration));
        root.Subcommands.Add(BackupCommand.Build(run));
        root.Subcommands.Add(RestoreCommand.Build(run));
        root.Subcommands.Add(RollupsCommand.Build(run));
        root.Subcommands.Add(PurgeCommand.Build(run));
        root.Subcommands.Add(PropertiesCommand.Build(run));
        root.Subcommands.Add(TokenCommand.Build(run));
        root.Subcommands.Add(KeysCommand.Build(run));
        root.Subcommands.Add(LeadsCommand.Build(run));
        root.Subcommands.Add(EraseCommand.Build(run));
        root.Subcommands.Add(AuditCommand.Build(run));
        root.Subcommands.Add(ImportCommand.Build(run));
        root.Subcommands.Add(ExportCommand.Build(run));
        root.Subcommands.Add(DemoCommand.Build(run));

        foreach (var help in root.Options.OfType<HelpOption>())
        {
            if (help.Action is HelpAction action) action.MaxWidth = 80;
        }

        Func<ParseResult, CancellationToken, Task<int>> start = (parsed, stop) =>
            ServeCommand.RunAsync(parsed.GetValue(demo) ? [.. configuration, "--Demo:Enabled=true"] : configuration, parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error, parsed.GetValue(verbose), stop);
        root.SetAction(start);
        serve.SetAction(start);
        return root;
    }

    private static string PathOf(ParseResult parsed)
    {
        List<string> names = [];
        for (var result = parsed.CommandResult; result?.Parent is not null; result = result.Parent as System.CommandLine.Parsing.CommandResult) names.Insert(0, result.Command.Name);
        names.Insert(0, "footfall");
        return string.Join(' ', names);
    }
}
