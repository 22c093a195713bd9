using System.Security.Cryptography;
using System.Text;
using Footfall.Capture;
using Xunit;

namespace Footfall.Tests.Capture;

public sealed class AccountProofTests
{
    private const string Secret = "a secret of the host product";

    private static string Sign(string account, string secret = Secret) => Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes(account)));

    [Fact]
    public void Without_a_secret_any_account_is_believed() => Assert.True(new Property("app", [], []).Proves("ann", null));

    [Fact]
    public void With_a_secret_only_a_signed_account_counts()
    {
        var property = new Property("app", [], [], Secret);
        Assert.True(property.Proves("ann", Sign("ann")));
        Assert.True(property.Proves("ann", Sign("ann").ToUpperInvariant()));
        foreach (var wrong in new[] { null, "", "x", Sign("bob"), Sign("ann", "another secret, not the right one"), Sign("ann")[..^2], new string('z', 64) }) Assert.False(property.Proves("ann", wrong));
    }
}
