using System.CommandLine;
using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Distillation.Tool.Display;
using Microsoft.ML.Distillation.Tool.Labelling;
using Microsoft.ML.Distillation.Tool.Models;

namespace Microsoft.ML.Distillation.Tool.Commands;

/// <summary><c>ml-distill convert</c>: writes a data set in another format.</summary>
internal sealed class ConvertCommand : System.CommandLine.Command
{
    public ConvertCommand()
        : base("convert", "Writes a data set of any format as Pascal VOC, COCO or YOLO.")
    {
        Option<string> data = SharedOptions
            .RequiredPath("--data", "The annotated images: a folder, or a COCO json, data.yaml, csv or tsv.", "DIR");
        var from = new FormatOptionSet().AlsoCalled("--from");
        Option<string> to = SharedOptions.Choice("--to", "The format to write.", FormatOptionSet.Written);
        to.Required = true;
        to.DefaultValueFactory = null;
        Option<string> output = SharedOptions.RequiredOutput("The folder to write.", "DIR");
        Option<string?> split = SharedOptions
            .Split("--split", "The part to write, or 'all'. [default: each of train, val and test that there is, else all]");
        var copy = new Option<bool>("--copy-images") { Description = "Also copy the images to where the format has them." };
        var missing = new Option<bool>("--allow-missing-images")
        {
            Description =
            "Also write annotations whose images do not exist, if they give the images' sizes."
        };
        Option<bool> skip = SharedOptions.SkipInvalid(
            "Leave out annotations that are not as they must be, with a warning, instead of stopping.");
        Options.Add(data);
        from.AddTo(Options);
        foreach (Option option in (Option[])[to, output, split, copy, missing, skip]) Options.Add(option);
        SetAction(parsed => Convert(
            from.At(parsed, parsed.GetRequiredValue(data)) with
            {
                AllowMissingImages = parsed.GetValue(missing),
                SkipsInvalid = parsed.GetValue(skip),
            },
            FormatOptionSet.Named(parsed.GetRequiredValue(to)), parsed.GetRequiredValue(output),
            parsed.GetValue(split), parsed.GetValue(copy), parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error));
    }

    private static void Convert(DataFolder data, DetectionFormat format, string folder, string? asked, bool copyImages, TextWriter output,
        TextWriter error)
    {
        OutputCheck.Folder("--output", folder);
        if (data.Format == format && RealPath.IsWithin(data.Path, folder))
            throw new UsageException($"--output '{folder}' is where the data set itself lies, whose files would be replaced: name another "
                + $"folder.");
        OutputCheck.Outside("--output", folder, "--data", data.Path);
        using var interruption = new Interruption(error, "what is not finished is taken back");
        string?[] splits = asked is not null ? [data.Choose(asked)] : [.. DataFolder.UsualSplits.Where(data.Has)];
        if (splits.Length == 0) splits = [null];
        foreach (string? split in splits)
        {
            IEnumerable<GeneratedRow> rows = WorkProgress.Over(
                data.Context.Data.CreateEnumerable<GeneratedRow>(data.View(split), reuseRowObject: false), null, split ?? "all",
                "images read", data.Notes);
            WrittenAnnotations written = data.Context.Data.SaveDetections(
                data.Context.Data.LoadFromEnumerable(rows), folder, format, split, copyImages, data.MaxPixels, interruption.Token);
            string leftOut = written.LeftOut > 0 ? $"; {written.LeftOut} groups and regions left out, for which the format has no mark"
                : "";
            output.WriteLine($"{split ?? "all"}: {Counted.Of(written.Images, "image")}, {Counted.Of(written.Objects, "object")}{leftOut}");
        }

        string images = copyImages ? "" : " (the images stay where they are: --copy-images brings them along)";
        output.WriteLine($"saved {folder}{images}");
    }
}
