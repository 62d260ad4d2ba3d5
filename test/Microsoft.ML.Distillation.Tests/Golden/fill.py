"""Numbers that Python and C# (DeterministicValues.cs) make alike: a hash of the index, from -1 to 1."""
import numpy as np
import torch


def values(seed, *shape):
    count = int(np.prod(shape)) if shape else 1
    with np.errstate(over="ignore"):
        h = np.arange(count, dtype=np.uint32) + np.uint32(seed) * np.uint32(0x9E3779B9)
        h = (h ^ (h >> np.uint32(16))) * np.uint32(0x85EBCA6B)
        h = (h ^ (h >> np.uint32(13))) * np.uint32(0xC2B2AE35)
        h = h ^ (h >> np.uint32(16))
    return torch.from_numpy((h.astype(np.float64) / 2**31 - 1).astype(np.float32)).reshape(shape)


def images(seed, *shape):
    return values(seed, *shape) * 0.5 + 0.5


def fill(module, gain=1.0):
    """Gives every parameter and buffer values, by its place in the sorted state dict; returns the module."""
    state = module.state_dict()
    for seed, name in enumerate(sorted(n for n in state if not n.endswith("num_batches_tracked"))):
        tensor = state[name]
        drawn = values(seed, *tensor.shape)
        if name.endswith("running_var"):
            drawn = 1 + 0.5 * drawn
        elif tensor.dim() > 1:
            drawn = drawn * (gain * (6.0 / tensor[0].numel()) ** 0.5)
        elif name.endswith("weight"):
            drawn = 1 + 0.3 * drawn
        else:
            drawn = 0.2 * drawn
        tensor.copy_(drawn)
    return module.eval()
