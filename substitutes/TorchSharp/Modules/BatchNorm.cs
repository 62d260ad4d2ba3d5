using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchSharp.Modules
{
    /// <summary>Normalises each channel: by the batch in training, by running figures in use.</summary>
    public abstract class NormBase : nn.Module<Tensor, Tensor>
    {
        private protected NormBase(long num_features, double eps, double? momentum, bool affine, bool track_running_stats, Device? device, ScalarType? dtype, string name) : base(name)
        {
            this.num_features = num_features;
            this.eps = eps;
            this.momentum = momentum;
            this.affine = affine;
            this.track_running_stats = track_running_stats;
            if (affine)
            {
                weight = new Parameter(ones(num_features, dtype, device));
                bias = new Parameter(zeros(num_features, dtype, device));
            }

            if (!track_running_stats) return;
            running_mean = zeros(num_features, dtype, device);
            running_var = ones(num_features, dtype, device);
            num_batches_tracked = tensor(0L, ScalarType.Int64, device);
        }

        public long num_features { get; }

        public double eps { get; set; }

        public double? momentum { get; set; }

        public bool affine { get; }

        public bool track_running_stats { get; }

        public Parameter weight
        {
            get => OwnParameter(nameof(weight))!;
            set => SetParameter(nameof(weight), value);
        }

        public Parameter bias
        {
            get => OwnParameter(nameof(bias))!;
            set => SetParameter(nameof(bias), value);
        }

        public Tensor running_mean
        {
            get => OwnBuffer(nameof(running_mean))!;
            set => SetBuffer(nameof(running_mean), value);
        }

        public Tensor running_var
        {
            get => OwnBuffer(nameof(running_var))!;
            set => SetBuffer(nameof(running_var), value);
        }

        public Tensor num_batches_tracked
        {
            get => OwnBuffer(nameof(num_batches_tracked))!;
            set => SetBuffer(nameof(num_batches_tracked), value);
        }

        protected abstract void ValidateInputDimensions(Tensor input);
    }

    public abstract class BatchNorm : NormBase
    {
        private protected BatchNorm(long num_features, double eps, double momentum, bool affine, bool track_running_stats, Device? device, ScalarType? dtype, string name)
            : base(num_features, eps, momentum, affine, track_running_stats, device, dtype, name) { }

        public override Tensor forward(Tensor input)
        {
            ValidateInputDimensions(input);
            double share = momentum ?? 0;
            if (training && track_running_stats)
            {
                Ops.InPlace("add_.Scalar", num_batches_tracked, (Scalar)1);
                if (momentum is null) share = 1.0 / num_batches_tracked.ToInt64();
            }

            return nn.functional.batch_norm(input, running_mean, running_var, weight, bias, training || !track_running_stats, share, eps);
        }
    }

    /// <summary>For feature maps [N,C,h,w].</summary>
    public sealed class BatchNorm2d : BatchNorm
    {
        internal BatchNorm2d(long num_features, double eps, double momentum, bool affine, bool track_running_stats, Device? device, ScalarType? dtype)
            : base(num_features, eps, momentum, affine, track_running_stats, device, dtype, "BatchNorm1d") { }

        protected override void ValidateInputDimensions(Tensor input)
        {
            if (input.dim() != 4) throw new ArgumentException($"expected 4D input, but got {input.dim()}D input.");
        }
    }
}

namespace TorchSharp
{
    public static partial class torch
    {
        public static partial class nn
        {
            public static BatchNorm2d BatchNorm2d(long num_features, double eps = 1e-05, double momentum = 0.1, bool affine = true, bool track_running_stats = true, Device? device = null, ScalarType? dtype = null)
                => new(num_features, eps, momentum, affine, track_running_stats, device, dtype);
        }
    }
}
