using System.Text;
using Footfall.Hosting;

namespace Footfall.Postgres;

/// <summary>The three files that tell an embedded PostgreSQL how to run and whom to let in. Written anew at every start.</summary>
internal static class ClusterConfiguration
{
    private const long SmallSharedMemory = 256L << 20;

    /// <summary>True when something changed. <paramref name="extra"/> settings come last and win.</summary>
    public static bool Write(ClusterFolders folders, UnixUser server, IReadOnlyDictionary<string, string> extra)
    {
        var changed = WriteIfOther(Path.Combine(folders.Configuration, "postgresql.conf"), Settings(folders, extra));
        changed |= WriteIfOther(Path.Combine(folders.Configuration, "pg_hba.conf"), """
            # Only over the socket, only who the system says you are, only those whom pg_ident.conf names.
            local all all peer map=footfall

            """);
        changed |= WriteIfOther(Path.Combine(folders.Configuration, "pg_ident.conf"), $"""
            # map     system user        database role
            footfall  "{server.Name}"    footfall
            footfall  "{server.Name}"    postgres

            """);
        return changed;
    }

    public static string MainFile(ClusterFolders folders) => Path.Combine(folders.Configuration, "postgresql.conf");

    private static string Settings(ClusterFolders folders, IReadOnlyDictionary<string, string> extra)
    {
        var text = new StringBuilder($"""
            # Written by Footfall at every start: changes here do not last.
            listen_addresses = ''
            port = 5432
            unix_socket_directories = '{folders.Socket}'
            unix_socket_permissions = 0700
            hba_file = '{folders.Configuration}/pg_hba.conf'
            ident_file = '{folders.Configuration}/pg_ident.conf'
            cluster_name = 'footfall'

            # A small server beside its only application.
            max_connections = 60
            shared_buffers = {SharedBuffersMegabytes()}MB
            work_mem = 16MB
            maintenance_work_mem = 128MB
            max_wal_size = 2GB
            checkpoint_timeout = 15min
            wal_compression = on
            random_page_cost = 1.1
            jit = off
            dynamic_shared_memory_type = {DynamicSharedMemory()}

            # Text and time mean the same on every machine.
            timezone = 'UTC'
            log_timezone = 'UTC'
            datestyle = 'iso, ymd'
            lc_messages = 'C'
            default_text_search_config = 'pg_catalog.simple'

            # A week of logs; neither statements nor values nor errors that could quote them.
            logging_collector = on
            log_directory = 'log'
            log_filename = 'postgresql-%a.log'
            log_rotation_age = 1d
            log_rotation_size = 0
            log_truncate_on_rotation = on
            log_line_prefix = '%m [%p] '
            log_min_messages = log
            log_min_error_statement = panic
            log_statement = none
            log_parameter_max_length = 0
            log_parameter_max_length_on_error = 0
            log_error_verbosity = terse

            """);
        foreach (var (name, value) in extra)
            text.Append(name).Append(" = '").Append(value.Replace("'", "''", StringComparison.Ordinal)).Append("'\n");
        return text.ToString();
    }

    /// <summary>A sixteenth of the memory that this process may use: what ingestion touches at random (keys, visitors, open sessions) outgrows 128 MB within a few million events.</summary>
    private static long SharedBuffersMegabytes() => Math.Clamp(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 16 >> 20, 64, 1024);

    /// <summary>A container's /dev/shm often has 64 MB, which a parallel query outgrows ("could not resize shared memory segment"): files then.</summary>
    private static string DynamicSharedMemory()
    {
        try
        {
            return !OperatingSystem.IsLinux() || new DriveInfo("/dev/shm").TotalSize >= SmallSharedMemory ? "posix" : "mmap";
        }
        catch (IOException)
        {
            return "mmap";   // there is none
        }
    }

    private static bool WriteIfOther(string file, string text)
    {
        if (File.Exists(file) && File.ReadAllText(file) == text)
            return false;
        var temporary = file + ".new";
        File.WriteAllText(temporary, text);
        File.SetUnixFileMode(temporary, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        File.Move(temporary, file, overwrite: true);
        return true;
    }
}
