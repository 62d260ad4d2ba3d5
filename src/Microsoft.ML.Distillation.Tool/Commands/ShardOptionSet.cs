using System.CommandLine;
using Microsoft.ML.Distillation.Tool.Labelling;

namespace Microsoft.ML.Distillation.Tool.Commands;

/// <summary>The options that cut the work into shards.</summary>
internal sealed class ShardOptionSet
{
    private readonly Option<string?> _shard = SharedOptions.Text(
        "--shard", "The part of the images to label, as 2/8 for the second of eight. [default: what RANK and WORLD_SIZE, "
            + "OMPI_COMM_WORLD_RANK and _SIZE, "
            + "SLURM_PROCID and SLURM_NTASKS, PMI_RANK and PMI_SIZE, a SLURM array or JOB_COMPLETION_INDEX say, else all]", "I/N");

    private readonly Option<int?> _shards = SharedOptions
        .Count("--shards", "The number of shards, where the environment says only which of them this is (as JOB_COMPLETION_INDEX does).");

    /// <summary>Adds these to a command's options.</summary>
    public void AddTo(IList<Option> options)
    {
        options.Add(_shard);
        options.Add(_shards);
    }

    /// <summary>The shard.</summary>
    /// <exception cref="UsageException">It cannot be read, or is not said in full.</exception>
    public Shard Read(ParseResult parsed)
    {
        int? count = parsed.GetValue(_shards);
        try
        {
            if (parsed.GetValue(_shard) is not string text) return Shard.FromEnvironment(Environment.GetEnvironmentVariable, count);
            var shard = Shard.Parse(text);
            return count is null || count == shard.Count ? shard
                : throw new UsageException($"--shard {text} and --shards {count} do not go together.");
        }
        catch (FormatException error)
        {
            throw new UsageException(error.Message);
        }
    }
}
