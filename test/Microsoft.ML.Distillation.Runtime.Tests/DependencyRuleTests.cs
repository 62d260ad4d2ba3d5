using System.Text.RegularExpressions;

namespace Microsoft.ML.Distillation.Tests;

/// <summary>Who may know whom: the rule that keeps the library readable from the bottom up.</summary>
public partial class DependencyRuleTests
{
    private static readonly string[] Runtime =
        ["Files", "Evaluation", "Boxes", "Images", "Onnx", "Formats", "Rows", "Published", "Drawing", "Inspection", "Model", "Reports"];

    private static readonly Dictionary<string, string[]> Knows = new()
    {
        ["Files"] = [],
        ["Evaluation"] = [],
        ["Boxes"] = [],
        ["Images"] = ["Files"],
        ["Onnx"] = ["Files"],
        ["Formats"] = ["Files", "Images"],
        ["Rows"] = ["Files", "Images", "Formats", "Evaluation"],
        ["Published"] = ["Boxes", "Files", "Images", "Onnx", "Rows", "Formats"],
        ["Drawing"] = ["Files", "Images"],
        ["Inspection"] = ["Files", "Images", "Formats", "Rows", "Drawing"],
        ["Model"] = ["Boxes", "Files", "Images", "Onnx", "Rows", "Formats", "Evaluation", "Published"],
        ["Reports"] = ["Files", "Images", "Onnx", "Rows", "Evaluation", "Drawing", "Model"],
        ["Tensors"] = [],
        ["Compression"] = ["Tensors"],
        ["Distributed"] = ["Tensors"],
        ["Losses"] = ["Tensors", "Distributed"],
        ["Data"] = ["Files", "Images", "Rows"],
        ["Detectors"] = ["Boxes", "Tensors", "Distributed", "Compression", "Data", "Losses", "Files", "Images", "Rows", "Onnx",
            "Evaluation", "Model", "Published"],
        ["Teachers"] = ["Boxes", "Tensors", "Compression", "Data", "Losses", "Detectors", "Files", "Images", "Rows", "Onnx", "Evaluation",
            "Model", "Published"],
        ["Training"] = ["Boxes", "Tensors", "Distributed", "Compression", "Data", "Losses", "Detectors", "Teachers", "Files", "Images",
            "Rows", "Onnx", "Evaluation", "Model"],
        ["Estimators"] = ["Tensors", "Distributed", "Compression", "Data", "Losses", "Detectors", "Teachers", "Training", .. Runtime],
    };

    private static readonly string[] KnowMachineLearningNet =
        ["Images", "Rows", "Data", "Drawing", "Inspection", "Model", "Estimators", "Reports", ""];
    private static readonly string[] KnowOnnxRuntime = ["Onnx", "Published", "Teachers"];

    private static readonly Lazy<IReadOnlyList<(string Folder, string File, string Code)>> Sources = new(ReadSources);

    [TestCaseSource(nameof(Folders))]
    public void Folder_KnowsOnlyWhatLiesBelowIt(string folder)
    {
        // Internal types are reached through their folder's namespace; public ones live in the root namespace, so by name.
        var publicHomes = Sources.Value.Where(s => InRootNamespace().IsMatch(s.Code))
            .SelectMany(s => Declaration().Matches(s.Code).Select(m => (Name: m.Groups["name"].Value, s.Folder)))
            .ToLookup(type => type.Name, type => type.Folder);
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
    public void OnlyTheBorders_KnowMachineLearningNet()
        => Assert.That(FilesThatUse(@"\bMicrosoft\.ML(;|\.(Data|Runtime|Transforms|Model))", KnowMachineLearningNet), Is.Empty);

    [Test]
    public void OnlyWhatRunsModels_KnowsOnnxRuntime()
        => Assert.That(FilesThatUse(@"\bMicrosoft\.ML\.OnnxRuntime\b", KnowOnnxRuntime), Is.Empty);

    private static IEnumerable<string> Folders() => Knows.Keys;

    private static IEnumerable<string> FilesThatUse(string pattern, string[] allowed)
        => from source in Sources.Value
           where !allowed.Contains(source.Folder) && Regex.IsMatch(source.Code, pattern)
           select source.File;

    private static List<(string Folder, string File, string Code)> ReadSources()
    {
        string[] roots = [.. ((string[])["Microsoft.ML.Distillation.Runtime", "Microsoft.ML.Distillation"])
            .Select(name => Path.Combine(TestData.Repository(), "src", name))];
        var sources = new List<(string, string, string)>();
        foreach ((string root, string file) in roots
            .SelectMany(root => Directory.EnumerateFiles(root, "*.cs", SearchOption.AllDirectories).Select(file => (root, file))))
        {
            string relative = Path.GetRelativePath(root, file).Replace('\\', '/');
            string folder = relative.Contains('/', StringComparison.Ordinal) ? relative[..relative.IndexOf('/', StringComparison.Ordinal)]
                : "";
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

    [GeneratedRegex(@"^public [\w ]*?\b(record struct|record|class|struct|enum|interface) (?<name>\w+)", RegexOptions.Multiline)]
    private static partial Regex Declaration();

    [GeneratedRegex(@"^using (static )?Microsoft\.ML\.Distillation\.(?<folder>\w+)", RegexOptions.Multiline)]
    private static partial Regex Import();

    // A name where a type stands: before a member, a variable, an argument list's end or a bracket; nameof is only a word.
    [GeneratedRegex(@"(?<![\w.]|nameof\()(?<name>[A-Z]\w+)(?=\.|\??\s+[\w@]+\s*[,;=){]|>|\[)")]
    private static partial Regex TypeUse();
}
