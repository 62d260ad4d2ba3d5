using Microsoft.ML.OnnxRuntime;

namespace Microsoft.ML.Distillation.Onnx;

/// <summary>How ONNX Runtime is to run a model.</summary>
internal sealed record SessionSettings
{
    private const string ExternalFolderKey = "session.model_external_initializers_file_folder_path";

    /// <summary>The number of threads that run an operator. 0: as many as there are cores.</summary>
    public int Threads { get; init; }

    /// <summary>The CUDA device; <see langword="null"/>: the CPU.</summary>
    public int? GpuDeviceId { get; init; }

    /// <summary>Whether the CPU will do where the CUDA device is not available.</summary>
    public bool FallbackToCpu { get; init; }

    /// <summary>Is given ONNX Runtime's own settings at last.</summary>
    public Action<SessionOptions>? Configure { get; init; }

    /// <summary>
    /// Whether to run the graph as it is written: rounding between layers, arithmetic in floats. Otherwise ONNX Runtime may compute with
    /// integers what stands between a DequantizeLinear and a QuantizeLinear, which moves a few values to a neighbouring step.
    /// </summary>
    public bool AsWritten { get; init; }

    /// <summary>Whether threads that wait for work spin, which is faster where nothing else wants the processor between two runs.</summary>
    public bool Spins { get; init; } = true;

    /// <summary>The folder of parameters that lie in other files, where the model itself does not come from a file there.</summary>
    public string? ExternalFolder { get; init; }

    /// <summary>Loads a model.</summary>
    /// <param name="source">Where it comes from, for messages.</param>
    /// <param name="open">Makes the session.</param>
    /// <returns>The session, and why the CPU runs it where a GPU should.</returns>
    /// <exception cref="FormatException">ONNX Runtime cannot load the model.</exception>
    /// <exception cref="InvalidOperationException">The CUDA device is not available, and the CPU will not do.</exception>
    /// <exception cref="DllNotFoundException">ONNX Runtime's native library is missing.</exception>
    public (InferenceSession Session, string? Fallback) Open(string source, Func<SessionOptions, InferenceSession> open)
    {
        OnnxRuntimeLibrary.Require();
        string? fallback = null;
        if (GpuDeviceId is int device)
        {
            try
            {
                // Some of what CUDA lacks shows only when the session is made.
                return (Open(source, open, options => options.AppendExecutionProvider_CUDA(device)), null);
            }
            catch (Exception e) when (e is FormatException or OnnxRuntimeException or EntryPointNotFoundException or DllNotFoundException)
            {
                string reason = (e.InnerException ?? e).Message;
                if (!FallbackToCpu)
                {
                    // A file that is no model is none on the CPU either, and says so itself.
                    if (e is FormatException) Open(source, open, _ => { }).Dispose();
                    throw new InvalidOperationException(
                        $"'{source}' was to run on GPU {device}, but ONNX Runtime has no CUDA there: {reason} The application must "
                            + $"reference "
                        + "Microsoft.ML.OnnxRuntime.Gpu and have an NVIDIA driver, CUDA and cuDNN; or set FallbackToCpu, or leave "
                            + "GpuDeviceId unset.", e);
                }

                fallback = $"The CPU runs '{source}': ONNX Runtime has no CUDA on GPU {device} ({reason.TrimEnd('.')}). For the GPU the "
                    + $"application references Microsoft.ML.OnnxRuntime.Gpu.";
            }
        }

        return (Open(source, open, _ => { }), fallback);
    }

    private InferenceSession Open(string source, Func<SessionOptions, InferenceSession> open, Action<SessionOptions> addProvider)
    {
        using var options = new SessionOptions();
        options.LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR;
        options.IntraOpNumThreads = Threads;
        if (!Spins) options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
        if (AsWritten) options.AddSessionConfigEntry("session.disable_quant_qdq", "1");
        if (ExternalFolder is not null) options.AddSessionConfigEntry(ExternalFolderKey, ExternalFolder);
        addProvider(options);
        Configure?.Invoke(options);
        try
        {
            return open(options);
        }
        catch (OnnxRuntimeException e)
        {
            throw new FormatException($"ONNX Runtime cannot load '{source}': {e.Message}", e);
        }
    }
}

/// <summary>ONNX Runtime's native library, which the application brings by one of three packages.</summary>
internal static class OnnxRuntimeLibrary
{
    /// <summary>Throws where it is missing, so that this shows before hours of training, and says what to do.</summary>
    /// <exception cref="DllNotFoundException">It is missing.</exception>
    public static void Require()
    {
        try
        {
            new SessionOptions().Dispose();
        }
        catch (Exception e) when (Missing(e) is not null)
        {
            // The loader's list of all places where it looked would hide this: neither in the message nor as the inner error.
            throw new DllNotFoundException(
                "ONNX Runtime's native library is missing, or cannot be loaded on this machine. Add one of its packages to the "
                    + "application: "
                + "Microsoft.ML.OnnxRuntime (CPU), Microsoft.ML.OnnxRuntime.Gpu (CUDA) or Microsoft.ML.OnnxRuntime.DirectML (Windows). "
                + $"The system says: {FirstSentence(Missing(e)!.Message)}");
        }
    }

    /// <summary>What the loader says, without the places where it looked.</summary>
    internal static string FirstSentence(string message)
    {
        string line = message.Trim().Split(['\r', '\n'])[0];
        int end = line.IndexOf(". ", StringComparison.Ordinal);
        return end < 0 ? line : line[..(end + 1)];
    }

    private static Exception? Missing(Exception? e)
    {
        while (e is TypeInitializationException) e = e.InnerException;
        return e is DllNotFoundException or BadImageFormatException or EntryPointNotFoundException ? e : null;
    }
}
