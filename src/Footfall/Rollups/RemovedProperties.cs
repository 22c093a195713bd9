using Footfall.Backups;
using Npgsql;

namespace Footfall.Rollups;

/// <summary>Properties that were deleted stay so after a restore of a backup that still has them.</summary>
internal sealed class RemovedProperties(PropertyRemoval removal) : ILastingRequest
{
    public string Kind => "property-removal";

    public string What => "deleted properties";

    public string Table => "removed_properties";

    public async Task<IReadOnlyList<PersonRequest>> ReadAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("select property_id, removed_at from removed_properties", connection);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        List<PersonRequest> removed = [];
        while (await rows.ReadAsync(cancellationToken)) removed.Add(new PersonRequest(Kind, Guid.Empty, rows.GetFieldValue<DateTimeOffset>(1), Property: rows.GetString(0)));
        return removed;
    }

    public async Task<bool> MeetAsync(NpgsqlConnection connection, PersonRequest request, CancellationToken cancellationToken) =>
        request.Property is { } property && await removal.RemoveAgainAsync(connection, property, request.At, cancellationToken);
}
