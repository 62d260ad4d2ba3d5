using Microsoft.ML.Distillation.Onnx;

namespace Microsoft.ML.Distillation.Tests.Published;

public class OnnxReadingTests
{
    [Test]
    public void WhatIsPrinted_HasTheValuesOfLists()
    {
        using var comma = new CommaCulture();
        var reading = new OnnxReading(OnnxDetectorFormat.Gfl, OnnxPreprocessing.For(OnnxDetectorFormat.Gfl), 0.5, 0.1);
        Assert.That(reading.ToString(), Does.Contain("Format = Gfl").And.Contain("Mean = [103.53, 116.28, 123.675]"));
        Assert.That(new OnnxFormatGuess(OnnxDetectorFormat.YoloV8, [2, 80]).ToString(), Does.Contain("ClassCounts = [2, 80]"));
    }

    [Test]
    public void WhatTheLoaderSays_IsItsFirstSentence()
    {
        Assert.That(OnnxRuntimeLibrary.FirstSentence("Unable to load shared library 'onnxruntime' or one of its dependencies. In order to "
            + "help diagnose\n/a/libonnxruntime.so: cannot open\n/b/libonnxruntime.so: cannot open"),
            Is.EqualTo("Unable to load shared library 'onnxruntime' or one of its dependencies."));
        Assert.That(OnnxRuntimeLibrary.FirstSentence("no such file\n/a"), Is.EqualTo("no such file"));
    }
}
