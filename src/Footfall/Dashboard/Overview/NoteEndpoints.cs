using System.Globalization;
using Footfall.Dashboard.SignIn;
using Footfall.Explore;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Footfall.Dashboard.Overview;

/// <summary>Notes that admins pin on a day, change and take away.</summary>
internal static class NoteEndpoints
{
    /// <param name="changes">The property's address; lets only admins' own forms through.</param>
    public static void Map(IEndpointRouteBuilder changes)
    {
        changes.MapPost("notes", AddAsync).WithMetadata(new PageName(""));
        changes.MapPost("notes/{id:guid}", ChangeAsync).WithMetadata(new PageName(""));
        changes.MapPost("notes/{id:guid}/remove", RemoveAsync).WithMetadata(new PageName(""));
    }

    private static async Task<IResult> AddAsync(CurrentPage page, NoteStore notes, CancellationToken cancellationToken)
    {
        var form = await page.Context.Request.ReadFormAsync(cancellationToken);
        if (Read(form, Guid.Empty) is not { } note) return Refused(page);
        await notes.AddAsync(page.Property.Id, note.Day, note.Text, cancellationToken);
        return SignInEndpoints.Redirect(page.Context, Forms.Return(form));
    }

    private static async Task<IResult> ChangeAsync(Guid id, CurrentPage page, NoteStore notes, CancellationToken cancellationToken)
    {
        var form = await page.Context.Request.ReadFormAsync(cancellationToken);
        if (Read(form, id) is not { } note) return Refused(page);
        return await notes.ChangeAsync(page.Property.Id, note, cancellationToken)
            ? SignInEndpoints.Redirect(page.Context, Forms.Return(form))
            : Views.Error(page.Context, StatusCodes.Status404NotFound, "This note is gone", "Somebody has taken it away meanwhile. Pin it anew if it should stay.");
    }

    private static async Task<IResult> RemoveAsync(Guid id, CurrentPage page, NoteStore notes, CancellationToken cancellationToken)
    {
        await notes.RemoveAsync(page.Property.Id, id, cancellationToken);
        return SignInEndpoints.Redirect(page.Context, Forms.Return(await page.Context.Request.ReadFormAsync(cancellationToken)));
    }

    private static DayNote? Read(IFormCollection form, Guid id)
    {
        var text = form["text"].ToString().Trim();
        return DateOnly.TryParseExact(form["day"], "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) && day >= DayRange.Earliest && day <= DayRange.Latest
            && text.Length is > 0 and <= NoteStore.MaxCharacters && StorableText.Is(text) ? new DayNote(id, day, text) : null;
    }

    private static RazorComponentResult Refused(CurrentPage page) =>
        Views.Error(page.Context, StatusCodes.Status400BadRequest, "The note was not pinned", $"It needs a day, and a text of at most {NoteStore.MaxCharacters} characters.");
}
