using System.Text.RegularExpressions;

namespace Microsoft.ML.Distillation.Tests;

/// <summary>The libraries speak to programs: of their own options, not of the command's flags or of files of the repository.</summary>
public class MessageTests
{
    // The flags of others' exporters, and a property of CSS.
    private static readonly string[] Others = ["--decode_in_inference", "--end2end", "--share"];

    [Test]
    public void Libraries_NameNoFlagsOfTheCommand_AndNoFilesUnderDocs(
        [Values("Microsoft.ML.Distillation.Runtime", "Microsoft.ML.Distillation")] string library)
    {
        string folder = Path.Combine(Repository(), "src", library);
        string built = Path.DirectorySeparatorChar + "obj" + Path.DirectorySeparatorChar;
        foreach (string file in Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains(built, StringComparison.Ordinal)))
        {
            foreach (string line in File.ReadLines(file))
            {
                string[] flags = [.. Regex.Matches(line, @"(?<![\w-])--[a-z][a-z0-9_-]+").Select(match => match.Value).Except(Others)];
                Assert.That(flags, Is.Empty, $"{file}: {line}");
                Assert.That(line, Does.Not.Contain("ml-distill ").And.Not.Contain("docs/"), file);
            }
        }
    }

    private static string Repository()
    {
        DirectoryInfo at = new(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(at.FullName, "build.sh"))) at = at.Parent!;
        return at.FullName;
    }
}
