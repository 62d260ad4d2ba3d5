namespace Microsoft.ML.Distillation.Tests.Estimators;

/// <summary>Images that training decodes from their files when they are due.</summary>
public class ImagesInFilesTests
{
    private readonly List<string> _warnings = [];
    private DrawnFolder _folder = null!;
    private MLContext _mlContext = null!;

    [SetUp]
    public void Draw()
    {
        _folder = new DrawnFolder(train: 9, val: 3, test: 0);
        _warnings.Clear();
        _mlContext = new MLContext(seed: 1);
        _mlContext.Log += (_, line) =>
        {
            if (line.Kind == Microsoft.ML.Runtime.ChannelMessageKind.Warning) _warnings.Add(line.RawMessage);
        };
    }

    [TearDown]
    public void Remove() => _folder.Dispose();

    [Test]
    public void Losses_AreTheSame_WhateverIsCached_AndHoweverManyThreadsDecode()
    {
        string[] decodedOnce = Losses(1L << 30, threads: 1);
        Assert.That(decodedOnce, Has.Length.EqualTo(6).And.Unique);
        Assert.That(Losses(0, threads: 1), Is.EqualTo(decodedOnce));
        Assert.That(Losses(3 * 96 * 72 * 4, threads: 3), Is.EqualTo(decodedOnce));
        Assert.That(Losses(0, threads: 4), Is.EqualTo(decodedOnce));

        string[] Losses(long cacheBytes, int threads)
        {
            var reports = new Training.Reports();
            Train(new TrainDetectorOptions
            {
                CacheBytes = cacheBytes,
                LoaderThreads = threads,
                Progress = reports,
                ValidationSet = Images("val"),
            });
            return [.. reports.All.Where(report => !report.EpochEnd).Select(report => $"{report.Loss:R}")];
        }
    }

    [Test]
    public void ImageThatBreaksOff_StopsTraining_OrIsLeftOutAndCounted()
    {
        // An image of which there is a part passes all that is looked at before training.
        foreach (int index in (int[])[3, 10])
        {
            byte[] content = File.ReadAllBytes(_folder.Image(index));
            File.WriteAllBytes(_folder.Image(index), content[..^200]);
        }

        var options = new TrainDetectorOptions { ValidationSet = Images("val") };
        Assert.That(() => Train(options), Throws.TypeOf<InvalidDataException>().With.Message
            .StartsWith($"Row 3 ('{_folder.Image(3)}'), column 'Image': the image cannot be read").And.Message.Contains("OnInvalidSample"));

        var reports = new Training.Reports();
        Train(options with { OnInvalidSample = InvalidSampleHandling.Skip, Progress = reports });
        Assert.That(reports.All[^1].Step, Is.EqualTo(6), "the steps are as many as without it");
        Assert.That(reports.All[^1].ValidationAveragePrecision, Is.Not.Null);
        Assert.That(_warnings, Has.Some.StartsWith("Invalid samples: 1 image left out. The first: Row 3 ").And
            .Some.StartsWith("Invalid samples: 1 image left out. The first: ValidationSet, row 1 "));
    }

    private void Train(TrainDetectorOptions options) => _mlContext.Transforms.TrainDetector(options with
    {
        Detector = DetectorPlan.FasterRcnn(Backbone.Plain(4, 8, 8), 64),
        Epochs = 3,
        BatchSize = 4,
        Seed = 5,
    }).Fit(Images("train")).Dispose();

    private IDataView Images(string split)
    {
        IDataView view = _mlContext.Data.LoadDetections(_folder.Path, split: split);
        return _mlContext.Transforms.LoadUprightImages("Image", inputColumnName: "ImagePath")
            .Append(_mlContext.Transforms.Conversion.MapValueToKey("Label")).Fit(view).Transform(view);
    }
}
