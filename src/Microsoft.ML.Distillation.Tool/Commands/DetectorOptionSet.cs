using System.CommandLine;
using System.Globalization;

namespace Microsoft.ML.Distillation.Tool.Commands;

/// <summary>The options that plan a detector network.</summary>
/// <param name="usual">The network where the option names none.</param>
/// <param name="usualBackbone">The backbone of a family that is named without one.</param>
/// <param name="optionName">
/// What the option is called here: <c>--student</c>, or <c>--detector</c> where there is no teacher; the other name is understood too.
/// </param>
internal sealed class DetectorOptionSet(string usual, string usualBackbone, string optionName = "--student")
{
    private const string OneStage = "one-stage", FasterRcnn = "faster-rcnn";

    // As DetectorPlan.For has them.
    private static readonly (string Name, string? Backbone, int InputSize)[] Networks =
    [
        ("fast", "shufflenet-0.5", 160), ("balanced", "shufflenet-0.5", 320), ("accurate", "shufflenet-1.0", 512), (OneStage, null, 320),
        (FasterRcnn, null, 320),
    ];

    private readonly Option<string> _network = NetworkOption(optionName, usual);
    private readonly OneStageOptionSet _oneStage = new();
    private readonly GraphBackboneOptionSet _graph = new();
    private readonly Option<string?> _backbone = BackboneOption(usualBackbone);

    private readonly Option<int[]?> _widths = new("--widths")
    {
        Description = "The channels of the convolutions of the plain backbone, for example 8,16,24,32.",
        HelpName = "N,N,…",
        CustomParser = result =>
        {
            string text = result.Tokens[0].Value;
            var widths = new List<int>();
            foreach (string part in text.Split(','))
            {
                if (int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int width) && width > 0)
                {
                    widths.Add(width);
                    continue;
                }

                result.AddError($"--widths must be whole numbers above 0 with commas between them, not '{text}'.");
                return null;
            }

            return [.. widths];
        },
    };

    private readonly Option<int?> _stages = SharedOptions.Count("--stages", "How many of the backbone's stages to use. [default: all]");
    private readonly Option<string?> _weights = SharedOptions.Path("--weights",
        "What the backbone's parameters start from: imagenet (torchvision's, downloaded once), none (random), auto (imagenet's where "
            + "'ml-distill weights get' or an earlier run put them into the cache, else random), or a file: .pth, .pt or .safetensors, by "
            + "torchvision's names. [default: auto]",
        "imagenet|none|auto|FILE").Completed("auto", "imagenet", "none");

    private readonly Option<int?> _fpn = SharedOptions.Count("--fpn", "Puts a feature pyramid with so many channels on the backbone.");
    private readonly Option<int?> _inputSize = SharedOptions.Count(
        "--input-size", "The longer side of the network's input in pixels. [default: 320, or that of the latency class]", least: 32);
    private readonly Option<int?> _headWidth = SharedOptions
        .Count("--head-width", "The width of the box head. [default: follows the backbone]");

    /// <summary>Adds these to a command's options.</summary>
    public void AddTo(IList<Option> options)
    {
        options.Add(_network);
        foreach (Option option in (Option[])[_backbone, _widths, _stages, _weights, _fpn, _inputSize, _headWidth]) options.Add(option);
        _graph.AddTo(options);
        _oneStage.AddTo(options);
    }

    /// <summary>The network that was asked for.</summary>
    /// <exception cref="UsageException">The options do not go together.</exception>
    /// <exception cref="FileNotFoundException">There is no file of weights.</exception>
    public DetectorPlan Read(ParseResult parsed)
    {
        (string network, string? itsBackbone, int itsInputSize) = Networks.Single(one => one.Name == parsed.GetRequiredValue(_network));
        string name = parsed.GetValue(_backbone) ?? itsBackbone ?? usualBackbone;
        int inputSize = parsed.GetValue(_inputSize) ?? itsInputSize;
        // Where the option is not given, its value is an empty array.
        int[]? widths = parsed.GetValue(_widths) is { Length: > 0 } given ? given : null;
        if (widths is not null && name != BackboneNames.Plain) throw new UsageException("--widths goes with --backbone plain.");
        bool isGraph = GraphBackboneOptionSet.IsFile(name);
        if (!isGraph && _graph.Given(parsed) is { } orphan) throw new UsageException($"{orphan} goes with --backbone FILE.onnx.");
        Backbone backbone = (isGraph ? _graph.Read(parsed, name) : BackboneNames.BackboneOf(name, widths)) with
        {
            Stages = parsed.GetValue(_stages),
            FpnChannels = parsed.GetValue(_fpn),
            Weights = WeightsOf(parsed.GetValue(_weights)),
        };
        bool oneStage = network != FasterRcnn;
        if (!oneStage && _oneStage.Given(parsed) is { } foreign)
            throw new UsageException($"{foreign} goes with {_network.Name} {OneStage}.");
        if (oneStage && (parsed.GetValue(_fpn) ?? parsed.GetValue(_headWidth)) is not null)
            throw new UsageException($"--fpn and --head-width do not go with {_network.Name} {network}, a one-stage network with a pyramid "
                + $"of its own: use --channels, or {_network.Name} {FasterRcnn}.");
        try
        {
            return oneStage
                ? DetectorPlan.OneStage(backbone, inputSize, _oneStage.Read(parsed))
                : DetectorPlan.FasterRcnn(backbone, inputSize, new FasterRcnnOptions { HeadWidth = parsed.GetValue(_headWidth) });
        }
        catch (ArgumentException error)
        {
            throw new UsageException(error.Message);
        }
    }

    /// <summary>What the backbone starts from; a file of one of the words' names is given with its folder.</summary>
    private static PretrainedWeights WeightsOf(string? word) => word switch
    {
        null or "auto" => PretrainedWeights.Auto,
        "none" => PretrainedWeights.None,
        "imagenet" => PretrainedWeights.ImageNet,
        _ when File.Exists(word) => word,
        _ => throw new FileNotFoundException(
            $"--weights: there is no file '{word}', and the words that it knows are imagenet, none and auto.", word),
    };

    private static Option<string?> BackboneOption(string usual)
    {
        string[] names = [usual, .. BackboneNames.All.Where(name => name != usual)];
        var option = new Option<string?>("--backbone")
        {
            Description = $"The network that makes the features. One of {string.Join(", ", names)}; or an .onnx file of anyone's, of which "
                + $"the part up to --maps is trained. [default: {usual}, or that of the latency class]",
            HelpName = "NAME|FILE",
        };
        option.CompletionSources.Add(names);
        option.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var value }] && !names.Contains(value) && !GraphBackboneOptionSet.IsFile(value))
                result.AddError($"--backbone must be one of {string.Join(", ", names)}, or an .onnx file, not '{value}'.");
        });
        return option;
    }

    private static Option<string> NetworkOption(string optionName, string usual)
    {
        IEnumerable<string> names = Networks.Select(one => one.Name);
        return SharedOptions.Choice(optionName,
            "The network: what is advised for about 4, 7 or 20 ms an image on a server's core (fast, balanced, accurate: one-stage), or a "
                + "family.", [usual, .. names.Where(name => name != usual)])
            .AlsoCalled(optionName == "--student" ? "--detector" : "--student");
    }
}
