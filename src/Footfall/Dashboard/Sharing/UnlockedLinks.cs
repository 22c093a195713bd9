using System.Security.Cryptography;
using Microsoft.AspNetCore.DataProtection;

namespace Footfall.Dashboard.Sharing;

/// <summary>Which links a browser has given the password of: a sealed cookie that only the link's own pages get, for half a day.</summary>
internal sealed class UnlockedLinks(IDataProtectionProvider protection)
{
    public const string Cookie = "footfall_share";
    private static readonly TimeSpan Holds = TimeSpan.FromHours(12);

    private readonly ITimeLimitedDataProtector protector = protection.CreateProtector("Footfall.SharedLinks.Unlocked").ToTimeLimitedDataProtector();

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
}
