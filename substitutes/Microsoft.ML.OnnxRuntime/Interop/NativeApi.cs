// The functions of ONNX Runtime's C API that are used here, by their places in its table (onnxruntime_c_api.h; the table only ever grows).

using System.Runtime.InteropServices;

namespace Microsoft.ML.OnnxRuntime.Interop;

internal static unsafe class NativeApi
{
    // Everything below stands in the table since this version of the API (ONNX Runtime 1.16).
    private const uint Version = 16;

    private static readonly nint Library = NativeLibraryFinder.Load();
    private static readonly nint* Base = ((delegate* unmanaged<nint*>)NativeLibrary.GetExport(Library, "OrtGetApiBase"))();
    private static readonly nint* Table = LoadTable();

    public static string RuntimeVersion() => Marshal.PtrToStringUTF8(((delegate* unmanaged<nint>)Base[1])());

    public static nint Export(string name) => NativeLibrary.GetExport(Library, name);

    public static int GetErrorCode(nint status) => ((delegate* unmanaged<nint, int>)Table[1])(status);

    public static nint GetErrorMessage(nint status) => ((delegate* unmanaged<nint, nint>)Table[2])(status);

    public static nint CreateEnv(int level, byte* id, nint* made) => ((delegate* unmanaged<int, byte*, nint*, nint>)Table[3])(level, id, made);

    public static nint CreateSession(nint env, byte* path, nint options, nint* made)
        => ((delegate* unmanaged<nint, byte*, nint, nint*, nint>)Table[7])(env, path, options, made);

    public static nint CreateSessionFromArray(nint env, byte* model, nuint length, nint options, nint* made)
        => ((delegate* unmanaged<nint, byte*, nuint, nint, nint*, nint>)Table[8])(env, model, length, options, made);

    public static nint Run(
        nint session, nint options, nint* inputNames, nint* inputs, nuint inputCount, nint* outputNames, nuint outputCount, nint* outputs)
        => ((delegate* unmanaged<nint, nint, nint*, nint*, nuint, nint*, nuint, nint*, nint>)Table[9])(
            session, options, inputNames, inputs, inputCount, outputNames, outputCount, outputs);

    public static nint CreateSessionOptions(nint* made) => ((delegate* unmanaged<nint*, nint>)Table[10])(made);

    public static nint SetSessionExecutionMode(nint options, int mode) => ((delegate* unmanaged<nint, int, nint>)Table[13])(options, mode);

    public static nint SetSessionLogSeverityLevel(nint options, int level) => ((delegate* unmanaged<nint, int, nint>)Table[22])(options, level);

    public static nint SetSessionGraphOptimizationLevel(nint options, int level) => ((delegate* unmanaged<nint, int, nint>)Table[23])(options, level);

    public static nint SetIntraOpNumThreads(nint options, int count) => ((delegate* unmanaged<nint, int, nint>)Table[24])(options, count);

    public static nint SetInterOpNumThreads(nint options, int count) => ((delegate* unmanaged<nint, int, nint>)Table[25])(options, count);

    public static nint SessionGetInputCount(nint session, nuint* count) => ((delegate* unmanaged<nint, nuint*, nint>)Table[30])(session, count);

    public static nint SessionGetOutputCount(nint session, nuint* count) => ((delegate* unmanaged<nint, nuint*, nint>)Table[31])(session, count);

    public static nint SessionGetInputTypeInfo(nint session, nuint index, nint* type)
        => ((delegate* unmanaged<nint, nuint, nint*, nint>)Table[33])(session, index, type);

    public static nint SessionGetOutputTypeInfo(nint session, nuint index, nint* type)
        => ((delegate* unmanaged<nint, nuint, nint*, nint>)Table[34])(session, index, type);

    public static nint SessionGetInputName(nint session, nuint index, nint allocator, nint* name)
        => ((delegate* unmanaged<nint, nuint, nint, nint*, nint>)Table[36])(session, index, allocator, name);

    public static nint SessionGetOutputName(nint session, nuint index, nint allocator, nint* name)
        => ((delegate* unmanaged<nint, nuint, nint, nint*, nint>)Table[37])(session, index, allocator, name);

    public static nint CreateRunOptions(nint* made) => ((delegate* unmanaged<nint*, nint>)Table[39])(made);

    public static nint RunOptionsSetTerminate(nint options) => ((delegate* unmanaged<nint, nint>)Table[46])(options);

    public static nint RunOptionsUnsetTerminate(nint options) => ((delegate* unmanaged<nint, nint>)Table[47])(options);

    public static nint CreateTensorAsOrtValue(nint allocator, long* shape, nuint rank, int type, nint* made)
        => ((delegate* unmanaged<nint, long*, nuint, int, nint*, nint>)Table[48])(allocator, shape, rank, type, made);

    public static nint CreateTensorWithDataAsOrtValue(nint memory, void* data, nuint bytes, long* shape, nuint rank, int type, nint* made)
        => ((delegate* unmanaged<nint, void*, nuint, long*, nuint, int, nint*, nint>)Table[49])(memory, data, bytes, shape, rank, type, made);

    public static nint GetTensorMutableData(nint value, void** data) => ((delegate* unmanaged<nint, void**, nint>)Table[51])(value, data);

