namespace Footfall.Postgres;

/// <summary>The database cannot be used until an operator changes something. The message says what.</summary>
internal sealed class DatabaseSetupException : Exception
{
    public DatabaseSetupException(string message) : base(message)
    {
    }

    public DatabaseSetupException(string message, Exception inner) : base(message, inner)
    {
    }
}
