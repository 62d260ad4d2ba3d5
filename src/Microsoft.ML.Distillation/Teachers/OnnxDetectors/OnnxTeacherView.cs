using Microsoft.ML.Distillation.Detectors.Boxes;
using Microsoft.ML.Distillation.Onnx;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Teachers.OnnxDetectors;

/// <summary>What an ONNX teacher knows of one batch: the graph has run once, all questions are answered from what it gave.</summary>
internal sealed class OnnxTeacherView(
    OnnxTeacher teacher, IReadOnlyList<OnnxDetection> detections, StudentPredictions[] predictions, Device device) : ITeacherView
{
    private readonly Dictionary<string, Tensor> _features = [];

    public Tensor Feature(string name)
    {
        if (_features.TryGetValue(name, out Tensor? known)) return known;
        string[] names = [.. teacher.FeatureMaps.Select(map => map.Name)];
        int index = Array.IndexOf(names, name);
        if (index < 0)
        {
            string near = names.Length == 0 ? "it has none; name them in the option Hints" : string.Join(", ", NearestNames.Of(name, names).Select(n => $"'{n}'"));
            throw new ArgumentException($"The teacher has no hint '{name}': {near}.", nameof(name));
        }

        using var scope = NewDisposeScope();
        Tensor maps = FeatureMapCrop.Stack([.. detections.Select(d => d.Hints[index])], [.. detections.Select(d => d.Frame)]);
        return _features[name] = maps.to(device).DetachFromDisposeScope();
    }

    public BoxScores ScoreBoxes(IReadOnlyList<Tensor> boxes)
    {
        float[][] shares = [.. boxes.Select(TensorArrays.Floats)];
        int rows = shares.Sum(image => image.Length / 4);
        var answers = new AnswerRows(rows, teacher.Classes.StudentClasses + 1);
        var starts = new int[shares.Length];
        for (int i = 1; i < starts.Length; i++) starts[i] = starts[i - 1] + shares[i - 1].Length / 4;
        Parallel.For(0, shares.Length, i => answers.Fill(starts[i], shares[i], predictions[i], teacher.Rule.Answers(shares[i], predictions[i])));
        using var scope = NewDisposeScope();
        return new BoxScores(
            Keep(TensorArrays.Matrix(answers.Probabilities, answers.Columns, device)),
            Keep(TensorArrays.Boxes(answers.Boxes, device).unsqueeze(1)))
        {
            Known = Keep(tensor(answers.Known, [rows], device: device)),
            KnownBoxes = Keep(tensor(answers.KnownBoxes, [rows], device: device)),
        };
    }

    public AnchorScores ScoreAnchors(Tensor anchors)
    {
        float[] shares = TensorArrays.Floats(anchors);
        int count = shares.Length / 4;
        long images = predictions.Length;
        var answers = new AnswerRows(predictions.Length * count, teacher.Classes.StudentClasses + 1);
        Parallel.For(0, predictions.Length, i =>
            answers.Fill(i * count, shares, predictions[i], teacher.Rule.Answers(shares, predictions[i], bestAnchors: true)));
        using var scope = NewDisposeScope();
        return new AnchorScores(
            Keep(tensor(answers.Objectness(), [images, count], device: device)),
            Keep(tensor(answers.Boxes, [images, count, 4], device: device)),
            Keep(tensor(answers.Known, [images, count], device: device)))
        {
            KnownBoxes = Keep(tensor(answers.KnownBoxes, [images, count], device: device)),
        };
    }

    public void Dispose()
    {
        foreach (Tensor map in _features.Values) map.Dispose();
    }

    private static Tensor Keep(Tensor answer) => answer.MoveToOuterDisposeScope();
}