    public static nint FillStringTensor(nint value, nint* strings, nuint count)
        => ((delegate* unmanaged<nint, nint*, nuint, nint>)Table[52])(value, strings, count);

    public static nint GetStringTensorDataLength(nint value, nuint* bytes) => ((delegate* unmanaged<nint, nuint*, nint>)Table[53])(value, bytes);

    public static nint GetStringTensorContent(nint value, byte* text, nuint bytes, nuint* offsets, nuint count)
        => ((delegate* unmanaged<nint, byte*, nuint, nuint*, nuint, nint>)Table[54])(value, text, bytes, offsets, count);

    public static nint CastTypeInfoToTensorInfo(nint type, nint* tensor) => ((delegate* unmanaged<nint, nint*, nint>)Table[55])(type, tensor);

    public static nint GetOnnxTypeFromTypeInfo(nint type, int* kind) => ((delegate* unmanaged<nint, int*, nint>)Table[56])(type, kind);

    public static nint GetTensorElementType(nint tensor, int* type) => ((delegate* unmanaged<nint, int*, nint>)Table[60])(tensor, type);

    public static nint GetDimensionsCount(nint tensor, nuint* rank) => ((delegate* unmanaged<nint, nuint*, nint>)Table[61])(tensor, rank);

    public static nint GetDimensions(nint tensor, long* sizes, nuint rank)
        => ((delegate* unmanaged<nint, long*, nuint, nint>)Table[62])(tensor, sizes, rank);

    public static nint GetSymbolicDimensions(nint tensor, nint* names, nuint rank)
        => ((delegate* unmanaged<nint, nint*, nuint, nint>)Table[63])(tensor, names, rank);

    public static nint GetTensorTypeAndShape(nint value, nint* tensor) => ((delegate* unmanaged<nint, nint*, nint>)Table[65])(value, tensor);

    public static nint GetValueType(nint value, int* kind) => ((delegate* unmanaged<nint, int*, nint>)Table[67])(value, kind);

    public static nint CreateCpuMemoryInfo(int allocator, int memory, nint* made)
        => ((delegate* unmanaged<int, int, nint*, nint>)Table[69])(allocator, memory, made);

    public static nint AllocatorFree(nint allocator, nint block) => ((delegate* unmanaged<nint, nint, nint>)Table[76])(allocator, block);

    public static nint GetAllocatorWithDefaultOptions(nint* allocator) => ((delegate* unmanaged<nint*, nint>)Table[78])(allocator);

    public static void ReleaseStatus(nint status) => ((delegate* unmanaged<nint, void>)Table[93])(status);

    public static void ReleaseSession(nint session) => ((delegate* unmanaged<nint, void>)Table[95])(session);

    public static void ReleaseValue(nint value) => ((delegate* unmanaged<nint, void>)Table[96])(value);

    public static void ReleaseRunOptions(nint options) => ((delegate* unmanaged<nint, void>)Table[97])(options);

    public static void ReleaseTypeInfo(nint type) => ((delegate* unmanaged<nint, void>)Table[98])(type);

    public static void ReleaseTensorTypeAndShapeInfo(nint tensor) => ((delegate* unmanaged<nint, void>)Table[99])(tensor);

    public static void ReleaseSessionOptions(nint options) => ((delegate* unmanaged<nint, void>)Table[100])(options);

    public static nint SessionGetModelMetadata(nint session, nint* made) => ((delegate* unmanaged<nint, nint*, nint>)Table[111])(session, made);

    /// <summary>The texts of a model's metadata: 112 producer, 113 graph name, 114 domain, 115 description, 158 graph description.</summary>
    public static nint ModelMetadataGetText(int place, nint metadata, nint allocator, nint* text)
        => ((delegate* unmanaged<nint, nint, nint*, nint>)Table[place])(metadata, allocator, text);

    public static nint ModelMetadataLookupCustomMetadataMap(nint metadata, nint allocator, nint key, nint* text)
        => ((delegate* unmanaged<nint, nint, nint, nint*, nint>)Table[116])(metadata, allocator, key, text);

    public static nint ModelMetadataGetVersion(nint metadata, long* version) => ((delegate* unmanaged<nint, long*, nint>)Table[117])(metadata, version);

    public static void ReleaseModelMetadata(nint metadata) => ((delegate* unmanaged<nint, void>)Table[118])(metadata);

    public static nint ModelMetadataGetCustomMetadataMapKeys(nint metadata, nint allocator, nint** keys, long* count)
        => ((delegate* unmanaged<nint, nint, nint**, long*, nint>)Table[123])(metadata, allocator, keys, count);

    public static nint GetAvailableProviders(nint** names, int* count) => ((delegate* unmanaged<nint**, int*, nint>)Table[125])(names, count);

    public static nint ReleaseAvailableProviders(nint* names, int count) => ((delegate* unmanaged<nint*, int, nint>)Table[126])(names, count);

    public static nint AddSessionConfigEntry(nint options, byte* key, byte* value)
        => ((delegate* unmanaged<nint, byte*, byte*, nint>)Table[130])(options, key, value);

    private static nint* LoadTable()
    {
        nint* table = ((delegate* unmanaged<uint, nint*>)Base[0])(Version);
        return table is not null ? table : throw new NotSupportedException($"ONNX Runtime {RuntimeVersion()} is too old: 1.16 or newer is needed.");
    }
}
