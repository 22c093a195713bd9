using System.Security.Cryptography;
using Microsoft.AspNetCore.DataProtection;

namespace Footfall.Dashboard.People;

/// <summary>
/// Text that may be an address, for a URL: encrypted with a key of this server, so that a list keeps its search when it is paged, reloaded
/// and gone back to, and no log, history or referrer holds an address.
/// </summary>
internal sealed class SealedText(IDataProtectionProvider protection)
{
    /// <summary>As long as a browser stays signed in at most, unless configured otherwise.</summary>
    private static readonly TimeSpan Holds = TimeSpan.FromDays(7);

    private readonly ITimeLimitedDataProtector protector = protection.CreateProtector("Footfall.Leads.Search").ToTimeLimitedDataProtector();

    public string Seal(string text) => protector.Protect(text, Holds);

    /// <summary>Null for what this server has not sealed, or too long ago.</summary>
    public string? Open(string sealedText)
    {
        try
        {
            return protector.Unprotect(sealedText);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }
}
