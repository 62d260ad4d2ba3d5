using System.Diagnostics;
using System.IO.Compression;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Microsoft.ML.Distillation.Samples.Demo.Scenes;

namespace Microsoft.ML.Distillation.Tests.Packages;

/// <summary>The packages as users have them: packed, added to fresh console projects, and README's programs run there as they
/// stand.</summary>
public partial class PackageTests
{
    private const string Training = "ML.Distillation", Runtime = "ML.Distillation.Runtime";

    private TemporaryFolder _folder = null!;
    private string _version = null!;

    [OneTimeSetUp]
    public void Pack()
    {
        _folder = new TemporaryFolder();

        // A version of its own, as NuGet keeps what it has seen of a version.
        _version = $"0.0.0-test.{Guid.NewGuid():N}";
        foreach (string project in (string[])["Microsoft.ML.Distillation.Runtime", "Microsoft.ML.Distillation"])
        {
            Dotnet(TestData.Repository(), "pack", $"src/{project}", "--no-build", "-c", ProgramRun.Configuration, "-o",
                _folder.Sub("packages"),
                $"-p:PackageVersion={_version}", "-p:IncludeSymbols=false", "--verbosity", "quiet");
        }
    }

    [OneTimeTearDown]
    public void Clean()
    {
        if (_version is not null)
        {
            string cache = Dotnet(_folder.Path, "nuget", "locals", "global-packages", "--list").Replace("global-packages: ", "").Trim();
            foreach (string package in (string[])[Training, Runtime])
            {
                string folder = Path.Combine(cache, package.ToLowerInvariant(), _version);
                if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
            }
        }

        _folder?.Dispose();
    }

    [Test]
    public void ReadmesPrograms_RunFromThePackages_AsTheyStand()
    {
        string[] programs = [.. CSharp().Matches(File.ReadAllText(Path.Combine(TestData.Repository(), "README.md")))
            .Select(match => match.Groups["code"].Value)];
        Assert.That(programs, Has.Length.EqualTo(2), "one that distils, one that uses");

        string trains = Project("trains", programs[0], (Training, _version), ("TorchSharp-cpu", null), ("Microsoft.ML.OnnxRuntime", null));
        SceneDataSet.Write(Path.Combine(trains, "data"), seed: 1, [("train", 1), ("test", 1)]);
        Dotnet(trains, "run", "-c", "Release");
        Assert.That(File.Exists(Path.Combine(trains, "student.zip")) && File.Exists(Path.Combine(trains, "student.onnx")));

        string uses = Project("uses", programs[1], (Runtime, _version), ("Microsoft.ML.OnnxRuntime", null));
        File.Copy(Path.Combine(trains, "student.onnx"), Path.Combine(uses, "student.onnx"));
        File.Copy(Directory.GetFiles(Path.Combine(trains, "data", "JPEGImages"))[0], Path.Combine(uses, "photo.jpg"));
        string found = Dotnet(uses, "run", "-c", "Release");
        Assert.That(found.Trim().Split('\n'), Has.All.Match(@"^\w+ \d+ ?% at -?\d+,-?\d+ to -?\d+,-?\d+$"));
        string[] files = Directory.GetFiles(Path.Combine(uses, "bin"), "*", SearchOption.AllDirectories);
        Assert.That(files, Has.None.Contains("Torch").IgnoreCase, "what only uses models carries no libtorch");
    }

