using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Detectors.Weights;
using Microsoft.ML.Distillation.Distributed;
using Microsoft.ML.Distillation.Training.Optimizers;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Training;

/// <summary>
/// Everything that changes while training: the weights, the optimiser, their average, the best model so far, and how far training
/// has come. A checkpoint is a copy of this.
/// </summary>
internal sealed class TrainingState : IDisposable
{
    /// <summary>What the names begin with of the best model's weights.</summary>
    public const string BestPrefix = "best.";

    /// <summary>What the names begin with of the averaged weights, by the names of the student's.</summary>
    public const string AveragedPrefix = "averaged.";

    private readonly Detector _student;
    private readonly IReadOnlyList<nn.Module> _modules;
    private readonly Dictionary<string, Tensor> _best = [];

    public TrainingState(IObjective objective, TrainingOptions options, TrainingPlan plan)
    {
        _student = objective.Student;
        _modules = [objective.Student, .. objective.Extras];
        HashSet<nint> backbone = plan.BackboneRate == 1 ? [] : [.. _student.Backbone.parameters().Select(parameter => parameter.Handle)];
        Parameters = new FlatParameters(_modules, (module, parameter) =>
            objective.RateShareOf(module) * (backbone.Contains(parameter.Handle) ? plan.BackboneRate : 1));
        Optimizer = FlatOptimizer.Create(options.Optimizer, Parameters, plan.WeightDecay, options.Momentum);
        Average = options.EmaDecay is double decay ? new WeightAverage(Parameters, _student, decay) : null;
    }

    /// <summary>The weights and their gradients.</summary>
    public FlatParameters Parameters { get; }

    /// <summary>The optimiser.</summary>
    public FlatOptimizer Optimizer { get; }

    /// <summary>The running average of the weights, where one is kept.</summary>
    public WeightAverage? Average { get; }

    /// <summary>What the student's parameters started from.</summary>
    public WeightsOrigin? Origin
    {
        get => _student.Weights;
        set => _student.Weights = value;
    }

    /// <summary>The number of steps made.</summary>
    public int Step { get; set; }

    /// <summary>The epochs that are completed.</summary>
    public List<EpochSummary> History { get; } = [];

    /// <summary>What the epoch came to that an error interrupted; null between epochs.</summary>
    public BegunEpoch? Begun { get; set; }

    /// <summary>The AP of the best model so far, once one was validated.</summary>
    public double? BestAp { get; private set; }

    /// <summary>Puts the averaged weights, where there are such, into the student until the result is disposed.</summary>
    public IDisposable? UseAverage() => Average?.Apply();

    /// <summary>Keeps the student's present weights if they are the best so far.</summary>
    public void KeepIfBest(double ap)
    {
        if (ap <= BestAp) return;
        BestAp = ap;
        using IDisposable frozen = no_grad();
        foreach ((string name, Tensor tensor) in Weights(_student))
        {
            if (_best.TryGetValue(name, out Tensor? kept)) kept.copy_(tensor);
            else _best[name] = tensor.detach().cpu().clone().DetachFromDisposeScope();
        }
    }

    /// <summary>Gives the student the weights that training returns: the best ones, else the averaged ones, else the last.</summary>
    public void Finish()
    {
        if (_best.Count > 0) Restore(Weights(_student), _best, "");
        else Average?.Publish();
    }

    /// <summary>
    /// The averaged weights by the names of the student's, where training would return them now: nothing else in a checkpoint can be
    /// exported. Copies, which belong to the scope of who asks.
    /// </summary>
    public Dictionary<string, Tensor> Averaged()
    {
        if (Average is null || _best.Count > 0) return [];
        using IDisposable averaged = Average.Apply();
        return Weights(_student).ToDictionary(entry => AveragedPrefix + entry.Key, entry => entry.Value.clone());
    }

    /// <summary>All tensors of the state, by name.</summary>
    public Dictionary<string, Tensor> Tensors()
    {
        var all = new Dictionary<string, Tensor>();
        for (int i = 0; i < _modules.Count; i++) Add(ModulePrefix(i), Weights(_modules[i]));
        Add("optimizer.", Optimizer.State);
        if (Average is not null) Add("average.", Average.State);
        Add(BestPrefix, _best);
        return all;

        void Add(string prefix, IReadOnlyDictionary<string, Tensor> tensors)
        {
            foreach ((string name, Tensor tensor) in tensors) all[prefix + name] = tensor;
        }
    }

    /// <summary>Takes over a saved state.</summary>
    /// <exception cref="FormatException">A tensor is missing or of another shape.</exception>
    public void Load(IReadOnlyDictionary<string, Tensor> tensors, int step, double? bestAp, IEnumerable<EpochSummary> history)
    {
        for (int i = 0; i < _modules.Count; i++) Restore(Weights(_modules[i]), tensors, ModulePrefix(i));
        Parameters.Gather();
        Restore(Optimizer.State, tensors, "optimizer.");
        if (Average is not null) Restore(Average.State, tensors, "average.");
        foreach ((string name, Tensor tensor) in tensors)
        {
            if (name.StartsWith(BestPrefix, StringComparison.Ordinal))
                _best[name[BestPrefix.Length..]] = tensor.clone().DetachFromDisposeScope();
        }

        Step = step;
        BestAp = bestAp;
        History.Clear();
        History.AddRange(history);
    }

    /// <summary>Gives all ranks the state of the first, but for its best model: what training returns comes from the first.</summary>
    public void Share(RankGroup ranks)
    {
        foreach ((string name, Tensor tensor) in Tensors())
        {
            if (!name.StartsWith(BestPrefix, StringComparison.Ordinal)) ranks.Broadcast(tensor);
        }

        Parameters.Gather();
        Step = ranks.Broadcast(Step);
        BestAp = ranks.Broadcast(BestAp);
        Begun = ranks.Broadcast(Begun);
        EpochSummary[] history = ranks.Broadcast(History.ToArray());
        History.Clear();
        History.AddRange(history);
    }

    /// <summary>
    /// Takes out what rounding has made of the ranks' weights, which the same steps should have kept the same, and makes running statistics
    /// of each rank those of all.
    /// </summary>
    public void Align(RankGroup ranks)
    {
        if (!ranks.AreSeveral) return;
        ranks.Broadcast(Parameters.Values);
        Parameters.Publish(Parameters.Values);
        IEnumerable<Tensor> statistics = _modules.SelectMany(module => module.buffers()).Where(buffer => buffer.is_floating_point());
        foreach (Tensor buffer in statistics.Concat(Average?.State.Values ?? [])) ranks.Average(buffer);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Tensor tensor in _best.Values) tensor.Dispose();
        Average?.Dispose();
        Optimizer.Dispose();
        Parameters.Dispose();
    }

    /// <summary>What the names begin with of a module's weights; the student is the first.</summary>
    public static string ModulePrefix(int index) => $"module.{index}.";

    private static Dictionary<string, Tensor> Weights(nn.Module module) => module.state_dict();

    private static void Restore(IReadOnlyDictionary<string, Tensor> targets, IReadOnlyDictionary<string, Tensor> source, string prefix)
    {
        using var scope = NewDisposeScope();
        using IDisposable frozen = no_grad();
        foreach ((string name, Tensor target) in targets)
        {
            if (!source.TryGetValue(prefix + name, out Tensor? saved) || !saved.shape.SequenceEqual(target.shape))
                throw new FormatException($"The saved state has no tensor '{prefix}{name}' of shape [{string.Join(',', target.shape)}].");
            target.copy_(saved);
        }
    }
}
