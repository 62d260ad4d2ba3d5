using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Backbones;

/// <summary>A name level of a state dict, and nothing else.</summary>
internal sealed class Group() : nn.Module(nameof(Group));
