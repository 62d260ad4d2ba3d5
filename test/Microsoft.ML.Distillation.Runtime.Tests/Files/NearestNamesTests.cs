using Microsoft.ML.Distillation.Files;

namespace Microsoft.ML.Distillation.Tests.Files;

public class NearestNamesTests
{
    private static readonly string[] Options =
        ["epochs", "batch-size", "backbone", "patience", "images", "stages", "strides", "seed", "seeds", "run", "rank", "depth", "data"];

    [TestCase("epoks", "epochs")]
    [TestCase("epoch", "epochs")]
    [TestCase("bakbon", "backbone")]
    [TestCase("batchsize", "batch-size")]
    [TestCase("paitence", "patience")]
    public void ANearMiss_IsAskedBack(string word, string meant) => Assert.That(NearestNames.Close(word, Options), Does.Contain(meant));

    [TestCase("rin", "rank")]
    [TestCase("stage", "strides")]
    [TestCase("image", "stages")]
    [TestCase("date", "depth")]
    [TestCase("teacher", "patience")]
    public void WhatIsFar_IsNot(string word, string far) => Assert.That(NearestNames.Close(word, Options), Does.Not.Contain(far));
}
