using System.Globalization;
using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.OnnxRuntime;

namespace Microsoft.ML.Distillation.Published.Prompts;

/// <summary>
/// Runs a detector that is told in words: tells it the phrases, in as few passes as it takes them rightly, and gives boxes and the phrases'
/// scores. Several threads may run it at once.
/// </summary>
internal sealed class PromptedRunner : IModelRunner
{
    // Grounding DINO's images where the graph leaves their size open: the shorter side, and the bound of the longer.
    private const int ShorterSide = 800, LongerSide = 1333;

    private const string AnotherSize = " (its graph does not say of which size it takes images: the options InputWidth and InputHeight do)";

    // In made-up pictures a graph may find nothing that tells whether its phrases leak: the first images do in which it finds something.
    private const int MostWatched = 5;
    private const float Something = 0.1f;

    private InferenceSession _session;
    private readonly OnnxSource _source;
    private readonly PromptedInputs _inputs;
    private readonly DetectorPrompts _prompts;
    private readonly PromptedOutputs _outputs;
    private readonly string[] _asked;
    private readonly PassPlan _plan;
    private readonly DetectorRemarks _remarks;
    private readonly OnnxPreprocessing _preprocessing;
    private readonly bool _isFlexible;
    private readonly bool _isOpen;
    private readonly Lock _watch = new();
    private volatile IReadOnlyList<TextPass> _passes;

    // How many more images are looked at for phrases that leak.
    private int _watched;

    /// <param name="format">The family; <see cref="OnnxDetectorFormat.Auto"/>: it is found out.</param>
    /// <param name="prompts">What it is told.</param>
    /// <param name="remarks">Takes what it costs that the graph mixes phrases, if it does.</param>
    /// <exception cref="FormatException">The graph is not told in words, or its layout is not known.</exception>
    /// <exception cref="ArgumentException">A prompt does not fit it.</exception>
    /// <exception cref="FileNotFoundException">Its tokenizer is not there.</exception>
    public PromptedRunner(
        OnnxSource source, OnnxDetectorFormat format, DetectorPrompts prompts, OnnxDetectorOptions options, DetectorRemarks remarks)
    {
        (_source, _prompts, _remarks) = (source, prompts, remarks);
        LoadedModel model = SessionLoader.Load(source, [], options);
        (_session, Fallback) = (model.Session, model.Fallback);
        try
        {
            (_inputs, Format) = Recognise(_session, source, format);
            (int? width, int? height) = options.AskedSize;
            _isOpen = _inputs.Image.Width is null && _inputs.Image.Height is null && width is null && height is null;
            _isFlexible = _isOpen && Format == OnnxDetectorFormat.GroundingDino;
            IReadOnlyList<int> sides = UsualSides(Format);
            Input = _inputs.Image with
            {
                Width = _inputs.Image.Width ?? width ?? sides[0],
                Height = _inputs.Image.Height ?? height ?? sides[0],
            };
            _preprocessing = options.Preprocessing ?? PublishedDetector.UsualPreprocessing(Format, Input);
            _plan = new PassPlan(_session, _inputs, Format, source.Name, prompts, options);
            _passes = _plan.Of(Enumerable.Range(0, prompts.Prompts.Count), prompts.OnePhrasePerPass);
            string[] tensors = [.. model.Outputs.Where(name => _session.OutputMetadata[name].IsTensor)];
            // The first answer says which outputs are which; later ones are asked for these alone.
            (InputFrame frame, IReadOnlyList<OnnxOutput> first) = Ask(tensors, _isOpen ? [.. sides.Skip(1)] : []);
            _outputs = PromptedOutputs.Of(first, _passes[0], Format != OnnxDetectorFormat.GroundingDino, Format, options.Activation,
                source.Name);
            _asked = [.. ((string[])[_outputs.Boxes, _outputs.Scores]).Distinct()];
            if (Format is OnnxDetectorFormat.OwlVit or OnnxDetectorFormat.OwlV2 && _passes is [var only]) BurnIn(only, options);
            if (Format == OnnxDetectorFormat.GroundingDino && _passes.Any(pass => pass.Phrases.Count > 1))
            {
                _watched = MostWatched;
                foreach (float[] picture in Pictures(frame)) Watch(picture, frame, default);
                if (_passes.Any(pass => pass.Phrases.Count > 1)) _watched = MostWatched;
            }

            Decoder = new PromptedDecoder(Format,
                [.. prompts.Prompts.Select(prompt => prompts.ClassNames.Index().First(name => name.Item == prompt.ClassName).Index)]);
        }
        catch
        {
            _session.Dispose();
            throw;
        }
    }

