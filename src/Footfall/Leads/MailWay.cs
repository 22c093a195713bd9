namespace Footfall.Leads;

/// <summary>A mail to one person, or to the operator's own program.</summary>
/// <param name="Id">The same when it is sent again.</param>
/// <param name="Address">Null for the operator's program alone: it knows where to show it.</param>
/// <param name="Kind">What the webhook is told that it is.</param>
/// <param name="Unsubscribe">Null without an address.</param>
/// <param name="Figures">For programs: what the letter says in numbers.</param>
internal sealed record Letter(
    Guid Id, string Kind, string? Address, string PropertyId, string PropertyName, DateOnly From, DateOnly To, string Subject, string Text, string Html, string? Unsubscribe, IReadOnlyList<LetterFigure> Figures);

/// <param name="Value">Null where nothing is known.</param>
/// <param name="Before">In the window before; null where nothing is known.</param>
internal sealed record LetterFigure(string Key, string Title, double? Value, double? Before);

/// <summary>A way to a person's mailbox.</summary>
internal interface IMailTransport
{
    /// <exception cref="MailException">It was not taken; the message names nobody.</exception>
    Task SendAsync(Confirmation confirmation, CancellationToken cancellationToken);

    /// <exception cref="MailException">It was not taken; the message names nobody.</exception>
    Task SendAsync(Letter letter, CancellationToken cancellationToken);

    /// <summary>Whether it takes letters without an address.</summary>
    bool IsProgram { get; }
}

/// <summary>Why it was not taken. The message names nobody.</summary>
internal sealed class MailException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>The way out for mail that configuration names.</summary>
/// <param name="Transport">Null where none is configured.</param>
internal sealed record MailWay(IMailTransport? Transport);
