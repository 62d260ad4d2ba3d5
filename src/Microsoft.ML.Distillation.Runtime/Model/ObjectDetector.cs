using System.Runtime.ExceptionServices;
using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Model;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Published;
using Microsoft.ML.Distillation.Rows;

namespace Microsoft.ML.Distillation;

/// <summary>
/// Finds objects in images with a model file: one of this library (.zip or .onnx), or any published ONNX detector. It runs on ONNX Runtime
/// alone: no ML.NET pipeline, no libtorch.
/// </summary>
/// <remarks>
/// <para>One instance serves any number of threads at once, and all its methods may be called at the same time, <see cref="Dispose"/> too:
/// detections that are under way then come to their end. An instance is one ONNX Runtime session.</para>
/// <para>By default a detection uses all cores, which is fastest for one image at a time. A server that answers several requests at once
/// gets the most out of its cores with <see cref="OnnxDetectorOptions.Threads"/> = 1 and as many concurrent calls as there are cores, on
/// one instance; more instances of a model only cost memory. A list of images does so by itself: the first one makes a second session, of
/// one thread a detection, which holds the weights once more. On a GPU two or three concurrent calls keep it busy.</para>
/// <para>Labels, scores and boxes are those of the model: boxes in pixels of the image that was given, best first. An image file is read
/// upright, turned as its Exif data ask for, as viewers show it; an <see cref="MLImage"/> is taken as it is.</para>
/// </remarks>
public sealed class ObjectDetector : IDisposable
{
    // Images of a batch are decoded and shown together in groups of this size, so that memory does not grow with the batch.
    private const int Together = 8;

    private readonly IDetectorEngine _engine;
    private readonly float _least;
    private readonly long _maxPixels;

    // The owner, until it disposes, and the runs under way: ONNX Runtime must not lose a session that runs. The last one frees it.
    private int _users = 1;
    private int _disposed;

    private ObjectDetector(IDetectorEngine engine, OnnxModelFile model, long bytes, ObjectDetectorOptions options)
    {
        (_engine, _least, Bytes, Metadata) = (engine, (float)options.ScoreThreshold, bytes, model.Metadata);
        _maxPixels = options.MaxPixels;
        if (DetectorGraph.IsDetector(model)) Parameters = DetectorGraph.CountParameters(model);
    }

    /// <summary>The classes that the model knows, in its order.</summary>
    public IReadOnlyList<string> ClassNames => _engine.ClassNames;

    /// <summary>The width in pixels to which the model brings images. Images of any size may be given.</summary>
    public int InputWidth => _engine.InputSize.Width;

    /// <summary>The height in pixels to which the model brings images.</summary>
    public int InputHeight => _engine.InputSize.Height;

    /// <summary>The number of learnt parameters; <see langword="null"/> for a published detector.</summary>
    public long? Parameters { get; }

    /// <summary>The size of the model's file in bytes, without parameters that lie in other files.</summary>
    public long Bytes { get; }

    /// <summary>How a published detector is read; <see langword="null"/> for one of this library, which says it itself.</summary>
    public OnnxReading? Reading => _engine.Reading;

    /// <summary>
    /// Why the CPU runs the model where <see cref="OnnxDetectorOptions.GpuDeviceId"/> asks for a GPU and
    /// <see cref="OnnxDetectorOptions.FallbackToCpu"/> is set; <see langword="null"/>: it runs where it should.
    /// </summary>
    public string? Fallback => _engine.Fallback;

    /// <summary>
    /// What is to be said of what a published detector gave so far, of labels without a class name or boxes that cannot be, where it is no
    /// reason to stop; empty where there is nothing.
    /// </summary>
    public IReadOnlyList<string> Remarks => _engine.Remarks;

    /// <summary>The entries that travel with the model.</summary>
    internal IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Loads a model file.</summary>
    /// <param name="path">
    /// An ML.NET model (.zip) that holds one detector of this library, of which the detector alone is taken, not the pipeline's other
    /// steps; an .onnx that <c>SaveOnnx</c> wrote, in any form; or a published ONNX detector.
    /// </param>
    /// <param name="options">How it is run, and how a published detector is read.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="FormatException">The file is no such model, or a published detector's outputs are not of the format.</exception>
    /// <exception cref="ArgumentException">An option does not fit the model, or a published detector's class names are not
    /// known.</exception>
    /// <exception cref="DllNotFoundException">The application lacks ONNX Runtime's native library.</exception>
    public static ObjectDetector Load(string path, ObjectDetectorOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (InputFile.Problem(path) is { } problem) throw new FormatException($"'{path}' is no model: {problem}.");
        if (!File.Exists(path)) throw new FileNotFoundException($"There is no model file '{path}'.", path);
        if (!OnnxModelFile.IsZip(path)) SessionLoader.CheckFile(path);
        return Load(OnnxModelFile.LoadAll(path), new OnnxSource(path), new FileInfo(path).Length, options ?? new ObjectDetectorOptions());
    }

