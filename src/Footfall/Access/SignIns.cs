using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Footfall.Postgres;
using Microsoft.Extensions.Options;

namespace Footfall.Access;

/// <summary>
/// Browsers that showed a key. The cookie holds 256 random bits and nothing else; who that is stands in the database, so that
/// signing out, revoking the token and changing the key end it everywhere, within <see cref="KeptFor"/>.
/// </summary>
internal sealed class SignIns
{
    public const string Cookie = "footfall_sign_in";
    public static readonly TimeSpan KeptFor = TimeSpan.FromSeconds(5);

    private const int RandomBytes = 32;
    private const int MostKept = 10_000;
    private static readonly TimeSpan SeenEvery = TimeSpan.FromMinutes(5);

    // A page asks for several things at once; only those that exist are kept.
    private readonly ConcurrentDictionary<string, (Caller Caller, DateTimeOffset Until)> known = new(StringComparer.Ordinal);

    private readonly SignInStore store;
    private readonly TokenUse use;
    private readonly AdminKey adminKey;
    private readonly DashboardKey dashboardKey;
    private readonly IOptions<AccessOptions> options;
    private readonly TimeProvider clock;

    public SignIns(SignInStore store, TokenUse use, AdminKey adminKey, DashboardKey dashboardKey, IOptions<AccessOptions> options, TimeProvider clock, ChangeFeed changes)
    {
        (this.store, this.use, this.adminKey, this.dashboardKey, this.options, this.clock) = (store, use, adminKey, dashboardKey, options, clock);
        changes.On(Shared.Tokens, known.Clear);
    }

    /// <summary>Remembers the browser as the key's owner.</summary>
    public async Task BeginAsync(HttpContext context, KeyOwner owner)
    {
        var now = clock.GetUtcNow();
        await store.ForgetAsync(now - Idle, now - Longest, context.RequestAborted);
        await EndAsync(context);   // of whom it was before
        var value = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(RandomBytes));
        await store.AddAsync(Hash(value), owner, now, context.RequestAborted);
        context.Response.Cookies.Append(Cookie, value, Form(context, now + Longest));
    }

    /// <summary>Who uses the browser; null when it has not shown a key, or too long ago.</summary>
    public async ValueTask<Caller?> FindAsync(HttpContext context)
    {
        if (context.Request.Cookies[Cookie] is not { } value || !Base64Url.IsValid(value, out var length) || length != RandomBytes) return null;
        var hash = Hash(value);
        var name = Convert.ToHexString(hash);
        var now = clock.GetUtcNow();
        if (known.TryGetValue(name, out var kept) && kept.Until > now) return kept.Caller;
        known.TryRemove(name, out _);
        if (await store.FindAsync(hash, context.RequestAborted) is not { } found || found.SeenAt <= now - Idle || found.StartedAt <= now - Longest || CallerOf(found) is not { } caller) return null;
        if (found.SeenAt < now - SeenEvery) await store.SeenAsync(hash, now, context.RequestAborted);
        if (found.Token is { } token) use.Note(token.Id, now);
        if (known.Count >= MostKept) known.Clear();
        known[name] = (caller, now + KeptFor);
        return caller;
    }

    public async Task EndAsync(HttpContext context)
    {
        if (context.Request.Cookies[Cookie] is not { Length: > 0 } value) return;
        var hash = Hash(value);
        await store.EndAsync(hash, context.RequestAborted);
        known.TryRemove(Convert.ToHexString(hash), out _);
        context.Response.Cookies.Delete(Cookie, Form(context, null));
    }

    private TimeSpan Idle => TimeSpan.FromHours(options.Value.SignInIdleHours);

    private TimeSpan Longest => TimeSpan.FromDays(options.Value.SignInDays);

    private Caller? CallerOf(StoredSignIn found)
    {
        if (found.Token is { } token) return Caller.Of(token);
        if (found.KeyMark is null) return null;
        return found.KeyMark == adminKey.Mark ? Caller.Admin : found.KeyMark == dashboardKey.Mark ? DashboardKey.Owner : null;
    }

    private static byte[] Hash(string value) => SHA256.HashData(Encoding.UTF8.GetBytes(value));

    private static CookieOptions Form(HttpContext context, DateTimeOffset? expires) => new()
    {
        HttpOnly = true,
        SameSite = SameSiteMode.Lax,
        Secure = context.Request.IsHttps,
        Path = "/",
        IsEssential = true,
        Expires = expires,
    };
}
