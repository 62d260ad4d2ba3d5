using Microsoft.ML.Distillation.Samples.Demo;

if (DemoOptions.Parse(args) is not { } options)
{
    Console.Error.WriteLine(DemoOptions.Usage);
    return 2;
}

try
{
    Story.Tell(options);
    return 0;
}
catch (Exception failure)
{
    // ML.NET's threads wrap what went wrong.
    while (failure is { InnerException: { } inner }
        && (failure is AggregateException || failure.Message.Contains("consolidator", StringComparison.Ordinal)))
        failure = inner;
    Console.Error.WriteLine($"demo: {failure.Message.ReplaceLineEndings(" ")}");
    return 1;
}
