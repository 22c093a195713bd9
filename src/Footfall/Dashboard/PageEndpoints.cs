using System.Globalization;
using Footfall.Dashboard.Overview;
using Footfall.Dashboard.SignIn;

namespace Footfall.Dashboard;

/// <summary>The pages of a property: /p/{property}/...</summary>
internal static class PageEndpoints
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        var pages = routes.MapGroup("/p/{property}").ExcludeFromDescription().AddEndpointFilter(PageGuard.Failures).AddEndpointFilter(PageGuard.Admit);
        pages.MapGet("", OverviewAsync).WithMetadata(new PageName(""));

        var changes = pages.MapGroup("").AddEndpointFilter(PageGuard.AdmitAdmin).AddEndpointFilter(Forms.RequireToken);
        changes.MapPost("notes", AddNoteAsync).WithMetadata(new PageName(""));
        changes.MapPost("notes/{id:guid}/remove", RemoveNoteAsync).WithMetadata(new PageName(""));
    }

    private static async Task<IResult> OverviewAsync(CurrentPage page, OverviewReader reader, CancellationToken cancellationToken)
    {
        page.Show(await reader.ReadAsync(cancellationToken));
        return Views.Page<OverviewPage>(page.Context);
    }

    private static async Task<IResult> AddNoteAsync(CurrentPage page, NoteStore notes, CancellationToken cancellationToken)
    {
        var form = await page.Context.Request.ReadFormAsync(cancellationToken);
        var text = form["text"].ToString().Trim();
        if (!DateOnly.TryParseExact(form["day"], "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) || text.Length is 0 or > NoteStore.MaxCharacters || !Explore.StorableText.Is(text))
            return Views.Error(page.Context, StatusCodes.Status400BadRequest, "The note was not pinned", $"It needs a day, and a text of at most {NoteStore.MaxCharacters} characters.");
        await notes.AddAsync(page.Property.Id, day, text, cancellationToken);
        return await BackAsync(page, cancellationToken);
    }

    private static async Task<IResult> RemoveNoteAsync(Guid id, CurrentPage page, NoteStore notes, CancellationToken cancellationToken)
    {
        await notes.RemoveAsync(page.Property.Id, id, cancellationToken);
        return await BackAsync(page, cancellationToken);
    }

    private static async Task<IResult> BackAsync(CurrentPage page, CancellationToken cancellationToken) =>
        SignInEndpoints.Redirect(page.Context, Forms.Return(await page.Context.Request.ReadFormAsync(cancellationToken)));
}
