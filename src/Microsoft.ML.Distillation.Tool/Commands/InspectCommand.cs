using System.CommandLine;
using Microsoft.ML.Distillation.Tool.Display;
using Microsoft.ML.Distillation.Tool.Models;

namespace Microsoft.ML.Distillation.Tool.Commands;

/// <summary><c>ml-distill inspect</c>: says what a data set holds and what is wrong with it.</summary>
internal sealed class InspectCommand : System.CommandLine.Command
{
    public InspectCommand()
        : base("inspect", "Says what annotated images hold and what is wrong with them; draws a sheet of them.")
    {
        Option<string> data = SharedOptions
            .RequiredPath("--data", "The annotated images: a folder, or a COCO json, data.yaml, csv or tsv.", "DIR");
        var format = new FormatOptionSet();
        Option<string?> split = SharedOptions
            .Split("--split", "The part to look through, or 'all'. [default: train, val and test where there are, else all]");
        Option<string?> folder = SharedOptions.Output("A folder for contact-sheet.png and inspection.json.", "DIR");
        folder.Aliases.Add("--out");
        Option<int?> pictures = SharedOptions.Count("--pictures", "How many images the sheet shows. [default: 24]");
        Options.Add(data);
        format.AddTo(Options);
        Option<bool> skip = SharedOptions.SkipInvalid(
            "As the other commands have it: inspect goes on with or without it, and lists what the others would leave out.");
        foreach (Option option in (Option[])[split, folder, pictures, skip]) Options.Add(option);
        SetAction(parsed =>
        {
            TextWriter output = parsed.InvocationConfiguration.Output;
            string? place = parsed.GetValue(folder);
            (string? figures, string? sheet) = place is null ? (null, null)
                : (Path.Combine(place, "inspection.json"), Path.Combine(place, "contact-sheet.png"));
            OutputCheck.Folder(folder.Name, place);
            OutputCheck.File(parsed, folder.Name, figures);
            OutputCheck.File(parsed, folder.Name, sheet);
            DataFolder source = format.At(parsed, parsed.GetRequiredValue(data));
            IReadOnlyList<string>? parts = parsed.GetValue(split) switch
            {
                null => null,
                DataFolder.All => [],
                string name => [name],
            };
            source.Announce();
            DetectionDataInspection found = source.Context.Data.InspectDetections(
                source.Path, source.Format, parts, source.ImageFolder, source.NamesFile, source.MaxPixels);
            foreach (string warning in found.Warnings)
                parsed.InvocationConfiguration.Error.WriteLine($"warning: {OptionNames.Translate(warning)}");
            InspectionTable.Write(output, found);
            if (figures is null || sheet is null) return;
            InspectionTable.WriteJson(figures, found);
            found.SaveContactSheet(sheet, parsed.GetValue(pictures) ?? 24);
            output.WriteLine($"saved {sheet}");
        });
    }
}
