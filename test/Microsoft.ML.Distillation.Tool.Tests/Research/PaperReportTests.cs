using Microsoft.ML.Distillation.Research;

namespace Microsoft.ML.Distillation.Tests.Research;

public class PaperReportTests
{
    private static readonly Dictionary<string, string> Settings = new() { ["budget"] = "small", ["epochs"] = "3" };

    private static readonly PaperRow Alone = new("tucker"), Distilled = new("tucker+vgg16") { Teacher = "vgg16" };

    private static readonly PaperTable Table = new(3, "Compressed students",
    [
        new(Alone, "fine-tuned", "20 %", null, 30.3), new(new PaperRow("other"), "fine-tuned", "25 %", null, 49.3),
        new(Distilled, "distilled", "20 %", "tucker", 35.5), new(new PaperRow("more"), "distilled", "25 %", "other", 55.4),
    ]);

    [Test]
    public void Page_HasThePapersLayout_ThenEveryRow()
    {
        using var folder = new TemporaryFolder();
        var results = new PaperResults(folder.Path, Settings);
        results.Put(Result("tucker", 1, 0.50, 0.20, 4));
        results.Put(Result("tucker", 2, 0.54, 0.22, 6));
        results.Put(Result("tucker+vgg16", 1, 0.53, 0.25, 5));
        results.Put(Result("tucker+vgg16", 2, 0.55, 0.29, 5));
        PaperReport.Write(folder.Path, Table, results);

        // Deviations: 4/√2 = 2.83 and 2/√2 = 1.41; differences 3 and 1: mean 2, half width 12.706 · √2/√2 = 12.7.
        Assert.That(File.ReadAllText(folder.Sub("table-3.md")).Split("\n\n")[^2..], Is.EqualTo(new[]
        {
            """
            |  | 20 % | 25 % |
            | - | - | - |
            | fine-tuned, AP50 | 52.0 ± 2.8 |  |
            | fine-tuned, AP | 21.0 ± 1.4 |  |
            | the paper's, VOC 2007 | 30.3 | 49.3 |
            | distilled, AP50 | 54.0 ± 1.4 |  |
            | distilled, AP | 27.0 ± 2.8 |  |
            | the paper's, VOC 2007 | 35.5 | 55.4 |
            """.ReplaceLineEndings("\n"),
            """
            | row | teacher | parameters | ms/image | seeds | AP50 | AP | against | ΔAP50 | ΔAP | reconstruction error |
            | - | - | - | - | - | - | - | - | - | - | - |
            | tucker | – | 12,345 | 6.0 | 2 | 52.0 ± 2.8 | 21.0 ± 1.4 |  |  |  | 0.250 |
            | tucker+vgg16 | vgg16 | 12,345 | 5.0 | 2 | 54.0 ± 1.4 | 27.0 ± 2.8 | tucker | +2.0 ± 12.7 | +6.0 ± 12.7 | 0.250 |

            """.ReplaceLineEndings("\n"),
        }));
        Assert.That(File.ReadAllText(folder.Sub("table-3.json")), Does.Contain("\"row\": \"tucker\\u002Bvgg16\"").And
            .Contain("\"voc07\": 35.5"));
    }

    [Test]
    public void AGivenModel_IsNoRow_ButTold()
    {
        using var folder = new TemporaryFolder();
        var results = new PaperResults(folder.Path, Settings);
        results.Put(Result("tucker", 1, 0.80, 0.60, 4) with { Given = true });
        results.Put(Result("vgg16", 1, 0.90, 0.70, 4) with { Given = true });
        results.Put(Result("tucker+vgg16", 1, 0.53, 0.25, 5));
        PaperSummary cell = PaperSummary.Of(Table.Cells[2], results)!;
        Assert.That((cell.Ap!.Mean, cell.GainAp, cell.GainAp50), Is.EqualTo((25.0, (Gain?)null, (Gain?)null)),
            "it was trained with another seed and schedule");
        Assert.That(results.Find("tucker", 1), Is.Null, "the row is still to be trained");

        results.Put(Result("tucker", 1, 0.50, 0.20, 4));
        Assert.That(PaperSummary.Of(Table.Cells[2], results)!.GainAp!.Mean, Is.EqualTo(5).Within(1e-9),
            "against the row, not the model of its name");
        Assert.That(results.FindGiven("tucker")!.Test.Ap, Is.EqualTo(0.6));
        PaperReport.Write(folder.Path, Table, results);
        Assert.That(File.ReadAllText(folder.Sub("table-3.md")), Does
            .Contain("| vgg16 (given) | – | 12,345 | 4.0 | 1 | 90.0 | 70.0 |").And.Not.Contain("tucker (given)"));
    }

    [Test]
    public void Results_ComeBack_AndRefuseOtherSettings()
    {
        using var folder = new TemporaryFolder();
        PaperResult result = Result("tucker", 7, 0.5, 0.2, 4) with { Training = new PaperFigures(.9, null, .8, .7, .6) };
        new PaperResults(folder.Path, Settings).Put(result);
        Assert.That(new PaperResults(folder.Path, Settings).Find("tucker", 7), Is.EqualTo(result));
        Assert.That(new PaperResults(folder.Path, Settings).Find("tucker", 8), Is.Null);
        Assert.That(
            () => new PaperResults(folder.Path, new Dictionary<string, string>(Settings) { ["epochs"] = "4" }),
            Throws.InvalidOperationException.With.Message.Contains("epochs is 3, and now it is 4"));
        Assert.That(
            () => new PaperResults(folder.Path, new Dictionary<string, string> { ["budget"] = "small" }),
            Throws.InvalidOperationException.With.Message.Contains("epochs is 3, and now it is not set"));
        folder.Write("results.json", "{ \"settings\": {} }");
        Assert.That(() => new PaperResults(folder.Path, Settings), Throws.TypeOf<FormatException>().With.Message.Contains("results.json"));
    }

    [Test]
    public void SettingsOfARunThatTrainedNothing_CanBeCorrected()
    {
        using var folder = new TemporaryFolder();
        var corrected = new Dictionary<string, string>(Settings) { ["epochs"] = "4" };
        _ = new PaperResults(folder.Path, Settings);
        Assert.That(new PaperResults(folder.Path, corrected).Settings["epochs"], Is.EqualTo("4"));
        folder.Write("models/tucker-seed1.zip", "trained for 4 epochs");
        Assert.That(() => new PaperResults(folder.Path, Settings), Throws.InvalidOperationException.With.Message
            .Contains("epochs is 4, and now it is 3"));
    }

    [Test]
    public void FiguresOfOtherDataSets_HaveLinesOfTheirOwn()
    {
        PaperTable table = new PaperTables(PaperBudget.Small).Tables[0];
        string[] lines = PaperReport.Markdown(table, [], [], Settings).Split('\n');
        Assert.That(lines, Does.Contain("| the paper's, COCO, AP50 | 25.4 | 26.5 | 26.4 | 28.3 |"));
        Assert.That(lines, Does.Contain("| the paper's, COCO, AP | 15.8 |  | 16.0 | 16.9 |"));
        Assert.That(lines, Does.Contain("| the paper's, KITTI | 56.7 |  |  | 58.6 |"));
        Assert.That(lines, Does.Contain("| the paper's, ILSVRC | 35.6 |  |  |  |"));
        Assert.That(lines, Has.None.Contains("ms on a"), "the paper has times in Table 2 alone");
    }

    private static PaperResult Result(string row, int seed, double voc, double ap, double milliseconds)
        => new(row, seed, 12345, milliseconds, new PaperFigures(voc, voc, voc, ap, ap), null, 0.25);
}
