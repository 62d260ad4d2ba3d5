using System.Reflection;
using System.Runtime.CompilerServices;

namespace Microsoft.ML.Distillation.Tests;

/// <summary>Whom the libraries show their internals: the command and the samples are clients like any other.</summary>
public class InternalsTests
{
    private static readonly string[] Own = ["Tests", "Tool.Tests", "Benchmarks", "Research"];

    [Test]
    public void Runtime_ShowsInternals_ToTrainingTestsBenchmarksAndResearch_AndToNobodyElse()
        => Assert.That(FriendsOf(typeof(DetectionCatalog)), Is.EquivalentTo((string[])["", .. Own, "Runtime.Tests", "TestUtilities"]));

    [Test]
    public void Training_ShowsInternals_ToTestsBenchmarksAndResearch_AndToNobodyElse()
        => Assert.That(FriendsOf(typeof(DistillationCatalog)), Is.EquivalentTo(Own));

    private static IEnumerable<string> FriendsOf(Type type)
    {
        const string Family = "Microsoft.ML.Distillation";
        return type.Assembly.GetCustomAttributes<InternalsVisibleToAttribute>()
            .Select(friend => friend.AssemblyName.StartsWith(Family, StringComparison.Ordinal)
                ? friend.AssemblyName[Family.Length..].TrimStart('.') : friend.AssemblyName);
    }
}
