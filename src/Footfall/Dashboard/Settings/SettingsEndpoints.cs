using Footfall.Access;
using Footfall.Capture;
using Footfall.Dashboard.SignIn;
using Footfall.Definitions;
using Footfall.Leads;
using Footfall.Rollups;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;

namespace Footfall.Dashboard.Settings;

/// <param name="Problems">By the field's name; empty when nothing is wrong.</param>
/// <param name="RawDays">What holds where the property says nothing.</param>
/// <param name="Origins">Whose pages may send; empty for any.</param>
internal sealed record SettingsModel(PropertySetting Setting, PropertyForm Form, IReadOnlyDictionary<string, string> Problems, bool SendsMail, int RawDays, int RollupMonths, IReadOnlyList<string> Origins);

/// <param name="Made">A token and its text, right after it was made.</param>
/// <param name="Own">The token that the reader is signed in with; null for a configured key.</param>
internal sealed record TokensModel(IReadOnlyList<AccessToken> Tokens, (AccessToken Token, string Text)? Made, Guid? Own, TokenForm Form, string? Problem);

internal sealed record SnippetModel(IReadOnlyList<string> Origins);

internal sealed record BrowserModel(IReadOnlyList<string> Hosts);

internal sealed record ServerModel(IReadOnlyList<(string What, string How, string Key, bool IsSet)> Rows);

internal sealed record DeleteModel(PropertyContents Contents, string? Problem);

/// <summary>Settings of a property: /p/{property}/settings. For admins; what concerns other properties too, for those of every property.</summary>
internal static class SettingsEndpoints
{
    public static void Map(IEndpointRouteBuilder pages)
    {
        var group = pages.MapGroup("settings").AddEndpointFilter(PageGuard.AdmitAdmin);
        group.MapGet("", ShowAsync).WithMetadata(new PageName("settings"));
        group.MapGet("tokens", TokensAsync).WithMetadata(new PageName("settings/tokens"));
        group.MapGet("snippet", Snippet).WithMetadata(new PageName("settings/snippet"));
        group.MapGet("browser", BrowserAsync).WithMetadata(new PageName("settings/browser"));
        group.MapGet("server", Server).WithMetadata(new PageName("settings/server")).AddEndpointFilter(PageGuard.AdmitWhole);

        group.MapGet("delete", AskToDeleteAsync).WithMetadata(new PageName("settings/delete")).AddEndpointFilter(PageGuard.AdmitWhole);

        var changes = group.MapGroup("").AddEndpointFilter(Forms.RequireToken);
        changes.MapPost("", SaveAsync).WithMetadata(new PageName("settings"));
        changes.MapPost("delete", DeleteAsync).WithMetadata(new PageName("settings/delete")).AddEndpointFilter(PageGuard.AdmitWhole);
        changes.MapPost("tokens", MakeTokenAsync).WithMetadata(new PageName("settings/tokens"));
        changes.MapPost("tokens/{id:guid}/revoke", RevokeTokenAsync).WithMetadata(new PageName("settings/tokens"));
    }

    private static async Task<IResult> ShowAsync(CurrentPage page, PropertySettings settings, IOptions<LeadsOptions> leads, IOptions<RetentionOptions> retention, IOptions<CaptureOptions> capture, CancellationToken cancellationToken) =>
        await settings.FindAsync(page.Property.Id, cancellationToken) is { } setting ? Form(page, setting, PropertyForm.Of(setting), [], leads.Value, retention.Value, capture.Value) : Gone(page);

    private static async Task<IResult> SaveAsync(
        CurrentPage page, PropertySettings settings, PropertyRegistry registry, PropertyStore properties, IOptions<LeadsOptions> leads, IOptions<RetentionOptions> retention, IOptions<CaptureOptions> capture,
        CancellationToken cancellationToken)
    {
        if (await settings.FindAsync(page.Property.Id, cancellationToken) is not { } setting) return Gone(page);
        var form = PropertyForm.Of(await page.Context.Request.ReadFormAsync(cancellationToken));
        var problems = form.Problems();
        if (problems.Count > 0) return Form(page, setting, form, problems, leads.Value, retention.Value, capture.Value);
        if (!await form.SaveAsync(settings, setting, CancellationToken.None)) return Gone(page);
        registry.Refresh(await properties.LoadAsync(cancellationToken));   // other servers look twice a minute
        return SignInEndpoints.Redirect(page.Context, page.Address.On("settings").With("done", "saved").ToString());
    }

