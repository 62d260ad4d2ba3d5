using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Onnx.Proto;
using Microsoft.ML.OnnxRuntime;

namespace Microsoft.ML.Distillation.Teachers.OnnxDetectors;

/// <summary>A loaded model.</summary>
/// <param name="Session">The model in ONNX Runtime.</param>
/// <param name="Outputs">The graph's own outputs.</param>
/// <param name="Fallback">Why the CPU runs it where a GPU should; <see langword="null"/>: it runs where it should.</param>
internal sealed record LoadedModel(InferenceSession Session, IReadOnlyList<string> Outputs, string? Fallback);

/// <summary>Loads ONNX models, with tensors from inside the graph as further outputs.</summary>
internal static class SessionLoader
{
    private const string ExternalFolder = "session.model_external_initializers_file_folder_path";

    /// <summary>Loads a model.</summary>
    /// <param name="expose">The tensors that shall become outputs.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="FormatException">The file is not a model that ONNX Runtime can load.</exception>
    /// <exception cref="ArgumentException">The graph has no tensor of a name; the message lists the nearest ones.</exception>
    public static LoadedModel Load(string path, IReadOnlyList<string> expose, OnnxTeacherOptions options)
    {
        CheckFile(path);
        if (expose.Count == 0)
        {
            (InferenceSession session, string? fallback) = Open(path, options, null, settings => new InferenceSession(path, settings));
            return new LoadedModel(session, session.OutputNames, fallback);
        }

        ModelProto model = OnnxModelFile.Parse(File.ReadAllBytes(path), path).Model;
        string[] outputs = [.. model.Graph.Output.Select(output => output.Name)];
        byte[] changed = new OnnxModelFile(GraphSurgery.Expose(model, expose, path)).ToBytes();
        string? folder = GraphSurgery.HasExternalData(model) ? Path.GetDirectoryName(Path.GetFullPath(path)) : null;
        (InferenceSession exposed, string? reason) = Open(path, options, folder, settings => new InferenceSession(changed, settings));
        return new LoadedModel(exposed, outputs, reason);
    }

    private static void CheckFile(string path)
    {
        var file = new FileInfo(path);
        if (!file.Exists) throw new FileNotFoundException($"There is no teacher '{path}'.", path);
        if (file.Length > int.MaxValue)
        {
            throw new FormatException(
                $"The teacher '{path}' has {file.Length} bytes, and an ONNX file holds at most 2 GB. Save the model with external data "
                + "(onnx.save_model(model, path, save_as_external_data=True)); such models can be loaded.");
        }
    }

    private static (InferenceSession Session, string? Fallback) Open(
        string path, OnnxTeacherOptions options, string? externalFolder, Func<SessionOptions, InferenceSession> open)
    {
        string? fallback = null;
        if (options.GpuDeviceId is int device)
        {
            try
            {
                // Some of what CUDA lacks shows only when the session is made.
                return (Open(path, options, externalFolder, open, settings => settings.AppendExecutionProvider_CUDA(device)), null);
            }
            catch (Exception e) when (e is FormatException or OnnxRuntimeException or EntryPointNotFoundException or DllNotFoundException)
            {
                string reason = (e.InnerException ?? e).Message;
                if (!options.FallbackToCpu)
                {
                    // A file that is no model is none on the CPU either, and says so itself.
                    if (e is FormatException) Open(path, options, externalFolder, open, _ => { }).Dispose();
                    throw new InvalidOperationException(
                        $"The teacher was asked to run on GPU {device}, but ONNX Runtime has no CUDA there: {reason} The application must reference "
                        + "Microsoft.ML.OnnxRuntime.Gpu and have an NVIDIA driver, CUDA and cuDNN; or set FallbackToCpu, or leave GpuDeviceId unset.", e);
                }

                fallback = $"The CPU runs the teacher '{path}': ONNX Runtime has no CUDA on GPU {device} ({reason.TrimEnd('.')}). For the GPU the application references Microsoft.ML.OnnxRuntime.Gpu.";
            }
        }

        return (Open(path, options, externalFolder, open, _ => { }), fallback);
    }

    /// <exception cref="FormatException">ONNX Runtime cannot load the model.</exception>
    private static InferenceSession Open(
        string path, OnnxTeacherOptions options, string? externalFolder, Func<SessionOptions, InferenceSession> open, Action<SessionOptions> addProvider)
    {
        using var settings = new SessionOptions();
        settings.LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR;
        settings.IntraOpNumThreads = options.Threads;
        // Between two runs the student trains: threads that spin would take its time.
        settings.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
        if (externalFolder is not null) settings.AddSessionConfigEntry(ExternalFolder, externalFolder);
        addProvider(settings);
        try
        {
            return open(settings);
        }
        catch (OnnxRuntimeException e)
        {
            throw new FormatException($"ONNX Runtime cannot load the teacher '{path}': {e.Message}", e);
        }
    }
}