    /// <summary>Loads a model from a stream, which is read to its end and left open.</summary>
    /// <param name="stream">
    /// The content of a file as <see cref="Load(string, ObjectDetectorOptions?)"/> takes it. A published detector must hold all its
    /// parameters itself.
    /// </param>
    /// <inheritdoc cref="Load(string, ObjectDetectorOptions?)"/>
    public static ObjectDetector Load(Stream stream, ObjectDetectorOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        byte[] content = copy.ToArray();
        string name = stream is FileStream file ? file.Name : "the stream";
        return Load(OnnxModelFile.LoadAll(content, name), new OnnxSource(name, content), content.Length, options
            ?? new ObjectDetectorOptions());
    }

    /// <summary>Finds the objects in an image file.</summary>
    /// <param name="imagePath">A JPEG, PNG, BMP, WebP or GIF file, or of another kind that SkiaSharp reads.</param>
    /// <returns>The objects, best first.</returns>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="FormatException">The file is no image, one with too many pixels, or ends before its image does; the message names
    /// it. Or what a published detector says cannot be: it is read or shown wrongly.</exception>
    public IReadOnlyList<Detection> Detect(string imagePath)
    {
        ArgumentException.ThrowIfNullOrEmpty(imagePath);
        return Detect(imagePath, CancellationToken.None);
    }

    /// <summary>Finds the objects in an image.</summary>
    /// <param name="image">The image, which stays the caller's.</param>
    /// <returns>The objects, best first.</returns>
    public IReadOnlyList<Detection> Detect(MLImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        return Detect(MLImagePixels.ToRgb(image));
    }

    /// <summary>Finds the objects in an image that is given by its pixels.</summary>
    /// <param name="rgb">
    /// 3·<paramref name="width"/>·<paramref name="height"/> bytes: red, green, blue of each pixel, rows from the top, without padding.
    /// </param>
    /// <param name="width">The image's width in pixels.</param>
    /// <param name="height">The image's height in pixels.</param>
    /// <returns>The objects, best first.</returns>
    /// <exception cref="ArgumentException">The bytes are not as many as the size asks for.</exception>
    public IReadOnlyList<Detection> Detect(ReadOnlySpan<byte> rgb, int width, int height)
    {
        CheckPixels(rgb.Length, width, height, nameof(rgb));
        return Detect(new RgbImage(width, height, rgb.ToArray()));
    }

    /// <summary>
    /// Finds the objects in several image files. Files are decoded side by side; a detector of this library looks at as many at a time as
    /// there are cores, a published one is shown several at once where it takes them.
    /// </summary>
    /// <param name="imagePaths">The files.</param>
    /// <returns>For each file its objects, best first.</returns>
    /// <inheritdoc cref="Detect(string)" path="/exception"/>
    public IReadOnlyList<IReadOnlyList<Detection>> Detect(IReadOnlyList<string> imagePaths)
    {
        ArgumentNullException.ThrowIfNull(imagePaths);
        return Detect(imagePaths, ReadFile, CancellationToken.None);
    }

    /// <summary>Finds the objects in several images; a published detector is shown several at once where it takes them.</summary>
    /// <param name="images">The images, which stay the caller's.</param>
    /// <returns>For each image its objects, best first.</returns>
    public IReadOnlyList<IReadOnlyList<Detection>> Detect(IReadOnlyList<MLImage> images)
    {
        ArgumentNullException.ThrowIfNull(images);
        return Detect(images, MLImagePixels.ToRgb, CancellationToken.None);
    }

    /// <summary>Finds the objects in an image file on another thread.</summary>
    /// <param name="imagePath">A JPEG, PNG, BMP, WebP or GIF file, or of another kind that SkiaSharp reads.</param>
    /// <param name="cancellationToken">Ends the detection, also in the midst of the model's run.</param>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <inheritdoc cref="Detect(string)" path="/returns|/exception"/>
    public Task<IReadOnlyList<Detection>> DetectAsync(string imagePath, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(imagePath);
        return Task.Run(() => Detect(imagePath, cancellationToken), cancellationToken);
    }

