using static TorchSharp.torch;

namespace TorchSharp.Modules;

/// <summary>What the optimisers share: groups of parameters, and what is remembered of each parameter from step to step.</summary>
public abstract class OptimizerHelper : optim.Optimizer
{
    private readonly Dictionary<Parameter, Dictionary<string, Tensor>> _memory = new(ReferenceEqualityComparer.Instance);

    public OptimizerHelper() { }

    public override void add_param_group(ParamGroup param_group) => Groups.Add(param_group);

    public override void zero_grad() => base.zero_grad();

    private protected void Forget()
    {
        foreach (Tensor tensor in _memory.Values.SelectMany(memory => memory.Values)) tensor.Dispose();
        _memory.Clear();
    }

    /// <summary>Runs the closure, then the body for each parameter that has a gradient, without recording.</summary>
    private protected Tensor? Step<TGroup>(Func<Tensor>? closure, Action<TGroup, Parameter, Tensor, Dictionary<string, Tensor>> body) where TGroup : ParamGroup
    {
        Tensor? loss = null;
        if (closure is not null)
        {
            using IDisposable recording = enable_grad();
            loss = closure();
        }

        using IDisposable quiet = no_grad();
        foreach (TGroup group in Groups.Cast<TGroup>())
        {
            foreach (Parameter parameter in group.Parameters)
            {
                using DisposeScope scope = NewDisposeScope();
                if (parameter.grad is not Tensor grad) continue;
                if (!_memory.TryGetValue(parameter, out Dictionary<string, Tensor>? memory)) _memory[parameter] = memory = new(StringComparer.Ordinal);
                body(group, parameter, grad, memory);
                foreach (Tensor kept in memory.Values) kept.DetachFromDisposeScope();
            }
        }

        return loss;
    }
}
