namespace Microsoft.ML.Distillation.Tests.Pipelines;

public class SavedModelPipelineTests
{
    [Test]
    public void ZipsOfVersion01_LoadByMLNet_AndFindTheSame([Values("two-stage", "one-stage")] string model)
    {
        // Those models look for their step in this assembly, which thereby is loaded.
        Assert.That(typeof(TrainedDetector).Assembly.GetName().Name, Is.EqualTo("Microsoft.ML.Distillation"));
        var context = new MLContext();
        ITransformer loaded = context.Model.Load(SavedModels.At(model + ".zip"), out _);
        using PredictionEngine<Photo, Found> engine = context.Model.CreatePredictionEngine<Photo, Found>(loaded);
        Found found = engine.Predict(new Photo { ImagePath = SavedModels.At("scene.jpg") });
        SavedModels.Expected[] expected = SavedModels.ExpectedOf(model);

        Assert.That(found.PredictedLabel.Take(10), Is.EqualTo(expected.Select(one => one.Label)));
        Assert.That(found.Score.Take(10), Is.EqualTo(expected.Select(one => one.Score)).Within(1e-4));
        Assert.That(found.PredictedBoundingBoxes.Take(40), Is.EqualTo(expected.SelectMany(one => one.Box)).Within(0.05));
    }

    private sealed class Photo
    {
        public string ImagePath { get; set; } = "";
    }

    private sealed class Found
    {
        public string[] PredictedLabel { get; set; } = [];

        public float[] Score { get; set; } = [];

        public float[] PredictedBoundingBoxes { get; set; } = [];
    }
}
