using static TorchSharp.torch;

namespace TorchSharp.Modules;

/// <summary>Parameters that are trained with the same settings.</summary>
public class ParamGroup : optim.ILearningRateController
{
    public ParamGroup() { }

    public IEnumerable<Parameter> Parameters { get; set; } = [];

    public OptimizerOptions Options { get; set; } = new();

    public double LearningRate
    {
        get => Options.LearningRate!.Value;
        set => Options.LearningRate = value;
    }

    public double InitialLearningRate
    {
        get => Options.InitialLearningRate;
        set => Options.InitialLearningRate = value;
    }
}

/// <summary>Parameters with the settings of one kind of optimiser.</summary>
public class ParamGroup<TOptions> : ParamGroup where TOptions : OptimizerOptions
{
    public ParamGroup() { }

    public ParamGroup(IEnumerable<Parameter> parameters, TOptions? options = null)
    {
        Parameters = [.. parameters];
        if (options is not null) base.Options = options;
    }

    public new TOptions Options
    {
        get => (TOptions)base.Options;
        set => base.Options = value;
    }
}

/// <summary>Settings of an optimiser; those that are null take the optimiser's own.</summary>
public class OptimizerOptions
{
    public OptimizerOptions() { }

    public double? LearningRate { get; set; }

    public double InitialLearningRate { get; set; }
}
