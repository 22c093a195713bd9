using Microsoft.Extensions.Options;
using Quartz;

namespace Footfall.Backups;

/// <summary>Section <c>Backup</c>.</summary>
internal sealed class BackupOptions
{
    public const string Section = "Backup";
    public const int ShortestKey = 16;

    /// <summary>Where scheduled backups go, and restores look. Empty: there are none.</summary>
    public string? Directory { get; set; }

    /// <summary>Cron expression with seconds, UTC.</summary>
    public string Schedule { get; set; } = "0 15 3 * * ?";

    /// <summary>What backups are encrypted with. Also BACKUP_KEY.</summary>
    public string? Key { get; set; }

    /// <summary>A file that holds it.</summary>
    public string? KeyFile { get; set; }

    /// <summary>After each scheduled backup, restore it into a scratch database and compare.</summary>
    public bool Verify { get; set; } = true;

    /// <summary>The newest backup of so many days is kept,</summary>
    public int KeepDays { get; set; } = 7;

    /// <summary>and of so many weeks,</summary>
    public int KeepWeeks { get; set; } = 4;

    /// <summary>and of so many months.</summary>
    public int KeepMonths { get; set; }

    /// <summary>The key to use; null when there is none.</summary>
    /// <exception cref="InvalidDataException">The file cannot be read or holds none.</exception>
    public string? FindKey() => !string.IsNullOrWhiteSpace(Key) ? Key.Trim() : string.IsNullOrWhiteSpace(KeyFile) ? null : ReadKey(KeyFile, "Backup:KeyFile");

    public static string ReadKey(string file, string named)
    {
        try
        {
            var key = File.ReadAllText(file).Trim();
            return key.Length >= ShortestKey ? key : throw new InvalidDataException($"{named} is {file}, which holds {key.Length} characters; a key has {ShortestKey} at least. Make one with: openssl rand -hex 32 > {file}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidDataException($"{named} is {file}, which cannot be read: {e.Message}", e);
        }
    }
}

internal sealed class BackupOptionsValidation : IValidateOptions<BackupOptions>
{
    public ValidateOptionsResult Validate(string? name, BackupOptions options)
    {
        List<string> failures = [];
        if (!CronExpression.TryParse(options.Schedule, out _)) failures.Add($"Backup:Schedule is '{options.Schedule}', which is no cron expression of six or seven fields (seconds first), such as '0 15 3 * * ?'.");
        if (!string.IsNullOrWhiteSpace(options.Key) && options.Key.Trim().Length < BackupOptions.ShortestKey) failures.Add($"Backup:Key (BACKUP_KEY) has {options.Key.Trim().Length} characters; it must have {BackupOptions.ShortestKey} at least.");
        if (!string.IsNullOrWhiteSpace(options.KeyFile) && !File.Exists(options.KeyFile)) failures.Add($"Backup:KeyFile is {options.KeyFile}, which does not exist. It must be a file that holds a key of {BackupOptions.ShortestKey} characters at least.");
        foreach (var (key, value) in new[] { ("KeepDays", options.KeepDays), ("KeepWeeks", options.KeepWeeks), ("KeepMonths", options.KeepMonths) })
        {
            if (value is < 0 or > 3650) failures.Add($"Backup:{key} is {value}; it must be 0 to 3650.");
        }
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }
}
