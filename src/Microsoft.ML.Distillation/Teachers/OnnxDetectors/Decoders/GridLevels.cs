using Microsoft.ML.Distillation.Data;

namespace Microsoft.ML.Distillation.Teachers.OnnxDetectors.Decoders;

/// <summary>The cells of a model that predicts on grids of several strides.</summary>
internal static class GridLevels
{
    private static readonly int[][] Usual = [[8, 16, 32], [8, 16, 32, 64], [16, 32], [16, 32, 64], [4, 8, 16, 32], [32], [16], [8]];

    /// <summary>The strides whose cells are as many as a model has predictions; <see langword="null"/> where none of the usual ones fit.</summary>
    /// <param name="predictions">The number of predictions.</param>
    /// <param name="perCell">The number of predictions in each cell.</param>
    /// <param name="given">The strides to use, if the user knows them.</param>
    public static IReadOnlyList<int>? Find(ImageSize input, int predictions, int perCell, IReadOnlyList<int>? given)
    {
        IEnumerable<IReadOnlyList<int>> candidates = given is null ? Usual : [given];
        return candidates.FirstOrDefault(strides => perCell * strides.Sum(stride => Cells(input, stride)) == predictions);
    }

    /// <summary>The number of cells of a stride; a cell that reaches beyond the input counts.</summary>
    public static int Cells(ImageSize input, int stride) => Across(input.Width, stride) * Across(input.Height, stride);

    /// <summary>The number of cells of a stride along one side.</summary>
    public static int Across(int pixels, int stride) => (pixels + stride - 1) / stride;
}
