using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Teachers;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Training;

/// <summary>Decides which of the teacher's feature maps teach which of the student's.</summary>
internal static class HintPairs
{
    /// <summary>
    /// The pairs asked for, or by default the student's last map (or those named), and the last of the teacher's maps nearest to it in
    /// size.
    /// </summary>
    /// <exception cref="ArgumentException">A map is not there; the message names those that are.</exception>
    /// <param name="guided">The student's maps that learn by default, in place of its last.</param>
    public static IReadOnlyList<HintPair> Resolve(
        IReadOnlyList<HintPair>? wanted, Detector student, ITeacher teacher, Device device, IReadOnlyList<string>? guided = null)
    {
        if (wanted is null)
            return guided is null ? [Default(student, teacher, device)] : [.. guided.Select(map => Default(student, teacher, device, map))];
        foreach (HintPair pair in wanted)
        {
            Require(pair.Student, student.FeatureMaps, "student");
            Require(pair.Teacher, teacher.Abilities.FeatureMaps, "teacher");
        }

        return [.. wanted];
    }

    /// <summary>A loss whose adaptation layer fits a pair.</summary>
    /// <param name="make">Makes it from the channels of the student's map and of the teacher's.</param>
    public static T LossFor<T>(HintPair pair, Detector student, ITeacher teacher, Func<int, int, T> make) =>
        make(Channels(pair.Student, student.FeatureMaps), Channels(pair.Teacher, teacher.Abilities.FeatureMaps));

    private static HintPair Default(Detector student, ITeacher teacher, Device device, string? map = null)
    {
        using var scope = NewDisposeScope();
        using IDisposable frozen = no_grad();
        string guided = map ?? student.FeatureMaps[^1].Name;
        bool training = student.training;
        student.eval();
        double cells = Cells(student.Features(Blank(student.InputSize, device))[guided]);
        student.train(training);
        using ITeacherView view = teacher.View(DetectionBatch.Of(Blank(teacher.InputSize, device)));
        string hint = teacher.Abilities.FeatureMaps.Reverse()
            .MinBy(map => Math.Abs(Math.Log(Cells(view.Feature(map.Name)) / cells))).Name;
        return new HintPair(guided, hint);
    }

    private static Tensor Blank(ImageSize size, Device device) => zeros([1, 3, size.Height, size.Width], device: device);

    private static double Cells(Tensor map) => map.shape[2] * map.shape[3];

    private static int Channels(string name, IReadOnlyList<(string Name, int Channels)> maps)
        => maps.First(map => map.Name == name).Channels;

    private static void Require(string name, IReadOnlyList<(string Name, int Channels)> maps, string side)
    {
        if (maps.Any(map => map.Name == name)) return;
        throw new ArgumentException(
            $"The {side} has no feature map '{name}' (option {nameof(DistillDetectorOptions)}.{nameof(DistillDetectorOptions.Hints)}); "
                + $"it has {string.Join(", ", maps.Select(map => $"'{map.Name}'"))}.");
    }
}
