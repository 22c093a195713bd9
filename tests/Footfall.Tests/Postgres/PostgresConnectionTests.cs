using Footfall.Postgres;
using Xunit;

namespace Footfall.Tests.Postgres;

public sealed class PostgresConnectionTests
{
    [Theory]
    [InlineData("postgres://u:p@h/d", "h", 5432, "u", "p", "d")]
    [InlineData("postgresql://u:p@h:6543/d", "h", 6543, "u", "p", "d")]
    [InlineData("POSTGRES://u@h/d", "h", 5432, "u", null, "d")]
    [InlineData("postgres://h", "h", 5432, null, null, null)]
    [InlineData("postgres://u:p%40%2F%3A%3F%23%25@h/d", "h", 5432, "u", "p@/:?#%", "d")]
    [InlineData("postgres://u:p;Host=evil@h/d", "h", 5432, "u", "p;Host=evil", "d")]
    [InlineData("postgres://us%C3%A9r:p@h/d%20b", "h", 5432, "usér", "p", "d b")]
    [InlineData("postgres://u:p@[::1]:6543/d", "::1", 6543, "u", "p", "d")]
    [InlineData("postgres://u:p@[::1]/d", "::1", 5432, "u", "p", "d")]
    [InlineData("postgres:///d?host=/var/run/postgresql&user=u", "/var/run/postgresql", 5432, "u", null, "d")]
    [InlineData("postgres://%2Fvar%2Frun%2Fpostgresql/d", "/var/run/postgresql", 5432, null, null, "d")]
    [InlineData("postgres://u:p@a:1,b:2/d", "a:1,b:2", 5432, "u", "p", "d")]
    [InlineData("  postgres://u:p@h/d\n", "h", 5432, "u", "p", "d")]
    [InlineData("Host=h;Username=u;Password=p;Database=d", "h", 5432, "u", "p", "d")]
    [InlineData("Server=h;User Id=u;Port=1234", "h", 1234, "u", null, null)]
    public void A_connection_is_read_from_either_form(string text, string host, int port, string? user, string? password, string? database)
    {
        var c = PostgresConnection.Parse(text);
        Assert.Equal((host, port, user, password, database), (c.Host, c.Port, c.Username, c.Password, c.Database));
    }

    [Theory]
    [InlineData("sslmode=require", "SSL Mode=Require")]
    [InlineData("sslmode=verify-full&sslrootcert=/etc/ca.pem", "SSL Mode=VerifyFull;Root Certificate=/etc/ca.pem")]
    [InlineData("sslmode=no-verify", null)]
    [InlineData("connect_timeout=7&application_name=a%20b", "Timeout=7;Application Name=\"a b\"")]
    [InlineData("options=-c%20search_path%3Dx", "Options=\"-c search_path=x\"")]
    [InlineData("channel_binding=require&gssencmode=disable", "Channel Binding=Require;GSS Encryption Mode=Disable")]
    [InlineData("keepalives=1&client_encoding=utf8", "")]
    [InlineData("Pooling=false", "Pooling=False")]
    [InlineData("nonsense=1", null)]
    [InlineData("port=no", null)]
    public void A_urls_parameters_are_those_of_libpq_and_of_Npgsql(string query, string? expected)
    {
        var url = $"postgres://u:hidden@h/d?{query}";
        if (expected is null)
        {
            var refused = Assert.Throws<FormatException>(() => PostgresConnection.Parse(url));
            Assert.DoesNotContain("hidden", refused.ToString(), StringComparison.Ordinal);
            Assert.Contains("DATABASE_URL", refused.Message, StringComparison.Ordinal);
            return;
        }
        Assert.Equal(PostgresConnection.Parse($"Host=h;Username=u;Password=hidden;Database=d;{expected}").ConnectionString.Split(';').Order(), PostgresConnection.Parse(url).ConnectionString.Split(';').Order());
    }

    [Theory]
    [InlineData("postgres://u:hidden@h:99999/d")]
    [InlineData("postgres://u:hidden@h:0/d")]
    [InlineData("postgres://u:hidden@:5432/d")]
    [InlineData("mysql://u:hidden@h/d")]
    [InlineData("Host=h;Pasword=hidden")]
    [InlineData("Host=h;Port=hidden")]
    [InlineData("Password=hidden;Database=d")]
    [InlineData("hidden")]
    public void What_cannot_be_read_is_refused_without_being_repeated(string text)
    {
        var refused = Assert.Throws<FormatException>(() => PostgresConnection.Parse(text));
        Assert.Contains("Postgres:ConnectionString (DATABASE_URL)", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hidden", refused.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("MaxPoolSize", 3, "Postgres:MaxPoolSize")]
    [InlineData("MaxPoolSize", 51, "Postgres:MaxPoolSize")]
    [InlineData("BinDir", "/no/such/folder", "Postgres:BinDir")]
    [InlineData("Binaries", 9, "auto, system or npm")]
    [InlineData("ConnectionString", "nonsense", "Postgres:ConnectionString")]
    public void Options_that_cannot_be_are_refused_by_name(string option, object value, string named)
    {
        var options = new PostgresOptions();
        var property = typeof(PostgresOptions).GetProperty(option)!;
        property.SetValue(options, property.PropertyType.IsEnum ? Enum.ToObject(property.PropertyType, value) : value);
        var result = new PostgresOptionsValidation().Validate(null, options);
        Assert.Contains(named, Assert.Single(result.Failures!), StringComparison.Ordinal);
    }
}
