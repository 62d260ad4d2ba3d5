using System.Text.RegularExpressions;

namespace Microsoft.ML.Distillation.Tests;

/// <summary>Who may know whom: the rule that keeps the library readable from the bottom up.</summary>
public partial class DependencyRuleTests
{
    private static readonly Dictionary<string, string[]> Knows = new()
    {
        ["Evaluation"] = [],
        ["Tensors"] = [],
        ["Compression"] = ["Tensors"],
        ["Losses"] = ["Tensors"],
        ["Reports"] = ["Evaluation", "Data"],
        ["Onnx"] = [],
        ["Drawing"] = ["Onnx"],
        ["Data"] = ["Onnx", "Drawing"],
        ["Detectors"] = ["Tensors", "Compression", "Data", "Onnx", "Losses", "Evaluation"],
        ["Teachers"] = ["Tensors", "Compression", "Data", "Onnx", "Losses", "Evaluation", "Detectors"],
        ["Training"] = ["Tensors", "Compression", "Data", "Onnx", "Losses", "Evaluation", "Detectors", "Teachers"],
        ["Estimators"] = ["Tensors", "Compression", "Data", "Onnx", "Losses", "Evaluation", "Detectors", "Teachers", "Training", "Drawing", "Reports"],
    };

    private static readonly string[] KnowMachineLearningNet = ["Data", "Drawing", "Estimators", ""];
    private static readonly string[] KnowOnnxRuntime = ["Onnx", "Teachers"];

    private static readonly Lazy<IReadOnlyList<(string Folder, string File, string Code)>> Sources = new(ReadSources);

    [TestCaseSource(nameof(Folders))]
    public void Folder_KnowsOnlyWhatLiesBelowIt(string folder)
    {
        // Internal types are reached through their folder's namespace; public ones live in the root namespace, so by name.
        var publicHomes = Sources.Value.Where(s => InRootNamespace().IsMatch(s.Code))
            .ToLookup(s => Path.GetFileNameWithoutExtension(s.File), s => s.Folder);
        var offences = new List<string>();
        foreach ((string _, string file, string code) in Sources.Value.Where(s => s.Folder == folder))
        {
            offences.AddRange(Import().Matches(code).Select(m => m.Groups["folder"].Value)
                .Where(known => known != folder && !Knows[folder].Contains(known)).Select(known => $"{file} imports {known}"));
            offences.AddRange(TypeUse().Matches(code).Select(m => m.Groups["name"].Value).Distinct()
                .Where(name => publicHomes[name].Any() && publicHomes[name].All(home => home != folder && !Knows[folder].Contains(home)))
                .Select(name => $"{file} uses {name} of {string.Join(", ", publicHomes[name])}"));
        }

        Assert.That(offences, Is.Empty);
    }

    [Test]
    public void OnlyDataAndEstimators_KnowMachineLearningNet()
        => Assert.That(FilesThatUse(@"\bMicrosoft\.ML(;|\.(Data|Runtime|Transforms|Model))", KnowMachineLearningNet), Is.Empty);

    [Test]
    public void OnlyOnnxAndTeachers_KnowOnnxRuntime()
        => Assert.That(FilesThatUse(@"\bMicrosoft\.ML\.OnnxRuntime\b", KnowOnnxRuntime), Is.Empty);

    private static IEnumerable<string> Folders() => Knows.Keys;

    private static IEnumerable<string> FilesThatUse(string pattern, string[] allowed)
        => from source in Sources.Value
           where !allowed.Contains(source.Folder) && Regex.IsMatch(source.Code, pattern)
           select source.File;

    private static List<(string Folder, string File, string Code)> ReadSources()
    {
        string root = Path.Combine(TestData.Repository(), "src", "Microsoft.ML.Distillation");
        var sources = new List<(string, string, string)>();
        foreach (string file in Directory.EnumerateFiles(root, "*.cs", SearchOption.AllDirectories))
        {
            string relative = Path.GetRelativePath(root, file).Replace('\\', '/');
            string folder = relative.Contains('/', StringComparison.Ordinal) ? relative[..relative.IndexOf('/', StringComparison.Ordinal)] : "";
            if (folder is "obj" or "bin") continue;
            sources.Add((folder, relative, CommentOrText().Replace(File.ReadAllText(file), "")));
        }

        Assert.That(sources, Has.Count.GreaterThan(5));
        return sources;
    }

    [GeneratedRegex(@"//[^\n]*|/\*.*?\*/|""(\\.|[^""\\\n])*""", RegexOptions.Singleline)]
    private static partial Regex CommentOrText();

    [GeneratedRegex(@"^namespace Microsoft\.ML\.Distillation;", RegexOptions.Multiline)]
    private static partial Regex InRootNamespace();

    [GeneratedRegex(@"^using (static )?Microsoft\.ML\.Distillation\.(?<folder>\w+)", RegexOptions.Multiline)]
    private static partial Regex Import();

    // A name where a type stands: before a member, a variable, an argument list's end or a bracket; nameof is only a word.
    [GeneratedRegex(@"(?<![\w.]|nameof\()(?<name>[A-Z]\w+)(?=\.|\??\s+[\w@]+\s*[,;=){]|>|\[)")]
    private static partial Regex TypeUse();
}
