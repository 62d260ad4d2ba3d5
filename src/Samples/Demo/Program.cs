using Microsoft.ML.Distillation.Samples.Demo;
using Microsoft.ML.Distillation.Tool;

if (DemoOptions.Parse(args) is not { } options)
{
    Console.Error.WriteLine(DemoOptions.Usage);
    return Application.WrongUse;
}

try
{
    Story.Tell(options);
    return Application.Success;
}
catch (Exception failure)
{
    Console.Error.WriteLine($"demo: {Application.Line(failure)}");
    return Application.Failure;
}
