using System.Text.RegularExpressions;
using Microsoft.Playwright;

namespace Footfall.Tests.Tracker;

/// <summary>
/// Waits until a page is somewhere, by asking the browser again and again. Playwright's own WaitForURLAsync looks first and
/// listens afterwards, and never hears of a page that arrives between the two
/// (https://github.com/microsoft/playwright-dotnet/issues/3364); nor does one call of WaitForLoadStateAsync, of which the
/// next one knows.
/// </summary>
internal static class PageArrival
{
    private const float LongestMs = 30_000;
    private const int LoadsOfASecond = 30;

    /// <param name="page">The page.</param>
    /// <param name="address">** stands for anything, * for anything but a slash.</param>
    public static async Task ArriveAsync(this IPage page, string address)
    {
        var pattern = Regex.Escape(address).Replace(@"\*\*", ".*", StringComparison.Ordinal).Replace(@"\*", "[^/]*", StringComparison.Ordinal);
        await Assertions.Expect(page).ToHaveURLAsync(new Regex($"^{pattern}$"), new PageAssertionsToHaveURLOptions { Timeout = LongestMs });
        await page.LoadAsync();
    }

    /// <summary>The page that is there, or on its way, has loaded.</summary>
    public static async Task LoadAsync(this IPage page)
    {
        for (var second = 1; ; second++)
        {
            try
            {
                await page.WaitForLoadStateAsync(LoadState.Load, new PageWaitForLoadStateOptions { Timeout = 1_000 });
                return;
            }
            catch (TimeoutException) when (second < LoadsOfASecond)
            {
            }
        }
    }
}
