using System.Runtime.InteropServices;

namespace TorchSharp;

// Initial values of parameters.
public static partial class torch
{
    public static partial class nn
    {
        public static class init
        {
            public enum NonlinearityType
            {
                Linear = 0, Conv1D = 1, Conv2D = 2, Conv3D = 3, ConvTranspose1D = 4, ConvTranspose2D = 5, ConvTranspose3D = 6,
                Sigmoid = 7, Tanh = 8, ReLU = 9, LeakyReLU = 10
            }

            public enum FanInOut
            {
                FanIn = 0, FanOut = 1
            }

            public static double calculate_gain(NonlinearityType nonlinearity, double param = 0) => nonlinearity switch
            {
                NonlinearityType.Tanh => 5.0 / 3.0,
                NonlinearityType.ReLU => Math.Sqrt(2.0),
                NonlinearityType.LeakyReLU => Math.Sqrt(2.0 / (1 + param * param)),
                _ => 1,
            };

            public static Tensor zeros_(Tensor tensor) => Quietly(tensor, "zero_");

            public static Tensor constant_(Tensor tensor, Scalar val) => Quietly(tensor, "fill_.Scalar", val);

            public static Tensor uniform_(Tensor tensor, double low = 0, double high = 1, Generator? generator = null)
                => generator is null ? Quietly(tensor, "uniform_", low, high) : throw Substitute.Lacks("initial values from a generator of one's own");

            public static Tensor normal_(Tensor tensor, double mean = 0, double std = 1, Generator? generator = null)
                => generator is null ? Quietly(tensor, "normal_", mean, std) : throw Substitute.Lacks("initial values from a generator of one's own");

            public static Tensor kaiming_uniform_(Tensor tensor, double a = 0, FanInOut mode = FanInOut.FanIn, NonlinearityType nonlinearity = NonlinearityType.LeakyReLU)
            {
                double bound = Math.Sqrt(3.0) * calculate_gain(nonlinearity, a) / Math.Sqrt(Fan(tensor, mode));
                return uniform_(tensor, -bound, bound);
            }

            public static Tensor kaiming_normal_(Tensor tensor, double a = 0, FanInOut mode = FanInOut.FanIn, NonlinearityType nonlinearity = NonlinearityType.LeakyReLU)
                => normal_(tensor, 0, calculate_gain(nonlinearity, a) / Math.Sqrt(Fan(tensor, mode)));

            /// <summary>How many inputs an output has, or outputs an input.</summary>
            internal static long Fan(Tensor tensor, FanInOut mode)
            {
                long[] shape = tensor.shape;
                if (shape.Length < 2) throw new ExternalException("Fan in and fan out can not be computed for tensor with fewer than 2 dimensions");
                long field = 1;
                for (int i = 2; i < shape.Length; i++) field *= shape[i];
                return (mode == FanInOut.FanIn ? shape[1] : shape[0]) * field;
            }

            /// <summary>Changes a tensor without recording it for gradients.</summary>
            private static Tensor Quietly(Tensor tensor, string name, params ReadOnlySpan<Argument> others)
            {
                using IDisposable quiet = no_grad();
                return Ops.InPlace(name, tensor, others);
            }
        }
    }
}
