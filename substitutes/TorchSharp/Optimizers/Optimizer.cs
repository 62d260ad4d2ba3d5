using TorchSharp.Modules;

namespace TorchSharp;

public static partial class torch
{
    public static partial class optim
    {
        public interface ILearningRateController
        {
            double LearningRate { get; set; }

            double InitialLearningRate { get; set; }
        }

        public interface IMomentum
        {
            double Momentum { get; set; }
        }

        public interface IBetas
        {
            (double, double) Betas { get; set; }
        }

        /// <summary>Changes parameters by their gradients.</summary>
        public abstract class Optimizer : IDisposable
        {
            private protected Optimizer() { }

            private protected List<ParamGroup> Groups { get; } = [];

            public virtual IEnumerable<ILearningRateController> ParamGroups => Groups;

            public virtual IEnumerable<Parameter> parameters() => Groups.SelectMany(group => group.Parameters);

            /// <summary>Sets the gradients that there are to zero.</summary>
            public virtual void zero_grad()
            {
                foreach (Parameter parameter in parameters())
                {
                    using Tensor? grad = parameter.grad;
                    if (grad is not null) Ops.InPlace("zero_", grad);
                }
            }

            /// <summary>One step; gives the loss of the closure, which computes it with its gradients.</summary>
            public virtual Tensor? step(Func<Tensor>? closure = null) => throw Substitute.Lacks("this optimiser");

            public virtual void add_param_group(ParamGroup param_group) => throw Substitute.Lacks("this optimiser");

            public void Dispose()
            {
                Dispose(true);
                GC.SuppressFinalize(this);
            }

            protected virtual void Dispose(bool disposing) { }
        }
    }
}
