using System.Runtime.CompilerServices;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Distillation.Rows;

/// <summary>
/// What an <see cref="MLContext"/> says to everything made with it. ML.NET hands it to its own components through members
/// that are not public; these are the only places where this library reaches behind its public surface.
/// </summary>
/// <param name="Seed">The context's seed.</param>
/// <param name="GpuDeviceId">The context's GPU.</param>
/// <param name="FallbackToCpu">Whether the CPU will do where that GPU is not there.</param>
internal sealed record EnvironmentSettings(int? Seed, int? GpuDeviceId, bool FallbackToCpu)
{
    /// <summary>The environment behind a catalog: its log, and these settings.</summary>
    public static IHostEnvironment EnvironmentOf(TransformsCatalog catalog) => Environment(catalog);

    /// <inheritdoc cref="EnvironmentOf(TransformsCatalog)"/>
    public static IHostEnvironment EnvironmentOf(DataOperationsCatalog catalog) => Environment(catalog);

    /// <summary>The settings of an environment.</summary>
    public static EnvironmentSettings Of(IHostEnvironment environment)
        => new(
            Read<int?>(environment, nameof(Seed)), Read<int?>(environment, nameof(GpuDeviceId)),
            Read<bool>(environment, nameof(FallbackToCpu)));

    private static T? Read<T>(IHostEnvironment environment, string name)
        => environment.GetType().GetProperty(name)?.GetValue(environment) is T value ? value : default;

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_env")]
    private static extern ref IHostEnvironment Environment(TransformsCatalog catalog);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_env")]
    private static extern ref IHostEnvironment Environment(DataOperationsCatalog catalog);
}