    [Test]
    public void Quickstart_RunsFromOneFile_WithoutAProject()
    {
        using var drawn = new DrawnFolder(train: 4, val: 0, test: 0);
        var mlContext = new MLContext(1);
        mlContext.Data.SaveDetections(
            mlContext.Data.LoadDetections(drawn.Path, split: "train"), _folder.Sub("one/data"), DetectionFormat.Yolo, copyImages: true);
        using TeacherGraph graph = new TeacherGraph("batch").Output("scores", [.1f, .8f, .1f], [1, 3])
            .Output("boxes", [.1f, .1f, .4f, .5f], [1, 4]).Metadata("names", "{0: 'square', 1: 'disc'}");
        string program = File.ReadAllText(Path.Combine(TestData.Repository(), "src", "Samples", "quickstart.cs"));
        Assert.That(program, Does.Contain("#:package ML.Distillation@"));
        program = PackageLine().Replace(program, $"#:package ML.Distillation@{_version}\n"
            + $"#:property RestoreAdditionalProjectSources={_folder.Sub("packages")}");
        File.WriteAllText(_folder.Sub("one/quickstart.cs"), program);
        string output = Dotnet(_folder.Sub("one"), "run", "quickstart.cs", "data", graph.Save(), "1");
        Assert.That(output, Does.Contain("Epoch 1/1").And.Contain("image0.png"));
        Assert.That(File.Exists(_folder.Sub("one/student.onnx")));
    }

    /// <summary>Installed for this test alone, made, built and used as a newcomer would.</summary>
    [Test]
    public void Template_MakesAProjectThatDistils_AndOneThatDetects()
    {
        Dotnet(TestData.Repository(), "pack", "templates", "-o", _folder.Sub("packages"), "--artifacts-path", _folder.Sub("template"),
            $"-p:PackageVersion={_version}", "--verbosity", "quiet");
        string hive = _folder.Sub("hive");
        Dotnet(_folder.Path, "new", "install", _folder.Sub($"packages/ML.Distillation.Templates.{_version}.nupkg"), "--debug:custom-hive",
            hive);
        Dotnet(_folder.Path, "new", "mldistill", "-n", "Parts", "--libraryVersion", _version, "--debug:custom-hive", hive);
        string parts = _folder.Sub("Parts");
        using var drawn = new DrawnFolder(train: 2, val: 1, test: 0);
        var mlContext = new MLContext(1);
        foreach (string split in (string[])["train", "val"])
        {
            mlContext.Data.SaveDetections(mlContext.Data.LoadDetections(drawn.Path, split: split), Path.Combine(parts, "data"),
                DetectionFormat.Yolo, split, copyImages: true);
        }

        string source = $"-p:RestoreAdditionalProjectSources={_folder.Sub("packages")}";
        Dotnet(parts, "build", "-c", "Release", source, "--verbosity", "quiet");
        string trained = Dotnet(parts, "run", "--project", "Parts.Training", "-c", "Release", "--no-build", "--", "data", "1");
        Assert.That(trained, Does.Contain("saved student.zip and student.onnx").And.Contain(" on val").And.Contain("Epoch 1/1")
            .And.Not.Contain("Channel "));
        string found = Dotnet(parts, "run", "--project", "Parts.Detection", "-c", "Release", "--no-build", "--", "student.onnx",
            drawn.Image(0));
        Assert.That(found, Does.Contain("image0.png: "));
    }

    /// <summary>Packs libtorch three times: minutes. The command comes by its one id, whatever the platform.</summary>
    [Test, Explicit("Packs the command for four platforms, which takes minutes.")]
    public void ToolPackages_OfAllPlatforms_ComeUnderOneId()
    {
        Dotnet(TestData.Repository(), "pack", "src/Microsoft.ML.Distillation.Tool", "-c", "Release", "-o", _folder.Sub("tools"),
            "--artifacts-path", _folder.Sub("tool-build"), "-p:AllPlatforms=true", $"-p:PackageVersion={_version}", "--verbosity", "quiet");
        string[] platforms = ["", ".linux-x64", ".win-x64", ".osx-arm64", ".linux-arm64"];
        Assert.That(Directory.GetFiles(_folder.Sub("tools")).Select(Path.GetFileName),
            Is.EquivalentTo(platforms.Select(platform => $"ML.Distillation.Tool{platform}.{_version}.nupkg")));
        using (ZipArchive arm = ZipFile.OpenRead(_folder.Sub($"tools/ML.Distillation.Tool.linux-arm64.{_version}.nupkg")))
            Assert.That(arm.Entries.Select(entry => entry.Name), Has.None.Contains("torch_cpu"), "TorchSharp has none for it");
        Dotnet(_folder.Path, "tool", "install", "ML.Distillation.Tool", "--tool-path", _folder.Sub("installed"), "--version", _version,
            "--add-source", _folder.Sub("tools"));
        string command = Directory.GetFiles(_folder.Sub("installed"), "ml-distill*").Single();
        ProcessStartInfo start = new(command, ["--version"]) { RedirectStandardOutput = true };
        using Process process = Process.Start(start)!;
        Assert.That(process.StandardOutput.ReadToEnd(), Does.Match(@"^\d+\.\d+"));
    }

