namespace Footfall.Hosting;

/// <summary>What the API's document says of an endpoint beyond what its code shows. Attach it as metadata.</summary>
/// <param name="Description">Markdown.</param>
/// <param name="Parameters">Of the query string.</param>
internal sealed record ApiNotes(string Summary, string Description, params ApiParameter[] Parameters)
{
    /// <summary>What a request's body is, and one as JSON. Told here, because metadata that says what an endpoint accepts has routing refuse the rest, without a word.</summary>
    public (Type Type, string Example)? Request { get; init; }

    /// <summary>A whole answer, as JSON.</summary>
    public string? Example { get; init; }

    /// <summary>Also answers text/csv; what its columns are.</summary>
    public string? Csv { get; init; }

    /// <summary>Refusals beyond those that every endpoint of its kind has.</summary>
    public IReadOnlyList<ApiError> Errors { get; init; } = [];
}

/// <param name="Type"><c>string</c>, <c>integer</c> or <c>boolean</c>.</param>
/// <param name="Values">The closed set it is from, where there is one.</param>
internal sealed record ApiParameter(string Name, string Description, string? Example = null, bool IsRequired = false, string Type = "string", IReadOnlyList<string>? Values = null);

/// <param name="Code">What stands in <c>error</c>.</param>
internal sealed record ApiError(int Status, string Code, string Meaning);
