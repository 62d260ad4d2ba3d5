using System.Text;
using System.Text.Json;
using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Distillation.Tool.Models;

namespace Microsoft.ML.Distillation.Tool.Labelling;

/// <summary>
/// The results of a shard, a line for each image in the order of the work. A line counts once its end is written: what a kill
/// leaves of a line is cut off, so an image is either done or not begun. One process at a time has the file open.
/// </summary>
internal sealed class ShardFile : IDisposable
{
    private const string End = "end";

    private static readonly TimeSpan BetweenFlushes = TimeSpan.FromSeconds(10);

    private readonly FileStream _stream;
    private readonly string _path;
    private long _flushed = Environment.TickCount64;

    private ShardFile(FileStream stream, string path) => (_stream, _path) = (stream, path);

    /// <summary>The number of images that are done.</summary>
    public long Done { get; private set; }

    /// <summary>Whether the shard is complete.</summary>
    public bool IsComplete { get; private set; }

    /// <summary>The file of a shard.</summary>
    public static string PathOf(string folder, int shard, int shards) => Path.Combine(folder, $"shard-{shard}-of-{shards}.jsonl");

    /// <summary>Opens the file of a shard, a new one or one that was begun.</summary>
    /// <param name="names">The shard's images; moved to the last one that is done.</param>
    /// <exception cref="InvalidOperationException">It was begun with other settings or images, or another process works on it.</exception>
    public static ShardFile Open(string folder, ShardHeader header, IEnumerator<string> names)
    {
        Directory.CreateDirectory(folder);
        string path = PathOf(folder, header.Shard, header.Shards);
        FileStream stream;
        try
        {
            stream = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 1 << 16);
        }
        catch (IOException error) when (FileLock.IsTaken(error))
        {
            throw new InvalidOperationException($"Another process works on this shard, '{path}': {error.Message}", error);
        }

        var file = new ShardFile(stream, path);
        try
        {
            file.TakeUp(header, names);
            return file;
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <summary>The header of a complete shard.</summary>
    /// <exception cref="InvalidOperationException">The shard is not complete.</exception>
    /// <exception cref="FormatException">The file is not a shard's.</exception>
    public static ShardHeader ReadHeader(string path)
        => Lines(path).FirstOrDefault() is string line ? ParseHeader(path, line)
            : throw new InvalidOperationException($"The shard '{path}' has not been begun.");

    /// <summary>The records of a complete shard, one after the other.</summary>
    /// <exception cref="InvalidOperationException">The shard is not complete.</exception>
    /// <exception cref="FormatException">A line cannot be read; the message names it.</exception>
    public static IEnumerable<ShardRecord> Records(string path)
    {
        int number = 1;
        foreach (string line in Lines(path).Skip(1))
        {
            number++;
            if (line == End) yield break;
            yield return ParseRecord(path, number, line);
        }

        throw new InvalidOperationException($"The shard '{path}' is not complete: run it again to let it go on.");
    }

    /// <summary>Adds an image's line.</summary>
    public void Append(ShardRecord record)
    {
        Write(record.ToLine());
        Done++;
    }

    /// <summary>Marks the shard as complete.</summary>
    public void Complete()
    {
        Write(Encoding.UTF8.GetBytes(End));
        _stream.Flush(flushToDisk: true);
        IsComplete = true;
    }

    /// <inheritdoc/>
    public void Dispose() => _stream.Dispose();

    private void Write(byte[] line)
    {
        _stream.Write([.. line, (byte)'\n']);
        // To the system at once, where a kill does not reach it; to the disk now and then.
        bool toDisk = Environment.TickCount64 - _flushed > BetweenFlushes.TotalMilliseconds;
        _stream.Flush(toDisk);
        if (toDisk) _flushed = Environment.TickCount64;
    }

    private void TakeUp(ShardHeader header, IEnumerator<string> names)
    {
        long complete = 0;
        int number = 0;
        foreach ((string line, long end) in WholeLines())
        {
            if (++number == 1) CheckHeader(ParseHeader(_path, line), header);
            else if (line == End) IsComplete = true;
            else CheckName(ParseRecord(_path, number, line).File, names);
            complete = end;
        }

        CheckEnd(names);
        _stream.SetLength(complete);
        _stream.Position = complete;
        if (number == 0) Write(JsonSerializer.SerializeToUtf8Bytes(header));
    }

    /// <summary>The lines that have an end, each with the position after it.</summary>
    private IEnumerable<(string Line, long End)> WholeLines()
    {
        _stream.Position = 0;
        using var line = new MemoryStream();
        byte[] buffer = new byte[1 << 16];
        long position = 0;
        for (int read = _stream.Read(buffer); read > 0; read = _stream.Read(buffer))
        {
            for (int i = 0; i < read; i++)
            {
                position++;
                if (buffer[i] != '\n')
                {
                    line.WriteByte(buffer[i]);
                    continue;
                }

                yield return (Encoding.UTF8.GetString(line.GetBuffer(), 0, (int)line.Length), position);
                line.SetLength(0);
            }
        }
    }

    private void CheckHeader(ShardHeader saved, ShardHeader wanted)
    {
        foreach ((string name, string value) in wanted.Settings)
        {
            if (saved.Settings.GetValueOrDefault(name) == value) continue;
            throw new InvalidOperationException(
                $"The shard '{_path}' was begun with another {name}: {saved.Settings.GetValueOrDefault(name) ?? "none"}, and now it is "
                    + $"{value}. "
                + "Set it as it was, or give another output folder, or delete the file.");
        }
    }

    private void CheckName(string saved, IEnumerator<string> names)
    {
        string? now = names.MoveNext() ? names.Current : null;
        if (now != saved)
        {
            throw new InvalidOperationException(
                $"The images have changed since the shard '{_path}' was begun: it goes on after '{ShortText.Of(saved)}', and now there is "
                    + $"{(now is null ? "none" : $"'{now}'")} "
                + "in that place. Give another output folder, or delete the file.");
        }

        Done++;
    }

    /// <summary>A complete shard has all of its images; what was added since would be left out.</summary>
    private void CheckEnd(IEnumerator<string> names)
    {
        if (!IsComplete || !names.MoveNext()) return;
        throw new InvalidOperationException(
            $"The images have changed since the shard '{_path}' was completed: it has {Done}, and now there is '{names.Current}' too. "
            + "Give another output folder, or delete the shards' files to label all images anew.");
    }

    private static IEnumerable<string> Lines(string path)
        => File.Exists(path) ? File.ReadLines(path) : throw new InvalidOperationException($"The shard '{path}' has not been begun.");

    private static ShardHeader ParseHeader(string path, string line) => Parse(path, 1, () => JsonSerializer.Deserialize<ShardHeader>(line)
        ?? throw new JsonException("there is no header"));

    private static ShardRecord ParseRecord(string path, int number, string line) => Parse(path, number, () => ShardRecord.Parse(line));

    private static T Parse<T>(string path, int number, Func<T> parse)
    {
        try
        {
            return parse();
        }
        catch (JsonException error)
        {
            throw new FormatException($"{path}({number}): this is no line of a shard: {ShortText.Of(error.Message)} Delete the file and "
                + "run the shard again.", error);
        }
    }
}
