using Microsoft.ML.Distillation.Detectors.Backbones;
using Microsoft.ML.Distillation.Research;

namespace Microsoft.ML.Distillation.Tests.Research;

public class PaperTablesTests
{
    private static readonly PaperBudget[] Budgets = [PaperBudget.Small, PaperBudget.Full];

    [TestCaseSource(nameof(Budgets))]
    public void Tables_HaveThePapersPlaces(object budget)
    {
        var tables = new PaperTables((PaperBudget)budget);
        Assert.That(tables.Tables.Select(table => table.Number), Is.EqualTo(new[] { 1, 2, 3, 4, 5 }));
        Assert.That(tables.Tables.Select(table => table.Cells.Count), Is.EqualTo(new[] { 10, 6, 10, 9, 4 }));
        foreach (PaperCell cell in tables.Tables.SelectMany(table => table.Cells))
        {
            foreach (string need in cell.Row.Needs) Assert.That(tables.Rows, Does.ContainKey(need), cell.Row.Id);
            if (cell.Against is not null) Assert.That(tables.Rows, Does.ContainKey(cell.Against), cell.Row.Id);
            Assert.That(cell.Row.Teacher is null, Is.EqualTo(cell.Row.Lesson is null), cell.Row.Id);
            Assert.That(cell.Row.Start is null, Is.EqualTo(cell.Row.Network is not null), cell.Row.Id);
        }
    }

    [Test]
    public void RowsOfOneName_AreOneDetector()
    {
        var tables = new PaperTables(PaperBudget.Small);
        foreach (var rows in tables.Tables.SelectMany(table => table.Cells).Select(cell => cell.Row).GroupBy(row => row.Id))
            Assert.That(rows.Distinct().Count(), Is.EqualTo(1), rows.Key);
        Assert.That(tables.Tables[4].Cells.Select(cell => cell.Row.Id), Is.SubsetOf(tables.Tables[3].Cells.Select(cell => cell.Row.Id)),
            "Table 5 measures rows of Table 4");
    }

    [Test]
    public void Table3_TakesThePapersShares()
    {
        PaperTable table = new PaperTables(PaperBudget.Full).Tables[2];
        Assert.That(table.Cells.Take(5).Select(cell => cell.Row.Compression!.FlopsShare),
            Is.EqualTo(new[] { 0.2, 0.25, 0.3, 0.375, 0.45 }));
        Assert.That(table.Cells[3].Row.Compression!.HeadFlopsShare, Is.EqualTo(0.17).Within(1e-9), "the paper's 11 million parameters");
        Assert.That(table.Cells.Skip(5).Select(cell => cell.Against), Is.EqualTo(table.Cells.Take(5).Select(cell => cell.Row.Id)));
    }

    [TestCase(5_011, 14)]
    [TestCase(82_783, 6)]
    public void ThePapersBudget_TrainsAsLongAsItsStandIn(int images, int epochs)
        => Assert.That(PaperBudget.Full.Apply(new TrainDetectorOptions(), images).Epochs, Is.EqualTo(epochs),
            "70,000 images of VOC's, 490,000 of COCO's");

    [Test]
    public void OtherInputs_KeepTheProportionsOfTable2_AndOfTheAnchors()
    {
        PaperBudget half = PaperBudget.Full.At(400);
        Assert.That(half.InputSizes, Is.EqualTo((400, 458, 230)));
        Assert.That(half.Detector.AnchorSizes, Is.EqualTo(new[] { 64f, 128, 256 }));
    }
}
