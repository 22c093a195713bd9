namespace Footfall.Rollups;

/// <summary>A user as one dense number: an account where there is one, else a visitor. Even numbers are visitors, odd ones accounts, so that sets hold both.</summary>
internal static class UserNumber
{
    public static int OfVisitor(int number) => checked(number * 2);

    public static int OfAccount(int number) => checked(number * 2 + 1);

    public static bool IsAccount(int user) => (user & 1) == 1;
}
