using System.Diagnostics;
using System.Text.Json;
using Footfall.Tests.Infrastructure;

namespace Footfall.Tests.Tracker;

/// <summary>
/// Chromium without Playwright, which shows every tab as visible and focused and prerenders nothing: here tabs hide each
/// other as they do for people. Driven only by opening, showing and closing tabs.
/// </summary>
internal sealed class PlainBrowser : IAsyncDisposable
{
    private readonly Process process;
    private readonly HttpClient http;

    private PlainBrowser(Process process, HttpClient http) => (this.process, this.http) = (process, http);

    public static async Task<PlainBrowser> StartAsync()
    {
        var profile = TestFolder.New("chromium");
        var start = new ProcessStartInfo(TestBrowser.Executable, [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-component-update", "--disable-sync",
            $"--user-data-dir={profile}", "--remote-debugging-port=0", "--host-resolver-rules=MAP *.test 127.0.0.1", $"--user-agent={TestBrowser.UserAgent}", "about:blank"])
        {
            UseShellExecute = false,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        var chromium = Process.Start(start)!;
        chromium.OutputDataReceived += (_, _) => { };
        chromium.ErrorDataReceived += (_, _) => { };
        chromium.BeginOutputReadLine();
        chromium.BeginErrorReadLine();
        var told = Path.Combine(profile, "DevToolsActivePort");
        for (var i = 0; i < 300 && !(File.Exists(told) && (await File.ReadAllLinesAsync(told)).Length > 1); i++) await Task.Delay(100);
        var port = (await File.ReadAllLinesAsync(told))[0];
        return new PlainBrowser(chromium, new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") });
    }

    /// <summary>Opens a tab in front; its id.</summary>
    public async Task<string> OpenAsync(string url)
    {
        using var answer = await http.PutAsync($"/json/new?{url}", null);
        using var json = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        return json.RootElement.GetProperty("id").GetString()!;
    }

    public async Task ShowAsync(string id) => (await http.GetAsync($"/json/activate/{id}")).Dispose();

    public async Task CloseAsync(string id) => (await http.GetAsync($"/json/close/{id}")).Dispose();

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
        process.Dispose();
    }
}
