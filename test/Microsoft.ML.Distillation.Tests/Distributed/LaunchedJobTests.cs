namespace Microsoft.ML.Distillation.Tests.Distributed;

public class LaunchedJobTests
{
    [TestCase("OMPI_COMM_WORLD_RANK=1 OMPI_COMM_WORLD_SIZE=4 OMPI_COMM_WORLD_LOCAL_RANK=1 OMPI_COMM_WORLD_LOCAL_SIZE=2 PMIX_RANK=1",
        1, 4, 1, 2, MpiFamily.OpenMpi)]
    [TestCase("PMI_RANK=3 PMI_SIZE=4 MPI_LOCALRANKID=1 MPI_LOCALNRANKS=2", 3, 4, 1, 2, MpiFamily.Mpich)]
    [TestCase("PMIX_RANK=2 SLURM_NTASKS=4 SLURM_PROCID=2 SLURM_LOCALID=0 SLURM_TASKS_PER_NODE=2(x2)", 2, 4, 0, 2, MpiFamily.Any)]
    [TestCase("SLURM_PROCID=1 SLURM_STEP_NUM_TASKS=2 SLURM_NTASKS=2", 1, 2, 0, 1, MpiFamily.None, Description = "srun --mpi=none")]
    public void TheLaunchersVariables_TellOfTheJob(string variables, int rank, int size, int localRank, int localSize, object family)
    {
        LaunchedJob job = Of(variables)!;
        Assert.That((job.Rank, job.Size, job.LocalRank, job.LocalSize, (object)job.Family),
            Is.EqualTo((rank, size, localRank, localSize, family)));
        Assert.That(job.IsFirst, Is.EqualTo(rank == 0));
    }

    [TestCase("")]
    [TestCase("OMPI_COMM_WORLD_RANK=0 OMPI_COMM_WORLD_SIZE=1")]
    [TestCase("SLURM_PROCID=0 SLURM_NTASKS=4", Description = "the script of a batch job, which is one process")]
    public void OneProcess_IsNoJob(string variables) => Assert.That(Of(variables), Is.Null);

    [Test]
    public void WithoutTheLaunchersLibrary_TheErrorSaysWhatToInstall()
    {
        var job = new LaunchedJob(0, 2) { Family = MpiFamily.OpenMpi };
        string error = Assert.Throws<InvalidOperationException>(() => Distillation.Distributed.MpiLibrary.Open(job, "libno-such-mpi.so"))!
            .Message;
        Assert.That(error, Does.Contain("libno-such-mpi.so").And.Contains("openmpi-bin").And.Contains("DistributedOptions.MpiLibrary"));
        error = Assert.Throws<InvalidOperationException>(
            () => Distillation.Distributed.MpiLibrary.Open(job with { Family = MpiFamily.None }, null))!.Message;
        Assert.That(error, Does.Contain("mpi=pmix"));
    }

    private static LaunchedJob? Of(string variables)
    {
        Dictionary<string, string> all = variables.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(one => one.Split('=')).ToDictionary(one => one[0], one => one[1]);
        return LaunchedJob.From(all.GetValueOrDefault);
    }
}
