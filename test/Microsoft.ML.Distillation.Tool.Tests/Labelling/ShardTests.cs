using Microsoft.ML.Distillation.Tool.Labelling;

namespace Microsoft.ML.Distillation.Tests.Tool.Labelling;

public class ShardTests
{
    [Test]
    public void Shards_ShareTheImagesOut()
    {
        string[] names = [.. Enumerable.Range(0, 10).Select(i => $"{i}")];
        Assert.That(Shard.Parse("2/3").Of(names), Is.EqualTo(new[] { "1", "4", "7" }));
        Assert.That(Enumerable.Range(1, 3).SelectMany(i => new Shard(i, 3).Of(names)), Is.EquivalentTo(names));
    }

    [TestCase("0/3")]
    [TestCase("4/3")]
    [TestCase("1")]
    [TestCase("a/b")]
    [TestCase("1/2/3")]
    public void WrongText_IsRefused(string text)
        => Assert.That(() => Shard.Parse(text), Throws.TypeOf<FormatException>().With.Message.Contains(text));

    [TestCase("RANK=2 WORLD_SIZE=8", 3, 8)]
    [TestCase("OMPI_COMM_WORLD_RANK=0 OMPI_COMM_WORLD_SIZE=4", 1, 4)]
    [TestCase("SLURM_PROCID=3 SLURM_NTASKS=4", 4, 4)]
    [TestCase("PMI_RANK=1 PMI_SIZE=4", 2, 4)]
    [TestCase("SLURM_ARRAY_TASK_ID=2 SLURM_ARRAY_TASK_COUNT=3 PMI_RANK=0 PMI_SIZE=1", 3, 3)]
    [TestCase("SLURM_ARRAY_TASK_ID=5 SLURM_ARRAY_TASK_COUNT=10 SLURM_ARRAY_TASK_MIN=1 SLURM_PROCID=0 SLURM_NTASKS=1", 5, 10)]
    [TestCase("SLURM_PROCID=0", 1, 1)]
    [TestCase("", 1, 1)]
    public void ClustersVariables_AreRead(string variables, int number, int count)
    {
        Shard shard = Shard.FromEnvironment(Reader(variables), null);
        Assert.That((shard.Number, shard.Count), Is.EqualTo((number, count)));
    }

    [Test]
    public void KubernetesIndex_NeedsTheNumberOfShards()
    {
        Assert.That(() => Shard.FromEnvironment(Reader("JOB_COMPLETION_INDEX=2"), null),
            Throws.TypeOf<FormatException>().With.Message.Contains("--shards"));
        Shard shard = Shard.FromEnvironment(Reader("JOB_COMPLETION_INDEX=2"), 5);
        Assert.That((shard.Number, shard.Count), Is.EqualTo((3, 5)));
        Assert.That(() => Shard.FromEnvironment(Reader("JOB_COMPLETION_INDEX=5"), 5),
            Throws.TypeOf<FormatException>().With.Message.Contains("JOB_COMPLETION_INDEX"));
    }

    [TestCase("RANK=3", 4)]
    [TestCase("OMPI_COMM_WORLD_RANK=0", 1)]
    [TestCase("SLURM_ARRAY_TASK_ID=5 SLURM_ARRAY_TASK_MIN=1", 5)]
    [TestCase("RANK=3 SLURM_PROCID=0", 4)]
    [TestCase("RANK=3 JOB_COMPLETION_INDEX=3", 4)]
    public void AnIndexAlone_GoesWithTheNumberOfShards(string variables, int number)
    {
        Shard shard = Shard.FromEnvironment(Reader(variables), 8);
        Assert.That((shard.Number, shard.Count), Is.EqualTo((number, 8)));
    }

    [TestCase("RANK=3", null, "RANK is set", "--shards")]
    [TestCase("RANK=8", 8, "RANK", "none of 8 shards")]
    [TestCase("RANK=3 OMPI_COMM_WORLD_RANK=1", 8, "RANK and OMPI_COMM_WORLD_RANK", "--shard i/8")]
    [TestCase("", 3, "--shards 3", "--shard i/3")]
    [TestCase("SLURM_PROCID=0", 3, "--shards 3", "--shard i/3")]
    [TestCase("WORLD_SIZE=3", 3, "--shards 3", "--shard i/3")]
    public void HalfAShard_IsNotAllImages(string variables, int? count, string first, string second)
        => Assert.That(() => Shard.FromEnvironment(Reader(variables), count),
            Throws.TypeOf<FormatException>().With.Message.Contains(first).And.Message.Contains(second));

    private static Func<string, string?> Reader(string variables)
    {
        Dictionary<string, string> values = variables.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(pair => pair.Split('='))
            .ToDictionary(pair => pair[0], pair => pair[1]);
        return name => values.GetValueOrDefault(name);
    }
}