    private static RazorComponentResult Form(CurrentPage page, PropertySetting setting, PropertyForm form, Dictionary<string, string> problems, LeadsOptions leads, RetentionOptions retention, CaptureOptions capture)
    {
        page.Show(new SettingsModel(setting, form, problems, leads.SendsMail, retention.RawDays, retention.RollupMonths, [.. AllowedOrigins.Split(capture.CorsAllowedOrigins)]));
        return Views.Page<SettingsPage>(page.Context, status: problems.Count == 0 ? StatusCodes.Status200OK : StatusCodes.Status400BadRequest);
    }

    private static Task<IResult> TokensAsync(CurrentPage page, TokenStore tokens, CancellationToken cancellationToken) => TokensPageAsync(page, tokens, null, TokenForm.Empty, null, cancellationToken);

    private static async Task<IResult> TokensPageAsync(CurrentPage page, TokenStore tokens, (AccessToken, string)? made, TokenForm form, string? problem, CancellationToken cancellationToken)
    {
        var own = page.Caller.PropertyId;
        var seen = (await tokens.ListAsync(cancellationToken)).Where(t => own is null || t.PropertyId == own).OrderBy(t => t.RevokedAt is not null).ThenByDescending(t => t.CreatedAt);
        page.Show(new TokensModel([.. seen], made, page.Caller.TokenId, form, problem));
        return Views.Page<TokensPage>(page.Context, status: problem is null ? StatusCodes.Status200OK : StatusCodes.Status400BadRequest);
    }

    /// <summary>Answered with the page itself, not by leading to it: the text is in this answer and nowhere else.</summary>
    private static async Task<IResult> MakeTokenAsync(CurrentPage page, TokenStore tokens, AuditedTokens audited, CancellationToken cancellationToken)
    {
        var form = TokenForm.Of(await page.Context.Request.ReadFormAsync(cancellationToken));
        if (form.Problem is { } problem) return await TokensPageAsync(page, tokens, null, form, problem, cancellationToken);
        var property = form.IsForOne || !page.IsWhole ? page.Property.Id : null;
        var made = await audited.MakeAsync(page.Caller.Actor, form.Name, form.Role, form.Plan, property, CancellationToken.None);
        return await TokensPageAsync(page, tokens, made, TokenForm.Empty, null, cancellationToken);
    }

    private static async Task<IResult> RevokeTokenAsync(Guid id, CurrentPage page, TokenStore tokens, AuditedTokens audited, CancellationToken cancellationToken)
    {
        var token = (await tokens.ListAsync(cancellationToken)).Find(t => t.Id == id && page.Caller.PropertyId is var own && (own is null || t.PropertyId == own));
        if (token is null) return Views.Error(page.Context, StatusCodes.Status404NotFound, "No such token", "There is no token of this id that you may revoke.");
        var typed = (await page.Context.Request.ReadFormAsync(cancellationToken))["typed"].ToString().Trim();
        if (!typed.Equals(Labels.Visible(token.Name), StringComparison.OrdinalIgnoreCase) && !typed.Equals(token.Name, StringComparison.OrdinalIgnoreCase))
            return await TokensPageAsync(page, tokens, null, TokenForm.Empty, "Nothing was revoked: what was typed is not the token's name.", cancellationToken);
        await audited.RevokeAsync(page.Caller.Actor, id.ToString(), TimeSpan.Zero, CancellationToken.None);
        return SignInEndpoints.Redirect(page.Context, page.Address.With("done", "revoked").ToString());
    }

    private static RazorComponentResult Snippet(CurrentPage page, IOptions<CaptureOptions> capture)
    {
        page.Show(new SnippetModel([.. AllowedOrigins.Split(capture.Value.CorsAllowedOrigins)]));
        return Views.Page<SnippetPage>(page.Context);
    }

    private static async Task<IResult> BrowserAsync(CurrentPage page, PropertySettings settings, CancellationToken cancellationToken)
    {
        if (await settings.FindAsync(page.Property.Id, cancellationToken) is not { } setting) return Gone(page);
        page.Show(new BrowserModel(setting.Hosts));
        return Views.Page<BrowserPage>(page.Context);
    }

