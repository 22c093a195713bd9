using System.Globalization;
using System.Xml.Linq;
using Footfall.Postgres;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Npgsql;

namespace Footfall.Dashboard;

/// <summary>
/// The keys of form tokens, in the database, so that a form that one server made may be sent to another. They stand there as they are: such a
/// key only lets a token be made, a token is nothing without the cookie of the same browser, and who reads this table reads all that the forms
/// lead to. Sign-ins do not depend on it: of these the database holds hashes only.
/// While the database is away this server has a key of its own, in memory. It becomes everybody's when there is none yet, else it goes, and who
/// has a form made with it is asked to load the page anew.
/// </summary>
internal sealed class FormKeys(NpgsqlDataSource database, DatabaseGate gate, IServiceProvider services, IHostApplicationLifetime life, TimeProvider clock) : IXmlRepository
{
    private const string All = "select xml from form_keys order by created_at, id";

    // Servers that find no key, or one that is about to end, come at the same time, and must all go on with the one that was first.
    private const string Lock = "lock table form_keys in exclusive mode";

    private const string Add = """
        insert into form_keys (id, xml, created_at)
        select @id, @xml, @now
        where not exists (select from form_keys where created_at > @now - @recent)
        """;

    private static readonly TimeSpan Recent = TimeSpan.FromHours(1);
    private static readonly TimeSpan EverBefore = TimeSpan.FromDays(36_500);

    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(90);

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    private readonly System.Threading.Lock sync = new();
    private readonly List<XElement> ownAlone = [];
    private bool waitsForReturn;
    private volatile bool onlyAsksAnew;

    // ASP.NET asks without waiting asynchronously, about once a day.
    public IReadOnlyCollection<XElement> GetAllElements()
    {
        List<XElement> elements = [];
        if (gate.IsReady)
        {
            try
            {
                using var command = database.CreateCommand(All);
                using var rows = command.ExecuteReader();
                while (rows.Read()) elements.Add(XElement.Parse(rows.GetString(0)));
            }
            catch (Exception e) when (Database.IsAway(e))
            {
                elements.Clear();
                AskAgainOnReturn();
            }
        }
        else
        {
            AskAgainOnReturn();
        }
        lock (sync) elements.AddRange(ownAlone);
        return elements;
    }

    public void StoreElement(XElement element, string friendlyName)
    {
        if (onlyAsksAnew) return;
        if (gate.IsReady)
        {
            try
            {
                Store([element], Recent);
                return;
            }
            catch (Exception e) when (Database.IsAway(e))
            {
                // Then as below.
            }
        }
        lock (sync) ownAlone.Add(element);
        AskAgainOnReturn();
    }

    /// <param name="unlessWithin">Nothing is stored when there is a key that is not older.</param>
    private void Store(List<XElement> elements, TimeSpan unlessWithin)
    {
        if (elements.Count == 0) return;
        using var connection = database.OpenConnection();
        using var transaction = connection.BeginTransaction();
        using (var alone = new NpgsqlCommand(Lock, connection)) alone.ExecuteNonQuery();
        using (var command = new NpgsqlCommand(Add, connection))
        {
            command.Parameters.AddWithValue("id", string.Create(CultureInfo.InvariantCulture, $"{Guid.CreateVersion7(clock.GetUtcNow())}"));
            command.Parameters.AddWithValue("xml", elements[0].ToString(SaveOptions.DisableFormatting));
            command.Parameters.AddWithValue("now", clock.GetUtcNow());
            command.Parameters.AddWithValue("recent", unlessWithin);
            command.ExecuteNonQuery();
        }
        transaction.Commit();
    }

    private void AskAgainOnReturn()
    {
        lock (sync)
        {
            if (waitsForReturn) return;
            waitsForReturn = true;
        }
        _ = AskAgainAsync(life.ApplicationStopping);
    }

    private async Task AskAgainAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(Pause, clock, stop);   // the gate may not have noticed yet
                await gate.WaitAsync(stop);
                List<XElement> own;
                lock (sync) own = [.. ownAlone];
                Store(own, EverBefore);
                lock (sync)
                {
                    ownAlone.Clear();
                    waitsForReturn = false;
                }
                // ASP.NET keeps what it was told for a day; a new key, which comes to nothing, makes it ask anew.
                onlyAsksAnew = true;
                services.GetRequiredService<IKeyManager>().CreateNewKey(clock.GetUtcNow(), clock.GetUtcNow() + Lifetime);
                return;
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is NpgsqlException or TimeoutException or InvalidOperationException)
            {
                // It went away again.
            }
            finally
            {
                onlyAsksAnew = false;
            }
        }
    }
}
