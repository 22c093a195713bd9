using Footfall.Dashboard.SignIn;

namespace Footfall.Dashboard.Sharing;

/// <param name="Made">A link and its secret, right after it was made.</param>
internal sealed record SharedLinksModel(IReadOnlyList<SharedLink> Links, (SharedLink Link, string Text)? Made, SharedLinkForm Form, string? Problem);

/// <summary>Making shared links and taking them back: /p/{property}/settings/links. For admins.</summary>
internal static class SharedLinksEndpoints
{
    public static void Map(IEndpointRouteBuilder pages)
    {
        var name = new PageName("settings/links");
        var group = pages.MapGroup("settings/links").AddEndpointFilter(PageGuard.AdmitAdmin);
        group.MapGet("", ShowAsync).WithMetadata(name);
        group.MapPost("", MakeAsync).WithMetadata(name).AddEndpointFilter(Forms.RequireToken);
        group.MapPost("{id:guid}/revoke", RevokeAsync).WithMetadata(name).AddEndpointFilter(Forms.RequireToken);
    }

    private static Task<IResult> ShowAsync(CurrentPage page, SharedLinkStore links, CancellationToken cancellationToken) => PageAsync(page, links, null, SharedLinkForm.Empty, null, cancellationToken);

    private static async Task<IResult> PageAsync(CurrentPage page, SharedLinkStore links, (SharedLink, string)? made, SharedLinkForm form, string? problem, CancellationToken cancellationToken)
    {
        page.Show(new SharedLinksModel(await links.ListAsync(page.Property.Id, cancellationToken), made, form, problem));
        return Views.Page<SharedLinksPage>(page.Context, status: problem is null ? StatusCodes.Status200OK : StatusCodes.Status400BadRequest);
    }

    /// <summary>Answered with the page itself, not by leading to it: the secret is in this answer and nowhere else.</summary>
    private static async Task<IResult> MakeAsync(CurrentPage page, SharedLinkStore links, CancellationToken cancellationToken)
    {
        var form = SharedLinkForm.Of(await page.Context.Request.ReadFormAsync(cancellationToken));
        if (form.Problem(page.Today) is { } problem) return await PageAsync(page, links, null, form, problem, cancellationToken);
        var made = await links.CreateAsync(page.Caller.Actor, page.Property.Id, form.Name, form.Password.Length == 0 ? null : form.Password, form.ExpiresAt, form.FrameAncestors, CancellationToken.None);
        return await PageAsync(page, links, made, SharedLinkForm.Empty, null, cancellationToken);
    }

    private static async Task<IResult> RevokeAsync(Guid id, CurrentPage page, SharedLinkStore links, CancellationToken cancellationToken)
    {
        var link = (await links.ListAsync(page.Property.Id, cancellationToken)).Find(l => l.Id == id);
        if (link is null) return Views.Error(page.Context, StatusCodes.Status404NotFound, "No such link", "This property has no shared link of this id.");
        var typed = (await page.Context.Request.ReadFormAsync(cancellationToken))["typed"].ToString().Trim();
        if (!typed.Equals(link.Name, StringComparison.OrdinalIgnoreCase) && !typed.Equals(Labels.Visible(link.Name), StringComparison.OrdinalIgnoreCase))
            return await PageAsync(page, links, null, SharedLinkForm.Empty, "Nothing was taken back: what was typed is not the link's name.", cancellationToken);
        await links.RevokeAsync(page.Caller.Actor, page.Property.Id, id, CancellationToken.None);
        return SignInEndpoints.Redirect(page.Context, page.Address.With("done", "revoked").ToString());
    }
}
