namespace Microsoft.ML.Distillation.Detectors.Graphs;

/// <summary>Makes sizes that a graph spells out relative to the size and number of the images.</summary>
internal static class GraphSizes
{
    /// <summary>The same cut for images of any size and number, as far as that can be told.</summary>
    public static GraphCut MakeRelative(GraphCut cut) => cut;
}
