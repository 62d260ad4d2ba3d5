using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Onnx.Proto;
using Microsoft.ML.OnnxRuntime;

namespace Microsoft.ML.Distillation.Teachers.OnnxDetectors;

/// <summary>A loaded model.</summary>
/// <param name="Session">The model in ONNX Runtime.</param>
/// <param name="Outputs">The graph's own outputs.</param>
internal sealed record LoadedModel(InferenceSession Session, IReadOnlyList<string> Outputs);

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
            InferenceSession session = Open(path, options, null, settings => new InferenceSession(path, settings));
            return new LoadedModel(session, session.OutputNames);
        }

        ModelProto model = OnnxModelFile.Parse(File.ReadAllBytes(path), path).Model;
        string[] outputs = [.. model.Graph.Output.Select(output => output.Name)];
        byte[] changed = new OnnxModelFile(GraphSurgery.Expose(model, expose, path)).ToBytes();
        string? folder = GraphSurgery.HasExternalData(model) ? Path.GetDirectoryName(Path.GetFullPath(path)) : null;
        return new LoadedModel(Open(path, options, folder, settings => new InferenceSession(changed, settings)), outputs);
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

    private static InferenceSession Open(string path, OnnxTeacherOptions options, string? externalFolder, Func<SessionOptions, InferenceSession> open)
    {
        using var settings = new SessionOptions();
        settings.LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR;
        settings.IntraOpNumThreads = options.Threads;
        // Between two runs the student trains: threads that spin would take its time.
        settings.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
        if (externalFolder is not null) settings.AddSessionConfigEntry(ExternalFolder, externalFolder);
        AddCuda(settings, options);
        try
        {
            return open(settings);
        }
        catch (OnnxRuntimeException e)
        {
            throw new FormatException($"ONNX Runtime cannot load the teacher '{path}': {e.Message}", e);
        }
    }

    private static void AddCuda(SessionOptions settings, OnnxTeacherOptions options)
    {
        if (options.GpuDeviceId is not int device) return;
        try
        {
            settings.AppendExecutionProvider_CUDA(device);
        }
        catch (Exception e) when (e is OnnxRuntimeException or EntryPointNotFoundException or DllNotFoundException)
        {
            if (options.FallbackToCpu) return;
            throw new InvalidOperationException(
                $"The teacher was asked to run on GPU {device}, but ONNX Runtime has no CUDA there: {e.Message} The application must reference "
                + "Microsoft.ML.OnnxRuntime.Gpu and have an NVIDIA driver, CUDA and cuDNN; or set FallbackToCpu, or leave GpuDeviceId unset.", e);
        }
    }
}
