namespace TorchSharp;

// What layers compute, without their parameters.
public static partial class torch
{
    public static partial class nn
    {
        public static partial class functional
        {
            public static Tensor linear(Tensor input, Tensor weights, Tensor? bias = null) => Ops.Call("linear", input, weights, bias);

            public static Tensor conv2d(Tensor input, Tensor weight, Tensor? bias = null, long[]? strides = null, long[]? padding = null, long[]? dilation = null, long groups = 1)
                => Ops.Call("conv2d", input, weight, bias, strides ?? [1], padding ?? [0], dilation ?? [1], groups);

            public static Tensor batch_norm(Tensor input, Tensor? running_mean, Tensor? running_var, Tensor? weight = null, Tensor? bias = null, bool training = false, double momentum = 0.1, double eps = 1e-05)
                => Ops.Call("batch_norm", input, weight, bias, running_mean, running_var, training, momentum, eps, true);

            public static Tensor layer_norm(Tensor input, long[] normalized_shape, Tensor? weight = null, Tensor? bias = null, double eps = 1e-05)
                => Ops.Call("layer_norm", input, normalized_shape, weight, bias, eps);

            public static Tensor max_pool2d(Tensor input, long kernel_size, long? stride = null, long? padding = null, long? dilation = null, bool ceil_mode = false)
                => max_pool2d(input, [kernel_size], One(stride), One(padding), One(dilation), ceil_mode);

            public static Tensor max_pool2d(Tensor input, (long, long) kernel_size, (long, long)? stride = null, (long, long)? padding = null, (long, long)? dilation = null, bool ceil_mode = false)
                => max_pool2d(input, Two(kernel_size)!, Two(stride), Two(padding), Two(dilation), ceil_mode);

            public static Tensor max_pool2d(Tensor input, long[] kernel_size, long[]? strides = null, long[]? padding = null, long[]? dilation = null, bool ceil_mode = false)
                => Ops.Call("max_pool2d", input, kernel_size, strides ?? kernel_size, padding ?? [0], dilation ?? [1], ceil_mode);

            public static Tensor adaptive_avg_pool2d(Tensor input, long[] output_size) => Ops.Call("adaptive_avg_pool2d", input, output_size);

            public static Tensor adaptive_avg_pool2d(Tensor input, (long, long) output_size) => adaptive_avg_pool2d(input, Two(output_size)!);

            public static Tensor adaptive_avg_pool2d(Tensor input, long output_size) => adaptive_avg_pool2d(input, [output_size, output_size]);

            public static Tensor adaptive_max_pool2d(Tensor input, long[] output_size)
            {
                (Tensor values, Tensor places) = Ops.Pair("adaptive_max_pool2d", input, output_size);
                places.Dispose();
                return values;
            }

            /// <summary>x / (k + α·(mean of x² over <paramref name="size"/> channels))^β.</summary>
            public static Tensor local_response_norm(Tensor input, long size, double alpha = 0.0001, double beta = 0.75, double k = 1)
            {
                long dimensions = input.dim();
                if (dimensions < 3) throw new ArgumentException($"Expected 3D or higher dimensionality input (got {dimensions} dimensions)");
                using DisposeScope scope = NewDisposeScope();
                long[] shape = input.shape;
                Tensor squares = input.mul(input).reshape(shape[0], 1, shape[1], -1, 1);
                Tensor means = Ops.Call("avg_pool3d", pad(squares, [0, 0, 0, 0, size / 2, (size - 1) / 2]), new[] { size, 1, 1 }, new long[] { 1 });
                return input.div(means.reshape(shape).mul(alpha).add(k).pow(beta)).MoveToOuterDisposeScope();
            }

            public static Tensor dropout(Tensor input, double p = 0.5, bool training = true, bool inplace = false)
                => inplace ? throw Substitute.Lacks("dropout in place") : Ops.Call("dropout", input, p, training);

            public static Tensor log_softmax(Tensor x, long dim) => x.log_softmax(dim);

            public static Tensor logsigmoid(Tensor x) => Ops.Call("log_sigmoid", x);

            public static Tensor one_hot(Tensor x, long num_classes = -1) => Ops.Call("one_hot", x, num_classes);

            public static Tensor unfold(Tensor input, long kernel_size, long dilation = 1, long padding = 0, long stride = 1)
                => unfold(input, (kernel_size, kernel_size), (dilation, dilation), (padding, padding), (stride, stride));

            public static Tensor unfold(Tensor input, (long, long) kernel_size, (long, long)? dilation = null, (long, long)? padding = null, (long, long)? stride = null)
                => Ops.Call("im2col", input, Two(kernel_size), Two(dilation ?? (1, 1)), Two(padding ?? (0, 0)), Two(stride ?? (1, 1)));

            public static Tensor pad(Tensor input, long[] pad, PaddingModes mode = PaddingModes.Constant, double value = 0)
                => Ops.Call("pad", input, pad, NameOf(mode), mode is PaddingModes.Constant ? value : default(double?));

            public static Tensor pad(Tensor input, ReadOnlySpan<long> pad, PaddingModes mode = PaddingModes.Constant, double value = 0)
                => functional.pad(input, pad.ToArray(), mode, value);

            public static Tensor pad(Tensor input, long pad, PaddingModes mode = PaddingModes.Constant, double value = 0)
                => functional.pad(input, [pad, pad, pad, pad], mode, value);

            public static Tensor pad(Tensor input, (long, long) pad, PaddingModes mode = PaddingModes.Constant, double value = 0)
                => functional.pad(input, [pad.Item1, pad.Item2], mode, value);

            public static Tensor pad(Tensor input, (long, long, long, long) pad, PaddingModes mode = PaddingModes.Constant, double value = 0)
                => functional.pad(input, [pad.Item1, pad.Item2, pad.Item3, pad.Item4], mode, value);

            private static string NameOf(PaddingModes mode) => mode switch
            {
                PaddingModes.Reflect => "reflect",
                PaddingModes.Replicate => "replicate",
                PaddingModes.Circular => "circular",
                _ => "constant",
            };

            private static long[]? One(long? value) => value is long given ? [given] : null;

            private static long[]? Two((long, long)? value) => value is (long first, long second) ? [first, second] : null;
        }
    }
}
