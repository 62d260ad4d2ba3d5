using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace TorchSharp.Modules
{
    /// <summary>A convolution: its parameters and its geometry.</summary>
    public abstract class Convolution : nn.Module<Tensor, Tensor>
    {
        private protected Convolution(string name, long in_channels, long out_channels, long[] kernel_size, long[] stride, long[] padding, Padding? padding_type,
            long[] dilation, long groups, bool bias, PaddingModes padding_mode, Device? device, ScalarType? dtype) : base(name)
        {
            this.in_channels = in_channels;
            this.out_channels = out_channels;
            this.kernel_size = kernel_size;
            this.stride = stride;
            this.padding = padding;
            this.padding_type = padding_type;
            this.dilation = dilation;
            this.groups = groups;
            this.padding_mode = padding_mode;
            if (groups <= 0 || in_channels % groups != 0 || out_channels % groups != 0) throw new ArgumentException("in_channels and out_channels must be divisible by groups.");
            weight = new Parameter(empty([out_channels, in_channels / groups, .. kernel_size], dtype, device));
            if (bias) this.bias = new Parameter(empty(out_channels, dtype, device));
            reset_parameters();
        }

        public long in_channels { get; }

        public long out_channels { get; }

        public long[] kernel_size { get; set; }

        public long[] stride { get; set; }

        public long[] padding { get; }

        public Padding? padding_type { get; }

        public long[] dilation { get; set; }

        public long groups { get; set; }

        public PaddingModes padding_mode { get; set; }

        public Parameter weight
        {
            get => OwnParameter(nameof(weight))!;
            set => SetParameter(nameof(weight), value);
        }

        public Parameter? bias
        {
            get => OwnParameter(nameof(bias));
            set => SetParameter(nameof(bias), value);
        }

        public void reset_parameters()
        {
            nn.init.kaiming_uniform_(weight, Math.Sqrt(5));
            if (bias is not Parameter shift) return;
            long inputs = nn.init.Fan(weight, nn.init.FanInOut.FanIn);
            double bound = inputs > 0 ? 1 / Math.Sqrt(inputs) : 0;
            nn.init.uniform_(shift, -bound, bound);
        }
    }

    /// <summary>A convolution of images [N,C,h,w] or [C,h,w].</summary>
    public sealed class Conv2d : Convolution
    {
        internal Conv2d(long in_channels, long out_channels, (long, long) kernel_size, (long, long) stride, (long, long) padding, Padding? padding_type,
            (long, long) dilation, PaddingModes padding_mode, long groups, bool bias, Device? device, ScalarType? dtype)
            : base(nameof(Conv2d), in_channels, out_channels, Two(kernel_size), Two(stride), Two(padding), padding_type, Two(dilation), groups, bias, padding_mode, device, dtype)
        {
            if (padding_type is not null && padding_mode != PaddingModes.Zeros) throw Substitute.Lacks("padding by name that is not with zeros");
        }

        public override Tensor forward(Tensor input)
        {
            long dimensions = input.dim();
            if (dimensions is not (3 or 4) || input.shape[dimensions - 3] != in_channels)
                throw new ArgumentException($"Expected 3D (unbatched) or 4D (batched) input with {in_channels} channels to Conv2d.");
            if (padding_type is Padding named)
                return Ops.Call("conv2d.padding", input, weight, bias, stride, named == Padding.Same ? "same" : "valid", dilation, groups);
            if (padding_mode == PaddingModes.Zeros) return F.conv2d(input, weight, bias, stride, padding, dilation, groups);
            using Tensor padded = F.pad(input, [padding[1], padding[1], padding[0], padding[0]], padding_mode);
            return F.conv2d(padded, weight, bias, stride, [0, 0], dilation, groups);
        }

        private static long[] Two((long, long) value) => [value.Item1, value.Item2];
    }
}

namespace TorchSharp
{
    public static partial class torch
    {
        public static partial class nn
        {
            public static Conv2d Conv2d(long in_channels, long out_channels, long kernel_size, long stride = 1, long padding = 0, long dilation = 1, PaddingModes padding_mode = PaddingModes.Zeros, long groups = 1, bool bias = true, Device? device = null, ScalarType? dtype = null)
                => new(in_channels, out_channels, (kernel_size, kernel_size), (stride, stride), (padding, padding), null, (dilation, dilation), padding_mode, groups, bias, device, dtype);

            public static Conv2d Conv2d(long in_channels, long out_channels, (long, long) kernel_size, (long, long)? stride = null, (long, long)? padding = null, (long, long)? dilation = null, PaddingModes padding_mode = PaddingModes.Zeros, long groups = 1, bool bias = true, Device? device = null, ScalarType? dtype = null)
                => new(in_channels, out_channels, kernel_size, stride ?? (1, 1), padding ?? (0, 0), null, dilation ?? (1, 1), padding_mode, groups, bias, device, dtype);

            public static Conv2d Conv2d(long in_channels, long out_channels, long kernel_size, Padding padding, long stride = 1, long dilation = 1, PaddingModes padding_mode = PaddingModes.Zeros, long groups = 1, bool bias = true, Device? device = null, ScalarType? dtype = null)
                => new(in_channels, out_channels, (kernel_size, kernel_size), (stride, stride), (0, 0), padding, (dilation, dilation), padding_mode, groups, bias, device, dtype);

            public static Conv2d Conv2d(long in_channels, long out_channels, (long, long) kernel_size, Padding padding, (long, long)? stride = null, (long, long)? dilation = null, PaddingModes padding_mode = PaddingModes.Zeros, long groups = 1, bool bias = true, Device? device = null, ScalarType? dtype = null)
                => new(in_channels, out_channels, kernel_size, stride ?? (1, 1), (0, 0), padding, dilation ?? (1, 1), padding_mode, groups, bias, device, dtype);
        }
    }
}