    /// <summary>The family.</summary>
    public OnnxDetectorFormat Format { get; }

    /// <summary>How often the graph runs for an image.</summary>
    public int Passes => _passes.Count;

    public InputSpec Input { get; private set; }

    public IReadOnlyList<string> Inputs => [.. _session.InputNames];

    public IReadOnlyDictionary<string, string> Metadata => _session.ModelMetadata.CustomMetadataMap;

    public string? Fallback { get; }

    public bool OutputsBatched => true;

    public bool WantsSizes => true;

    /// <summary>What reads its answers.</summary>
    public PromptedDecoder Decoder { get; }

    /// <summary>How it is told, in words.</summary>
    public string Description => $"{Count(_prompts.Prompts.Count, "phrase")} for {Count(_prompts.ClassNames.Count, "class", "classes")} in "
        + $"{(_passes.Count == 1 ? "one pass" : $"{_passes.Count} passes")} an image, {_plan.Description}";

    public InputFrame FrameOf(ImageSize input, ImageSize picture, ImageFit fit)
    {
        if (!_isFlexible) return InputFrame.For(input, picture, fit);
        double scale = Math.Min((double)ShorterSide / Math.Min(picture.Width, picture.Height),
            (double)LongerSide / Math.Max(picture.Width, picture.Height));
        return new InputFrame(input, 0, 0, Math.Clamp((int)Math.Round(picture.Width * scale), 1, input.Width),
            Math.Clamp((int)Math.Round(picture.Height * scale), 1, input.Height));
    }

    public OnnxAnswer[] Run(
        float[] images, ImageSize size, IReadOnlyList<ImageSize>? told = null, CancellationToken cancellation = default)
    {
        int length = 3 * size.Width * size.Height;
        return [.. Enumerable.Range(0, images.Length / length).Select(i => Answer(
            images.AsSpan(i * length, length).ToArray(), FrameOf(size, told?[i] ?? size, _preprocessing.Fit), cancellation))];
    }

    public void Dispose() => _session.Dispose();

    /// <summary>Holds a graph to what it is to be told, and the words to their files, without running it.</summary>
    /// <inheritdoc cref="PromptedRunner(OnnxSource, OnnxDetectorFormat, DetectorPrompts, OnnxDetectorOptions, DetectorRemarks)"
    /// path="/exception"/>
    public static void Check(OnnxSource source, OnnxDetectorFormat format, DetectorPrompts prompts, OnnxDetectorOptions options)
    {
        using InferenceSession session = SessionLoader.Load(source, [], options).Session;
        (PromptedInputs inputs, OnnxDetectorFormat family) = Recognise(session, source, format);
        _ = new PassPlan(session, inputs, family, source.Name, prompts, options)
            .Of(Enumerable.Range(0, prompts.Prompts.Count), prompts.OnePhrasePerPass);
    }

    private static (PromptedInputs Inputs, OnnxDetectorFormat Family) Recognise(
        InferenceSession session, OnnxSource source, OnnxDetectorFormat format)
    {
        var inputs = PromptedInputs.Of(session, source.Name, () => OnnxModelFile.Parse(source.Read(), source.Name).Model);
        OnnxDetectorFormat family = PromptedFamily.Of(session, inputs, format, source.Name);
        return inputs.Image.FixedBatch is > 1 ? throw new NotSupportedException(
            $"The detector '{source.Name}' takes {inputs.Image.FixedBatch} images at once: of those that are told in words, one.")
            : (inputs, family);
    }

    /// <summary>Where one pass tells it all its words, these become part of the graph.</summary>
    private void BurnIn(TextPass pass, OnnxDetectorOptions options)
    {
        if (BurntWords.Burn(_source, pass, options) is not { } burnt) return;
        _session.Dispose();
        (_session, _passes) = (burnt, [pass with { Inputs = [] }]);
    }

    private static string Count(int count, string one, string? several = null) => $"{count} {(count == 1 ? one : several ?? one + "s")}";

    /// <summary>The sides of inputs whose size the graph leaves open: of the family's base models first, then of its large ones.</summary>
    private static IReadOnlyList<int> UsualSides(OnnxDetectorFormat format) => format switch
    {
        OnnxDetectorFormat.GroundingDino => [LongerSide],
        OnnxDetectorFormat.OwlVit => PromptedFamily.OwlVitSides,
        OnnxDetectorFormat.OwlV2 => PromptedFamily.OwlV2Sides,
        _ => [PublishedDetector.DefaultSize],
    };

