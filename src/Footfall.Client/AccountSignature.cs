using System.Security.Cryptography;
using System.Text;

namespace Footfall.Client;

/// <summary>
/// What proves to Footfall that a page may speak for an account, where the property has an account secret. A signed-in
/// user's page gets it from your server and hands it on: <c>footfall('identify', accountId, traits, signature)</c>.
/// </summary>
public static class AccountSignature
{
    /// <summary>HMAC-SHA256 of the account's id under the property's account secret, in lower-case hexadecimal.</summary>
    public static string Of(string accountId, string accountSecret)
    {
        ArgumentException.ThrowIfNullOrEmpty(accountId);
        ArgumentException.ThrowIfNullOrEmpty(accountSecret);
        return Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(accountSecret), Encoding.UTF8.GetBytes(accountId)));
    }
}