    [Test]
    public void Packages_SayWhatTheyNeed()
    {
        Dictionary<string, string> training = Dependencies(Training), runtime = Dependencies(Runtime);
        Assert.That(training[Runtime], Is.EqualTo($"[{_version}]"), "the two share internals, so only the same version will do");
        Assert.That(training.Keys, Is.EquivalentTo(new[] { Runtime, "TorchSharp" }));
        Assert.That(runtime["SkiaSharp"], Is.EqualTo("[2.88.9, 3.0.0)"), "ML.NET breaks on SkiaSharp 3");
        Assert.That(runtime.Keys, Has.None.Contains("Torch").And.None.EqualTo("Microsoft.ML.OnnxRuntime"),
            "applications choose the native libraries");
    }

    [TestCase("cuda-windows")]
    [TestCase("cuda-linux")]
    public void TorchRuntime_ChoosesTheBundle_ThatARestoreAsksFor(string runtime)
    {
        string shown = Dotnet(TestData.Repository(), "msbuild", "src/Microsoft.ML.Distillation.Tool", $"-p:TorchRuntime={runtime}",
            "-getItem:PackageReference");
        Assert.That(shown, Does.Contain($"\"TorchSharp-{runtime}\"").And.Not.Contain("\"TorchSharp-cpu\""));
    }

    private Dictionary<string, string> Dependencies(string package)
    {
        using ZipArchive zip = ZipFile.OpenRead(_folder.Sub($"packages/{package}.{_version}.nupkg"));
        using Stream stream = zip.GetEntry($"{package}.nuspec")!.Open();
        return XDocument.Load(stream).Descendants().Where(e => e.Name.LocalName == "dependency")
            .ToDictionary(e => e.Attribute("id")!.Value, e => e.Attribute("version")!.Value);
    }

    /// <summary>A console project as <c>dotnet new console</c> makes it, with a program and packages; those without a version have this
    /// repository's.</summary>
    private string Project(string name, string program, params (string Id, string? Version)[] packages)
    {
        XDocument versions = XDocument.Load(Path.Combine(TestData.Repository(), "Directory.Packages.props"));
        IEnumerable<string> references = packages.Select(package =>
        {
            string version = package.Version
                ?? versions.Descendants("PackageVersion").Single(e => e.Attribute("Include")!.Value == package.Id)
                    .Attribute("Version")!.Value;
            return $"<PackageReference Include=\"{package.Id}\" Version=\"{version}\" />";
        });
        _folder.Write($"{name}/Program.cs", program);
        _folder.Write($"{name}/{name}.csproj", $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <ImplicitUsings>enable</ImplicitUsings>
                <Nullable>enable</Nullable>
                <RestoreAdditionalProjectSources>{_folder.Sub("packages")}</RestoreAdditionalProjectSources>
              </PropertyGroup>
              <ItemGroup>{string.Concat(references)}</ItemGroup>
            </Project>
            """);
        return _folder.Sub(name);
    }

    private static string Dotnet(string folder, params string[] args)
    {
        var start = new ProcessStartInfo("dotnet", args)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true
        };
        start.Environment["OMP_WAIT_POLICY"] = "PASSIVE";
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.That(process.ExitCode, Is.Zero, $"dotnet {string.Join(' ', args)}\n{output}{errors.Result}");
        return output;
    }

    [GeneratedRegex(@"^#:package ML\.Distillation@\S+", RegexOptions.Multiline)]
    private static partial Regex PackageLine();

    [GeneratedRegex(@"```csharp\n(?<code>.*?)```", RegexOptions.Singleline)]
    private static partial Regex CSharp();
}
