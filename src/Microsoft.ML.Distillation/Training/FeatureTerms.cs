using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Losses;
using Microsoft.ML.Distillation.Teachers;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Training;

/// <summary>The terms of a loss that hold the student's feature maps to the teacher's, whatever the student's family.</summary>
internal sealed class FeatureTerms : IDisposable
{
    /// <summary>CWD's weight where the options give none.</summary>
    public const double DefaultCwdWeight = 10;

    private readonly IReadOnlyList<HintPair> _pairs = [];
    private readonly List<(string Name, double Weight, nn.Module<Tensor, Tensor, Tensor>[] Losses)> _kinds = [];

    /// <param name="guided">The student's maps that learn where the options name none; <see langword="null"/>: its last.</param>
    /// <exception cref="ArgumentException">A hint names a feature map that is not there, or a loss on maps is asked for and the teacher has none.</exception>
    public FeatureTerms(DistillationOptions options, Detector student, ITeacher? teacher, Device device, IReadOnlyList<string>? guided = null)
    {
        double hint = options.Hint ? options.HintWeight : 0, cwd = options.CwdWeight ?? DefaultCwdWeight;
        if (teacher is null || hint + options.PkdWeight + cwd + options.MgdWeight <= 0) return;
        _pairs = HintPairs.Resolve(options.Hints, student, teacher, device, guided);
        if (_pairs.Count == 0)
        {
            Require(options);
            return;
        }

        Add("hint", hint, (from, to) => new HintLoss(from, to, options.HintAdaptation == HintAdaptation.Learnt, absolute: options.HintNorm == HintNorm.L1));
        Add("pkd", options.PkdWeight, (from, to) => new PearsonFeatureLoss(from, to));
        Add("cwd", cwd, (from, to) => new ChannelWiseLoss(from, to, options.CwdTemperature));
        Add("mgd", options.MgdWeight, (from, to) => new MaskedGenerationLoss(from, to, options.MgdMaskedShare));

        void Add(string name, double weight, Func<int, int, nn.Module<Tensor, Tensor, Tensor>> lossFor)
        {
            if (weight > 0) _kinds.Add((name, weight, [.. _pairs.Select(pair => HintPairs.LossFor(pair, student, teacher, lossFor).to(device))]));
        }
    }

    /// <summary>The hint and CWD, which are on by default, are left out under a teacher without maps. What somebody asked for is not.</summary>
    private static void Require(DistillationOptions options)
    {
        (string Option, string Name, double Weight)[] asked =
        [
            (nameof(options.PkdWeight), "pkd", options.PkdWeight), (nameof(options.CwdWeight), "cwd", options.CwdWeight ?? 0),
            (nameof(options.MgdWeight), "mgd", options.MgdWeight),
        ];
        if (asked.FirstOrDefault(loss => loss.Weight > 0) is not { Option: { } option } first) return;
        throw new ArgumentException(
            $"The option {nameof(DistillationOptions)}.{option} (--feature-loss {first.Name}) does not apply: the teacher has no feature maps. Of an ONNX teacher "
            + $"name tensors of its graph in {nameof(OnnxTeacherOptions)}.{nameof(OnnxTeacherOptions.Hints)} (--hint STUDENT=TENSOR; 'ml-distill inspect-teacher --tensors' "
            + $"lists them) and leave out {nameof(OnnxTeacherOptions.CacheDirectory)} (--teacher-cache), which keeps none.");
    }

    /// <summary>What is trained beside the student.</summary>
    public IReadOnlyList<nn.Module> Extras => [.. _kinds.SelectMany(kind => kind.Losses)];

    /// <summary>Whether CWD is among the terms.</summary>
    public bool HasCwd => _kinds.Any(kind => kind.Name == "cwd");

