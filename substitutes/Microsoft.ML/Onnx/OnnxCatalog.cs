// mlContext.Transforms.ApplyOnnxModel: runs a network of an ONNX file on the columns that are named like its inputs.
using System.Diagnostics.CodeAnalysis;
using Microsoft.ML.Transforms.Onnx;

namespace Microsoft.ML
{
    public static class OnnxCatalog
    {
        public static OnnxScoringEstimator ApplyOnnxModel(this TransformsCatalog catalog, OnnxOptions options)
        {
            ArgumentNullException.ThrowIfNull(catalog);
            ArgumentNullException.ThrowIfNull(options);
            return new OnnxScoringEstimator(new OnnxTransformer(catalog.Environment, options, null));
        }

        public static OnnxScoringEstimator ApplyOnnxModel(this TransformsCatalog catalog, string modelFile, int? gpuDeviceId = null, bool fallbackToCpu = false)
            => Create(catalog, null, null, modelFile, null, null, gpuDeviceId, fallbackToCpu);

        public static OnnxScoringEstimator ApplyOnnxModel(
            this TransformsCatalog catalog, string modelFile, IDictionary<string, int[]> shapeDictionary, int? gpuDeviceId = null, bool fallbackToCpu = false)
            => Create(catalog, null, null, modelFile, null, shapeDictionary, gpuDeviceId, fallbackToCpu);

        public static OnnxScoringEstimator ApplyOnnxModel(this TransformsCatalog catalog, Stream modelBytes, int? gpuDeviceId = null, bool fallbackToCpu = false)
            => Create(catalog, null, null, null, modelBytes, null, gpuDeviceId, fallbackToCpu);

        public static OnnxScoringEstimator ApplyOnnxModel(
            this TransformsCatalog catalog, Stream modelBytes, IDictionary<string, int[]> shapeDictionary, int? gpuDeviceId = null, bool fallbackToCpu = false)
            => Create(catalog, null, null, null, modelBytes, shapeDictionary, gpuDeviceId, fallbackToCpu);

        public static OnnxScoringEstimator ApplyOnnxModel(
            this TransformsCatalog catalog, string outputColumnName, string inputColumnName, string modelFile, int? gpuDeviceId = null, bool fallbackToCpu = false)
            => Create(catalog, [outputColumnName], [inputColumnName], modelFile, null, null, gpuDeviceId, fallbackToCpu);

        public static OnnxScoringEstimator ApplyOnnxModel(
            this TransformsCatalog catalog, string outputColumnName, string inputColumnName, string modelFile, IDictionary<string, int[]> shapeDictionary,
            int? gpuDeviceId = null, bool fallbackToCpu = false)
            => Create(catalog, [outputColumnName], [inputColumnName], modelFile, null, shapeDictionary, gpuDeviceId, fallbackToCpu);

        public static OnnxScoringEstimator ApplyOnnxModel(
            this TransformsCatalog catalog, string outputColumnName, string inputColumnName, Stream modelBytes, int? gpuDeviceId = null, bool fallbackToCpu = false)
            => Create(catalog, [outputColumnName], [inputColumnName], null, modelBytes, null, gpuDeviceId, fallbackToCpu);

        public static OnnxScoringEstimator ApplyOnnxModel(
            this TransformsCatalog catalog, string outputColumnName, string inputColumnName, Stream modelBytes, IDictionary<string, int[]> shapeDictionary,
            int? gpuDeviceId = null, bool fallbackToCpu = false)
            => Create(catalog, [outputColumnName], [inputColumnName], null, modelBytes, shapeDictionary, gpuDeviceId, fallbackToCpu);

        public static OnnxScoringEstimator ApplyOnnxModel(
            this TransformsCatalog catalog, string[] outputColumnNames, string[] inputColumnNames, string modelFile, int? gpuDeviceId = null, bool fallbackToCpu = false)
            => Create(catalog, outputColumnNames, inputColumnNames, modelFile, null, null, gpuDeviceId, fallbackToCpu);

        public static OnnxScoringEstimator ApplyOnnxModel(
            this TransformsCatalog catalog, string[] outputColumnNames, string[] inputColumnNames, string modelFile, IDictionary<string, int[]> shapeDictionary,
            int? gpuDeviceId = null, bool fallbackToCpu = false)
            => Create(catalog, outputColumnNames, inputColumnNames, modelFile, null, shapeDictionary, gpuDeviceId, fallbackToCpu);

        public static OnnxScoringEstimator ApplyOnnxModel(
            this TransformsCatalog catalog, string[] outputColumnNames, string[] inputColumnNames, string modelFile, IDictionary<string, int[]> shapeDictionary,
            int? gpuDeviceId = null, bool fallbackToCpu = false, int recursionLimit = 100)
            => Create(catalog, outputColumnNames, inputColumnNames, modelFile, null, shapeDictionary, gpuDeviceId, fallbackToCpu);

        public static OnnxScoringEstimator ApplyOnnxModel(
            this TransformsCatalog catalog, string[] outputColumnNames, string[] inputColumnNames, Stream modelBytes, int? gpuDeviceId = null, bool fallbackToCpu = false)
            => Create(catalog, outputColumnNames, inputColumnNames, null, modelBytes, null, gpuDeviceId, fallbackToCpu);

        public static OnnxScoringEstimator ApplyOnnxModel(
            this TransformsCatalog catalog, string[] outputColumnNames, string[] inputColumnNames, Stream modelBytes, IDictionary<string, int[]> shapeDictionary,
            int? gpuDeviceId = null, bool fallbackToCpu = false)
            => Create(catalog, outputColumnNames, inputColumnNames, null, modelBytes, shapeDictionary, gpuDeviceId, fallbackToCpu);

        public static OnnxScoringEstimator ApplyOnnxModel(
            this TransformsCatalog catalog, string[] outputColumnNames, string[] inputColumnNames, Stream modelBytes, IDictionary<string, int[]> shapeDictionary,
            int? gpuDeviceId = null, bool fallbackToCpu = false, int recursionLimit = 100)
            => Create(catalog, outputColumnNames, inputColumnNames, null, modelBytes, shapeDictionary, gpuDeviceId, fallbackToCpu);

        private static OnnxScoringEstimator Create(
            TransformsCatalog catalog, string[] outputs, string[] inputs, string file, Stream stream, IDictionary<string, int[]> shapes, int? gpu, bool fallback)
        {
            ArgumentNullException.ThrowIfNull(catalog);
            byte[] content = null;
            if (file is null)
            {
                ArgumentNullException.ThrowIfNull(stream);
                using var memory = new MemoryStream();
                stream.CopyTo(memory);
                content = memory.ToArray();
            }

            var options = new OnnxOptions
            {
                ModelFile = file,
                OutputColumns = outputs,
                InputColumns = inputs,
                ShapeDictionary = shapes,
                GpuDeviceId = gpu,
                FallbackToCpu = fallback,
            };
            return new OnnxScoringEstimator(new OnnxTransformer(catalog.Environment, options, content));
        }
    }
}

namespace Microsoft.ML.Transforms.Onnx
{
    [SuppressMessage("Design", "CA1051", Justification = "The real one has fields.")]
    public sealed class OnnxOptions
    {
        public string ModelFile;
        public string[] InputColumns;
        public string[] OutputColumns;
        public int? GpuDeviceId;
        public bool FallbackToCpu;
        public IDictionary<string, int[]> ShapeDictionary;
        public int RecursionLimit = 100;
        public int? InterOpNumThreads;
        public int? IntraOpNumThreads;
    }
}
