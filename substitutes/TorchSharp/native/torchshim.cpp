// The C face of libtorch that the TorchSharp substitute stands on. Operators are called through libtorch's own registry by their
// schema's name, so one function (shim_call) reaches every operator, its autograd and every device. What the registry does not have
// (gradients, generators, the tensor's own properties) has a function of its own below.
//
// Compiles against libtorch 1.13 and 2.x. Rules:
// - a tensor crosses as a pointer to an at::Tensor of its own, which the caller frees by shim_tensor_free; null is an undefined one;
// - a function that can fail returns 0 and leaves its message for shim_error(), per thread. Nothing is thrown across the border.

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/grad_mode.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/version.h>

#include <cstdint>
#include <exception>
#include <mutex>
#include <string>
#include <vector>

#define SHIM extern "C" __attribute__((visibility("default")))

namespace {

using Schema = decltype(c10::Dispatcher::singleton().findSchema(c10::OperatorName("", "")));

// The optional that this version of libtorch uses (its own until 2.3, then the standard one).
template <class Of, class T> struct Same;
template <template <class...> class Optional, class Of, class T> struct Same<Optional<Of>, T> { using type = Optional<T>; };
template <class T> using Optional = typename Same<Schema, T>::type;

// What crosses as an argument or a result. Lists lie in memory of the caller's for arguments and of the shim's for results.
enum Kind : int32_t {
    None, TensorKind, Integer, Real, Boolean, Integers, Reals, Tensors, OptionalTensors, Text, DeviceKind, GeneratorKind
};

struct Value {
    int32_t kind;
    int32_t count;
    union {
        int64_t integer;
        double real;
        void* pointer;
    };
};

thread_local std::string message;

// Runs the body; an exception becomes the thread's message and the answer is 0.
template <class Body> auto guarded(Body body) -> decltype(body()) {
    try {
        message.clear();
        return body();
    } catch (const std::exception& e) {
        message = e.what();
    } catch (...) {
        message = "libtorch threw something that is no exception.";
    }
    if (message.empty()) message = "libtorch failed without a message.";
    return {};
}

const at::Tensor& tensor_of(const void* handle) {
    static const at::Tensor undefined;
    return handle ? *static_cast<const at::Tensor*>(handle) : undefined;
}

void* handle_of(const at::Tensor& tensor) { return tensor.defined() ? new at::Tensor(tensor) : nullptr; }

// A device is its type in the upper and its index in the lower half.
c10::Device device_of(int64_t packed) {
    return c10::Device(static_cast<c10::DeviceType>(packed >> 32), static_cast<c10::DeviceIndex>(static_cast<int32_t>(packed)));
}

int64_t packed(c10::Device device) {
    return (static_cast<int64_t>(device.type()) << 32) | static_cast<uint32_t>(static_cast<int32_t>(device.index()));
}

std::vector<at::Tensor> tensors_of(void* const* handles, int32_t count) {
    std::vector<at::Tensor> tensors;
    tensors.reserve(count);
    for (int32_t i = 0; i < count; i++) tensors.push_back(tensor_of(handles[i]));
    return tensors;
}

c10::IValue ivalue_of(const Value& value) {
    switch (value.kind) {
        case None: return {};
        case TensorKind: return value.pointer ? c10::IValue(tensor_of(value.pointer)) : c10::IValue();
        case Integer: return value.integer;
        case Real: return value.real;
        case Boolean: return value.integer != 0;
        case Integers: {
            auto* first = static_cast<const int64_t*>(value.pointer);
            return std::vector<int64_t>(first, first + value.count);
        }
        case Reals: {
            auto* first = static_cast<const double*>(value.pointer);
            return std::vector<double>(first, first + value.count);
        }
        case Tensors: return tensors_of(static_cast<void* const*>(value.pointer), value.count);
        case OptionalTensors: {
            c10::List<Optional<at::Tensor>> list;
            for (int32_t i = 0; i < value.count; i++) {
                void* handle = static_cast<void* const*>(value.pointer)[i];
                list.push_back(handle ? Optional<at::Tensor>(tensor_of(handle)) : Optional<at::Tensor>());
            }
            return list;
        }
        case Text: return std::string(static_cast<const char*>(value.pointer), value.count);
        case DeviceKind: return device_of(value.integer);
        case GeneratorKind: return *static_cast<const at::Generator*>(value.pointer);
        default: throw std::invalid_argument("An argument of an unknown kind.");
    }
}

Value value_of(const c10::IValue& value) {
    Value result{None, 0, {0}};
    if (value.isTensor()) {
        result.kind = TensorKind;
        result.pointer = handle_of(value.toTensor());
    } else if (value.isBool()) {
        result.kind = Boolean;
        result.integer = value.toBool();
    } else if (value.isInt()) {
        result.kind = Integer;
        result.integer = value.toInt();
    } else if (value.isDouble()) {
        result.kind = Real;
        result.real = value.toDouble();
    } else if (value.isTensorList()) {
        auto list = value.toTensorVector();
        auto** handles = new void*[list.size()];
        for (size_t i = 0; i < list.size(); i++) handles[i] = handle_of(list[i]);
        result.kind = Tensors;
        result.count = static_cast<int32_t>(list.size());
        result.pointer = handles;
    } else if (!value.isNone()) {
        throw std::invalid_argument("A result of a kind that the shim does not carry: " + value.tagKind());
    }
    return result;
}

} // namespace

