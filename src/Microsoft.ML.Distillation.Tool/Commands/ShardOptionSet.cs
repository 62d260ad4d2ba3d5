using System.CommandLine;
using Microsoft.ML.Distillation.Estimators.Labelling;

namespace Microsoft.ML.Distillation.Tool.Commands;

/// <summary>The options that cut the work into shards.</summary>
internal sealed class ShardOptionSet
{
    private readonly Option<string?> _shard = SharedOptions.Text(
        "--shard", "The part of the images to label, as 2/8 for the second of eight. [default: what RANK and WORLD_SIZE, OMPI_COMM_WORLD_RANK and _SIZE, "
            + "SLURM_PROCID and SLURM_NTASKS, a SLURM array or JOB_COMPLETION_INDEX say, else all]", "I/N");

    private readonly Option<int?> _shards = SharedOptions.Count("--shards", "The number of shards, where only the environment's index is known (JOB_COMPLETION_INDEX).");

    /// <summary>Adds these to a command's options.</summary>
    public void AddTo(IList<Option> options)
    {
        options.Add(_shard);
        options.Add(_shards);
    }

    /// <summary>The shard.</summary>
    /// <exception cref="UsageException">It cannot be read.</exception>
    public Shard Read(ParseResult parsed)
    {
        try
        {
            return parsed.GetValue(_shard) is string text ? Shard.Parse(text) : Shard.FromEnvironment(Environment.GetEnvironmentVariable, parsed.GetValue(_shards));
        }
        catch (FormatException error)
        {
            throw new UsageException(error.Message);
        }
    }
}
