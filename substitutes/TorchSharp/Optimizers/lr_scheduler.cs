namespace TorchSharp;

// Schedules of the learning rate, each by the rule that takes one step's rate to the next one's.
public static partial class torch
{
    public static partial class optim
    {
        public static class lr_scheduler
        {
            /// <summary>Sets the learning rates of an optimiser's groups, step by step.</summary>
            public abstract class LRScheduler
            {
                private readonly ILearningRateController[] _groups;

                private protected LRScheduler(Optimizer optimizer) => _groups = [.. optimizer.ParamGroups];

                private protected IReadOnlyList<ILearningRateController> Groups => _groups;

                public IEnumerable<double> get_last_lr() => [.. _groups.Select(group => group.LearningRate)];

                public virtual void step() => throw Substitute.Lacks("this schedule");

                public virtual void step(int? epoch) => throw Substitute.Lacks("steps to a given epoch");

                public virtual void step(double current, int? epoch = null) => throw Substitute.Lacks("steps by a measured figure");
            }

            public static LRScheduler StepLR(Optimizer optimizer, int step_size, double gamma = 0.1, int last_epoch = -1, bool verbose = false)
                => Made(optimizer, last_epoch, verbose, (epoch, _, rate) => epoch % step_size == 0 ? rate * gamma : rate);

            public static LRScheduler MultiStepLR(Optimizer optimizer, IList<int> milestones, double gamma = 0.1, int last_epoch = -1, bool verbose = false)
                => Made(optimizer, last_epoch, verbose, (epoch, _, rate) => rate * Math.Pow(gamma, milestones.Count(milestone => milestone == epoch)));

            public static LRScheduler ExponentialLR(Optimizer optimizer, double gamma = 0.1, int last_epoch = -1, bool verbose = false)
                => Made(optimizer, last_epoch, verbose, (_, _, rate) => rate * gamma);

            public static LRScheduler CosineAnnealingLR(Optimizer optimizer, double T_max, double eta_min = 0, int last_epoch = -1, bool verbose = false)
                => Made(optimizer, last_epoch, verbose, (epoch, first, rate) => (epoch - 1 - T_max) % (2 * T_max) == 0
                    ? rate + (first - eta_min) * (1 - Math.Cos(Math.PI / T_max)) / 2
                    : (1 + Math.Cos(Math.PI * epoch / T_max)) / (1 + Math.Cos(Math.PI * (epoch - 1) / T_max)) * (rate - eta_min) + eta_min);

            public static LRScheduler LinearLR(Optimizer optimizer, double start_factor = 1.0 / 3, double end_factor = 1, int total_iters = 5, int last_epoch = -1, bool verbose = false)
                => Made(optimizer, last_epoch, verbose, (epoch, _, rate) => epoch > total_iters
                    ? rate
                    : rate * (1 + (end_factor - start_factor) / (total_iters * start_factor + (epoch - 1) * (end_factor - start_factor))), start_factor);

            public static LRScheduler LambdaLR(Optimizer optimizer, Func<int, double> lr_lambda, int last_epoch = -1, bool verbose = false)
                => Made(optimizer, last_epoch, verbose, (epoch, first, _) => first * lr_lambda(epoch), lr_lambda(0));

            private static Rule Made(Optimizer optimizer, int lastEpoch, bool verbose, Func<int, double, double, double> next, double begin = 1)
                => lastEpoch == -1 && !verbose ? new Rule(optimizer, next, begin) : throw Substitute.Lacks("schedules that go on from an epoch or print");

            /// <summary>A rule from (the step's number, the first rate, the last rate) to the rate.</summary>
            private sealed class Rule : LRScheduler
            {
                private readonly double[] _first;
                private readonly Func<int, double, double, double> _next;
                private int _epoch;

                public Rule(Optimizer optimizer, Func<int, double, double, double> next, double begin) : base(optimizer)
                {
                    _first = [.. Groups.Select(group => group.InitialLearningRate = group.LearningRate)];
                    _next = next;
                    foreach (ILearningRateController group in Groups) group.LearningRate *= begin;
                }

                public override void step()
                {
                    _epoch++;
                    for (int i = 0; i < Groups.Count; i++) Groups[i].LearningRate = _next(_epoch, _first[i], Groups[i].LearningRate);
                }
            }
        }
    }
}