    /// <summary>Finds the objects in an image on another thread.</summary>
    /// <param name="image">The image, which stays the caller's and must not be disposed of before the task ends.</param>
    /// <param name="cancellationToken">Ends the detection, also in the midst of the model's run.</param>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <inheritdoc cref="Detect(MLImage)" path="/returns"/>
    public Task<IReadOnlyList<Detection>> DetectAsync(MLImage image, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(image);
        return Task.Run(() => Detect(MLImagePixels.ToRgb(image), cancellationToken), cancellationToken);
    }

    /// <summary>Finds the objects in an image that is given by its pixels on another thread.</summary>
    /// <param name="cancellationToken">Ends the detection, also in the midst of the model's run.</param>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <inheritdoc cref="Detect(ReadOnlySpan{byte}, int, int)"/>
    public Task<IReadOnlyList<Detection>> DetectAsync(
        ReadOnlyMemory<byte> rgb, int width, int height, CancellationToken cancellationToken = default)
    {
        CheckPixels(rgb.Length, width, height, nameof(rgb));
        return Task.Run(() => Detect(new RgbImage(width, height, rgb.ToArray()), cancellationToken), cancellationToken);
    }

    /// <summary>Finds the objects in several image files on other threads.</summary>
    /// <param name="cancellationToken">Ends the detection, also in the midst of the model's run.</param>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <inheritdoc cref="Detect(IReadOnlyList{string})"/>
    public Task<IReadOnlyList<IReadOnlyList<Detection>>> DetectAsync(
        IReadOnlyList<string> imagePaths, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(imagePaths);
        return Task.Run(() => Detect(imagePaths, ReadFile, cancellationToken), cancellationToken);
    }

    /// <summary>Finds the objects in several images on other threads.</summary>
    /// <param name="images">The images, which stay the caller's and must not be disposed of before the task ends.</param>
    /// <param name="cancellationToken">Ends the detection, also in the midst of the model's run.</param>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <inheritdoc cref="Detect(IReadOnlyList{MLImage})" path="/returns"/>
    public Task<IReadOnlyList<IReadOnlyList<Detection>>> DetectAsync(
        IReadOnlyList<MLImage> images, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(images);
        return Task.Run(() => Detect(images, MLImagePixels.ToRgb, cancellationToken), cancellationToken);
    }

