namespace Microsoft.ML.Distillation.Tests.Compression;

public class LowPrecisionTests
{
    [TestCase("w8a8", 8, 8)]
    [TestCase("W4A8", 4, 8)]
    [TestCase("w2a8", 2, 8)]
    [TestCase("w2", 2, 32)]
    [TestCase("w4a32", 4, 32)]
    public void ShortNames_AreRead(string name, int weights, int activations)
    {
        var precision = LowPrecision.Parse(name);
        Assert.That((precision.WeightBits, precision.ActivationBits), Is.EqualTo((weights, activations)));
        Assert.That(LowPrecision.Parse(precision.ToString()), Is.EqualTo(precision));
    }

    [TestCase("w3a8")]
    [TestCase("w8a4")]
    [TestCase("8")]
    [TestCase("w88")]
    [TestCase("")]
    public void OtherNames_AreNot(string name)
        => Assert.That(() => LowPrecision.Parse(name), Throws.TypeOf<FormatException>().With.Message.Contains("w4a8").And.Message
            .Contains($"'{name}'"));

    [Test]
    public void OtherBits_AreNamed()
    {
        Assert.That(() => new LowPrecision(3), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("8, 4 or 2"));
        Assert.That(() => new LowPrecision(8, 4), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("8 or 32"));
    }

    [Test]
    public void Json_GoesRound()
    {
        LowPrecision precision = LowPrecision.W2A8 with { Quantizer = QuantizerKind.Wrpn, FirstAndLastLayers = true };
        Assert.That(LowPrecision.FromJson(precision.ToJson()), Is.EqualTo(precision));
        Assert.That(() => LowPrecision.FromJson("{\"WeightBits\":5,\"ActivationBits\":8}"), Throws.TypeOf<FormatException>());
        Assert.That(() => LowPrecision.FromJson("w8"), Throws.TypeOf<FormatException>());
    }
}
