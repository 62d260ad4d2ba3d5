using Microsoft.ML.Distillation.Onnx;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Teachers.OnnxDetectors;

/// <summary>What an ONNX teacher knows of one batch: the graph has run once, all questions are answered from what it gave.</summary>
internal sealed class OnnxTeacherView(
    OnnxTeacher teacher, IReadOnlyList<OnnxDetection> detections, StudentPredictions[] predictions, Device device) : ITeacherView
{
    private readonly Dictionary<string, Tensor> _features = [];
    private readonly DenseAnswers _answers = new(teacher.Rule, teacher.Classes.StudentClasses, predictions, device);

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

    public BoxScores ScoreBoxes(IReadOnlyList<Tensor> boxes) => _answers.ScoreBoxes(boxes);

    public AnchorScores ScoreAnchors(Tensor anchors) => _answers.ScoreAnchors(anchors);

    public EdgeScores ScoreEdges(IReadOnlyList<Tensor> boxes) => _answers.ScoreEdges(boxes);

    public void Dispose()
    {
        foreach (Tensor map in _features.Values) map.Dispose();
    }
}