    /// <summary>
    /// Frees the model, at once or when the last detection under way has ended; it waits for none. Later ones are an error, and so are the
    /// images of a batch that are still to come.
    /// </summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0) Leave();
    }

    /// <summary>A detector of this library that is in memory.</summary>
    /// <param name="bytes">The size of its file; <see langword="null"/>: that of the network alone.</param>
    internal static ObjectDetector Of(OnnxModelFile model, string source, ObjectDetectorOptions? options = null, long? bytes = null)
    {
        options ??= new ObjectDetectorOptions();
        options.Validate();
        options.CheckForOwn(source);
        var engine = new OwnEngine(model, source, options.Session with { AsWritten = options.AsWritten });
        return new ObjectDetector(engine, model, bytes ?? model.Model.CalculateSize(), options);
    }

    /// <summary>Finds the objects in an image.</summary>
    internal IReadOnlyList<Detection> Detect(RgbImage image, CancellationToken cancellation = default)
        => Named(Run([image], cancellation)[0]);

    /// <summary>What the model finds, as its arrays: boxes in pixels of the image, best first.</summary>
    internal IReadOnlyList<Detections> Run(IReadOnlyList<RgbImage> images, CancellationToken cancellation = default)
        => Run(() => _engine.Run(images, cancellation));

    private T Run<T>(Func<T> run)
    {
        Enter();
        try
        {
            return run();
        }
        finally
        {
            Leave();
        }
    }

    private static ObjectDetector Load(IReadOnlyList<OnnxModelFile> models, OnnxSource source, long bytes, ObjectDetectorOptions options)
    {
        options.Validate();
        bool isPublished = models is [var one] && !one.IsFromZip && !DetectorGraph.IsDetector(one);
        if (!isPublished)
        {
            OnnxModelFile own = FittedDetectors.Single(models, $"'{source.Name}'", message => new FormatException(message));
            return Of(own, source.Name, options, bytes);
        }

        if (options is { Prompts: { } told, ClassNames: { } given } && !given.SequenceEqual(told.ClassNames)) throw new ArgumentException(
            $"The detector's classes are those of the prompts: leave out the option {nameof(options.ClassNames)}, or the prompts.",
            nameof(options));
        IReadOnlyList<string> names = options.Prompts?.ClassNames
            ?? options.ClassNames ?? EmbeddedClassNames.In(models[0]) ?? throw new ArgumentException(
            $"'{source.Name}' is no detector that this library made, and as a published one it {EmbeddedClassNames.Absence(models[0])}. "
            + $"Give them in the option {nameof(ObjectDetectorOptions.ClassNames)}, in the detector's own order; where it is told in "
            + $"words, give these in the option {nameof(ObjectDetectorOptions.Prompts)}.", nameof(options));
        var engine = new PublishedEngine(new PublishedDetector(source, options.Format, names, options), (float)options.NmsThreshold);
        return new ObjectDetector(engine, models[0], bytes, options);
    }

    private void Enter()
    {
        for (int users = Volatile.Read(ref _users); Volatile.Read(ref _disposed) == 0 && users > 0; users = Volatile.Read(ref _users))
        {
            if (Interlocked.CompareExchange(ref _users, users + 1, users) == users) return;
        }

        throw new ObjectDisposedException(nameof(ObjectDetector));
    }

    private void Leave()
    {
        if (Interlocked.Decrement(ref _users) == 0) _engine.Dispose();
    }

    private static void CheckPixels(int count, int width, int height, string name)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        if (count != 3L * width * height)
        {
            throw new ArgumentException(
                $"An image of {width}×{height} pixels has {3L * width * height} bytes of red, green and blue, not {count}.", name);
        }
    }

    /// <summary>The pixels of an image file, as this detector reads them.</summary>
    internal RgbImage ReadFile(string path) => ImageFile.Read(path, _maxPixels);

    private IReadOnlyList<Detection> Detect(string path, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        return Detect(ReadFile(path), cancellation);
    }

    private IReadOnlyList<IReadOnlyList<Detection>> Detect<T>(
        IReadOnlyList<T> items, Func<T, RgbImage> read, CancellationToken cancellation)
    {
        if (!_engine.TakesSeveral) return DetectEach(items, read, cancellation);
        var all = new List<IReadOnlyList<Detection>>(items.Count);
        for (int start = 0; start < items.Count; start += Together)
        {
            cancellation.ThrowIfCancellationRequested();
            var images = new RgbImage[Math.Min(Together, items.Count - start)];
            int first = start;
            try
            {
                Parallel.For(0, images.Length, i => images[i] = read(items[first + i]));
            }
            catch (AggregateException several)
            {
                // Of several that cannot be read the first one is named.
                ExceptionDispatchInfo.Throw(several.InnerExceptions[0]);
            }

            all.AddRange(Run(images, cancellation).Select(Named));
        }

        return all;
    }

    /// <summary>Each image on its own, as many at a time as there are cores: one is decoded while another is looked at.</summary>
    private IReadOnlyList<Detection>[] DetectEach<T>(IReadOnlyList<T> items, Func<T, RgbImage> read, CancellationToken cancellation)
    {
        var all = new IReadOnlyList<Detection>[items.Count];
        var parallel = new ParallelOptions { CancellationToken = cancellation, MaxDegreeOfParallelism = Environment.ProcessorCount };
        try
        {
            Parallel.For(0, items.Count, parallel, i =>
            {
                RgbImage image = read(items[i]);
                all[i] = Named(Run(() => _engine.RunBeside(image, cancellation)));
            });
        }
        catch (AggregateException several)
        {
            ExceptionDispatchInfo.Throw(several.InnerExceptions[0]);
        }

        return all;
    }

    private IReadOnlyList<Detection> Named(Detections found)
    {
        var detections = new List<Detection>(found.Count);
        for (int i = 0; i < found.Count; i++)
        {
            if (found.Scores[i] < _least) continue;
            ReadOnlySpan<float> box = found.Boxes.AsSpan(4 * i, 4);
            detections.Add(new Detection(ClassNames[found.Labels[i]], found.Scores[i], new BoundingBox(box[0], box[1], box[2], box[3])));
        }

        return detections;
    }
}
