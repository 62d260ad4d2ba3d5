using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Rows;
using Microsoft.ML.Distillation.Teachers.Dense;
using Microsoft.ML.Distillation.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Teachers;

/// <summary>A detector of this library that teaches: it learns no more, and its classes are matched with the student's.</summary>
internal sealed class FrozenDetector<T> : IDisposable
    where T : Detector
{
    private readonly Lazy<FeatureSession?> _session;

    /// <param name="detector">The detector, which from now on belongs to this.</param>
    /// <param name="studentClasses">The student's classes, in whose order the teacher answers.</param>
    /// <param name="device">Where the teacher runs.</param>
    /// <exception cref="ArgumentException">The two have no class in common.</exception>
    public FrozenDetector(T detector, IReadOnlyList<string> studentClasses, Device device)
    {
        Classes = new ClassMatch(detector.ClassNames, studentClasses);
        Device = device;
        Network = detector.to(device);
        Network.eval();
        foreach (Tensor parameter in Network.parameters()) parameter.requires_grad_(false);
        // At the first question: a detector that learns with its student has been made to learn by then, and its maps change.
        _session = new Lazy<FeatureSession?>(() => device.type == DeviceType.CPU && detector.Precision is null
            && !detector.parameters().Any(parameter => parameter.requires_grad) ? new FeatureSession(detector) : null);
    }

    /// <summary>The detector.</summary>
    public T Network { get; }

    /// <summary>Where it runs.</summary>
    public Device Device { get; }

    /// <summary>Which of its classes are the student's.</summary>
    public ClassMatch Classes { get; }

    /// <summary>The size of its input.</summary>
    public ImageSize InputSize => Network.InputSize;

    /// <summary>What detectors of every family can do; the rest is for the family to say.</summary>
    /// <param name="confidentScore">The score from which on a detection is its opinion.</param>
    public TeacherAbilities Abilities(double confidentScore) => new()
    {
        FeatureMaps = Network.FeatureMaps,
        UnknownClasses = Classes.UnknownClasses,
        IgnoredClasses = Classes.IgnoredClasses,
        ConfidentScore = confidentScore,
        HasBoxDistributions = false,
        CrossHead = null,
        LooksAtBatches = true,
        Caution = null,
        Remarks = null,
    };

    /// <summary>Its maps of a batch by name, which outlive the scope of the call.</summary>
    public IReadOnlyDictionary<string, Tensor> Features(DetectionBatch batch)
    {
        using var scope = NewDisposeScope();
        using IDisposable frozen = no_grad();
        IReadOnlyDictionary<string, Tensor> features = Features(batch.ImagesOf(InputSize).As(batch.Precision));
        foreach (Tensor map in features.Values) map.DetachFromDisposeScope();
        return features;
    }

    /// <summary>What it finds, in the student's classes.</summary>
    public IReadOnlyList<Detections> Detect(Tensor images)
    {
        using var scope = NewDisposeScope();
        using IDisposable frozen = no_grad();
        return [.. Network.Detect(Features(images)).Select(Classes.Map)];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_session.IsValueCreated) _session.Value?.Dispose();
        Network.Dispose();
    }

    private IReadOnlyDictionary<string, Tensor> Features(Tensor images)
        => images.dtype == ScalarType.Float32 && _session.Value is { } session ? session.Run(images)
            : Network.Features(images.to(Device));
}
