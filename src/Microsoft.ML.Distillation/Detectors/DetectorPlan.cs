using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Detectors.Weights;
using Microsoft.ML.Distillation.Images;

namespace Microsoft.ML.Distillation;

/// <summary>
/// A plan of a detector network, to be built when the training data are known: which family, which backbone, how large an
/// input. Students and teachers are planned alike.
/// </summary>
public abstract record DetectorPlan
{
    private protected DetectorPlan()
    {
    }

    /// <summary>
    /// The student that is advised where so much time may be taken: a one-stage detector on ShuffleNetV2, which has the raw form that
    /// phones' converters want. <see cref="LatencyClass.Fast"/>: ×0.5 at 160 pixels; <see cref="LatencyClass.Balanced"/>: ×0.5 at 320;
    /// <see cref="LatencyClass.Accurate"/>: ×1.0 at 512.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such class.</exception>
    public static DetectorPlan For(LatencyClass latency) => latency switch
    {
        LatencyClass.Fast => OneStage(Backbone.ShuffleNetV2_x0_5, inputSize: 160),
        LatencyClass.Balanced => OneStage(Backbone.ShuffleNetV2_x0_5, inputSize: 320),
        LatencyClass.Accurate => OneStage(Backbone.ShuffleNetV2_x1_0, inputSize: 512),
        _ => throw new ArgumentOutOfRangeException(nameof(latency), latency, "Latency classes are Fast, Balanced and Accurate."),
    };

    /// <summary>A two-stage detector, Faster R-CNN (Ren et al. 2015).</summary>
    /// <param name="backbone">The network that makes the feature maps.</param>
    /// <param name="inputSize">
    /// The longer side of the network's input in pixels, from 32 on; the shorter side follows the median shape of the training images, and
    /// both are rounded to whole cells of the deepest map. Images are stretched into that size.
    /// </param>
    /// <param name="options">Further settings.</param>
    /// <exception cref="ArgumentException">A setting cannot be; the message names it.</exception>
    public static DetectorPlan FasterRcnn(Backbone backbone, int inputSize = 320, FasterRcnnOptions? options = null)
        => FasterRcnn(backbone, InputPlan.LongerSide(inputSize), options);

    /// <summary>A two-stage detector, Faster R-CNN (Ren et al. 2015), with an exact input size.</summary>
    /// <param name="backbone">The network that makes the feature maps.</param>
    /// <param name="inputWidth">The width of the network's input in pixels, from 32 on. Images are stretched into that size.</param>
    /// <param name="inputHeight">Its height in pixels, from 32 on.</param>
    /// <param name="options">Further settings.</param>
    /// <exception cref="ArgumentException">A setting cannot be; the message names it.</exception>
    public static DetectorPlan FasterRcnn(Backbone backbone, int inputWidth, int inputHeight, FasterRcnnOptions? options = null)
        => FasterRcnn(backbone, InputPlan.Exactly(inputWidth, inputHeight), options);

    /// <summary>A one-stage detector without anchors, of the GFL family (Li et al., Generalized Focal Loss, 2020).</summary>
    /// <param name="backbone">The network that makes the feature maps, without a pyramid of its own.</param>
    /// <param name="inputSize">
    /// The longer side of the network's input in pixels, from 32 on; the shorter side follows the median shape of the training images, and
    /// both are rounded to whole cells of the coarsest map, or to 32 pixels. Images are stretched into that size.
    /// </param>
    /// <param name="options">Further settings.</param>
    /// <exception cref="ArgumentException">A setting cannot be; the message names it.</exception>
    public static DetectorPlan OneStage(Backbone backbone, int inputSize = 320, OneStageOptions? options = null)
        => OneStage(backbone, InputPlan.LongerSide(inputSize), options);

