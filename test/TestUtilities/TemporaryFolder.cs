namespace Microsoft.ML.Distillation.Tests;

/// <summary>A folder that lives as long as a test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("ml-distillation-test-").FullName;

    /// <summary>Writes a text file, with the folders that lead to it, and returns its path.</summary>
    public string Write(string name, string text)
    {
        string path = Sub(name);
        File.WriteAllText(path, text);
        return path;
    }

    /// <summary>The path of a file to be, whose folder exists.</summary>
    public string Sub(string name)
    {
        string path = System.IO.Path.Combine(Path, name);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        return path;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