    /// <summary>Shows it a first picture. A graph that says nothing of its size may yet take one alone.</summary>
    /// <param name="others">The sides that it may have in the place of the one that is set.</param>
    private (InputFrame Frame, IReadOnlyList<OnnxOutput> Answer) Ask(string[] tensors, int[] others)
    {
        try
        {
            return Show();
        }
        catch (InvalidOperationException) when (others.Length > 0)
        {
            InputSpec usual = Input;
            Input = usual with { Width = others[0], Height = others[0] };
            try
            {
                return Show();
            }
            catch (InvalidOperationException)
            {
                // Neither is it: the usual one tells the cause best.
                Input = usual;
                return Show();
            }
        }

        (InputFrame, IReadOnlyList<OnnxOutput>) Show()
        {
            ImageSize size = new(Input.Width!.Value, Input.Height!.Value);
            InputFrame frame = FrameOf(size, _isFlexible ? new ImageSize(ShorterSide, ShorterSide) : size, ImageFit.Stretch);
            return (frame, RunOnce(Pictures(frame).First(), frame, _passes[0], tensors, default));
        }
    }

    private OnnxAnswer Answer(float[] image, InputFrame frame, CancellationToken cancellation)
    {
        if (Volatile.Read(ref _watched) > 0)
        {
            lock (_watch) Watch(image, frame, cancellation);
        }

        int phrases = _prompts.Prompts.Count;
        List<float> boxes = [], scores = [];
        foreach (TextPass pass in _passes)
        {
            (float[] corners, float[] of) = Read(RunOnce(image, frame, pass, _asked, cancellation), pass, frame);
            boxes.AddRange(corners);
            scores.AddRange(of);
        }

        return new OnnxAnswer(
        [
            new OnnxOutput(PromptedDecoder.Boxes, [boxes.Count / 4, 4], boxes.ToArray()),
            new OnnxOutput(PromptedDecoder.Scores, [boxes.Count / 4, phrases], scores.ToArray()),
        ], []);
    }

    private (float[] Boxes, float[] Scores) Read(IReadOnlyList<OnnxOutput> outputs, TextPass pass, InputFrame frame)
    {
        // A graph that is told which pixels are picture gives shares of these; one that is shown the picture alone does too.
        bool unpadded = _isFlexible || (_inputs.PixelMask is not null && frame is { X: 0, Y: 0 });
        return _outputs.Read(outputs, pass, _prompts.PhraseScore, frame, unpadded, _prompts.Prompts.Count);
    }

    private IReadOnlyList<OnnxOutput> RunOnce(
        float[] image, InputFrame frame, TextPass pass, string[] asked, CancellationToken cancellation)
    {
        ImageSize size = _isFlexible ? new ImageSize(frame.Width, frame.Height) : frame.Input;
        float[] planes = _isFlexible && size != frame.Input ? Cut(image, frame) : image;
        var inputs = pass.Inputs.ToDictionary(input => input.Name, input => input.ToValue());
        inputs[Input.Name] = OnnxRunner.ImageValue(Input, planes, size, 1);
        if (_inputs.PixelMask is { } mask) inputs[mask] = MaskOf(mask, frame, size).ToValue();
        try
        {
            using IDisposableReadOnlyCollection<OrtValue> values = Cancellable.Run(_session, inputs, asked, cancellation);
            return [.. asked.Select((name, i) => OutputReader.Read(name, values[i], 1, batched: false)![0])];
        }
        catch (OnnxRuntimeException e)
        {
            throw new InvalidOperationException(
                $"The detector '{_source.Name}' failed on an input of {size} with "
                + $"{Counted.Of(pass.Phrases.Count, "phrase")}{(_isOpen ? AnotherSize : "")}: {e.Message}", e);
        }
        finally
        {
            foreach (OrtValue input in inputs.Values) input.Dispose();
        }
    }

    /// <summary>The picture alone, without what is beside it.</summary>
    private static float[] Cut(float[] image, InputFrame frame)
    {
        (int width, int height) = (frame.Input.Width, frame.Input.Height);
        var cut = new float[3 * frame.Width * frame.Height];
        for (int row = 0; row < 3 * frame.Height; row++)
        {
            (int c, int y) = (row / frame.Height, row % frame.Height);
            image.AsSpan((c * height + frame.Y + y) * width + frame.X, frame.Width).CopyTo(cut.AsSpan(row * frame.Width));
        }

        return cut;
    }

