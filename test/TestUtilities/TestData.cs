namespace Microsoft.ML.Distillation.Tests;

/// <summary>Finds the real data that some tests read; a test that asks for what is not there is skipped with the reason.</summary>
internal static class TestData
{
    /// <summary>A folder of the test data, from DISTILLATION_TEST_DATA or from shared/data beside the repository.</summary>
    public static string Folder(string name) => Find("DISTILLATION_TEST_DATA", "data", name);

    /// <summary>A file among the test models, from DISTILLATION_TEST_MODELS or from shared/models beside the repository.</summary>
    public static string Model(string name) => Find("DISTILLATION_TEST_MODELS", "models", name);

    /// <summary>A file or folder among the inputs from bug reports, from DISTILLATION_TEST_CASES or from shared/cases beside the
    /// repository.</summary>
    public static string Case(string name) => Find("DISTILLATION_TEST_CASES", "cases", name);

    private static string Find(string variable, string kind, string name)
    {
        string root = Environment.GetEnvironmentVariable(variable) ?? Path.Combine(Repository(), "..", "shared", kind);
        string path = Path.GetFullPath(Path.Combine(root, name));
        if (!Path.Exists(path))
            Assert.Ignore($"The test data '{name}' is not here: set {variable} to the folder that holds it.");
        return path;
    }

    /// <summary>The root of the repository that the tests were built in.</summary>
    public static string Repository()
    {
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "ML.Distillation.sln"))) return at.FullName;
        }

        throw new DirectoryNotFoundException($"No repository above {AppContext.BaseDirectory}: run the tests where they were built.");
    }
}
