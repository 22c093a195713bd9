using Footfall.Hosting;
using Footfall.Postgres;

namespace Footfall;

/// <summary>Puts the rooms together, in the order in which data flows.</summary>
public static class FootfallHost
{
    /// <summary>The server. <paramref name="args"/> are configuration in the usual ASP.NET form (<c>--DataDir /srv/footfall</c>).</summary>
    public static WebApplication Build(string[] args)
    {
        var builder = WebApplication.CreateBuilder(args);
        builder.Configuration.AddPlainNames();
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddPostgres(builder.Configuration).AddPostgresServing();
        return builder.Build();
    }
}
