using Footfall.Hosting;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Footfall.Postgres;

public static class PostgresRoom
{
    private static readonly string[] Tenants = ["footfall", "postgres", "nobody"];

    // An event of the year 1 is of the year 1; Npgsql would otherwise write its smallest instant as -infinity.
    static PostgresRoom() => AppContext.SetSwitch("Npgsql.DisableDateTimeInfinityConversions", true);

    /// <summary>
    /// The database: <see cref="NpgsqlDataSource"/>, <see cref="DatabaseGate"/>, <see cref="EventPartitions"/>, and the <see cref="DataFolder"/>,
    /// whose place depends on who PostgreSQL runs as. Add it before any room that needs the database when it stops: services stop in reverse order.
    /// </summary>
    public static IServiceCollection AddPostgres(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<PostgresOptions>().Bind(configuration.GetSection(PostgresOptions.Section)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<PostgresOptions>, PostgresOptionsValidation>();
        services.AddSingleton(s => DataFolder.Locate(configuration["DataDir"], Directory.GetCurrentDirectory(), Tenant(Options(s))));
        services.AddSingleton(BuildDataSource);
        services.AddSingleton<DatabaseGate>();
        services.AddSingleton<EventPartitions>();
        services.AddSingleton(s => new Database(
            s.GetRequiredService<NpgsqlDataSource>(), Embedded(s), s.GetRequiredService<EventPartitions>(),
            s.GetRequiredService<TimeProvider>(), s.GetRequiredService<ILogger<Database>>()));
        return services;
    }

    /// <summary>What a server runs beside: the lock on its data folder, and the keeper of its database. Commands do without.</summary>
    public static IServiceCollection AddPostgresServing(this IServiceCollection services)
    {
        services.AddSingleton<ServeLock>();
        services.AddHostedService(s => s.GetRequiredService<ServeLock>());
        services.AddHostedService<DatabaseService>();
        services.AddSingleton<ChangeFeed>();
        services.AddHostedService(s => s.GetRequiredService<ChangeFeed>());
        return services;
    }

    /// <summary>For a command: brings the database up (or finds the server's running), migrated, with the gate open. Dispose the result when the
    /// command is done; an embedded database that nobody else uses stops then. Throws <see cref="SetupException"/> with what to do.</summary>
    public static async Task<IAsyncDisposable> OpenDatabaseForCommandAsync(this IServiceProvider services, CancellationToken ct)
    {
        var database = services.GetRequiredService<Database>();
        var data = services.GetRequiredService<DataFolder>();
        if (data.Notice is { } notice)
            PostgresLog.DataFolderNotice(services.GetRequiredService<ILogger<Database>>(), notice);
        try
        {
            await database.BringUpAsync(ct);
        }
        catch (NpgsqlException e)
        {
            await database.ReleaseAsync(CancellationToken.None);
            throw new SetupException($"The database is not available: {Database.Describe(e)}", e);
        }
        catch
        {
            await database.ReleaseAsync(CancellationToken.None);
            throw;
        }
        services.GetRequiredService<DatabaseGate>().Open();
        return new Lease(database);
    }

    private sealed class Lease(Database database) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync() => await database.ReleaseAsync(CancellationToken.None);
    }

    private static PostgresOptions Options(IServiceProvider services) => services.GetRequiredService<IOptions<PostgresOptions>>().Value;

    private static NpgsqlDataSource BuildDataSource(IServiceProvider services)
    {
        var options = Options(services);
        var connection = options.IsEmbedded
            ? EmbeddedPostgres.Connection(services.GetRequiredService<DataFolder>())
            : PostgresConnection.Parse(options.ConnectionString!);
        connection.MaxPoolSize = options.MaxPoolSize;
        connection.ApplicationName ??= "footfall";
        connection.Timezone = "UTC";   // days are UTC days, whatever the server's or the role's own zone
        return NpgsqlDataSource.Create(connection);
    }

    private static EmbeddedPostgres? Embedded(IServiceProvider services)
    {
        var options = Options(services);
        if (!options.IsEmbedded)
            return null;
        var data = services.GetRequiredService<DataFolder>();
        var time = services.GetRequiredService<TimeProvider>();
        var log = services.GetRequiredService<ILogger<EmbeddedPostgres>>();
        return new EmbeddedPostgres(Settings(options, data, time, log), time, log);
    }

    internal static EmbeddedSettings Settings(PostgresOptions options, DataFolder data, TimeProvider time, ILogger? log)
    {
        var server = Server();
        var user = Tenant(options) ?? server;
        if (Unix.IsRoot && string.IsNullOrWhiteSpace(options.RunAs) && Directory.Exists(data.Postgres))
            user = UnixUser.Find(Unix.OwnerOf(data.Postgres)) ?? user;   // who has the files goes on, also when a user that comes before in the list has been made since
        var cache = string.IsNullOrWhiteSpace(options.CacheDir) ? NpmBinaries.DefaultCacheFolder(data) : Path.GetFullPath(options.CacheDir);
        return new EmbeddedSettings(data, user, server, new PostgresBinaries(options, user, new NpmBinaries(cache, time, log)));
    }

    /// <summary>The user of this process, by the name that peer authentication knows.</summary>
    private static UnixUser Server() => UnixUser.Find(Unix.GetEffectiveUserId())
        ?? throw new SetupException($"The user number {Unix.GetEffectiveUserId()} that this server runs as has no name, and PostgreSQL wants one. Add it to /etc/passwd, or set DATABASE_URL to a PostgreSQL server.");

    /// <summary>The other user that the embedded PostgreSQL runs as; null when it is the server's own, or there is no embedded one.</summary>
    internal static UnixUser? Tenant(PostgresOptions options)
    {
        if (!options.IsEmbedded || !Unix.IsRoot)
            return null;
        if (!string.IsNullOrWhiteSpace(options.RunAs))
        {
            var asked = UnixUser.Find(options.RunAs) ?? throw new SetupException($"Postgres:RunAs is {options.RunAs}, and there is no such user. Make it (`useradd --system {options.RunAs}`), or name another.");
            return asked.Uid != 0 ? asked : throw new SetupException("Postgres:RunAs is root, and PostgreSQL refuses to run as root. Name another user, such as postgres or nobody.");
        }
        return Tenants.Select(UnixUser.Find).FirstOrDefault(u => u is { Uid: not 0 })
            ?? throw new SetupException("The server runs as root, PostgreSQL refuses to, and none of the users footfall, postgres and nobody exists. Make one (`useradd --system footfall`), or name one with Postgres:RunAs.");
    }
}
