using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Onnx.Proto;
using Microsoft.ML.Distillation.Published;

namespace Microsoft.ML.Distillation.Tests;

/// <summary>
/// A detector whose outputs are given: whatever it is shown, it says the same. An output may add a multiple of the image's mean
/// brightness, so that a test can tell the images of a batch apart.
/// </summary>
internal sealed class TeacherGraph : IDisposable
{
    public const int Size = 64;

    private readonly TemporaryFolder _folder = new();
    private readonly GraphBuilder _graph = new();
    private readonly List<KeyValuePair<string, string>> _metadata = [];
    private readonly string _images;
    private readonly bool _hasBatch;
    private readonly object _batch;
    private string? _brightness;

    /// <param name="batch">1 or another number, or a name.</param>
    /// <param name="noBatch">Whether the input is [3,H,W].</param>
    /// <param name="input">The name of the input.</param>
    /// <param name="bytes">Whether it takes bytes.</param>
    public TeacherGraph(object? batch = null, bool noBatch = false, string input = "images", bool bytes = false)
    {
        _batch = batch ?? 1;
        _hasBatch = !noBatch;
        TensorProto.Types.DataType type = bytes ? TensorProto.Types.DataType.Uint8 : TensorProto.Types.DataType.Float;
        _images = noBatch ? _graph.Input(input, type, 3, Size, Size) : _graph.Input(input, type, _batch, 3, Size, Size);
        if (bytes) _images = _graph.Add("Cast", [_images], ("to", (int)TensorProto.Types.DataType.Float));
    }

    /// <summary>Adds an input beside the image.</summary>
    public TeacherGraph Input(string name, bool integers, params object[] shape)
    {
        _graph.Input(name, integers ? TensorProto.Types.DataType.Int64 : TensorProto.Types.DataType.Float, shape);
        return this;
    }

    /// <summary>Adds an output that repeats an input of two numbers.</summary>
    public TeacherGraph Told(string name, string input)
    {
        _graph.Output(name, input, TensorProto.Types.DataType.Float, _batch, 2);
        return this;
    }

    /// <summary>The name of a feature map: the mean over squares of 8 × 8 pixels, [N,3,8,8].</summary>
    public string Pool() => _graph.Add("AveragePool", [_images], ("kernel_shape", new[] { 8, 8 }), ("strides", new[] { 8, 8 }));

    /// <summary>Adds an output of given values for each image.</summary>
    /// <param name="shape">Its shape for one image.</param>
    /// <param name="perBrightness">What each value gains by the mean of the input's values.</param>
    public TeacherGraph Output(string name, float[] values, long[] shape, float[]? perBrightness = null)
    {
        if (!_hasBatch)
        {
            _graph.Output(name, _graph.Floats(values, shape), TensorProto.Types.DataType.Float,
                [.. shape.Select(length => (object)length)]);
            return this;
        }

        _brightness ??= _graph.Add("ReduceMean", [_images, _graph.Integers(1, 2, 3)], ("keepdims", 0));
        string brightness = _graph.Add("Reshape", [_brightness, _graph.Integers([-1, .. shape.Select(_ => 1L)])]);
        string gain = _graph.Add("Mul", [brightness, _graph.Floats(perBrightness ?? new float[values.Length], [1, .. shape])]);
        string sum = _graph.Add("Add", [gain, _graph.Floats(values, [1, .. shape])]);
        _graph.Output(name, sum, TensorProto.Types.DataType.Float, [_batch, .. shape.Select(length => (object)length)]);
        return this;
    }

    /// <summary>Adds an output of given values without a batch's axis.</summary>
    public TeacherGraph Rows(string name, float[] values, params long[] shape)
    {
        string rows = _graph.Floats(values, shape);
        // The first axis is of unknown length, as that of rows whose number depends on the image.
        _graph.Output(name, rows, TensorProto.Types.DataType.Float, ["rows", .. shape[1..].Select(length => (object)length)]);
        return this;
    }

    /// <summary>Adds an output of one row, which is there where the image is brighter than a threshold.</summary>
    public TeacherGraph RowsWhereBright(string name, float[] row, float threshold)
    {
        string mean = _graph.Add("ReduceMean", [_images], ("keepdims", 0));
        string isBright = _graph.Add("Greater", [mean, _graph.Scalar(threshold)]);
        string bright = _graph.Add("Cast", [isBright], ("to", (int)TensorProto.Types.DataType.Int64));
        string count = _graph.Add("Reshape", [bright, _graph.Integers(1)]);
        string rows = _graph.Add("Slice", [_graph.Floats(row, [1, row.Length]), _graph.Integers(0), count, _graph.Integers(0)]);
        _graph.Output(name, rows, TensorProto.Types.DataType.Float, "rows", row.Length);
        return this;
    }

    /// <summary>Adds an output of integers, the same for each image of a batch of one.</summary>
    public TeacherGraph IntegersPerImage(string name, long[] values, params long[] shape)
    {
        string reshaped = _graph.Add("Reshape", [_graph.Integers(values), _graph.Integers([1, .. shape])]);
        _graph.Output(name, reshaped, TensorProto.Types.DataType.Int64, [1, .. shape.Select(length => (object)length)]);
        return this;
    }

    /// <summary>Adds an output of integers without a batch's axis.</summary>
    public TeacherGraph Integers(string name, params long[] values)
    {
        _graph.Output(name, _graph.Integers(values), TensorProto.Types.DataType.Int64, values.Length);
        return this;
    }

    /// <summary>Adds an entry to the metadata.</summary>
    public TeacherGraph Metadata(string key, string value)
    {
        _metadata.Add(new(key, value));
        return this;
    }

    /// <summary>Writes the file.</summary>
    public string Save()
    {
        string path = Path.Combine(_folder.Path, "teacher.onnx");
        var model = new OnnxModelFile(_graph.Build(_metadata));
        File.WriteAllBytes(path, model.ToBytes());
        return path;
    }

    /// <summary>The detector, after it was written and loaded.</summary>
    public PublishedDetector Load(OnnxDetectorFormat format, int classes, OnnxDetectorOptions? options = null)
        => new(Save(), format, Names(classes), options ?? new OnnxDetectorOptions());

    /// <summary>What the detector predicts for one grey image.</summary>
    public DensePredictions Predict(OnnxDetectorFormat format, int classes, OnnxDetectorOptions? options = null, ImageSize? size = null)
    {
        using PublishedDetector detector = Load(format, classes, options);
        float[] image = [.. Enumerable.Repeat(0.5f, 3 * Size * Size)];
        return detector.Run(image, [size ?? new ImageSize(Size, Size)])[0].Predictions;
    }

    public static string[] Names(int classes) => [.. Enumerable.Range(0, classes).Select(c => $"class{c}")];

    public void Dispose() => _folder.Dispose();
}
