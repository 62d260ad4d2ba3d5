using System.Globalization;
using System.Text;

namespace Microsoft.ML.Distillation.Tool.Runs;

/// <summary>The log of a run. What is said before its folder is there is kept in memory until then.</summary>
internal sealed class RunLog : TextWriter
{
    private readonly Lock _turn = new();
    private TextWriter _to = new StringWriter(CultureInfo.InvariantCulture);

    /// <inheritdoc/>
    public override Encoding Encoding => Encoding.UTF8;

    /// <summary>Writes from now on to a file, behind what it holds, and first what was said already.</summary>
    public void Open(string path)
    {
        lock (_turn)
        {
            var file = new StreamWriter(new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite)) { AutoFlush = true };
            file.WriteLine(string.Create(CultureInfo.InvariantCulture, $"# {DateTimeOffset.Now:yyyy-MM-dd HH:mm:ss zzz}"));
            file.Write(_to.ToString());
            _to = file;
        }
    }

    /// <summary>A writer that also writes to the log.</summary>
    public TextWriter Beside(TextWriter writer) => new LoggedWriter(writer, this);

    /// <inheritdoc/>
    public override void Write(char value)
    {
        lock (_turn) _to.Write(value);
    }

    /// <inheritdoc/>
    public override void Write(string? value)
    {
        lock (_turn) _to.Write(value);
    }

    /// <inheritdoc/>
    public override void WriteLine(string? value)
    {
        lock (_turn) _to.WriteLine(value);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing) _to.Dispose();
        base.Dispose(disposing);
    }
}

/// <summary>Writes to two places, of which the second is a log.</summary>
internal sealed class LoggedWriter(TextWriter inner, TextWriter log) : TextWriter
{
    /// <summary>The first place.</summary>
    public TextWriter Inner => inner;

    /// <inheritdoc/>
    public override Encoding Encoding => inner.Encoding;

    /// <summary>What a writer writes to in the end.</summary>
    public static TextWriter Unwrapped(TextWriter writer) => writer is LoggedWriter logged ? Unwrapped(logged.Inner) : writer;

    /// <inheritdoc/>
    public override void Write(char value)
    {
        inner.Write(value);
        log.Write(value);
    }

    /// <inheritdoc/>
    public override void Write(string? value)
    {
        inner.Write(value);
        log.Write(value);
    }

    /// <inheritdoc/>
    public override void WriteLine(string? value)
    {
        inner.WriteLine(value);
        log.WriteLine(value);
    }
}
