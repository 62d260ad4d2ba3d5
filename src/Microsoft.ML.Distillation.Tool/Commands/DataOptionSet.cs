using System.CommandLine;
using Microsoft.ML.Distillation.Tool.Display;
using Microsoft.ML.Distillation.Tool.Models;

namespace Microsoft.ML.Distillation.Tool.Commands;

/// <summary>The options that say which images to train, validate and test on.</summary>
internal sealed class DataOptionSet
{
    private const string None = "none";

    // Of fewer images a share of this size says too little of a model to be worth the loss.
    private const int FewestToHoldBack = 40;
    private const double UsualShare = .15;

    private readonly Option<string> _data = SharedOptions
        .RequiredPath("--data", "The annotated images: a folder, or a COCO json, data.yaml, csv or tsv.", "DIR");
    private readonly FormatOptionSet _format = new();
    private readonly Option<string?> _train = SharedOptions
        .Split("--train-split", "The part to train on, or 'all'. [default: train where there is one, else all]");
    private readonly Option<string?> _validation = SharedOptions
        .Split("--val-split", "The part to choose the best model by, or 'none'. [default: val where there is one]", None);
    private readonly Option<double?> _share = SharedOptions.Number(
        "--val-share", "Where there is no validation part: the share of the images that is held back as one, chosen by their names; 0 for "
            + "none. [default: 0.15 from 40 images on]", 0, .9);
    private readonly Option<string?> _test = SharedOptions
        .Split("--test-split", "The part to measure the result on, or 'none'. [default: test where there is one]", None);

    /// <summary>Adds these to a command's options.</summary>
    public void AddTo(IList<Option> options)
    {
        options.Add(_data);
        _format.AddTo(options);
        foreach (Option option in (Option[])[_train, _validation, _share, _test]) options.Add(option);
    }

    /// <summary>Opens the images to train on.</summary>
    /// <param name="skipInvalid">Whether training leaves out what it cannot use, missing images among it.</param>
    /// <param name="hasTest">Whether the result is measured on images of its own.</param>
    public TrainingSession Open(ParseResult parsed, MLContext context, TrainingDisplay display, bool skipInvalid, bool hasTest = true)
    {
        (TextWriter output, TextWriter error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
        DataFolder data = DataOf(parsed) with { SkipsInvalid = skipInvalid, Context = context };
        string? train = data.Choose(parsed.GetValue(_train), "train"), validation = OrNone(data, parsed.GetValue(_validation), "val");
        HeldBackImages? heldBack = HeldBack(parsed, data, train, validation, output);
        if (validation is null && heldBack is null)
        {
            string measured = hasTest ? "" : "nothing is measured, and ";
            output.WriteLine($"note: there is no validation part, so {measured}the model of the last epoch is kept; --val-share 0.15 holds "
                + "a share of the images back to choose the best model by.");
        }

        return new TrainingSession(context, data, train, validation, heldBack, display, error);
    }

    /// <summary>The images that are held back for validation; null for none.</summary>
    /// <exception cref="UsageException">There is a validation part already.</exception>
    private HeldBackImages? HeldBack(ParseResult parsed, DataFolder data, string? train, string? validation, TextWriter output)
    {
        double? asked = parsed.GetValue(_share);
        if (validation is not null)
        {
            if (asked is not > 0) return null;
            throw new UsageException($"--val-share is for data without a validation part, and there is '{validation}': leave --val-share "
                + "out, or that part by --val-split none.");
        }

        if ((asked ?? (parsed.GetValue(_validation) == None ? 0 : UsualShare)) is not (> 0 and var share)) return null;
        string[] images = [.. data.Load(train).Select(image => image.ImagePath)];
        if (images.Length < (asked is null ? FewestToHoldBack : 2)) return null;
        string folder = Directory.Exists(data.Path) ? data.Path : Path.GetDirectoryName(Path.GetFullPath(data.Path))!;
        var heldBack = new HeldBackImages(images, Path.GetFullPath(folder), share);
        output.WriteLine($"validation: {heldBack.Count} of the {images.Length} images {(heldBack.Count == 1 ? "is" : "are")} held "
            + "back, by their names, to choose the best model by; --val-share gives another share, 0 none.");
        return heldBack;
    }

    /// <summary>Opens images without labels to train on.</summary>
    public TrainingSession OpenImages(ParseResult parsed, MLContext context, TrainingDisplay display)
        => new(context, InputImages.Find(parsed.GetRequiredValue(_data)), SharedOptions.MaxPixelsIn(parsed), display);

    /// <summary>The images to measure the result on, each opened once, before the training; none where there are none.</summary>
    /// <inheritdoc cref="TestImages.Checked"/>
    public IReadOnlyList<AnnotatedRow> OpenTest(ParseResult parsed, MLContext context, bool skipInvalid, TextWriter error)
    {
        DataFolder data = DataOf(parsed) with { SkipsInvalid = skipInvalid, Context = context };
        return OrNone(data, parsed.GetValue(_test), "test") is string split
            ? TestImages.Checked(data.Load(split), skipInvalid, data.MaxPixels, error, data.Notes) : [];
    }

    /// <summary>The data set.</summary>
    public DataFolder DataOf(ParseResult parsed) => _format.At(parsed, parsed.GetRequiredValue(_data));

    private static string? OrNone(DataFolder data, string? asked, string usual)
        => asked == None ? null : asked ?? (data.Has(usual) ? usual : null);
}