    /// <summary>
    /// A one-stage detector without anchors, of the GFL family (Li et al., Generalized Focal Loss, 2020), with an exact input size.
    /// </summary>
    /// <param name="backbone">The network that makes the feature maps, without a pyramid of its own.</param>
    /// <param name="inputWidth">The width of the network's input in pixels, from 32 on. Images are stretched into that size.</param>
    /// <param name="inputHeight">Its height in pixels, from 32 on.</param>
    /// <param name="options">Further settings.</param>
    /// <exception cref="ArgumentException">A setting cannot be; the message names it.</exception>
    public static DetectorPlan OneStage(Backbone backbone, int inputWidth, int inputHeight, OneStageOptions? options = null)
        => OneStage(backbone, InputPlan.Exactly(inputWidth, inputHeight), options);

    private static FasterRcnnPlan FasterRcnn(Backbone backbone, InputPlan input, FasterRcnnOptions? options)
    {
        ArgumentNullException.ThrowIfNull(backbone);
        var plan = new FasterRcnnPlan(backbone, input, options ?? new FasterRcnnOptions());
        plan.Validate();
        return plan;
    }

    private static OneStagePlan OneStage(Backbone backbone, InputPlan input, OneStageOptions? options)
    {
        ArgumentNullException.ThrowIfNull(backbone);
        var plan = new OneStagePlan(backbone, input, options ?? new OneStageOptions());
        plan.Validate();
        return plan;
    }

    /// <summary>The network that makes the feature maps.</summary>
    internal abstract Backbone Network { get; }

    /// <summary>A fresh detector for data of this kind.</summary>
    /// <param name="weights">What the backbone's parameters start from; <see langword="null"/>: random ones.</param>
    internal abstract Detector Build(DataStatistics data, StartingWeights? weights = null);
}

/// <summary>What is said of a network's input size before the data and the network's strides are known.</summary>
/// <param name="Longer">The longer side in pixels, where no exact size was named.</param>
/// <param name="Exact">The exact size.</param>
internal readonly record struct InputPlan(int Longer, ImageSize? Exact)
{
    /// <summary>The least width and height, and the least that sizes are multiples of where no exact one was named.</summary>
    public const int Least = 32;

    /// <summary>A longer side; the shorter one follows the images.</summary>
    public static InputPlan LongerSide(int inputSize) => inputSize >= Least
        ? new InputPlan(inputSize, null)
        : throw new ArgumentException(FormattableString.Invariant($"The input size must be at least {Least} pixels, not {inputSize}."),
            nameof(inputSize));

    /// <summary>An exact size.</summary>
    public static InputPlan Exactly(int inputWidth, int inputHeight) => Math.Min(inputWidth, inputHeight) >= Least
        ? new InputPlan(Math.Max(inputWidth, inputHeight), new ImageSize(inputWidth, inputHeight))
        : throw new ArgumentException(
            FormattableString.Invariant($"The input's width and height must be at least {Least} pixels, not {inputWidth}×{inputHeight}."),
            inputWidth < Least ? nameof(inputWidth) : nameof(inputHeight));

    /// <summary>The size that images of this kind ask for, not yet rounded.</summary>
    public (float Width, float Height) Wanted(DataStatistics data)
    {
        if (Exact is { } exact) return (exact.Width, exact.Height);
        float aspect = float.IsFinite(data.MedianAspect) && data.MedianAspect > 0 ? data.MedianAspect : 1;
        return aspect >= 1 ? (Longer, Longer / aspect) : (Longer * aspect, Longer);
    }

    /// <summary>The nearest whole number of cells, at least 32 pixels; a size that the user named is kept as it is.</summary>
    /// <param name="cell">The pixels of a cell.</param>
    public ImageSize Rounded(DataStatistics data, int cell)
    {
        (float width, float height) = Wanted(data);
        return Exact ?? new ImageSize(Whole(width), Whole(height));

        int Whole(float size) => Math.Max((int)MathF.Round(size / cell), (Least - 1 + cell) / cell) * cell;
    }
}
