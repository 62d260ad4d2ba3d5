namespace Microsoft.ML.Distillation.Tests;

/// <summary>
/// The folder in which all tests of this assembly run: a run that is told no folder makes <c>runs</c> there, which goes with it.
/// </summary>
[SetUpFixture]
public class RunsFolder
{
    private string _before = null!;
    private TemporaryFolder _folder = null!;

    [OneTimeSetUp]
    public void Enter()
    {
        (_before, _folder) = (Environment.CurrentDirectory, new TemporaryFolder());
        Environment.CurrentDirectory = _folder.Path;
    }

    [OneTimeTearDown]
    public void Leave()
    {
        Environment.CurrentDirectory = _before;
        _folder.Dispose();
    }
}
