using System.Text.Json;

namespace Microsoft.ML.Distillation.Tests;

/// <summary>Models that earlier versions saved, and what those versions found in a picture.</summary>
internal static class SavedModels
{
    private static readonly JsonSerializerOptions Names = new(JsonSerializerDefaults.Web);

    /// <summary>A file that version 0.1 left.</summary>
    public static string At(string name) => Path.Combine(TestData.Repository(), "test", "Fixtures", "0.1", name);

    /// <summary>The ten best detections of a model in <c>scene.jpg</c>.</summary>
    public static Expected[] ExpectedOf(string model)
        => JsonSerializer.Deserialize<Dictionary<string, Expected[]>>(File.ReadAllText(At("expected.json")), Names)![model];

    internal sealed record Expected(string Label, float Score, float[] Box);
}
