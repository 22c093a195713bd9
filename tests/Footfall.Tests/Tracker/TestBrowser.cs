using Footfall.Tests.Tracker;
using Microsoft.Playwright;
using Xunit;

[assembly: AssemblyFixture(typeof(TestBrowser))]

namespace Footfall.Tests.Tracker;

/// <summary>
/// The Chromium of the test run: Debian's or another that is installed, or the one of FOOTFALL_TEST_CHROMIUM. Started when
/// the first test asks. Every name under .test leads to this machine.
/// </summary>
public sealed class TestBrowser : IAsyncLifetime
{
    /// <summary>Of a person's browser: the server takes HeadlessChrome for the robot that it is.</summary>
    internal const string UserAgent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";

    private static readonly string[] Known = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"];
    private static readonly SemaphoreSlim Once = new(1, 1);
    private static IPlaywright? playwright;
    private static IBrowser? browser;

    internal static string Executable { get; } = Environment.GetEnvironmentVariable("FOOTFALL_TEST_CHROMIUM") is { Length: > 0 } named
        ? named
        : Known.FirstOrDefault(File.Exists)
          ?? throw new InvalidOperationException($"The browser tests need Chromium. Install it (Debian: apt-get install chromium), or name another in FOOTFALL_TEST_CHROMIUM. Looked at: {string.Join(", ", Known)}.");

    internal static async Task<IBrowser> GetAsync()
    {
        await Once.WaitAsync();
        try
        {
            playwright ??= await Playwright.CreateAsync();
            return browser ??= await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
            {
                ExecutablePath = Executable,
                Headless = true,
                Args =
                [
                    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
                    // Not by emulation: what is sent while a page goes away would show the real one.
                    $"--user-agent={UserAgent}",
                    "--host-resolver-rules=MAP *.test 127.0.0.1",
                ],
                // Playwright switches off what some of the tests are about.
                IgnoreDefaultArgs = ["--disable-back-forward-cache"],
            });
        }
        finally
        {
            Once.Release();
        }
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (browser is not null) await browser.DisposeAsync();
        playwright?.Dispose();
    }
}