    private OnnxInput MaskOf(string name, InputFrame frame, ImageSize size)
    {
        int[] shape = _session.InputMetadata[name].Dimensions;
        int height = shape[^2] > 0 ? shape[^2] : size.Height, width = shape[^1] > 0 ? shape[^1] : size.Width;
        var mask = new long[height * width];
        // A mask may be of another size than the image.
        (int bottom, int right) = _isFlexible ? (height, width)
            : ((int)Math.Ceiling((double)(frame.Y + frame.Height) * height / size.Height),
                (int)Math.Ceiling((double)(frame.X + frame.Width) * width / size.Width));
        (int top, int left) = _isFlexible ? (0, 0) : (frame.Y * height / size.Height, frame.X * width / size.Width);
        for (int y = top; y < bottom; y++) Array.Fill(mask, 1, y * width + left, right - left);
        return TextInputs.Of(_session, name, mask, shape.Length == 4 ? [1, 1, height, width] : [1, height, width]);
    }

    /// <summary>
    /// Finds out whether what a phrase scores depends on its place in the caption: tells the phrases in one order and in the other. Where
    /// it does each phrase has its own pass from now on. An image in which something is found settles it.
    /// </summary>
    private void Watch(float[] image, InputFrame frame, CancellationToken cancellation)
    {
        if (_watched == 0) return;
        TextPass pass = _passes.First(pass => pass.Phrases.Count > 1);
        TextPass turned = _plan.Of(pass.Phrases.Select(phrase => phrase.Phrase).Reverse(), apart: false)[0];
        float[] one = Read(RunOnce(image, frame, pass, _asked, cancellation), pass, frame).Scores;
        float[] other = Read(RunOnce(image, frame, turned, _asked, cancellation), turned, frame).Scores;
        bool leaks = PhraseLeak.Found(one, other, _prompts.Prompts.Count, pass.Phrases.Select(phrase => phrase.Phrase));
        if (leaks) TellApart();
        bool isSettled = leaks || Math.Max(one.DefaultIfEmpty().Max(), other.DefaultIfEmpty().Max()) >= Something;
        Volatile.Write(ref _watched, isSettled ? 0 : _watched - 1);
    }

    private void TellApart()
    {
        int before = _passes.Count;
        _passes = _plan.Of(Enumerable.Range(0, _prompts.Prompts.Count), apart: true);
        _remarks.Add(string.Create(CultureInfo.InvariantCulture,
            $"The phrases of '{_source.Name}' leak into each other: their scores depend on where in the caption they stand, as in exports "
            + $"that were traced with one phrase. So each of the {_passes.Count} phrases has a pass of its own: an image takes "
            + $"{_passes.Count} passes in the place of {before}, and as many times as long. An export without that fault takes {before}."));
    }

    /// <summary>Pictures for asking, as the model wants to see them.</summary>
    private IEnumerable<float[]> Pictures(InputFrame frame)
    {
        var writer = new InputWriter(_preprocessing);
        foreach (int kind in (int[])[2, 1])
        {
            float[] picture = ProbePictures.Draw(kind, frame.Input, bytes: false), seen = new float[picture.Length];
            writer.Write(picture, frame, seen);
            yield return seen;
        }
    }
}

/// <summary>Tells whether a phrase scores otherwise at another place.</summary>
internal static class PhraseLeak
{
    // A graph in half precision or of integers answers not quite the same when its caption is turned round.
    private const double Tolerance = 0.1;
    private const int Compared = 20;
    private const float Bound = 1e-5f;

    /// <summary>Whether any phrase's best scores differ.</summary>
    /// <param name="one">N·P scores.</param>
    /// <param name="other">The same from the other order.</param>
    public static bool Found(float[] one, float[] other, int phrases, IEnumerable<int> compared)
    {
        foreach (int phrase in compared)
        {
            double[] before = Best(one, phrases, phrase), after = Best(other, phrases, phrase);
            for (int i = 0; i < Math.Min(before.Length, after.Length); i++)
            {
                if (Math.Abs(before[i] - after[i]) > Tolerance) return true;
            }
        }

        return false;
    }

    /// <summary>The logits of a phrase's best scores, the best first: which prediction is which may change with the order.</summary>
    private static double[] Best(float[] scores, int phrases, int phrase)
        => [.. Enumerable.Range(0, scores.Length / phrases).Select(i => scores[i * phrases + phrase]).OrderDescending().Take(Compared)
            .Select(score => Math.Clamp(score, Bound, 1 - Bound)).Select(score => Math.Log(score / (1 - score)))];
}