    private static RazorComponentResult Server(CurrentPage page, IOptions<LeadsOptions> leads, IOptions<CaptureOptions> capture, IOptions<RetentionOptions> retention)
    {
        var (l, c, r) = (leads.Value, capture.Value, retention.Value);
        var mail = !string.IsNullOrEmpty(l.Webhook.Url) ? $"handed to a webhook on {new Uri(l.Webhook.Url).Host}{(string.IsNullOrEmpty(l.Webhook.Secret) ? ", not signed" : ", signed")}"
            : !string.IsNullOrEmpty(l.Smtp.Host) ? $"sent through {l.Smtp.Host}:{l.Smtp.Port} ({(l.Smtp.Security == SmtpSecurity.None ? "in the clear" : l.Smtp.Security == SmtpSecurity.Tls ? "TLS" : "STARTTLS")})"
            : "not set up: what people should confirm is shown to admins";
        page.Show(new ServerModel(
        [
            ("Mail", mail, "Leads:Smtp, Leads:Webhook", l.SendsMail),
            ("Address in mail", string.IsNullOrEmpty(l.PublicUrl) ? "not set up" : l.PublicUrl, "Leads:PublicUrl", !string.IsNullOrEmpty(l.PublicUrl)),
            ("Captcha of forms", l.Captcha.Provider == CaptchaProvider.None ? "none" : l.Captcha.Provider.ToString(), "Leads:Captcha:Provider", l.Captcha.Provider != CaptchaProvider.None),
            ("Pages that may send", AllowedOrigins.Split(c.CorsAllowedOrigins).Any() ? string.Join(", ", AllowedOrigins.Split(c.CorsAllowedOrigins)) : "those of any site", "Capture:CorsAllowedOrigins", AllowedOrigins.Split(c.CorsAllowedOrigins).Any()),
            ("Global Privacy Control", OptOut(c.Gpc), "Capture:Gpc", true),
            ("Do Not Track", OptOut(c.Dnt), "Capture:Dnt", true),
            ("Bots", c.Bots == BotHandling.Store ? "stored, in no figure but those of data health" : "turned away", "Capture:Bots", true),
            ("Properties at most", page.Numbers.Exact(c.MaxProperties), "Capture:MaxProperties", true),
            ("Raw events are kept", $"{r.RawDays} days, unless a property says otherwise", "Retention:RawDays", true),
            ("Figures are kept", r.RollupMonths == 0 ? "for ever" : $"{r.RollupMonths} months, unless a property says otherwise", "Retention:RollupMonths", true),
        ]));
        return Views.Page<ServerPage>(page.Context);
    }

    private static Task<IResult> AskToDeleteAsync(CurrentPage page, PropertyRemoval removal, CancellationToken cancellationToken) => DeletePageAsync(page, removal, null, cancellationToken);

    private static async Task<IResult> DeletePageAsync(CurrentPage page, PropertyRemoval removal, string? problem, CancellationToken cancellationToken)
    {
        page.Show(new DeleteModel(await removal.CountAsync(page.Property.Id, cancellationToken), problem));
        return Views.Page<DeletePage>(page.Context, status: problem is null ? StatusCodes.Status200OK : StatusCodes.Status400BadRequest);
    }

    private static async Task<IResult> DeleteAsync(CurrentPage page, PropertyRemoval removal, PropertyRegistry registry, PropertyStore properties, CancellationToken cancellationToken)
    {
        var typed = (await page.Context.Request.ReadFormAsync(cancellationToken))["typed"].ToString().Trim();
        if (typed != page.Property.Id) return await DeletePageAsync(page, removal, $"Nothing was deleted: what was typed is not {page.Property.Id}.", cancellationToken);
        // Not cancelled by who leaves the page: a large property takes a while.
        if (await removal.RemoveAsync(page.Property.Id, page.Caller.Actor, CancellationToken.None) is not { } contents) return Gone(page);
        registry.Refresh(await properties.LoadAsync(CancellationToken.None));
        page.Show(contents);
        return Views.Page<DeletedPage>(page.Context);
    }

    private static string OptOut(OptOutHandling handling) => handling switch
    {
        OptOutHandling.Cookieless => "counted without a lasting id",
        OptOutHandling.Drop => "not counted",
        OptOutHandling.Ignore => "overlooked",
        _ => throw new ArgumentOutOfRangeException(nameof(handling), handling, null),
    };

    private static RazorComponentResult Gone(CurrentPage page) => Views.Error(page.Context, StatusCodes.Status404NotFound, "No such property", "The property is not there any more: somebody deleted it a moment ago.");
}
