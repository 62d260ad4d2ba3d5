// Types that stand in the signatures of overloads that nothing here needs. They cannot be made.

namespace Microsoft.ML.OnnxRuntime;

public class OrtCUDAProviderOptions
{
    private OrtCUDAProviderOptions()
    {
    }
}

public class PrePackedWeightsContainer
{
    private PrePackedWeightsContainer()
    {
    }
}

public class FixedBufferOnnxValue
{
    private FixedBufferOnnxValue()
    {
    }
}

public class OrtMemoryInfo
{
    private OrtMemoryInfo()
    {
    }
}
