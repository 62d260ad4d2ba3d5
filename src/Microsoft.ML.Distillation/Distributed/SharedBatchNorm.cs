using Microsoft.ML.Distillation.Tensors;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Distributed;

// y = w x̂ + b,     x̂ = (x − μ) / √(σ² + ε),     μ and σ² over the images of all ranks
//
// With m_r and v_r the mean and the variance of rank r's images, all of one number: μ = mean_r m_r, σ² = mean_r (v_r + m_r²) − μ². In
// double precision, since the last is a small difference of large numbers where the mean is far from 0.
// The way back: ∂L/∂x = w / √(σ² + ε) · (g − mean g − x̂ mean (g x̂)), the means again over the images of all ranks.

/// <summary>A layer that takes statistics of the images that pass it in training.</summary>
internal interface ISharedLayer
{
    /// <summary>The processes whose images it sees.</summary>
    RankGroup SharedBy { set; }
}

/// <summary>Batch normalisation, by the images of all ranks in training; the formulas stand at the top of the file.</summary>
internal static class SharedBatchNorm
{
    /// <summary>Makes the layers of a network see the images of all ranks, in training.</summary>
    public static void Share(nn.Module network, RankGroup ranks)
    {
        foreach (ISharedLayer layer in network.modules().OfType<ISharedLayer>()) layer.SharedBy = ranks;
    }

    /// <summary>Normalises a map [N,C,h,w], and takes its statistics into the running ones in training.</summary>
    /// <param name="momentum">The share of the batch in the running statistics.</param>
    /// <param name="ranks">The processes that train together.</param>
    public static Tensor Run(Tensor map, BatchNorm2d norm, double momentum, RankGroup ranks)
    {
        // Not norm.call: TorchSharp's module counts its batches with a temporary Scalar (see Tensors/Sums.cs), for nobody to read.
        if (!norm.training || !ranks.SharesStatistics)
        {
            return nn.functional.batch_norm(
                map, norm.running_mean!, norm.running_var!, norm.weight, norm.bias, norm.training, momentum, norm.eps);
        }

        using var scope = NewDisposeScope();
        (Tensor mean, Tensor variance) = Statistics(map, ranks);
        Follow(norm, mean, variance, momentum, map.numel() / map.shape[1] * ranks.Count);
        return Normalisation.apply(map, norm.weight!, norm.bias!, new Given(mean, variance, norm.eps, ranks)).MoveToOuterDisposeScope();
    }

    private static (Tensor Mean, Tensor Variance) Statistics(Tensor map, RankGroup ranks)
    {
        using IDisposable frozen = no_grad();
        using Scalar zero = 0;
        Tensor single = map.detach().Single();
        Tensor centred = single - single.mean([0, 2, 3], keepdim: true);
        Tensor own = single.mean([0, 2, 3]).to_type(ScalarType.Float64);
        Tensor sums = cat([own, centred.mul(centred).mean([0, 2, 3]).to_type(ScalarType.Float64).Plus(own.mul(own))]);
        ranks.Average(sums);
        long channels = map.shape[1];
        Tensor mean = sums.narrow(0, 0, channels), variance = sums.narrow(0, channels, channels) - mean.mul(mean);
        return (mean.to_type(ScalarType.Float32), variance.clamp_min(zero).to_type(ScalarType.Float32));
    }

    private static void Follow(BatchNorm2d norm, Tensor mean, Tensor variance, double momentum, long count)
    {
        using IDisposable frozen = no_grad();
        using Scalar unbiased = count / Math.Max(1.0, count - 1);
        Tensor share = tensor((float)momentum, device: mean.device);
        norm.running_mean!.lerp_(mean, share);
        norm.running_var!.lerp_(variance.mul(unbiased), share);
    }

    private sealed record Given(Tensor Mean, Tensor Variance, double Epsilon, RankGroup Ranks);

    /// <summary>The normalisation by given statistics, whose gradient knows that they are those of the images.</summary>
    private sealed class Normalisation : autograd.SingleTensorFunction<Normalisation>
    {
        private const string Others = nameof(Others), Epsilon = nameof(Epsilon);

        public override string Name => nameof(SharedBatchNorm);

        public override Tensor forward(autograd.AutogradContext context, params object[] arguments)
        {
            (var map, var weight, var bias) = ((Tensor)arguments[0], (Tensor)arguments[1], (Tensor)arguments[2]);
            (Tensor mean, Tensor variance, double epsilon, RankGroup ranks) = (Given)arguments[3];
            context.save_for_backward([map, weight, mean, variance]);
            context.save_data(Epsilon, epsilon);
            context.save_data(Others, ranks);
            return nn.functional.batch_norm(map, mean, variance, weight, bias, training: false, eps: epsilon);
        }

        public override List<Tensor> backward(autograd.AutogradContext context, Tensor gradient)
        {
            var ranks = (RankGroup)context.get_data(Others);
            List<Tensor> saved = context.get_saved_variables();
            double epsilon = (double)context.get_data(Epsilon);
            return ranks.Guard([gradient, saved[2], saved[2], null!], () => Gradients(gradient, saved, epsilon, ranks));
        }

        private static List<Tensor> Gradients(Tensor gradient, List<Tensor> saved, double epsilon, RankGroup ranks)
        {
            using IDisposable frozen = no_grad();
            using var scope = NewDisposeScope();
            using Scalar small = epsilon, one = 1;
            (Tensor map, Tensor weight, Tensor mean, Tensor variance) = (saved[0], saved[1], saved[2], saved[3]);
            Tensor standardised = nn.functional.batch_norm(map, mean, variance, null, null, training: false, eps: epsilon);
            Tensor ofBias = gradient.Single().sum([0, 2, 3]), ofWeight = gradient.mul(standardised).Single().sum([0, 2, 3]);
            long channels = map.shape[1];
            using Scalar perChannel = (double)channels / map.numel();
            Tensor means = cat([ofBias, ofWeight]).mul(perChannel);
            ranks.Average(means);
            Tensor meanOfGradient = Wide(means.narrow(0, 0, channels)), meanOfProduct = Wide(means.narrow(0, channels, channels));
            Tensor factor = Wide(weight / variance.add(small, one).sqrt());
            Tensor ofMap = (gradient - meanOfGradient - standardised.mul(meanOfProduct)).mul(factor);
            // Of what is no tensor there is no gradient.
            return [ofMap.MoveToOuterDisposeScope(), ofWeight.MoveToOuterDisposeScope(), ofBias.MoveToOuterDisposeScope(), null!];

            Tensor Wide(Tensor values) => values.view(1, channels, 1, 1).As(map);
        }
    }
}
