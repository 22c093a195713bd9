using System.Text.Json.Serialization;

namespace Footfall.Backups;

/// <summary>What a backup says of itself, first of all.</summary>
/// <param name="TakenAt">When its snapshot was taken.</param>
/// <param name="Program">The version of Footfall.</param>
/// <param name="Server">The version of PostgreSQL.</param>
/// <param name="DatabaseBytes">Size of the tables: what progress is measured by.</param>
/// <param name="Migrations">The schema.</param>
/// <param name="Journals">How far each server's journal is in the tables.</param>
/// <param name="HasKeys">Whether the data folder's keys are in it.</param>
internal sealed record Manifest(
    Guid Id, DateTimeOffset TakenAt, string Program, string Server, long DatabaseBytes, IReadOnlyList<MigrationMark> Migrations, IReadOnlyList<JournalMark> Journals, bool HasKeys);

internal sealed record MigrationMark(int Number, string Name, string Checksum);

internal sealed record JournalMark(Guid Journal, long Segment, long Offset);

/// <param name="Section"><c>table</c>, <c>journal</c> or <c>file</c>.</param>
/// <param name="Name">Of the table or partition; of the file below the data folder; of a journal, its id.</param>
/// <param name="Columns">Of a table: those that are in it, in this order.</param>
/// <param name="PartitionOf">Of a partition: its table.</param>
/// <param name="Segment">Of a journal: the segment's number.</param>
/// <param name="From">Of a journal: where in the segment the bytes behind its header begin.</param>
internal sealed record SectionBegin(string Section, string Name, IReadOnlyList<string>? Columns = null, string? PartitionOf = null, long? Segment = null, long? From = null)
{
    public const string Table = "table";
    public const string Journal = "journal";
    public const string File = "file";
}

/// <param name="Rows">Of a table.</param>
/// <param name="Digest">Of a table: <see cref="CopyDigest"/>. Else the bytes' SHA-256 in hexadecimal.</param>
/// <param name="Bytes">In all data records.</param>
internal sealed record SectionEnd(long Rows, string Digest, long Bytes);

internal sealed record SequenceStates(IReadOnlyDictionary<string, long> Last);

internal sealed record BackupTotals(int Tables, long Rows, int JournalSegments, int Files);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Manifest))]
[JsonSerializable(typeof(SectionBegin))]
[JsonSerializable(typeof(SectionEnd))]
[JsonSerializable(typeof(SequenceStates))]
[JsonSerializable(typeof(BackupTotals))]
internal sealed partial class BackupJson : JsonSerializerContext;
