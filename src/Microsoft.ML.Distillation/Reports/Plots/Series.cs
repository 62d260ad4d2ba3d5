namespace Microsoft.ML.Distillation.Reports.Plots;

/// <summary>A line of a plot.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Color">The class that colours it.</param>
/// <param name="Points">Its points, from left to right.</param>
internal sealed record Series(string Name, string Color, IReadOnlyList<(double X, double Y)> Points);
