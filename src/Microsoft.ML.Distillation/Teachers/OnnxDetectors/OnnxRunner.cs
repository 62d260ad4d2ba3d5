using Microsoft.ML.Distillation.Data;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Microsoft.ML.Distillation.Teachers.OnnxDetectors;

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
