using System.Text.RegularExpressions;

namespace Microsoft.ML.Distillation.Tests;

/// <summary>
/// Holds the parts of the library apart: no import runs upwards, only the outer parts know ML.NET, and only two know ONNX
/// Runtime. Read from the source, for the compiler lets all of it pass.
/// </summary>
public partial class DependencyRuleTests
{
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Tensors"] = [],
        ["Evaluation"] = [],
        ["Losses"] = ["Tensors"],
        ["Onnx"] = [],
        ["Data"] = [],
        ["Detectors"] = ["Tensors", "Data", "Onnx"],
        ["Teachers"] = ["Tensors", "Data", "Onnx", "Detectors"],
        ["Training"] = ["Tensors", "Data", "Onnx", "Losses", "Evaluation", "Detectors", "Teachers"],
        ["Estimators"] = ["Tensors", "Data", "Onnx", "Losses", "Evaluation", "Detectors", "Teachers", "Training"],
    };

    private static string[] Parts => [.. Allowed.Keys];

    [TestCaseSource(nameof(Parts))]
    public void NoImport_RunsUpwards(string part)
    {
        foreach ((string file, string text) in Sources(part))
        {
            IEnumerable<string> used = OwnNamespaces().Matches(text).Select(m => m.Groups[1].Value).Where(n => n != part && Allowed.ContainsKey(n)).Distinct();
            Assert.That(used, Is.SubsetOf(Allowed[part]), file);
        }
    }

    [TestCaseSource(nameof(Parts))]
    public void OnlyEstimatorsAndData_KnowMLNet(string part)
    {
        if (part is "Estimators" or "Data") return;
        foreach ((string file, string text) in Sources(part))
            Assert.That(MLNetTypes().Match(text).Value, Is.Empty, file);
    }

    [TestCaseSource(nameof(Parts))]
    public void OnlyOnnxAndTeachers_KnowOnnxRuntime(string part)
    {
        if (part is "Onnx" or "Teachers") return;
        foreach ((string file, string text) in Sources(part))
            Assert.That(text, Does.Not.Contain("Microsoft.ML.OnnxRuntime"), file);
    }

    [Test]
    public void Training_KnowsNoKindOfTeacher()
    {
        foreach ((string file, string text) in Sources("Training"))
            Assert.That(text, Does.Not.Contain("DetectorTeacher"), file);
    }

    private static IEnumerable<(string File, string Text)> Sources(string part)
    {
        DirectoryInfo? root = new(AppContext.BaseDirectory);
        while (root is not null && !File.Exists(Path.Combine(root.FullName, "ML.Distillation.sln"))) root = root.Parent;
        if (root is null) Assert.Ignore("The source is not here.");
        return Directory.EnumerateFiles(Path.Combine(root!.FullName, "src", "Microsoft.ML.Distillation", part), "*.cs", SearchOption.AllDirectories)
            .Select(file => (file, Comments().Replace(File.ReadAllText(file), "")));
    }

    [GeneratedRegex("//.*")]
    private static partial Regex Comments();

    [GeneratedRegex(@"Microsoft\.ML\.Distillation\.(\w+)")]
    private static partial Regex OwnNamespaces();

    [GeneratedRegex(@"using Microsoft\.ML\.(Data|Runtime|Transforms)\b|\b(IDataView|MLContext|ITransformer|DataViewSchema)\b")]
    private static partial Regex MLNetTypes();
}
