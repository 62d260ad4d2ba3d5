using System.CommandLine;

namespace Microsoft.ML.Distillation.Tool.Commands;

/// <summary>The options that make a backbone of an ONNX graph of anyone's.</summary>
internal sealed class GraphBackboneOptionSet
{
    private static readonly (string Name, OnnxPreprocessing Preprocessing)[] Presets =
    [
        ("imagenet", OnnxPreprocessing.ImageNet), ("dnn-image-featurizer", OnnxPreprocessing.DnnImageFeaturizer),
        .. TeacherOptionSet.Formats.Where(format => format.Format != OnnxDetectorFormat.Auto)
            .Select(format => (format.Name, OnnxPreprocessing.For(format.Format))),
    ];

    private readonly Option<string?> _maps = SharedOptions.Text(
        "--maps", "The tensors of the graph of --backbone FILE.onnx that become its feature maps. [default: where its stages of the "
            + "strides 8, 16 and 32 end] A name that holds a comma stands in double quotes.", "A,B,C");

    private readonly Option<string> _preset = SharedOptions.Choice(
        "--backbone-preset", "The colours that the network of --backbone FILE.onnx wants to see: those of one of these.",
        [.. Presets.Select(preset => preset.Name)]);

    private readonly Option<string> _channels = SharedOptions
        .Choice("--backbone-channels", "The order of the colours.", [.. TeacherOptionSet.Orders.Select(order => order.Name)]);

    private readonly Option<double?> _scale = SharedOptions
        .Number("--backbone-scale", "The factor on pixels from 0 to 255. [default: the preset's]", double.Epsilon);

    private readonly Option<string?> _mean = SharedOptions
        .Text("--backbone-mean", "What is subtracted then, for each channel in the network's order. [default: the preset's]", "A,B,C");

    private readonly Option<string?> _deviation = SharedOptions
        .Text("--backbone-std", "What is divided by at last, likewise. [default: the preset's]", "A,B,C");

    private Option[] All => [_maps, _preset, _channels, _scale, _mean, _deviation];

    /// <summary>Adds these to a command's options.</summary>
    public void AddTo(IList<Option> options)
    {
        foreach (Option option in All) options.Add(option);
    }

    /// <summary>Whether a value of --backbone is a graph's file.</summary>
    public static bool IsFile(string backbone) => Path.GetExtension(backbone).Equals(".onnx", StringComparison.OrdinalIgnoreCase);

    /// <summary>The name of one of these options that was given, or null.</summary>
    public string? Given(ParseResult parsed) => All.FirstOrDefault(option => parsed.GetResult(option) is { Implicit: false })?.Name;

    /// <summary>The backbone.</summary>
    /// <exception cref="UsageException">The file, a tensor or an option does not fit.</exception>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    public Backbone Read(ParseResult parsed, string path)
    {
        if (!File.Exists(path)) throw new FileNotFoundException($"--backbone: there is no file '{path}'.", path);
        OnnxPreprocessing preprocessing = PreprocessingOf(parsed);
        if (preprocessing.StandardDeviation.Any(deviation => !(deviation > 0 && float.IsFinite(deviation))))
            throw new UsageException($"{_deviation.Name} is three numbers above 0.");
        string[]? maps = parsed.GetValue(_maps) is { } names ? Names(names) : null;
        try
        {
            return Backbone.FromOnnx(path, maps, preprocessing);
        }
        catch (Exception error) when (error is ArgumentException or FormatException
            or NotSupportedException or InvalidOperationException)
        {
            throw new UsageException($"{(maps is null ? "--backbone" : "--backbone with --maps")}: {error.Message}");
        }
    }

    /// <summary>Names with commas between them; one that holds a comma stands in double quotes.</summary>
    /// <exception cref="UsageException">A quote is not closed.</exception>
    private string[] Names(string text)
    {
        var names = new List<string>();
        for (int at = 0; at <= text.Length;)
        {
            while (at < text.Length && text[at] == ' ') at++;
            bool quoted = at < text.Length && text[at] == '"';
            int end = text.IndexOf(quoted ? '"' : ',', quoted ? at + 1 : at);
            if (quoted && end < 0) throw new UsageException($"{_maps.Name}: a quote is not closed in '{text}'.");
            if (end < 0) end = text.Length;
            names.Add(quoted ? text[(at + 1)..end] : text[at..end].TrimEnd());
            if (quoted) end = text.IndexOf(',', end) is >= 0 and int comma ? comma : text.Length;
            at = end + 1;
        }

        return [.. names];
    }

    private OnnxPreprocessing PreprocessingOf(ParseResult parsed)
    {
        string name = parsed.GetRequiredValue(_preset);
        OnnxPreprocessing preset = Presets.First(known => known.Name == name).Preprocessing;
        return preset with
        {
            Channels = parsed.GetValue(_channels) is not (null or "preset")
                ? TeacherOptionSet.Orders.First(order => order.Name == parsed.GetValue(_channels)).Order : preset.Channels,
            Scale = (float)(parsed.GetValue(_scale) ?? preset.Scale),
            Mean = parsed.GetValue(_mean) is string mean ? SharedOptions.Three(_mean.Name, mean) : preset.Mean,
            StandardDeviation = parsed.GetValue(_deviation) is string deviation ? SharedOptions.Three(_deviation.Name, deviation)
                : preset.StandardDeviation,
        };
    }
}
