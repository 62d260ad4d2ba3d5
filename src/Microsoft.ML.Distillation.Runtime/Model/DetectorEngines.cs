using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Published;
using Microsoft.ML.Distillation.Rows;

namespace Microsoft.ML.Distillation.Model;

/// <summary>What runs a model on images for <see cref="ObjectDetector"/>. Several threads may ask it at once.</summary>
internal interface IDetectorEngine : IDisposable
{
    /// <summary>The classes, in the order of the labels.</summary>
    IReadOnlyList<string> ClassNames { get; }

    /// <summary>The size to which images are brought.</summary>
    ImageSize InputSize { get; }

    /// <summary>Why the CPU runs it where a GPU should; <see langword="null"/>: it runs where it should.</summary>
    string? Fallback { get; }

    /// <summary>What was found out about it while it worked.</summary>
    IReadOnlyList<string> Remarks { get; }

    /// <summary>How its outputs are read; <see langword="null"/> where it says that itself.</summary>
    OnnxReading? Reading { get; }

    /// <summary>Whether its graph looks at several images at once.</summary>
    bool TakesSeveral { get; }

    /// <summary>Detects objects.</summary>
    /// <returns>For each image its detections, boxes in pixels of the image, best first.</returns>
    IReadOnlyList<Detections> Run(IReadOnlyList<RgbImage> images, CancellationToken cancellation);

    /// <summary>Detects objects in an image while other threads do in others.</summary>
    Detections RunBeside(RgbImage image, CancellationToken cancellation);
}

/// <summary>Runs a detector of this library, in any form: one image after the other, as its graph takes them.</summary>
internal sealed class OwnEngine : IDetectorEngine
{
    private readonly OnnxSession _session;
    private readonly bool _plain;
    private readonly DenseSelection? _raw;
    private readonly string _source;

    // Many at a time get more done with a thread each than with all threads for each.
    private readonly Lazy<OnnxSession> _oneThread;

    public OwnEngine(OnnxModelFile model, string source, SessionSettings settings)
    {
        _plain = DetectorGraph.IsPlain(model);
        _raw = RawForm.Is(model) ? RawForm.Selection(model) : null;
        ClassNames = DetectorGraph.ClassNames(model, $"'{source}'");
        InputSize = PlainForm.InputSize(model);
        _source = source;
        _session = new OnnxSession(model.ToBytes(), settings, source);
        bool usesAllCores = settings is { Threads: 0, GpuDeviceId: null } && Environment.ProcessorCount > 1;
        _oneThread = usesAllCores ? new Lazy<OnnxSession>(() => new OnnxSession(model.ToBytes(), settings with { Threads = 1 }, source))
            : new Lazy<OnnxSession>(_session);
    }

    public IReadOnlyList<string> ClassNames { get; }

    public ImageSize InputSize { get; }

    public string? Fallback => _session.Fallback;

    public IReadOnlyList<string> Remarks => [];

    public OnnxReading? Reading => null;

    public bool TakesSeveral => false;

    public IReadOnlyList<Detections> Run(IReadOnlyList<RgbImage> images, CancellationToken cancellation)
        => [.. images.Select(image => Run(_session, image, cancellation))];

    public Detections RunBeside(RgbImage image, CancellationToken cancellation) => Run(_oneThread.Value, image, cancellation);

    public void Dispose()
    {
        _session.Dispose();
        if (_oneThread.IsValueCreated && _oneThread.Value != _session) _oneThread.Value.Dispose();
    }

    private Detections Run(OnnxSession session, RgbImage image, CancellationToken cancellation)
        => _plain ? RunPlain(session, image, cancellation) : RunFull(session, image, cancellation);

    private Detections RunFull(OnnxSession session, RgbImage image, CancellationToken cancellation) => Read(session.Run(
    [
        OnnxSession.Input(DetectorGraph.Pixels, image.Pixels, 1, image.Pixels.Length),
        OnnxSession.Input(DetectorGraph.Size, new long[] { image.Height, image.Width }, 1, 2),
    ], cancellation));

