using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Onnx.Proto;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Microsoft.ML.Distillation.Published;

/// <summary>What a model says of one image.</summary>
/// <param name="Outputs">The graph's own outputs.</param>
/// <param name="Exposed">The tensors that were asked for beside them.</param>
internal sealed record OnnxAnswer(IReadOnlyList<OnnxOutput> Outputs, IReadOnlyList<OnnxOutput> Exposed);

/// <summary>Runs a model over batches of any size, whatever number of images it takes at once.</summary>
internal interface IModelRunner : IDisposable
{
    /// <summary>The input that takes the image.</summary>
    InputSpec Input { get; }

    /// <summary>The names of all inputs.</summary>
    IReadOnlyList<string> Inputs { get; }

    /// <summary>The key-value pairs that travel with the model.</summary>
    IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Why the CPU runs the model where a GPU should; <see langword="null"/>: it runs where it should.</summary>
    string? Fallback { get; }

    /// <summary>Whether outputs have a batch's axis.</summary>
    bool OutputsBatched { get; }

    /// <summary>Whether it wants to be told the sizes of the images before they were brought to the input's.</summary>
    bool WantsSizes => false;

    /// <summary>Where in an input an image of some size is to lie.</summary>
    InputFrame FrameOf(ImageSize input, ImageSize picture, ImageFit fit) => InputFrame.For(input, picture, fit);

    /// <summary>Runs the model.</summary>
    /// <param name="images">[N,3,H,W], as the model wants to see them.</param>
    /// <param name="told">The N sizes that inputs beside the image are told; <see langword="null"/>: that of the input.</param>
    OnnxAnswer[] Run(
        float[] images, ImageSize size, IReadOnlyList<ImageSize>? told = null, CancellationToken cancellation = default);
}

/// <summary>Runs an ONNX model in ONNX Runtime.</summary>
internal sealed class OnnxRunner : IModelRunner
{
    private readonly InferenceSession _session;
    private readonly string _source;
    private readonly string[] _outputs;
    private readonly string[] _exposed;
    private readonly string[] _asked;
    private int _imagesPerRun;

