// A CUDA device for machines without a GPU: its memory is the host's, its kernels are the CPU's. As on a GPU, an operator that is given
// tensors of two devices is an error. So it shows what was left on the wrong device, and nothing of a GPU's numbers or speed.
//
// For libtorch 1.13 (Debian 12's libtorch-dev), loaded before the program (test.sh does it). Every operator on the device goes through
// on_host: its tensors become CPU tensors of the same memory, the CPU's kernel runs, and its results become the device's.

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <torch/library.h>

#include <algorithm>
#include <string>
#include <vector>

namespace {

using c10::IValue;
using c10::Storage;

const c10::Device gpu(c10::DeviceType::CUDA, 0), cpu(c10::DeviceType::CPU);

// ---- one memory, two devices

void free_face_on_cpu(void* storage) { delete static_cast<Storage*>(storage); }
void free_face_on_gpu(void* storage) { delete static_cast<Storage*>(storage); }

// A storage of the other device over the same memory, which it keeps alive; of one that was made so itself, the one behind it.
Storage face(const Storage& storage, c10::Device device) {
    auto made_by = device == gpu ? &free_face_on_gpu : &free_face_on_cpu, made_there_by = device == gpu ? &free_face_on_cpu : &free_face_on_gpu;
    auto& data = storage.data_ptr();
    if (data.get_deleter() == made_there_by) return *static_cast<Storage*>(data.get_context());
    return Storage(Storage::use_byte_size_t(), storage.nbytes(), c10::DataPtr(data.get(), new Storage(storage), made_by, device), nullptr, false);
}

at::Tensor moved(const at::Tensor& tensor, c10::Device device) {
    if (!tensor.defined() || tensor.device().type() == device.type()) return tensor;
    auto key = device == gpu ? c10::DispatchKey::CUDA : c10::DispatchKey::CPU;
    auto result = at::detail::make_tensor<c10::TensorImpl>(face(tensor.storage(), device), c10::DispatchKeySet(key), tensor.dtype());
    auto* impl = result.unsafeGetTensorImpl();
    impl->set_storage_offset(tensor.storage_offset());
    impl->set_sizes_and_strides(tensor.sizes(), tensor.strides());
    if (tensor.unsafeGetTensorImpl()->is_wrapped_number()) impl->set_wrapped_number(true);
    return result;
}

// What an operator has resized on the CPU, or given other memory, is so on the device too.
void follow(const at::Tensor& device, const at::Tensor& host) {
    auto* impl = device.unsafeGetTensorImpl();
    if (host.storage().data_ptr().get() != device.storage().data_ptr().get()) impl->set_storage_keep_dtype(face(host.storage(), gpu));
    impl->set_storage_offset(host.storage_offset());
    if (impl->sizes() != host.sizes() || impl->strides() != host.strides()) impl->set_sizes_and_strides(host.sizes(), host.strides());
}

// ---- operators

struct Arguments {
    std::vector<std::pair<at::Tensor, at::Tensor>> tensors; // on the device, on the host
    bool from_cpu = false;

    // A number, as a tensor of no dimensions, may come from the CPU, but not where tensors are put together.
    at::Tensor on_host(const at::Tensor& tensor, bool in_list = false) {
        if (!tensor.defined()) return tensor;
        if (tensor.device() == cpu) from_cpu |= tensor.dim() > 0 || in_list;
        else tensors.emplace_back(tensor, moved(tensor, cpu));
        return tensor.device() == cpu ? tensor : tensors.back().second;
    }

