using System.Runtime.InteropServices;

namespace TorchSharp;

// Resizing of feature maps.
public static partial class torch
{
    public static partial class nn
    {
        public static partial class functional
        {
            /// <summary>Resizes [N,C,w], [N,C,h,w] or [N,C,d,h,w] to a size or by factors.</summary>
            /// <exception cref="ExternalException">Neither or both are given, or the mode does not fit the dimensions.</exception>
            public static Tensor interpolate(Tensor x, long[]? size = null, double[]? scale_factor = null, InterpolationMode mode = InterpolationMode.Nearest, bool? align_corners = null, bool recompute_scale_factor = false, bool antialias = false)
            {
                int spatial = (int)x.dim() - 2;
                if (size is null && scale_factor is null) throw new ExternalException("either size or scale_factor should be defined");
                if (size is not null && scale_factor is not null) throw new ExternalException("only one of size or scale_factor should be defined");
                if (size is not null && size.Length != spatial)
                    throw new ExternalException($"Input and output must have the same number of spatial dimensions, but got input with spatial dimensions of {spatial} and output size of {size.Length}.");
                if (scale_factor is not null && scale_factor.Length != spatial)
                    throw new ExternalException($"Input and scale_factor must have the same number of spatial dimensions, but got input with spatial dimensions of {spatial} and scale_factor of {scale_factor.Length}.");
                bool hasCorners = mode is InterpolationMode.Linear or InterpolationMode.Bilinear or InterpolationMode.Bicubic or InterpolationMode.Trilinear;
                if (!hasCorners && align_corners is not null && mode != InterpolationMode.NearestExact)
                    throw new ExternalException("align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | trilinear");
                if (antialias && !(spatial == 2 && mode is InterpolationMode.Bilinear or InterpolationMode.Bicubic))
                    throw new ExternalException("Anti-alias option is only supported for bilinear and bicubic modes");

                long[] target = size ?? [.. scale_factor!.Select((factor, i) => (long)Math.Floor(x.shape[i + 2] * factor))];
                if (mode == InterpolationMode.Area) return Ops.Call($"adaptive_avg_pool{spatial}d", x, target);
                if (size is not null || recompute_scale_factor || antialias) (size, scale_factor) = (target, null);

                string name = (mode, spatial) switch
                {
                    (InterpolationMode.Nearest, >= 1 and <= 3) => $"upsample_nearest{spatial}d.vec",
                    (InterpolationMode.NearestExact, >= 1 and <= 3) => $"_upsample_nearest_exact{spatial}d.vec",
                    (InterpolationMode.Linear, 1) => "upsample_linear1d.vec",
                    (InterpolationMode.Bilinear, 2) => antialias ? "_upsample_bilinear2d_aa.vec" : "upsample_bilinear2d.vec",
                    (InterpolationMode.Bicubic, 2) => antialias ? "_upsample_bicubic2d_aa.vec" : "upsample_bicubic2d.vec",
                    (InterpolationMode.Trilinear, 3) => "upsample_trilinear3d.vec",
                    _ => throw new ExternalException($"Got {spatial + 2}D input, but {NameOf(mode)} mode needs {Needed(mode)}D input"),
                };
                return hasCorners ? Ops.Call(name, x, size, align_corners ?? false, scale_factor) : Ops.Call(name, x, size, scale_factor);
            }

#pragma warning disable CA1308 // libtorch's messages name the modes in lower case.
            private static string NameOf(InterpolationMode mode) => mode.ToString().ToLowerInvariant();
#pragma warning restore CA1308

            private static string Needed(InterpolationMode mode) => mode switch
            {
                InterpolationMode.Linear => "3",
                InterpolationMode.Trilinear => "5",
                InterpolationMode.Bilinear or InterpolationMode.Bicubic => "4",
                _ => "3D, 4D or 5",
            };
        }
    }
}
