namespace Footfall.Cli;

/// <summary>
/// Tells configuration from a command's own options. Configuration keys begin with a capital letter or hold a colon
/// (<c>--DataDir x</c>, <c>--Journal:MaxBytes 5</c>, <c>--ADMIN_API_KEY=k</c>), or are one of ASP.NET's own
/// (<c>--urls</c>); options of commands are lower case. So a mistyped option is an error, not a silent configuration key.
/// </summary>
internal static class ConfigurationArguments
{
    private static readonly HashSet<string> AspNetKeys = new(StringComparer.OrdinalIgnoreCase)
    {
        "urls", "http_ports", "https_ports", "environment", "applicationName", "contentRoot", "webRoot", "detailedErrors",
        "hostingStartupAssemblies", "preferHostingUrls", "shutdownTimeoutSeconds",
    };

    /// <summary>The configuration in <paramref name="args"/>, wherever it stands; the rest is the command.</summary>
    /// <exception cref="CommandException">A key stands without a value.</exception>
    public static (string[] Configuration, string[] Command) Split(IReadOnlyList<string> args)
    {
        List<string> configuration = [];
        List<string> command = [];
        for (var i = 0; i < args.Count; i++)
        {
            var arg = args[i];
            if (!IsKey(arg))
            {
                command.Add(arg);
                continue;
            }
            if (arg.Contains('='))
            {
                configuration.Add(arg);
                continue;
            }
            if (i + 1 == args.Count || args[i + 1].StartsWith("--", StringComparison.Ordinal))
                throw new CommandException($"The configuration key {arg} needs a value: {arg} VALUE. Keys and their values are listed in docs/configuration.md.", exitCode: ExitCodes.Usage);
            configuration.Add(arg);
            configuration.Add(args[++i]);
        }
        return ([.. configuration], [.. command]);
    }

    private static bool IsKey(string arg)
    {
        if (!arg.StartsWith("--", StringComparison.Ordinal) || arg.Length < 3) return false;
        var equals = arg.IndexOf('=');
        var key = equals < 0 ? arg[2..] : arg[2..equals];
        return key.Contains(':') || (key.Length > 0 && char.IsAsciiLetterUpper(key[0])) || AspNetKeys.Contains(key);
    }
}
