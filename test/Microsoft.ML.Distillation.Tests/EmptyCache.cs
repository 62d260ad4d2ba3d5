namespace Microsoft.ML.Distillation.Tests;

/// <summary>Tests see an empty cache, whatever is in the developer's own, and download from nowhere.</summary>
[SetUpFixture]
internal sealed class EmptyCache
{
    private readonly Dictionary<string, string?> _before = [];
    private string _folder = "";

    [OneTimeSetUp]
    public void Use()
    {
        _folder = Directory.CreateTempSubdirectory("ml-distillation-cache-").FullName;
        Set("ML_DISTILLATION_CACHE", _folder);
        Set("ML_DISTILLATION_WEIGHTS_URL", "http://127.0.0.1:9/");
    }

    [OneTimeTearDown]
    public void Restore()
    {
        foreach ((string name, string? value) in _before) Environment.SetEnvironmentVariable(name, value);
        Directory.Delete(_folder, recursive: true);
    }

    private void Set(string name, string value)
    {
        _before[name] = Environment.GetEnvironmentVariable(name);
        Environment.SetEnvironmentVariable(name, value);
    }
}
