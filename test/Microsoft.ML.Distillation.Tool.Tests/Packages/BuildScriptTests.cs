using System.Diagnostics;
using Microsoft.ML.Distillation.Tool;

namespace Microsoft.ML.Distillation.Tests.Packages;

/// <summary>build.sh, in a folder of its own, with a stand-in for dotnet that writes down how it is called.</summary>
public class BuildScriptTests
{
    private TemporaryFolder _folder = null!;

    [SetUp]
    public void CopyScript()
    {
        if (!OperatingSystem.IsLinux()) Assert.Ignore("build.sh is for Linux.");
        _folder = new TemporaryFolder();
        DirectoryInfo at = new(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(at.FullName, "build.sh"))) at = at.Parent!;
        File.Copy(Path.Combine(at.FullName, "build.sh"), _folder.Sub("build.sh"));
        // With a browser in sight none is installed.
        _folder.Write("bin/chromium", "");
    }

    [TearDown]
    public void DeleteScript() => _folder?.Dispose();

    /// <summary>What names a version of the packages names that which is packed.</summary>
    [TestCase("templates/mldistill/.template.config/template.json", "\"defaultValue\": \"{0}\"")]
    [TestCase("src/Samples/quickstart.cs", "#:package ML.Distillation@{0}")]
    public void TemplateAndQuickstart_TakeThePackagesOfThisVersion(string file, string line)
    {
        string props = File.ReadAllText(Path.Combine(TestData.Repository(), "Directory.Build.props"));
        string version = System.Xml.Linq.XDocument.Parse(props).Descendants("Version").Single().Value;
        Assert.That(File.ReadAllText(Path.Combine(TestData.Repository(), file)), Does.Contain(string.Format(null, line, version)));
    }

    [Test]
    public void Demo_ShowsWhyABuildFails_AndDoesNotRun()
    {
        (int exitCode, string shown, string[] calls) =
            Run("case $1 in build) echo 'Scene.cs(1,1): error CS1002: ; expected'; exit 1 ;; esac", "demo");
        Assert.That(exitCode, Is.Not.Zero);
        Assert.That(shown, Does.Contain("Scene.cs(1,1): error CS1002"));
        Assert.That(calls, Has.None.StartWith("run "));
    }

    [Test]
    public void Test_SaysWhyTestsWereSkipped_AndKeepsTheExitCode()
    {
        const string Results = """
            <UnitTestResult testName="Needs(&quot;data&quot;)" outcome="NotExecuted" testListId="8">
              <Output><StdOut>no</StdOut><ErrorInfo>
                  <Message>The data &lt;is&gt; not here.</Message>
            </ErrorInfo></Output></UnitTestResult>
            <UnitTestResult testName="Fails" outcome="Failed" testListId="8">
                  <Message>Wrong.</Message>
            """;
        (int exitCode, string shown, _) =
            Run($"case $1 in test) mkdir -p artifacts/test-results; cat > artifacts/test-results/a.trx <<'END'\n{Results}\nEND\nexit 3 ;; "
            + $"esac", "test");
        Assert.That(exitCode, Is.EqualTo(3));
        Assert.That(shown, Does.Contain("Skipped, and why:\n  Needs(\"data\"): The data <is> not here.\n").And.Not.Contain("Fails"));
    }

    [Test]
    public void Pack_MakesTheCommandsPackageToo_WithTheLibtorchThatIsAskedFor()
    {
        string[] plain = Run("", "pack").Calls, small = Run("", "pack", "-p:TorchRuntime=none").Calls;
        foreach (string[] calls in (string[][])[plain, small])
        {
            Assert.That(calls, Has.One.Match("^pack src/Microsoft.ML.Distillation .*-o artifacts/packages"));
            Assert.That(calls, Has.One.Match("^pack src/Microsoft.ML.Distillation.Tool .*-o artifacts/packages"));
        }

        Assert.That(plain, Has.None.Contains("TorchRuntime"), "the applications' own default, which trains");
        Assert.That(small, Has.One.Match("^pack src/Microsoft.ML.Distillation.Tool .*-p:TorchRuntime=none$"));
    }

    [Test]
    public void CommandWithoutLibtorch_SaysSo_WhereItWouldTrain()
    {
        Assert.That(Libtorch.Carried, Is.Not.Empty.And.Not.EqualTo(Libtorch.None));
        Assert.That(Libtorch.Refusal("train", Libtorch.None), Does.Contain("'train' needs libtorch").And.Contain("-p:TorchRuntime=cpu"));
        Assert.That(Libtorch.Refusal("predict", Libtorch.None), Is.Null);
        Assert.That(Libtorch.Refusal("train", "cpu"), Is.Null);
    }

    private (int ExitCode, string Shown, string[] Calls) Run(string dotnet, params string[] args)
    {
        File.Delete(_folder.Sub("calls"));
        string stub = _folder.Write("bin/dotnet", $"#!/bin/sh\necho \"$*\" >> \"{_folder.Path}/calls\"\n{dotnet}\n");
        foreach (string file in Directory.GetFiles(Path.GetDirectoryName(stub)!).Append(_folder.Sub("build.sh")))
            if (OperatingSystem.IsLinux()) File
                .SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Directory.CreateDirectory(_folder.Sub("artifacts/packages"));
        var start = new ProcessStartInfo("bash", ["-c", "exec ./build.sh \"$@\" 2>&1", "-", .. args])
        {
            WorkingDirectory = _folder.Path,
            RedirectStandardOutput = true
        };
        start.Environment["PATH"] = $"{Path.GetDirectoryName(stub)}:{Environment.GetEnvironmentVariable("PATH")}";
        using Process process = Process.Start(start)!;
        string shown = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, shown, File.ReadAllLines(_folder.Sub("calls")));
    }
}
