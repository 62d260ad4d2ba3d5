namespace Microsoft.ML.Distillation.Teachers.OnnxDetectors;

/// <summary>Reads a list of classes, one in each line.</summary>
internal static class ClassNameFile
{
    /// <summary>The classes, in the file's order. Empty lines at the end do not count.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="FormatException">A line is empty, or the file is; the message names it.</exception>
    public static IReadOnlyList<string> Read(string path)
    {
        if (!File.Exists(path)) throw new FileNotFoundException($"There is no file of class names '{path}'.", path);
        string[] lines = [.. File.ReadAllText(path).TrimEnd().Split('\n').Select(line => line.Trim())];
        int empty = Array.FindIndex(lines, line => line.Length == 0);
        return empty < 0 ? lines : throw new FormatException($"{path}({empty + 1}): a class name is expected, the line is empty.");
    }
}
