namespace Microsoft.ML.Distillation.Detectors.Boxes;

/// <summary>
/// The anchors of one feature map: at every cell one box for each ratio (height/width) and size (square root of the area),
/// in pixels of the input. Rounding, order and the cell's corner as the anchor's centre follow torchvision's AnchorGenerator.
/// </summary>
/// <param name="Sizes">Pixels.</param>
/// <param name="Ratios">Height over width.</param>
internal sealed record AnchorGrid(IReadOnlyList<float> Sizes, IReadOnlyList<float> Ratios)
{
    /// <summary>The number of anchors at a cell.</summary>
    public int PerCell => Sizes.Count * Ratios.Count;

    /// <summary>The anchors around the origin: 4 values each, the sizes of the first ratio first.</summary>
    public float[] Cell()
    {
        var cell = new List<float>(4 * PerCell);
        foreach (float ratio in Ratios)
        {
            float tall = MathF.Sqrt(ratio), wide = 1 / tall;
            foreach (float size in Sizes)
            {
                float x = MathF.Round(wide * size / 2), y = MathF.Round(tall * size / 2);
                cell.AddRange([-x, -y, x, y]);
            }
        }

        return [.. cell];
    }

    /// <summary>All anchors of a map, 4 values each: row by row, cell by cell, then as in <see cref="Cell"/>.</summary>
    /// <param name="strideX">Pixels of the input from one cell to the next.</param>
    public float[] Generate(int columns, int rows, int strideX, int strideY)
    {
        float[] cell = Cell();
        var anchors = new float[rows * columns * cell.Length];
        int at = 0;
        for (int y = 0; y < rows; y++)
        {
            for (int x = 0; x < columns; x++)
            {
                for (int i = 0; i < cell.Length; i++) anchors[at++] = cell[i] + (i % 2 == 0 ? x * strideX : y * strideY);
            }
        }

        return anchors;
    }
}