    /// <param name="source">The model.</param>
    /// <param name="expose">Tensors of the graph to be read beside its outputs.</param>
    public OnnxRunner(OnnxSource source, IReadOnlyList<string> expose, OnnxDetectorOptions options)
    {
        LoadedModel model = SessionLoader.Load(source, expose, options);
        (_session, _source, Fallback) = (model.Session, source.Name, model.Fallback);
        try
        {
            Input = InputSpec.Of(_session, source.Name);
            _outputs = [.. model.Outputs.Where(name => _session.OutputMetadata[name].IsTensor)];
            _exposed = [.. expose];
            _asked = [.. _outputs.Union(_exposed)];
            OutputsBatched = Input.HasBatch && (options.Layout?.OutputsBatched ?? !HaveNoRoomForABatch());
            Inputs = [.. _session.InputNames];
            _imagesPerRun = !OutputsBatched ? 1 : Input.FixedBatch ?? int.MaxValue;
        }
        catch
        {
            _session.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public InputSpec Input { get; }

    /// <inheritdoc/>
    public IReadOnlyList<string> Inputs { get; }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, string> Metadata => _session.ModelMetadata.CustomMetadataMap;

    /// <inheritdoc/>
    public string? Fallback { get; }

    /// <inheritdoc/>
    public bool OutputsBatched { get; }

    /// <inheritdoc/>
    public OnnxAnswer[] Run(
        float[] images, ImageSize size, IReadOnlyList<ImageSize>? told = null, CancellationToken cancellation = default)
    {
        int pixels = 3 * size.Width * size.Height;
        int count = images.Length / pixels;
        var answers = new OnnxAnswer[count];
        for (int first = 0; first < count;)
        {
            int wanted = Math.Min(_imagesPerRun, count - first);
            OnnxAnswer[]? chunk = RunOnce(
                images.AsSpan(first * pixels, wanted * pixels), wanted, size, told?.Skip(first).Take(wanted).ToArray(), cancellation);
            if (chunk is null)
            {
                // The graph takes a batch but answers as if it were one image.
                if (wanted == 1)
                    throw new NotSupportedException(
                        $"The detector '{_source}' takes {Input.FixedBatch} images at once, and its outputs are not theirs one by one.");
                _imagesPerRun = 1;
                continue;
            }

            chunk.CopyTo(answers, first);
            first += wanted;
        }

        return answers;
    }

    public void Dispose() => _session.Dispose();

    /// <summary>
    /// Whether detections are rows of all images: [n, 4] have no axis for a batch, and neither have [n, 7], which number the images, nor
    /// [n, 6] whose number is not the batch's.
    /// </summary>
    private bool HaveNoRoomForABatch()
    {
        NodeMetadata[] outputs = [.. _outputs.Select(name => _session.OutputMetadata[name])];
        return outputs.Any(output => output.Dimensions is [_, 4 or 7])
            || (outputs.All(output => output.Dimensions.Length < 3)
                && outputs.Any(output => output.Dimensions is [_, 6] && !CountsImages(output)));
    }

    /// <summary>Whether the first axis of an output is the batch's.</summary>
    private bool CountsImages(NodeMetadata output)
    {
        NodeMetadata image = _session.InputMetadata[Input.Name];
        return image.Dimensions[0] == output.Dimensions[0] && image.SymbolicDimensions[0] == output.SymbolicDimensions[0]
            && (image.Dimensions[0] > 0 || image.SymbolicDimensions[0].Length > 0);
    }

    private OnnxAnswer[]? RunOnce(
        ReadOnlySpan<float> images, int count, ImageSize size, IReadOnlyList<ImageSize>? told, CancellationToken cancellation)
    {
        // A graph that takes a fixed number of images gets the rest as black ones.
        int shown = Math.Max(count, Input.FixedBatch ?? count);
        var padded = new float[shown * (images.Length / count)];
        images.CopyTo(padded);
        Dictionary<string, OrtValue> inputs = new(AuxiliaryInputs.For(_session, Input, shown, size, told, _source))
        {
            [Input.Name] = ImageValue(Input, padded, size, shown),
        };
        try
        {
            using IDisposableReadOnlyCollection<OrtValue> values = Cancellable.Run(_session, inputs, _asked, cancellation);
            var read = new Dictionary<string, OnnxOutput[]>();
            for (int i = 0; i < _asked.Length; i++)
            {
                if (OutputReader.Read(_asked[i], values[i], shown, OutputsBatched) is not { } perImage) return null;
                read[_asked[i]] = perImage;
            }

            return [.. Enumerable.Range(0, count).Select(i => new OnnxAnswer(
                [.. _outputs.Select(name => read[name][i])], [.. _exposed.Select(name => read[name][i])]))];
        }
        catch (OnnxRuntimeException e)
        {
            throw new InvalidOperationException($"The detector '{_source}' failed on an input of {size}: {e.Message}", e);
        }
        finally
        {
            foreach (OrtValue input in inputs.Values) input.Dispose();
        }
    }

    /// <summary>Images as an input takes them.</summary>
    /// <param name="planes">[N,3,H,W].</param>
    internal static OrtValue ImageValue(InputSpec input, float[] planes, ImageSize size, int images)
    {
        float[] values = input.ChannelsLast ? ToChannelsLast(planes, size) : planes;
        long[] shape = input.Shape(images, size);
        return input.Type switch
        {
            TensorElementType.Float16 => OrtValue.CreateTensorValueFromMemory(Array.ConvertAll(values, value => (Float16)value), shape),
            TensorElementType.UInt8 => OrtValue.CreateTensorValueFromMemory(
                Array.ConvertAll(values, value => (byte)Math.Clamp(MathF.Round(value), 0, 255)), shape),
            _ => OrtValue.CreateTensorValueFromMemory(values, shape),
        };
    }

    private static float[] ToChannelsLast(float[] planes, ImageSize size)
    {
        int area = size.Width * size.Height;
        var pixels = new float[planes.Length];
        for (int image = 0; image < planes.Length; image += 3 * area)
        {
            for (int i = 0; i < area; i++)
            {
                for (int c = 0; c < 3; c++) pixels[image + 3 * i + c] = planes[image + c * area + i];
            }
        }

        return pixels;
    }
}

/// <summary>Where an ONNX model comes from: a file, or bytes.</summary>
/// <param name="Name">The file's path; of bytes what to call them in messages.</param>
internal sealed record OnnxSource(string Name, byte[]? Content = null)
{
    public static implicit operator OnnxSource(string path) => new(path);

    /// <summary>The bytes.</summary>
    public byte[] Read() => Content ?? File.ReadAllBytes(Name);
}

/// <summary>A loaded model.</summary>
/// <param name="Session">The model in ONNX Runtime.</param>
/// <param name="Outputs">The graph's own outputs.</param>
/// <param name="Fallback">Why the CPU runs it where a GPU should; <see langword="null"/>: it runs where it should.</param>
internal sealed record LoadedModel(InferenceSession Session, IReadOnlyList<string> Outputs, string? Fallback);

/// <summary>Loads ONNX models, with tensors from inside the graph as further outputs.</summary>
internal static class SessionLoader
{
    /// <summary>Loads a model.</summary>
    /// <param name="expose">The tensors that shall become outputs.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="FormatException">The file is not a model that ONNX Runtime can load.</exception>
    /// <exception cref="ArgumentException">The graph has no tensor of a name; the message lists the nearest ones.</exception>
    public static LoadedModel Load(OnnxSource source, IReadOnlyList<string> expose, OnnxDetectorOptions options)
    {
        if (source.Content is null) CheckFile(source.Name);
        // Between two runs of a teacher the student trains: threads that spin would take its time.
        SessionSettings settings = options.Session with { Spins = false };
        if (expose.Count == 0)
        {
            (InferenceSession session, string? fallback) = settings.Open(source.Name, asked => source.Content is { } bytes
                ? new InferenceSession(bytes, asked)
                : new InferenceSession(source.Name, asked));
            return new LoadedModel(session, session.OutputNames, fallback);
        }

        ModelProto model = OnnxModelFile.Parse(source.Read(), source.Name).Model;
        string[] outputs = [.. model.Graph.Output.Select(output => output.Name)];
        byte[] changed = new OnnxModelFile(GraphSurgery.Expose(model, expose, source.Name)).ToBytes();
        if (source.Content is null && GraphSurgery.HasExternalData(model))
            settings = settings with { ExternalFolder = Path.GetDirectoryName(Path.GetFullPath(source.Name)) };
        (InferenceSession exposed, string? reason) = settings.Open(source.Name, asked => new InferenceSession(changed, asked));
        return new LoadedModel(exposed, outputs, reason);
    }

    /// <summary>Throws unless there is a file, no pipe, that is not too large for an ONNX model.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="FormatException">It is too large.</exception>
    public static void CheckFile(string path)
    {
        var file = new FileInfo(path);
        if (!file.Exists) throw new FileNotFoundException($"There is no ONNX detector '{path}'.", path);
        InputFile.RefuseSpecial(path);
        if (file.Length > int.MaxValue)
        {
            throw new FormatException(
                $"'{path}' has {file.Length} bytes, and an ONNX file holds at most 2 GB. Save the model with external data "
                + "(onnx.save_model(model, path, save_as_external_data=True)); such models can be loaded.");
        }
    }
}

/// <summary>A hash of an ONNX model and of all options that have a part in its answers: equal where the answers are.</summary>
internal static class OnnxFingerprint
{
    // Counts up where the same options come to mean other answers, or answers are kept in another way.
    private const int Version = 3;

    /// <summary>The hash, 64 hexadecimal digits.</summary>
    /// <remarks>
    /// Of parameters in other files only names, sizes and times of change are taken: such files may have many gigabytes. A decoder of the
    /// user's own counts by its method.
    /// </remarks>
    /// <exception cref="FileNotFoundException">There is no such model.</exception>
    public static string Of(string path, OnnxDetectorFormat format, IReadOnlyList<string> classNames, OnnxDetectorOptions options)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        SessionLoader.CheckFile(path);
        using (FileStream file = File.OpenRead(path))
        {
            byte[] buffer = new byte[1 << 20];
            for (int read = file.Read(buffer); read > 0; read = file.Read(buffer)) hash.AppendData(buffer, 0, read);
        }

        foreach (FileInfo external in ExternalFiles(path)) Add(hash, $"{external.Name} {external.Length} {external.LastWriteTimeUtc:O}");
        OnnxPreprocessing? seen = options.Preprocessing;
        Add(hash, $"{Version}|{options.InputWidth}|{options.InputHeight}");
        string names = string.Join('\n', classNames);
        (double? noise, double? confident) = (options.NoiseScore, options.ConfidentScore);
        Add(hash, $"{format}|{names}|{noise}|{confident}|{options.Activation}|{options.CellOffset}|{options.FirstLabel}");
        Add(hash, $"{List(options.Strides)}|{options.Decoder?.Method.DeclaringType?.FullName}.{options.Decoder?.Method.Name}");
        if (options.Layout is { } layout) Add(hash, $"{layout.Key}");
        if (options.ClassAgnosticSuppression) Add(hash, $"agnostic");
        if (options.Prompts is { } prompts)
        {
            Add(hash, $"{prompts.Key}");
            foreach (string named in prompts.Files.Where(File.Exists)) hash.AppendData(SHA256.HashData(File.ReadAllBytes(named)));
        }

        if (seen is not null)
        {
            (string mean, string deviation) = (List(seen.Mean), List(seen.StandardDeviation));
            Add(hash, $"{seen.Width}|{seen.Height}|{seen.Fit}|{seen.Fill}|{seen.Channels}|{seen.Scale}|{mean}|{deviation}");
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static IEnumerable<FileInfo> ExternalFiles(string path)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        IEnumerable<string> names = OnnxModelFile.Parse(File.ReadAllBytes(path), path).Model.Graph.Initializer
            .SelectMany(tensor => tensor.ExternalData).Where(entry => entry.Key == "location").Select(entry => entry.Value).Distinct();
        return names.Select(name => new FileInfo(Path.Combine(folder, name))).Where(file => file.Exists);
    }

    private static void Add(IncrementalHash hash, FormattableString text)
        => hash.AppendData(Encoding.UTF8.GetBytes(text.ToString(CultureInfo.InvariantCulture) + "\0"));

    private static string List<T>(IReadOnlyList<T>? values) => values is null ? ""
        : string.Join(',', values.Select(value => string.Create(CultureInfo.InvariantCulture, $"{value}")));
}