    /// <summary>The terms of a batch.</summary>
    /// <param name="features">The student's maps by name.</param>
    public void AddTo(List<LossTerm> terms, IReadOnlyDictionary<string, Tensor> features, ITeacherView? teacher)
    {
        foreach ((string name, double weight, nn.Module<Tensor, Tensor, Tensor>[] losses) in _kinds)
        {
            for (int i = 0; i < losses.Length; i++)
            {
                Tensor loss = losses[i].call(features[_pairs[i].Student], teacher!.Feature(_pairs[i].Teacher));
                terms.Add(new LossTerm(losses.Length == 1 ? name : $"{name}.{_pairs[i].Student}", loss, weight / losses.Length));
            }
        }
    }

    /// <inheritdoc/>
    public override string ToString() => $"hints {string.Join(", ", _pairs)}";

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (nn.Module extra in Extras) extra.Dispose();
    }
}

/// <summary>Decides which of the teacher's feature maps teach which of the student's.</summary>
internal static class HintPairs
{
    /// <summary>
    /// The pairs asked for, or by default the student's last map (or those named), and the last of the teacher's maps nearest to it in size. None by
    /// default where the teacher has no maps, as an ONNX teacher whose user named none.
    /// </summary>
    /// <exception cref="ArgumentException">A map is not there; the message names those that are.</exception>
    /// <param name="guided">The student's maps that learn by default, in place of its last.</param>
    public static IReadOnlyList<HintPair> Resolve(
        IReadOnlyList<HintPair>? wanted, Detector student, ITeacher teacher, Device device, IReadOnlyList<string>? guided = null)
    {
        if (wanted is null && teacher.FeatureMaps.Count == 0) return [];
        if (wanted is null) return guided is null ? [Default(student, teacher, device)] : [.. guided.Select(map => Default(student, teacher, device, map))];
        foreach (HintPair pair in wanted)
        {
            Require(pair.Student, student.FeatureMaps, "student");
            Require(pair.Teacher, teacher.FeatureMaps, "teacher");
        }

        return [.. wanted];
    }

    /// <summary>A loss whose adaptation layer fits a pair.</summary>
    /// <param name="make">Makes it from the channels of the student's map and of the teacher's.</param>
    public static T LossFor<T>(HintPair pair, Detector student, ITeacher teacher, Func<int, int, T> make) =>
        make(Channels(pair.Student, student.FeatureMaps), Channels(pair.Teacher, teacher.FeatureMaps));

    private static HintPair Default(Detector student, ITeacher teacher, Device device, string? map = null)
    {
        if (student.FeatureMaps.Count == 0) throw new ArgumentException("The student has no feature map that could learn from the teacher's: set Hint to false and CwdWeight to 0.");
        using var scope = NewDisposeScope();
        using IDisposable frozen = no_grad();
        string guided = map ?? student.FeatureMaps[^1].Name;
        bool training = student.training;
        student.eval();
        double cells = Cells(student.Features(Blank(student.InputSize, device))[guided]);
        student.train(training);
        using ITeacherView view = teacher.View(Blank(teacher.InputSize, device));
        string hint = teacher.FeatureMaps.Reverse()
            .MinBy(map => Math.Abs(Math.Log(Cells(view.Feature(map.Name)) / cells))).Name;
        return new HintPair(guided, hint);
    }

    private static Tensor Blank(ImageSize size, Device device) => zeros([1, 3, size.Height, size.Width], device: device);

    private static double Cells(Tensor map) => map.shape[2] * map.shape[3];

    private static int Channels(string name, IReadOnlyList<(string Name, int Channels)> maps) => maps.First(map => map.Name == name).Channels;

    private static void Require(string name, IReadOnlyList<(string Name, int Channels)> maps, string side)
    {
        if (maps.Any(map => map.Name == name)) return;
        throw new ArgumentException(
            $"The {side} has no feature map '{name}' (option {nameof(DistillationOptions.Hints)}); it has {string.Join(", ", maps.Select(map => $"'{map.Name}'"))}.");
    }
}
