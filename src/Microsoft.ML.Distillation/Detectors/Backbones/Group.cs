using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Backbones;

/// <summary>A name level of a state dict, and nothing else.</summary>
internal sealed class Group() : nn.Module(nameof(Group))
{
    /// <summary>Registers a module under a name with dots, one group for each level.</summary>
    public static void Register(nn.Module owner, string name, nn.Module module)
    {
        int dot = name.IndexOf('.', StringComparison.Ordinal);
        if (dot < 0)
        {
            owner.register_module(name, module);
            return;
        }

        string level = name[..dot];
        nn.Module? group = owner.named_children().FirstOrDefault(c => c.name == level).module;
        if (group is null) owner.register_module(level, group = new Group());
        Register(group, name[(dot + 1)..], module);
    }
}
