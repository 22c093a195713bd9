using System.Security.Cryptography;
using Footfall.Access;
using Microsoft.AspNetCore.DataProtection;

namespace Footfall.Dashboard.Sharing;

/// <summary>Which links a browser has given the password of: a sealed cookie that only the link's own pages get, for half a day.</summary>
internal sealed class UnlockedLinks(IDataProtectionProvider protection, FailedAttempts failures) : IDisposable
{
    public const string Cookie = "footfall_share";
    private static readonly TimeSpan Holds = TimeSpan.FromHours(12);

    // A password takes a fifth of a second of a processor: who sends many at once has them looked at two by two.
    private readonly SemaphoreSlim looking = new(2);

    private readonly ITimeLimitedDataProtector protector = protection.CreateProtector("Footfall.SharedLinks.Unlocked").ToTimeLimitedDataProtector();

    /// <summary>Whether it is the password; null when the address has sent too many wrong ones.</summary>
    public async Task<bool?> TryAsync(HttpContext context, PasswordHash password, string given)
    {
        await looking.WaitAsync(context.RequestAborted);
        try
        {
            var address = context.Connection.RemoteIpAddress;
            if (failures.IsBlocked(address)) return null;
            var isRight = password.Matches(given);
            if (!isRight) failures.Add(address);
            return isRight;
        }
        finally
        {
            looking.Release();
        }
    }

    public void Unlock(HttpContext context, string path, SharedLink link, PasswordHash password) => context.Response.Cookies.Append(
        Cookie, protector.Protect(Mark(link, password), Holds), new CookieOptions { HttpOnly = true, SameSite = SameSiteMode.Lax, Secure = context.Request.IsHttps, Path = path, MaxAge = Holds, IsEssential = true });

    public bool IsUnlocked(HttpContext context, SharedLink link, PasswordHash password)
    {
        if (context.Request.Cookies[Cookie] is not { Length: > 0 } value) return false;
        try
        {
            return protector.Unprotect(value) == Mark(link, password);
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    private static string Mark(SharedLink link, PasswordHash password) => $"{link.Id:N} {Convert.ToHexStringLower(SHA256.HashData(password.Hash))}";

    public void Dispose() => looking.Dispose();
}
