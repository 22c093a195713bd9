using Microsoft.Extensions.Options;

namespace Footfall.Journal;

/// <summary>Section <c>Journal</c> of the configuration.</summary>
public sealed class JournalOptions
{
    public const string Section = "Journal";

    /// <summary>How many bytes of records may wait for the database before capture answers 503. The folder may hold one segment more than that.</summary>
    public long MaxBytes { get; set; } = 1L << 30;

    /// <summary>A new segment file is begun before one would grow beyond this many bytes.</summary>
    public long SegmentBytes { get; set; } = 64L << 20;

    /// <summary>Longest payload of one record, in bytes.</summary>
    public int MaxRecordBytes { get; set; } = JournalFormat.MaxPayloadBytes;

    /// <summary>How many bytes of records that the database has are kept beside, for a database that has to be restored from a backup. 0: none.</summary>
    public long KeepBytes { get; set; } = 256L << 20;

    /// <summary>And for how long at most.</summary>
    public int KeepHours { get; set; } = 50;
}

internal sealed class ValidateJournalOptions : IValidateOptions<JournalOptions>
{
    internal const long LeastSegmentBytes = 4096;

    public ValidateOptionsResult Validate(string? name, JournalOptions options)
    {
        List<string> failures = [];
        if (options.SegmentBytes is < LeastSegmentBytes or > int.MaxValue)
            failures.Add($"{JournalOptions.Section}:{nameof(JournalOptions.SegmentBytes)} is {options.SegmentBytes}; it must lie between {LeastSegmentBytes} and {int.MaxValue} bytes.");
        if (options.MaxBytes < options.SegmentBytes)
            failures.Add($"{JournalOptions.Section}:{nameof(JournalOptions.MaxBytes)} is {options.MaxBytes}; it must be at least {JournalOptions.Section}:{nameof(JournalOptions.SegmentBytes)} ({options.SegmentBytes}).");
        if (options.MaxRecordBytes is < 1 or > JournalFormat.MaxPayloadBytes)
            failures.Add($"{JournalOptions.Section}:{nameof(JournalOptions.MaxRecordBytes)} is {options.MaxRecordBytes}; it must lie between 1 and {JournalFormat.MaxPayloadBytes} bytes.");
        if (options.KeepBytes < 0)
            failures.Add($"{JournalOptions.Section}:{nameof(JournalOptions.KeepBytes)} is {options.KeepBytes}; it must be 0 or more.");
        if (options.KeepHours is < 1 or > 8760)
            failures.Add($"{JournalOptions.Section}:{nameof(JournalOptions.KeepHours)} is {options.KeepHours}; it must be 1 to 8760.");
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }
}