    IValue on_host(const IValue& value) {
        if (value.isTensor()) return on_host(value.toTensor());
        if (value.isDevice() && value.toDevice().is_cuda()) return cpu;
        if (value.isTensorList()) {
            c10::List<at::Tensor> list;
            for (const at::Tensor& tensor : value.toTensorVector()) list.push_back(on_host(tensor, true));
            return list;
        }
        if (value.isList() && value.toList().elementType()->kind() == c10::OptionalType::Kind) {
            c10::List<c10::optional<at::Tensor>> list;
            for (const IValue& one : value.toListRef()) list.push_back(one.isTensor() ? c10::make_optional(on_host(one.toTensor())) : c10::nullopt);
            return list;
        }
        return value;
    }
};

// Copies between devices, and indices may come from the CPU, as on a GPU.
bool takes_both(const std::string& name) {
    return name == "aten::copy_" || name == "aten::index" || name == "aten::index_put_" || name == "aten::_index_put_impl_";
}

void on_host(const c10::OperatorHandle& op, c10::DispatchKeySet, torch::jit::Stack* stack) {
    auto& schema = op.schema();
    size_t count = schema.arguments().size(), first = stack->size() - count;
    std::vector<IValue> given(stack->begin() + first, stack->end());
    Arguments arguments;
    for (size_t i = 0; i < count; i++) (*stack)[first + i] = arguments.on_host(given[i]);
    TORCH_CHECK(!arguments.from_cpu || arguments.tensors.empty() || takes_both(schema.name()),
        "Expected all tensors to be on the same device, but found at least two devices, cuda:0 and cpu! (", schema.name(), ")");

    op.redispatchBoxed(c10::DispatchKeySet(c10::DispatchKey::CPU), stack);

    for (auto& [device, host] : arguments.tensors) follow(device, host);
    for (size_t r = 0; r < schema.returns().size(); r++) {
        IValue& result = (*stack)[stack->size() - schema.returns().size() + r];
        auto* written = schema.returns()[r].alias_info();
        if (written && written->isWrite()) {
            // The argument that was written into, itself.
            auto same = std::find_if(schema.arguments().begin(), schema.arguments().end(), [&](const c10::Argument& argument) {
                return argument.alias_info() && argument.alias_info()->isWrite() && argument.alias_info()->beforeSets() == written->beforeSets();
            });
            result = given[same - schema.arguments().begin()];
        } else if (result.isTensor()) {
            result = moved(result.toTensor(), gpu);
        } else if (result.isTensorList()) {
            c10::List<at::Tensor> list;
            for (const at::Tensor& tensor : result.toTensorVector()) list.push_back(moved(tensor, gpu));
            result = list;
        }
    }
}

// ---- one device, one stream, on which all is done when a call returns

struct Guard final : c10::impl::DeviceGuardImplInterface {
    static constexpr c10::DeviceType static_type = c10::DeviceType::CUDA;
    Guard() = default;
    explicit Guard(c10::DeviceType) {}
    c10::DeviceType type() const override { return static_type; }
    c10::Device exchangeDevice(c10::Device) const override { return gpu; }
    c10::Device getDevice() const override { return gpu; }
    void setDevice(c10::Device device) const override { TORCH_CHECK(device.index() <= 0, "CUDA error: invalid device ordinal"); }
    void uncheckedSetDevice(c10::Device) const noexcept override {}
    c10::Stream getStream(c10::Device) const noexcept override { return stream(); }
    c10::Stream getDefaultStream(c10::Device) const override { return stream(); }
    c10::Stream exchangeStream(c10::Stream) const noexcept override { return stream(); }
    c10::DeviceIndex deviceCount() const noexcept override { return 1; }
    void record(void**, const c10::Stream&, const c10::DeviceIndex, const c10::EventFlag) const override {}
    void block(void*, const c10::Stream&) const override {}
    bool queryEvent(void*) const override { return true; }
    void destroyEvent(void*, const c10::DeviceIndex) const noexcept override {}
    bool queryStream(const c10::Stream&) const override { return true; }
    void synchronizeStream(const c10::Stream&) const override {}
    void recordDataPtrOnStream(const c10::DataPtr&, const c10::Stream&) const override {}

    static c10::Stream stream() { return c10::Stream(c10::Stream::DEFAULT, gpu); }
};

struct Hooks : at::CUDAHooksInterface {
    explicit Hooks(at::CUDAHooksArgs) {}
    void initCUDA() const override {}
    bool hasCUDA() const override { return true; }
    int getNumGPUs() const override { return 1; }
    int64_t current_device() const override { return 0; }
    bool hasPrimaryContext(int64_t) const override { return true; }
    const at::Generator& getDefaultCUDAGenerator(c10::DeviceIndex) const override { return at::detail::getDefaultCPUGenerator(); }
    c10::Device getDeviceFromPtr(void*) const override { return gpu; }
    bool isPinnedPtr(void*) const override { return false; }
    c10::Allocator* getPinnedMemoryAllocator() const override { return c10::GetAllocator(c10::DeviceType::CPU); }
    void deviceSynchronize(int64_t) const override {}
};

C10_REGISTER_GUARD_IMPL(CUDA, Guard);

} // namespace

namespace at {
using ::Hooks;
C10_REGISTER_CLASS(CUDAHooksRegistry, CUDAHooks, Hooks)
} // namespace at

TORCH_LIBRARY_IMPL(_, CUDA, library) { library.fallback(torch::CppFunction::makeFromBoxedFunction<&on_host>()); }

// These have kernels for all devices, which look for the device's own parts.
TORCH_LIBRARY_IMPL(aten, CUDA, library) {
    for (const char* name : {"copy_", "convolution", "convolution_backward"}) library.impl(name, torch::CppFunction::makeFromBoxedFunction<&on_host>());
}
