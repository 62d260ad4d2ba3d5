using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Images;

namespace Microsoft.ML.Distillation.Tests.Detectors.OneStage;

public class PointAssignerTests
{
    // Locations of stride 8 at 4, 12, 20, 28 in both directions (0 to 15), and of stride 16 at 8 and 24 (16 to 19).
    private static readonly PointGrid Grid = new(new ImageSize(32, 32), [8, 16]);

    [Test]
    public void Grid_HasTheCentresOfCells_FinestFirst()
    {
        Assert.That(Grid.Count, Is.EqualTo(20));
        Assert.That((Grid.X[6], Grid.Y[6], Grid.Strides[6]), Is.EqualTo((20f, 12f, 8f)));
        Assert.That((Grid.X[18], Grid.Y[18], Grid.Strides[18]), Is.EqualTo((8f, 24f, 16f)));
        Assert.That(new PointGrid(new ImageSize(33, 17), [8]).Levels[0], Is.EqualTo(new PointLevel(8, 5, 3, 0)), "halvings round up");
    }

    [Test]
    public void TaskAligned_TakesTheBestInside_AndAsksForWhatTheirBoxesDeserve()
    {
        // The object 0 0 16 16 holds the locations 0, 1, 4, 5 and 16. Class 1 of two.
        (float[] scores, float[] boxes) = Predictions();
        Predict(0, 0.5f, [0, 0, 16, 16]);       // IoU 1, t = 0.5
        Predict(1, 0.8f, [0, 0, 16, 8]);        // IoU 1/2, t = 0.8/64
        Predict(4, 0.9f, [0, 0, 8, 8]);         // IoU 1/4, t = 0.9/4096: not among the best three
        Predict(5, 0.9f, [20, 20, 24, 24]);     // no overlap
        Predict(16, 0.2f, [0, 0, 16, 16]);      // IoU 1, t = 0.2
        Predict(2, 1, [0, 0, 16, 16]);          // perfect, but outside
        AssignedPoints assigned = new TaskAlignedAssigner(Grid, candidates: 3).Assign(scores, boxes, [0, 0, 16, 16], [1]);

        Assert.That(Owned(assigned, 0), Is.EqualTo(new[] { 0, 1, 16 }));
        Assert.That(assigned.Qualities[0], Is.EqualTo(1).Within(1e-6));
        Assert.That(assigned.Qualities[1], Is.EqualTo(0.8 / 64 / 0.5).Within(1e-6));
        Assert.That(assigned.Qualities[16], Is.EqualTo(0.4).Within(1e-6));
        Assert.That(assigned.Qualities[2], Is.Zero);
        Assert.That(assigned.Weights, Is.EqualTo(assigned.Qualities));

        void Predict(int point, float score, float[] box)
        {
            scores[2 * point + 1] = score;
            box.CopyTo(boxes, 4 * point);
        }
    }

    [Test]
    public void TaskAligned_GivesAContestedLocation_ToTheObjectThatItsBoxOverlapsMost()
    {
        // Both objects hold location 5; its box is nearer to the second.
        (float[] scores, float[] boxes) = Predictions();
        Array.Fill(scores, 0.5f);
        new float[] { 8, 8, 26, 26 }.CopyTo(boxes, 20);
        foreach (float[] objects in new float[][] { [0, 0, 14, 14, 10, 10, 26, 26], [10, 10, 26, 26, 0, 0, 14, 14] })
        {
            AssignedPoints assigned = new TaskAlignedAssigner(Grid).Assign(scores, boxes, objects, [0, 0]);
            Assert.That(assigned.Objects[5], Is.EqualTo(objects[0] == 10 ? 0 : 1));
        }
    }

    [Test]
    public void TaskAligned_GivesAnObjectBetweenLocations_TheNearestOne()
    {
        (float[] scores, float[] boxes) = Predictions();
        AssignedPoints assigned = new TaskAlignedAssigner(Grid).Assign(scores, boxes, [21, 13, 23, 15], [0]);
        Assert.That(Owned(assigned, 0), Is.EqualTo(new[] { 6 }));
        Assert.That(assigned.Qualities[6], Is.Zero, "its box does not overlap the object");
    }

    [Test]
    public void Atss_TakesThoseAboveMeanAndDeviation()
    {
        // With two candidates of each map: of stride 8, 20 pixels wide, locations 5 and 6 (12 12 and 20 12); of stride 16, 40 wide, 16 and
        // 17.
        (float[] scores, float[] boxes) = Predictions();
        float[] box = [4, 2, 24, 22];
        double[] ious = [1 / (1.0), 0, 0, 0];
        // Location 5: 2 2 22 22 shares 18·20 with 400: 360/440. Location 6: 10 2 30 22 shares 14·20: 280/520.
        // Location 16: −12 −12 28 28 holds the object: 400/1600. Location 17: 4 −12 44 28 holds it: 400/1600.
        ious = [360.0 / 440, 280.0 / 520, 0.25, 0.25];
        double mean = ious.Average(), deviation = Math.Sqrt(ious.Sum(u => (u - mean) * (u - mean)) / 3);
        Assert.That(mean + deviation, Is.GreaterThan(ious[1]).And.LessThan(ious[0]), "so location 5 alone is positive");
        new float[] { 4, 2, 24, 12 }.CopyTo(boxes, 20);
        AssignedPoints assigned = new AtssAssigner(Grid, candidates: 2).Assign(scores, boxes, box, [0]);
        Assert.That(Owned(assigned, 0), Is.EqualTo(new[] { 5 }));
        Assert.That((assigned.Qualities[5], assigned.Weights[5]), Is.EqualTo((0.5f, 1f)), "the predicted box covers half of the object");
    }

    [Test]
    public void Atss_NeverLeavesAnObjectOut()
    {
        (float[] scores, float[] boxes) = Predictions();
        AssignedPoints assigned = new AtssAssigner(Grid).Assign(scores, boxes, [15, 15, 17, 17], [0]);
        Assert.That(Owned(assigned, 0), Has.Length.EqualTo(1));
    }

    [TestCase(OneStageAssignment.TaskAligned)]
    [TestCase(OneStageAssignment.Atss)]
    public void NoObjects_AllBackground(OneStageAssignment kind)
    {
        (float[] scores, float[] boxes) = Predictions();
        IPointAssigner assigner = kind == OneStageAssignment.Atss ? new AtssAssigner(Grid) : new TaskAlignedAssigner(Grid);
        AssignedPoints assigned = assigner.Assign(scores, boxes, [], []);
        Assert.That(assigned.Objects, Is.All.EqualTo(AssignedPoints.Background));
        Assert.That(assigned.Qualities.Concat(assigned.Weights), Is.All.Zero);
    }

    private static (float[] Scores, float[] Boxes) Predictions() => (new float[2 * Grid.Count], new float[4 * Grid.Count]);

    private static int[] Owned(AssignedPoints assigned, int index)
        => [.. Enumerable.Range(0, Grid.Count).Where(point => assigned.Objects[point] == index)];
}