    private Detections RunPlain(OnnxSession session, RgbImage image, CancellationToken cancellation)
    {
        float[] pixels = AntialiasedResize.Resize(image, InputSize);
        OnnxInput input = OnnxSession.Input(DetectorGraph.Images, pixels, 1, 3, InputSize.Height, InputSize.Width);
        Dictionary<string, Array> outputs = session.Run([input], cancellation);
        Detections found = _raw is null ? Read(outputs) : ReadRaw(outputs, _raw);
        return found.Scaled(image.Width, image.Height);
    }

    private Detections ReadRaw(Dictionary<string, Array> outputs, DenseSelection selection)
    {
        var boxes = outputs.GetValueOrDefault(DetectorGraph.Boxes) as float[];
        var scores = outputs.GetValueOrDefault(DetectorGraph.Scores) as float[];
        if (boxes is null || scores is null || boxes.Length % 4 != 0 || scores.Length != boxes.Length / 4 * ClassNames.Count)
            throw new FormatException($"'{_source}' does not give boxes and scores as the raw form of this library's detectors does.");
        return RawForm.Decode(boxes, scores, selection, InputSize);
    }

    private Detections Read(Dictionary<string, Array> outputs)
    {
        var boxes = outputs.GetValueOrDefault(DetectorGraph.Boxes) as float[];
        var scores = outputs.GetValueOrDefault(DetectorGraph.Scores) as float[];
        if (boxes is null || scores is null || outputs.GetValueOrDefault(DetectorGraph.Classes) is not long[] classes
            || boxes.Length != 4 * scores.Length || classes.Length != scores.Length)
            throw new FormatException($"'{_source}' does not give boxes, scores and classes as the detectors of this library do.");
        foreach (long label in classes)
        {
            if (label < 0 || label >= ClassNames.Count) throw new FormatException(
                $"'{_source}' finds the class {label}, and names {Counted.Of(ClassNames.Count, "class")} "
                + $"(metadata '{DetectorGraph.NamesKey}').");
        }

        return new Detections(boxes, scores, Array.ConvertAll(classes, label => (int)label));
    }
}

/// <summary>Runs a published detector: in batches, where its graph takes them.</summary>
internal sealed class PublishedEngine(PublishedDetector detector, float nmsThreshold) : IDetectorEngine
{
    public IReadOnlyList<string> ClassNames => detector.ClassNames;

    public ImageSize InputSize => detector.InputSize;

    public string? Fallback => detector.Fallback;

    public IReadOnlyList<string> Remarks => detector.Remarks.All;

    public bool TakesSeveral => true;

    public OnnxReading? Reading => new(detector.Format, detector.Preprocessing, detector.ConfidentScore, detector.NoiseScore)
    {
        Words = detector.Words,
    };

    public IReadOnlyList<Detections> Run(IReadOnlyList<RgbImage> images, CancellationToken cancellation)
    {
        ImageSize size = detector.InputSize;
        int length = 3 * size.Width * size.Height;
        var pixels = new float[images.Count * length];
        Parallel.For(0, images.Count, i => AntialiasedResize.Resize(
            images[i], CropRegion.Whole(SizeOf(images[i])), mirror: false, size, pixels.AsSpan(i * length, length)));
        IReadOnlyList<OnnxDetection> found = detector.Run(pixels, [.. images.Select(SizeOf)], cancellation);
        return [.. found.Zip(images, (one, image) => detector.Suppress(one.Predictions, nmsThreshold).Scaled(image.Width, image.Height))];
    }

    public Detections RunBeside(RgbImage image, CancellationToken cancellation) => Run([image], cancellation)[0];

    public void Dispose() => detector.Dispose();

    private static ImageSize SizeOf(RgbImage image) => new(image.Width, image.Height);
}
