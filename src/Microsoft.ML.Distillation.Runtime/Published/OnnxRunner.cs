using System.Globalization;
using System.Security.Cryptography;
using System.Text;
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

/// <summary>Runs an ONNX model over batches of any size, whatever number of images the graph takes at once.</summary>
internal sealed class OnnxRunner : IDisposable
{
    private readonly InferenceSession _session;
    private readonly string _source;
    private readonly string[] _outputs;
    private readonly string[] _exposed;
    private readonly string[] _asked;
    private int _imagesPerRun;

    /// <param name="path">The model.</param>
    /// <param name="expose">Tensors of the graph to be read beside its outputs.</param>
    public OnnxRunner(string path, IReadOnlyList<string> expose, OnnxTeacherOptions options)
    {
        LoadedModel model = SessionLoader.Load(path, expose, options);
        (_session, _source, Fallback) = (model.Session, path, model.Fallback);
        try
        {
            Input = InputSpec.Of(_session, path);
            _outputs = [.. model.Outputs.Where(name => _session.OutputMetadata[name].IsTensor)];
            _exposed = [.. expose];
            _asked = [.. _outputs.Union(_exposed)];
            // Detections [n, 4] have no room for a batch, and [n, 7] number the images of one.
            OutputsBatched = Input.HasBatch && !_outputs.Any(name => _session.OutputMetadata[name].Dimensions is [_, 4 or 7]);
            _imagesPerRun = !OutputsBatched ? 1 : Input.FixedBatch ?? int.MaxValue;
        }
        catch
        {
            _session.Dispose();
            throw;
        }
    }

    /// <summary>The input that takes the image.</summary>
    public InputSpec Input { get; }

    /// <summary>Why the CPU runs the model where a GPU should; <see langword="null"/>: it runs where it should.</summary>
    public string? Fallback { get; }

    /// <summary>Whether outputs have a batch's axis.</summary>
    public bool OutputsBatched { get; }

    /// <summary>Runs the model.</summary>
    /// <param name="images">[N,3,H,W], as the model wants to see them.</param>
    public OnnxAnswer[] Run(float[] images, ImageSize size)
    {
        int pixels = 3 * size.Width * size.Height;
        int count = images.Length / pixels;
        var answers = new OnnxAnswer[count];
        for (int first = 0; first < count;)
        {
            int wanted = Math.Min(_imagesPerRun, count - first);
            OnnxAnswer[]? chunk = RunOnce(images.AsSpan(first * pixels, wanted * pixels), wanted, size);
            if (chunk is null)
            {
                // The graph takes a batch but answers as if it were one image.
                if (wanted == 1)
                    throw new NotSupportedException($"The teacher '{_source}' takes {Input.FixedBatch} images at once, and its outputs are not theirs one by one.");
                _imagesPerRun = 1;
                continue;
            }

            chunk.CopyTo(answers, first);
            first += wanted;
        }

        return answers;
    }

    public void Dispose() => _session.Dispose();

    private OnnxAnswer[]? RunOnce(ReadOnlySpan<float> images, int count, ImageSize size)
    {
        // A graph that takes a fixed number of images gets the rest as black ones.
        int shown = Math.Max(count, Input.FixedBatch ?? count);
        var padded = new float[shown * (images.Length / count)];
        images.CopyTo(padded);
        Dictionary<string, OrtValue> inputs = new(AuxiliaryInputs.For(_session, Input, shown, size, _source))
        {
            [Input.Name] = ImageValue(Input.ChannelsLast ? ToChannelsLast(padded, size) : padded, Input.Shape(shown, size)),
        };
        try
        {
            using var settings = new RunOptions();
            using IDisposableReadOnlyCollection<OrtValue> values = _session.Run(settings, inputs, _asked);
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
            throw new InvalidOperationException($"The teacher '{_source}' failed on an input of {size}: {e.Message}", e);
        }
        finally
        {
            foreach (OrtValue input in inputs.Values) input.Dispose();
        }
    }

    private OrtValue ImageValue(float[] values, long[] shape) => Input.Type switch
    {
        TensorElementType.Float16 => OrtValue.CreateTensorValueFromMemory(Array.ConvertAll(values, value => (Float16)value), shape),
        TensorElementType.UInt8 => OrtValue.CreateTensorValueFromMemory(
            Array.ConvertAll(values, value => (byte)Math.Clamp(MathF.Round(value), 0, 255)), shape),
        _ => OrtValue.CreateTensorValueFromMemory(values, shape),
    };

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

/// <summary>A loaded model.</summary>
/// <param name="Session">The model in ONNX Runtime.</param>
/// <param name="Outputs">The graph's own outputs.</param>
/// <param name="Fallback">Why the CPU runs it where a GPU should; <see langword="null"/>: it runs where it should.</param>
internal sealed record LoadedModel(InferenceSession Session, IReadOnlyList<string> Outputs, string? Fallback);

/// <summary>Loads ONNX models, with tensors from inside the graph as further outputs.</summary>
internal static class SessionLoader
{
    private const string ExternalFolder = "session.model_external_initializers_file_folder_path";

