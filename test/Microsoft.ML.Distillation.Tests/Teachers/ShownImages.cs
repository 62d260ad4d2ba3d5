using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Teachers;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests;

/// <summary>Teachers and images that are of no data set.</summary>
internal static class ShownImages
{
    /// <summary>What teachers of tests can do: nothing but to label and to score.</summary>
    public static readonly TeacherAbilities PlainAbilities = new()
    {
        FeatureMaps = [],
        UnknownClasses = [],
        IgnoredClasses = [],
        ConfidentScore = 0.5,
        HasBoxDistributions = false,
        CrossHead = null,
        LooksAtBatches = true,
        Caution = null,
        Remarks = null,
    };

    /// <summary>Shows a teacher images [N,3,H,W] of its size.</summary>
    public static ITeacherView View(this ITeacher teacher, Tensor images, IReadOnlyList<ImageSize>? sizes = null)
        => teacher.View(DetectionBatch.Of(images, sizes));
}
