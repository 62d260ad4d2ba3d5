using System.Reflection;
using System.Runtime.Loader;
using System.Text.RegularExpressions;

namespace Microsoft.ML.Distillation.Tests.Substitutes;

/// <summary>The substitutes show nothing that the packages they stand in for do not have.</summary>
public partial class SubstituteSurfaceTests
{
    [TestCase("TorchSharp")]
    [TestCase("Microsoft.ML")]
    [TestCase("Microsoft.ML.OnnxRuntime")]
    public void Substitute_ShowsOnlyWhatThePackageHas(string name)
    {
        HashSet<string> real = [.. File.ReadLines(Path.Combine(AppContext.BaseDirectory, "PublicSurface", $"{name}.txt")).Select(Comparable)];
        string[] surplus = [.. PublicSurface.Of(Load(name)).Where(line => !real.Contains(Comparable($"{name} | {line}"))).Order(StringComparer.Ordinal)];
        Assert.That(surplus, Is.Empty);
    }

    /// <summary>A call must bind to the same overload against both, so where a substitute has one of a name it has all.</summary>
    [TestCase("TorchSharp")]
    [TestCase("Microsoft.ML")]
    [TestCase("Microsoft.ML.OnnxRuntime")]
    public void Substitute_HasAllOverloads_OfWhatItHas(string name)
    {
        HashSet<string> own = [.. PublicSurface.Of(Load(name)).Select(line => Comparable($"{name} | {line}"))];
        HashSet<string> named = [.. own.Select(NameIn).OfType<string>()];
        string[] missing = [.. File.ReadLines(Path.Combine(AppContext.BaseDirectory, "PublicSurface", $"{name}.txt")).Select(Comparable)
            .Where(line => NameIn(line) is { } wanted && named.Contains(wanted) && !own.Contains(line)).Order(StringComparer.Ordinal)];
        Assert.That(missing, Is.Empty);
    }

    [Test]
    public void Sources_DoNotAskWhichOfThemTheyAreCompiledAgainst()
    {
        var asking = from folder in new[] { "src", "test", "benchmarks" }
                     from file in Directory.EnumerateFiles(Path.Combine(TestData.Repository(), folder), "*.cs", SearchOption.AllDirectories)
                     where !BuildOutput().IsMatch(file) && File.ReadLines(file).Any(line => Condition().IsMatch(line))
                     select file;
        Assert.That(asking, Is.Empty);
    }

    /// <summary>What two lines are compared by: all but the assembly, and of a type what stands before its bases and constraints.</summary>
    private static string Comparable(string line)
    {
        string[] fields = line.Split(" | ", 4);
        return $"{fields[1]} | {fields[2]} | {(fields[1] == "type" ? fields[3].Split(" : ")[0].Split(" where ")[0] : fields[3])}";
    }

    /// <summary>The type and name of a public method or constructor; <see langword="null"/> of anything else.</summary>
    private static string? NameIn(string line)
    {
        Match match = Callable().Match(line);
        return match.Success ? match.Groups[1].Value + "." + match.Groups[2].Value : null;
    }

    // In a context of its own: the packages' assemblies of the same names may be loaded already.
    private static Assembly Load(string name)
    {
        string folder = Path.Combine(TestData.Repository(), "substitutes");
        string configuration = Regex.Match(AppContext.BaseDirectory, @"[/\\]bin[/\\](\w+)[/\\]").Groups[1].Value;
        string PathOf(string assembly) => Path.Combine(folder, assembly, "bin", configuration, "net10.0", assembly + ".dll");
        var context = new AssemblyLoadContext(name);
        context.Resolving += (_, wanted) => File.Exists(PathOf(wanted.Name!)) ? context.LoadFromAssemblyPath(PathOf(wanted.Name!)) : null;
        return context.LoadFromAssemblyPath(PathOf(name));
    }

    [GeneratedRegex(@"^\s*#\s*(if|elif)\b.*(SUBSTITUTE|NUGET)", RegexOptions.IgnoreCase)]
    private static partial Regex Condition();

    [GeneratedRegex(@"^(?:method|ctor) \| ([^|]+) \| public [^(]*?([\w.]+)(?:<[^(]*>)?\(")]
    private static partial Regex Callable();

    [GeneratedRegex(@"[/\\](bin|obj)[/\\]")]
    private static partial Regex BuildOutput();
}