// ---- errors and versions

SHIM const char* shim_error() { return message.c_str(); }

SHIM const char* shim_version() { return TORCH_VERSION; }

// ---- operators

SHIM const void* shim_find(const char* name, const char* overload) {
    return guarded([&]() -> const void* {
        auto found = c10::Dispatcher::singleton().findSchema(c10::OperatorName(name, overload));
        if (!found) throw std::invalid_argument(std::string("This libtorch (" TORCH_VERSION ") has no operator ") + name + "." + overload);
        return new c10::OperatorHandle(*found);
    });
}

// Calls an operator. Arguments that are not given take the schema's defaults. Results beyond result_count are dropped.
SHIM int shim_call(const void* op, const Value* arguments, int32_t argument_count, Value* results, int32_t result_count) {
    return guarded([&] {
        auto& handle = *static_cast<const c10::OperatorHandle*>(op);
        auto& schema = handle.schema();
        auto& declared = schema.arguments();
        if (static_cast<size_t>(argument_count) > declared.size()) throw std::invalid_argument("Too many arguments for " + schema.name());
        torch::jit::Stack stack;
        stack.reserve(declared.size());
        for (int32_t i = 0; i < argument_count; i++) stack.push_back(ivalue_of(arguments[i]));
        for (size_t i = argument_count; i < declared.size(); i++) {
            auto given = declared[i].default_value();
            stack.push_back(given ? *given : c10::IValue());
        }
        handle.callBoxed(&stack);
        if (static_cast<size_t>(result_count) > stack.size()) throw std::invalid_argument("Too few results from " + schema.name());
        for (int32_t i = 0; i < result_count; i++) results[i] = value_of(stack[i]);
        return 1;
    });
}

// Frees the array (not the tensors) of a result that is a list.
SHIM void shim_list_free(void** handles) { delete[] handles; }

// ---- tensors

SHIM void shim_tensor_free(void* handle) {
    guarded([&] { delete static_cast<at::Tensor*>(handle); return 0; });
}

// Another handle to the same tensor: the same node in the graph, not a view.
SHIM void* shim_tensor_alias(const void* handle) {
    return guarded([&] { return handle_of(tensor_of(handle)); });
}

struct Properties {
    int64_t device;
    int64_t elements;
    int32_t dtype;
    int32_t dimensions;
    int32_t element_size;
    int32_t requires_grad;
    int32_t is_leaf;
    int32_t is_contiguous;
    int32_t is_sparse;
};

SHIM int shim_tensor_properties(const void* handle, Properties* result) {
    return guarded([&] {
        auto& tensor = tensor_of(handle);
        *result = {packed(tensor.device()), tensor.numel(), static_cast<int32_t>(tensor.scalar_type()), static_cast<int32_t>(tensor.dim()),
            static_cast<int32_t>(tensor.element_size()), tensor.requires_grad(), tensor.is_leaf(),
            tensor.layout() == c10::kStrided && tensor.is_contiguous(), tensor.layout() != c10::kStrided};
        return 1;
    });
}

// Writes the sizes and the strides; either may be null.
SHIM int shim_tensor_shape(const void* handle, int64_t* sizes, int64_t* strides) {
    return guarded([&] {
        auto& tensor = tensor_of(handle);
        for (int64_t i = 0; i < tensor.dim(); i++) {
            if (sizes) sizes[i] = tensor.size(i);
            if (strides) strides[i] = tensor.stride(i);
        }
        return 1;
    });
}

