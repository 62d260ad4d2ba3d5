using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Tests.Training;

namespace Microsoft.ML.Distillation.Tests.Pipelines;

/// <summary>Teachers of this library's own whose classes are not the student's.</summary>
public class OtherClassesPipelineTests
{
    [Test]
    public void WhatATeacherLacks_AndWhatItHasBeyond_IsInTheLog([Values] bool oneStageTeacher, [Values] bool oneStageStudent)
    {
        using var folder = new DrawnFolder(train: 4, val: 0, test: 0);
        string[] classes = ["Square", "triangle"];
        using (Detector network = oneStageTeacher ? OneStageRun.Detector(classes: classes) : TinyRun.Detector(classes: classes))
            File.WriteAllBytes(folder.At("teacher.onnx"), DetectorFile.Export(network).ToBytes());
        var mlContext = new MLContext(seed: 1);
        var log = new List<string>();
        mlContext.Log += (_, e) => log.Add(e.RawMessage);
        var light = new OneStageOptions { Channels = 16, HeadLayers = 1, Strides = [8, 16] };
        var pipeline = mlContext.Transforms.LoadImages("Image", imageFolder: null, inputColumnName: "ImagePath")
            .Append(mlContext.Transforms.Conversion.MapValueToKey("Label"))
            .Append(mlContext.Transforms.DistillDetector(new DistillDetectorOptions
            {
                Teacher = Teacher.FromModel(folder.At("teacher.onnx")),
                Student = oneStageStudent ? DetectorPlan.OneStage(Backbone.Plain(8, 16, 16), 64, light)
                    : DetectorPlan.FasterRcnn(Backbone.Plain(8, 16, 16), 64),
                Losses = [new SoftClasses(), new BoundedBoxes()],
                Epochs = 1,
            }));

        using var model = (IDisposable)pipeline.Fit(mlContext.Data.LoadDetections(folder.Path, split: "train"));

        Assert.That(log, Has.Some.Contains("does not know 'disc': learned from the labels").And.Some
            .Contains("count as background: triangle").And.Some.Contains("class.soft"));
    }
}
