namespace Microsoft.ML.Distillation.Tests.Model;

public class SavedModelTests
{
    [Test]
    public void ModelsOfVersion01_LoadWithRuntimeAlone_AndFindTheSame([Values("two-stage", "one-stage")] string model,
        [Values(".zip", ".onnx")] string ending)
    {
        using ObjectDetector detector = ObjectDetector.Load(SavedModels.At(model + ending));
        Detection[] found = [.. detector.Detect(SavedModels.At("scene.jpg")).Take(10)];
        SavedModels.Expected[] expected = SavedModels.ExpectedOf(model);

        Assert.That(found.Select(one => one.Label), Is.EqualTo(expected.Select(one => one.Label)));
        Assert.That(found.Select(one => one.Score), Is.EqualTo(expected.Select(one => one.Score)).Within(1e-4));
        Assert.That(
            found.SelectMany(one => (float[])[one.Box.X0, one.Box.Y0, one.Box.X1, one.Box.Y1]),
            Is.EqualTo(expected.SelectMany(one => one.Box)).Within(0.05));
    }

    [Test]
    public void Runtime_ReferencesNoTorchSharp()
    {
        IEnumerable<string?> references = typeof(ObjectDetector).Assembly.GetReferencedAssemblies().Select(reference => reference.Name);
        Assert.That(references, Has.Member("Microsoft.ML.Core").And.None.Contains("Torch"));
        Assert.That(AppDomain.CurrentDomain.GetAssemblies().Select(assembly => assembly.GetName().Name), Has.None.EqualTo("TorchSharp"));
    }

    [Test]
    public void ApplicationWithoutOnnxRuntimesLibrary_IsToldWhichPackageToAdd()
    {
        using var folder = new TemporaryFolder();
        string program = ProgramRun.Find("ModelConsumer", below: "test"), source = Path.GetDirectoryName(program)!;
        int left = 0;
        foreach (string file in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories))
        {
            if (IsOnnxRuntimesLibrary(Path.GetFileName(file))) left++;
            else File.Copy(file, folder.Sub(Path.GetRelativePath(source, file)));
        }

        Assert.That(left, Is.Positive);
        ProgramRun run = ProgramRun.Of(Path.Combine(folder.Path, Path.GetFileName(program)), folder.Path,
            ["--detect", SavedModels.At("two-stage.zip"), SavedModels.At("scene.jpg")]);
        Assert.That(run.ExitCode, Is.Not.Zero);
        Assert.That(run.Error, Does.Contain("Microsoft.ML.OnnxRuntime.Gpu").And.Contain("Microsoft.ML.OnnxRuntime.DirectML").And
            .Contain("Microsoft.ML.OnnxRuntime (CPU)"));
    }

    private static bool IsOnnxRuntimesLibrary(string name) => name is "libonnxruntime.so" or "libonnxruntime.dylib" or "onnxruntime.dll";
}