SHIM int shim_tensor_data(const void* handle, void** data) {
    return guarded([&] {
        *data = tensor_of(handle).data_ptr();
        return 1;
    });
}

// ---- gradients

SHIM int shim_tensor_set_requires_grad(const void* handle, int32_t value) {
    return guarded([&] {
        tensor_of(handle).set_requires_grad(value != 0);
        return 1;
    });
}

SHIM int shim_tensor_grad(const void* handle, void** grad) {
    return guarded([&] {
        *grad = handle_of(tensor_of(handle).grad());
        return 1;
    });
}

SHIM int shim_tensor_set_grad(const void* handle, const void* grad) {
    return guarded([&] {
        tensor_of(handle).mutable_grad() = tensor_of(grad);
        return 1;
    });
}

SHIM int shim_backward(void* const* tensors, int32_t count, void* const* grads, int32_t grad_count,
    int32_t retain_graph, int32_t create_graph, void* const* inputs, int32_t input_count) {
    return guarded([&] {
        torch::autograd::backward(tensors_of(tensors, count), tensors_of(grads, grad_count), retain_graph != 0, create_graph != 0,
            tensors_of(inputs, input_count));
        return 1;
    });
}

// Writes one handle per input, null where an unused input has no gradient.
SHIM int shim_grad(void* const* outputs, int32_t output_count, void* const* inputs, int32_t input_count, void* const* grads,
    int32_t grad_count, int32_t retain_graph, int32_t create_graph, int32_t allow_unused, void** results) {
    return guarded([&] {
        auto found = torch::autograd::grad(tensors_of(outputs, output_count), tensors_of(inputs, input_count), tensors_of(grads, grad_count),
            retain_graph != 0, create_graph != 0, allow_unused != 0);
        for (int32_t i = 0; i < input_count; i++) results[i] = handle_of(found[i]);
        return 1;
    });
}

SHIM int32_t shim_grad_enabled() { return c10::GradMode::is_enabled(); }

SHIM void shim_set_grad_enabled(int32_t value) { c10::GradMode::set_enabled(value != 0); }

// ---- generators

// A new generator of the device, or (own == 0) the device's default one.
SHIM void* shim_generator(int64_t device, uint64_t seed, int32_t own) {
    return guarded([&]() -> void* {
        auto generator = at::globalContext().defaultGenerator(device_of(device));
        if (!own) return new at::Generator(generator);
        std::lock_guard<std::mutex> lock(generator.mutex());
        auto made = generator.clone();
        made.set_current_seed(seed);
        return new at::Generator(made);
    });
}

SHIM void shim_generator_free(void* generator) {
    guarded([&] { delete static_cast<at::Generator*>(generator); return 0; });
}

SHIM int shim_generator_seed(void* generator, int32_t set, uint64_t* seed) {
    return guarded([&] {
        auto& it = *static_cast<at::Generator*>(generator);
        std::lock_guard<std::mutex> lock(it.mutex());
        if (set == 1) it.set_current_seed(*seed);
        else *seed = set == 2 ? it.seed() : it.current_seed();
        return 1;
    });
}

SHIM int shim_generator_state(void* generator, const void* set, void** got) {
    return guarded([&] {
        auto& it = *static_cast<at::Generator*>(generator);
        std::lock_guard<std::mutex> lock(it.mutex());
        if (set) it.set_state(tensor_of(set));
        else *got = handle_of(it.get_state());
        return 1;
    });
}

// Seeds the default generators of all devices.
SHIM int shim_manual_seed(uint64_t seed) {
    return guarded([&] {
        at::manual_seed(seed);
        return 1;
    });
}

// ---- the machine

SHIM int32_t shim_device_count(int32_t type) {
    return guarded([&]() -> int32_t {
        auto device = static_cast<c10::DeviceType>(type);
        return c10::impl::hasDeviceGuardImpl(device) ? c10::impl::getDeviceGuardImpl(device)->deviceCount() : 0;
    });
}

SHIM int32_t shim_num_threads() { return at::get_num_threads(); }

SHIM int shim_set_num_threads(int32_t count) {
    return guarded([&] {
        at::set_num_threads(count);
        return 1;
    });
}
