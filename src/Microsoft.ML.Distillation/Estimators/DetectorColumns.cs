namespace Microsoft.ML.Distillation.Estimators;

/// <summary>The names of the columns that a fitted detector reads and writes.</summary>
/// <param name="Image">In: the image (<see cref="Microsoft.ML.Data.MLImage"/>).</param>
/// <param name="PredictedLabel">Out: the class of each detection, a vector of keys with the class names as values.</param>
/// <param name="Score">Out: the score of each detection, 0 to 1, best first.</param>
/// <param name="PredictedBoundingBoxes">Out: x0 y0 x1 y1 of each detection in pixels of the image.</param>
internal sealed record DetectorColumns(
    string Image = "Image",
    string PredictedLabel = "PredictedLabel",
    string Score = "Score",
    string PredictedBoundingBoxes = "PredictedBoundingBoxes");
