using System.Buffers;
using System.Text.Json;
using Microsoft.Extensions.Primitives;

namespace Footfall.Leads;

/// <summary>
/// A form as browsers post it, put into the JSON that the tracker's script would have sent, so that both are read by the
/// same rules: <c>consent.purpose</c> is a member of <c>consent</c>, and a field that the contract does not know one of <c>payload</c>.
/// </summary>
internal static class FormFields
{
    /// <summary>What the scripts of Turnstile, hCaptcha and reCAPTCHA call their field.</summary>
    public static readonly string[] CaptchaNames = ["cf-turnstile-response", "h-captcha-response", "g-recaptcha-response"];

    /// <summary>Where the form wants to lead when it was taken, and when not.</summary>
    public const string Thanks = "thanks";

    /// <inheritdoc cref="Thanks"/>
    public const string Error = "error";

    private static readonly HashSet<string> Own = ["email", "anonId", "eventId", "formName", "propertyId", "path", "website", "formToken", "captcha", .. CaptchaNames];
    private static readonly string[] Groups = ["consent", "utm", "payload"];

    public static ReadOnlyMemory<byte> ToJson(IEnumerable<KeyValuePair<string, StringValues>> form)
    {
        Dictionary<string, Dictionary<string, StringValues>> groups = Groups.ToDictionary(g => g, _ => new Dictionary<string, StringValues>());
        var output = new ArrayBufferWriter<byte>(512);
        using (var writer = new Utf8JsonWriter(output))
        {
            writer.WriteStartObject();
            foreach (var (name, values) in form)
            {
                if (name is Thanks or Error || values.Count == 0 || values.All(string.IsNullOrEmpty)) continue;
                if (Own.Contains(name))
                {
                    writer.WriteString(name, values[^1]);
                    continue;
                }
                var dot = name.IndexOf('.');
                var group = dot < 0 ? name : name[..dot];
                if (group == "consent" && dot < 0) groups[group]["status"] = values;
                else if (dot > 0 && dot < name.Length - 1 && groups.TryGetValue(group, out var members)) members[name[(dot + 1)..]] = values;
                else groups["payload"][name] = values;
            }
            foreach (var (group, members) in groups)
            {
                if (members.Count > 0) Write(writer, group, members);
            }
            writer.WriteEndObject();
        }
        return output.WrittenMemory;
    }

    private static void Write(Utf8JsonWriter writer, string group, Dictionary<string, StringValues> members)
    {
        writer.WriteStartObject(group);
        foreach (var (name, values) in members)
        {
            if (group != "payload" || values.Count == 1)
            {
                writer.WriteString(name, values[^1]);
                continue;
            }
            writer.WriteStartArray(name);      // several boxes of one name
            foreach (var value in values) writer.WriteStringValue(value);
            writer.WriteEndArray();
        }
        writer.WriteEndObject();
    }
}
