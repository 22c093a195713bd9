namespace Footfall.Dashboard;

/// <summary>What browsers are told about every answer. Pages bring all they need as files from here: nothing inline, nothing from elsewhere.</summary>
internal static class SecurityHeaders
{
    private const string Policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors ";
    private const string Nobody = "'none'";

    public static Task Add(HttpContext context, RequestDelegate next)
    {
        Set(context);
        return next(context);
    }

    /// <summary>Also on an answer that was begun anew.</summary>
    public static void Set(HttpContext context)
    {
        var headers = context.Response.Headers;
        headers.XContentTypeOptions = "nosniff";
        if (context.Request.IsHttps) headers.StrictTransportSecurity = "max-age=31536000";
        if (ErrorAnswers.IsApi(context.Request)) return;   // JSON is no page: a policy would only cost bytes, on every event
        headers.ContentSecurityPolicy = Policy + Nobody;
        headers["Referrer-Policy"] = "no-referrer";
    }

    /// <summary>The answer may be shown in frames of these origins' pages.</summary>
    public static void AllowFrames(HttpResponse response, IEnumerable<string> origins) => response.Headers.ContentSecurityPolicy = Policy + string.Join(' ', origins);
}