    /// <summary>Loads a model.</summary>
    /// <param name="expose">The tensors that shall become outputs.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="FormatException">The file is not a model that ONNX Runtime can load.</exception>
    /// <exception cref="ArgumentException">The graph has no tensor of a name; the message lists the nearest ones.</exception>
    public static LoadedModel Load(string path, IReadOnlyList<string> expose, OnnxTeacherOptions options)
    {
        CheckFile(path);
        if (expose.Count == 0)
        {
            (InferenceSession session, string? fallback) = Open(path, options, null, settings => new InferenceSession(path, settings));
            return new LoadedModel(session, session.OutputNames, fallback);
        }

        ModelProto model = OnnxModelFile.Parse(File.ReadAllBytes(path), path).Model;
        string[] outputs = [.. model.Graph.Output.Select(output => output.Name)];
        byte[] changed = new OnnxModelFile(GraphSurgery.Expose(model, expose, path)).ToBytes();
        string? folder = GraphSurgery.HasExternalData(model) ? Path.GetDirectoryName(Path.GetFullPath(path)) : null;
        (InferenceSession exposed, string? reason) = Open(path, options, folder, settings => new InferenceSession(changed, settings));
        return new LoadedModel(exposed, outputs, reason);
    }

    private static void CheckFile(string path)
    {
        var file = new FileInfo(path);
        if (!file.Exists) throw new FileNotFoundException($"There is no teacher '{path}'.", path);
        if (file.Length > int.MaxValue)
        {
            throw new FormatException(
                $"The teacher '{path}' has {file.Length} bytes, and an ONNX file holds at most 2 GB. Save the model with external data "
                + "(onnx.save_model(model, path, save_as_external_data=True)); such models can be loaded.");
        }
    }

    private static (InferenceSession Session, string? Fallback) Open(
        string path, OnnxTeacherOptions options, string? externalFolder, Func<SessionOptions, InferenceSession> open)
    {
        string? fallback = null;
        if (options.GpuDeviceId is int device)
        {
            try
            {
                // Some of what CUDA lacks shows only when the session is made.
                return (Open(path, options, externalFolder, open, settings => settings.AppendExecutionProvider_CUDA(device)), null);
            }
            catch (Exception e) when (e is FormatException or OnnxRuntimeException or EntryPointNotFoundException or DllNotFoundException)
            {
                string reason = (e.InnerException ?? e).Message;
                if (!options.FallbackToCpu)
                {
                    // A file that is no model is none on the CPU either, and says so itself.
                    if (e is FormatException) Open(path, options, externalFolder, open, _ => { }).Dispose();
                    throw new InvalidOperationException(
                        $"The teacher was asked to run on GPU {device}, but ONNX Runtime has no CUDA there: {reason} The application must reference "
                        + "Microsoft.ML.OnnxRuntime.Gpu and have an NVIDIA driver, CUDA and cuDNN; or set FallbackToCpu, or leave GpuDeviceId unset.", e);
                }

                fallback = $"The CPU runs the teacher '{path}': ONNX Runtime has no CUDA on GPU {device} ({reason.TrimEnd('.')}). For the GPU the application references Microsoft.ML.OnnxRuntime.Gpu.";
            }
        }

        return (Open(path, options, externalFolder, open, _ => { }), fallback);
    }

    /// <exception cref="FormatException">ONNX Runtime cannot load the model.</exception>
    private static InferenceSession Open(
        string path, OnnxTeacherOptions options, string? externalFolder, Func<SessionOptions, InferenceSession> open, Action<SessionOptions> addProvider)
    {
        using var settings = new SessionOptions();
        settings.LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR;
        settings.IntraOpNumThreads = options.Threads;
        // Between two runs the student trains: threads that spin would take its time.
        settings.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
        if (externalFolder is not null) settings.AddSessionConfigEntry(ExternalFolder, externalFolder);
        addProvider(settings);
        try
        {
            return open(settings);
        }
        catch (OnnxRuntimeException e)
        {
            throw new FormatException($"ONNX Runtime cannot load the teacher '{path}': {e.Message}", e);
        }
    }
}

/// <summary>A hash of an ONNX model and of all options that have a part in its answers: equal where the answers are.</summary>
internal static class OnnxFingerprint
{
    // Counts up where the same options come to mean other answers, or answers are kept in another way.
    private const int Version = 2;

    /// <summary>The hash, 64 hexadecimal digits.</summary>
    /// <remarks>
    /// Of parameters in other files only names, sizes and times of change are taken: such files may have many gigabytes. A decoder of the
    /// user's own counts by its method.
    /// </remarks>
    /// <exception cref="FileNotFoundException">There is no such model.</exception>
    public static string Of(string path, TeacherFormat format, IReadOnlyList<string> classNames, OnnxTeacherOptions options)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using (FileStream file = File.OpenRead(path))
        {
            byte[] buffer = new byte[1 << 20];
            for (int read = file.Read(buffer); read > 0; read = file.Read(buffer)) hash.AppendData(buffer, 0, read);
        }

        foreach (FileInfo external in ExternalFiles(path)) Add(hash, $"{external.Name} {external.Length} {external.LastWriteTimeUtc:O}");
        TeacherPreprocessing? seen = options.Preprocessing;
        Add(hash, $"{Version}|{options.InputWidth}|{options.InputHeight}");
        Add(hash, $"{format}|{string.Join('\n', classNames)}|{options.NoiseScore}|{options.ConfidentScore}|{options.Activation}|{options.CellOffset}|{options.FirstLabel}");
        Add(hash, $"{List(options.Strides)}|{options.Decoder?.Method.DeclaringType?.FullName}.{options.Decoder?.Method.Name}");
        if (seen is not null)
            Add(hash, $"{seen.Width}|{seen.Height}|{seen.Fit}|{seen.Fill}|{seen.Channels}|{seen.Scale}|{List(seen.Mean)}|{List(seen.StandardDeviation)}");
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

    private static string List<T>(IReadOnlyList<T>? values) => values is null ? "" : string.Join(',', values.Select(value => string.Create(CultureInfo.InvariantCulture, $"{value}")));
}
