using System.Globalization;
using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Npgsql;

namespace Footfall.Dashboard;

/// <summary>
/// The keys of form tokens, in the database, so that a form that one server made may be sent to another. They stand there as they are: such a
/// key only lets a token be made, a token is nothing without the cookie of the same browser, and who reads this table reads all that the forms
/// lead to. Sign-ins do not depend on it: of these the database holds hashes only.
/// </summary>
internal sealed class FormKeys(NpgsqlDataSource database, TimeProvider clock) : IXmlRepository
{
    private const string All = "select xml from form_keys order by created_at, id";

    private const string Add = """
        insert into form_keys (id, xml, created_at)
        values (@id, @xml, @now)
        on conflict (id) do nothing
        """;

    // ASP.NET asks without waiting asynchronously, about once a day.
    public IReadOnlyCollection<XElement> GetAllElements()
    {
        using var command = database.CreateCommand(All);
        using var rows = command.ExecuteReader();
        List<XElement> elements = [];
        while (rows.Read()) elements.Add(XElement.Parse(rows.GetString(0)));
        return elements;
    }

    public void StoreElement(XElement element, string friendlyName)
    {
        using var command = database.CreateCommand(Add);
        command.Parameters.AddWithValue("id", string.IsNullOrEmpty(friendlyName) ? string.Create(CultureInfo.InvariantCulture, $"{Guid.CreateVersion7(clock.GetUtcNow())}") : friendlyName);
        command.Parameters.AddWithValue("xml", element.ToString(SaveOptions.DisableFormatting));
        command.Parameters.AddWithValue("now", clock.GetUtcNow());
        command.ExecuteNonQuery();
    }
}
