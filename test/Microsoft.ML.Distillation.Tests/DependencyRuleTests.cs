using System.Text.RegularExpressions;

namespace Microsoft.ML.Distillation.Tests;

/// <summary>Who may know whom: the rule that keeps the library readable from the bottom up.</summary>
public partial class DependencyRuleTests
{
    private static readonly Dictionary<string, string[]> Knows = new()
    {
        ["Evaluation"] = [],
        ["Tensors"] = [],
        ["Losses"] = ["Tensors"],
        ["Onnx"] = [],
        ["Data"] = ["Onnx"],
        ["Detectors"] = ["Tensors", "Data", "Onnx", "Losses", "Evaluation"],
        ["Teachers"] = ["Tensors", "Data", "Onnx", "Losses", "Evaluation", "Detectors"],
        ["Training"] = ["Tensors", "Data", "Onnx", "Losses", "Evaluation", "Detectors", "Teachers"],
        ["Estimators"] = ["Tensors", "Data", "Onnx", "Losses", "Evaluation", "Detectors", "Teachers", "Training"],
    };

    private static readonly string[] KnowMachineLearningNet = ["Data", "Estimators", ""];
    private static readonly string[] KnowOnnxRuntime = ["Onnx", "Teachers"];

    private static readonly Lazy<IReadOnlyList<(string Folder, string File, string Code)>> Sources = new(ReadSources);

    [TestCaseSource(nameof(Folders))]
    public void Folder_KnowsOnlyWhatLiesBelowIt(string folder)
    {
        var homes = Sources.Value.ToLookup(s => Path.GetFileNameWithoutExtension(s.File), s => s.Folder);
        var offences = from source in Sources.Value
                       where source.Folder == folder
                       from name in Identifier().Matches(source.Code).Select(m => m.Value).Distinct()
                       where homes[name].Any() && homes[name].All(home => home != folder && !Knows[folder].Contains(home))
                       select $"{source.File} uses {name} of {string.Join(", ", homes[name])}";
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

    [GeneratedRegex(@"\b[A-Z]\w+\b")]
    private static partial Regex Identifier();
}
