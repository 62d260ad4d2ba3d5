using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Rows;
using Microsoft.ML.Transforms;

namespace Microsoft.ML.Distillation.Model;

/// <summary>
/// The one step of a fitted model that is code of this library: takes an image apart into its RGB bytes and its size, which
/// is what the exported graph reads. Saved by its contract name; loads wherever this assembly is present. Touches no libtorch.
/// </summary>
[CustomMappingFactoryAttribute(ContractName)]
internal sealed class ImagePixels : CustomMappingFactory<ImagePixels.Input, ImagePixels.Output>
{
    /// <summary>The name under which a saved model asks for this step.</summary>
    public const string ContractName = "ML.Distillation.ImagePixels";

    /// <summary>What the step reads.</summary>
    internal sealed class Input
    {
        [AnySizeImage, ColumnName(PrivateColumns.Image)]
        public MLImage? Image { get; set; }
    }

    /// <summary>What the step writes.</summary>
    internal sealed class Output
    {
        /// <summary>The bytes, 3·width·height, RGB, rows from the top.</summary>
        [ColumnName(PrivateColumns.Pixels)]
        public VBuffer<byte> Pixels { get; set; }

        /// <summary>Height and width.</summary>
        [ColumnName(PrivateColumns.Size), VectorType(2)]
        public long[] Size { get; set; } = new long[2];
    }

    /// <inheritdoc/>
    public override Action<Input, Output> GetMapping()
    {
        // ML.NET asks for this step before it loads the network, and says less of a missing library.
        OnnxRuntimeLibrary.Require();
        return Map;
    }

    /// <summary>The step itself; static, so that ML.NET stores nothing but the contract's name.</summary>
    public static void Map(Input input, Output output)
    {
        MLImage image = input.Image
            ?? throw new InvalidOperationException("A row has no image (it is null): a detector needs one in every row.");
        VBuffer<byte> pixels = output.Pixels;
        var editor = VBufferEditor.Create(ref pixels, 3 * image.Width * image.Height);
        MLImagePixels.CopyRgb(image, editor.Values);
        output.Pixels = editor.Commit();
        output.Size = [image.Height, image.Width];
    }
}
