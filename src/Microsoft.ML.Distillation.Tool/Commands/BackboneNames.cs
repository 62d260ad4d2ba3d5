namespace Microsoft.ML.Distillation.Tool.Commands;

/// <summary>What the command calls the backbones.</summary>
internal static class BackboneNames
{
    /// <summary>The one that has widths.</summary>
    public const string Plain = "plain";

    private static readonly (string Name, Backbone Backbone)[] Named =
    [
        ("shufflenet-0.5", Backbone.ShuffleNetV2_x0_5), ("shufflenet-1.0", Backbone.ShuffleNetV2_x1_0),
        ("resnet18", Backbone.ResNet18), ("resnet34", Backbone.ResNet34), ("resnet50", Backbone.ResNet50),
        ("mobilenet-small", Backbone.MobileNetV3Small), ("mobilenet-large", Backbone.MobileNetV3Large),
        ("alexnet", Backbone.AlexNet), ("vgg-m", Backbone.VggM), ("vgg16", Backbone.Vgg16),
    ];

    /// <summary>All names.</summary>
    public static IReadOnlyList<string> All { get; } = [.. Named.Select(one => one.Name), Plain];

    /// <summary>The backbone of a name.</summary>
    /// <param name="widths">The widths of the plain one.</param>
    public static Backbone BackboneOf(string name, int[]? widths = null)
        => name == Plain ? Backbone.Plain(widths ?? [8, 16, 24, 32]) : Named.Single(one => one.Name == name).Backbone;

    /// <summary>The name of a kind of backbone.</summary>
    public static string NameOf(BackboneKind kind) => Named.FirstOrDefault(one => one.Backbone.Kind == kind).Name ?? Plain;
}
