using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Detectors.Backbones;
using Microsoft.ML.Distillation.Files;

namespace Microsoft.ML.Distillation.Tool.Models;

/// <summary>Writes a detector as a file: by its extension an .onnx, or the ML.NET pipeline from an image's path to names, scores and boxes.</summary>
internal static class PipelineFile
{
    /// <summary>Writes the file, beside its place and then renamed.</summary>
    public static void Save(TrainedDetector detector, string path)
    {
        if (Path.GetExtension(path).Equals(".onnx", StringComparison.OrdinalIgnoreCase))
        {
            Files.AtomicFile.Write(path, detector.Model.ToBytes());
            return;
        }

        var context = new MLContext();
        IDataView files = context.Data.LoadFromEnumerable<AnnotatedRow>([]);
        ITransformer loadImages = context.Transforms.LoadImages("Image", imageFolder: null, inputColumnName: nameof(AnnotatedRow.ImagePath)).Fit(files);
        IDataView images = loadImages.Transform(files);
        using DetectorTransformer transformer = detector.ToTransformer(context, images.Schema);
        ITransformer toNames = context.Transforms.Conversion.MapKeyToValue("PredictedLabel").Fit(transformer.Transform(images));
        using var zip = new MemoryStream();
        context.Model.Save(new TransformerChain<ITransformer>(loadImages, transformer, toNames), files.Schema, zip);
        Files.AtomicFile.Write(path, zip.GetBuffer().AsSpan(0, (int)zip.Length));
    }
}
