"""Makes the checkpoints that the tests of weight files read. Run it with Python 3 and PyTorch in this folder."""
import collections
import json
import os
import struct

import torch
from torch import nn

from fill import fill, images

os.makedirs("Weights", exist_ok=True)


class Plain(nn.Module):
    """Backbone.Plain(4, 6)."""

    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 4, 3, 2, 1, bias=False), nn.BatchNorm2d(4)
        self.conv2, self.bn2 = nn.Conv2d(4, 6, 3, 2, 1, bias=False), nn.BatchNorm2d(6)


with torch.no_grad():
    plain = fill(Plain())
state = plain.state_dict()
torch.save(state, "Weights/plain.pth")
torch.save({"epoch": 3, "lr": 0.1, "classes": ["a", "b"], "state_dict": nn.DataParallel(plain).state_dict()},
           "Weights/nested.pt", pickle_protocol=4)
torch.save(state, "Weights/legacy.pth", _use_new_zipfile_serialization=False)
torch.save(plain, "Weights/module.pth")

base = torch.arange(24, dtype=torch.float32)
types = {
    "transposed": base.view(4, 6).t(), "window": base.view(4, 6)[1:3, 2:5], "shared": base[5:7], "scalar": torch.tensor(7),
    "empty": torch.zeros(0, 3), "parameter": nn.Parameter(base[:2] + 1), "float64": base[:3].double() / 3,
    "float16": base[:3].half() / 4, "bfloat16": base[:3].bfloat16() / 4, "int32": base[:3].int(), "int16": base[:3].short(),
    "int8": -base[:3].char(), "uint8": base[:3].byte() + 250, "bool": base[:3] > 1, "size": torch.Size([2, 3]), "note": "text",
}
torch.save(types, "Weights/types.pth")
torch.save(types, "Weights/types_legacy.pth", _use_new_zipfile_serialization=False)


class Hostile:
    def __reduce__(self):
        return os.system, ("touch hostile-ran",)


torch.save({"conv1.weight": base, "payload": Hostile()}, "Weights/hostile.pth")


def safetensors(path, tensors, **metadata):
    header, data = {"__metadata__": metadata}, b""
    names = {torch.float32: "F32", torch.int64: "I64", torch.float16: "F16"}
    for name, tensor in tensors.items():
        raw = tensor.contiguous().numpy().tobytes()
        header[name] = {"dtype": names[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


safetensors("Weights/plain.safetensors", {k: v.half() if k == "bn2.bias" else v for k, v in state.items()}, format="pt")


class Block(nn.Module):
    """The block of ShuffleNetV2 as its authors wrote it: even channels pass, odd ones are worked on, halves are joined."""

    def __init__(self, first, inp, half):
        super().__init__()
        def norm(*args, **more): return [nn.Conv2d(*args, bias=False, **more), nn.BatchNorm2d(args[1])]
        self.branch_main = nn.Sequential(
            *norm(inp, half, 1), nn.ReLU(), *norm(half, half, 3, 2 if first else 1, 1, groups=half), *norm(half, half, 1), nn.ReLU())
        if first:
            self.branch_proj = nn.Sequential(*norm(inp, inp, 3, 2, 1, groups=inp), *norm(inp, half, 1), nn.ReLU())

    def forward(self, x):
        if hasattr(self, "branch_proj"):
            return torch.cat([self.branch_proj(x), self.branch_main(x)], 1)
        return torch.cat([x[:, 0::2], self.branch_main(x[:, 1::2])], 1)


class Authors(nn.Module):
    def __init__(self):
        super().__init__()
        self.first_conv = nn.Sequential(nn.Conv2d(3, 24, 3, 2, 1, bias=False), nn.BatchNorm2d(24), nn.ReLU())
        before = 24
        for stage, (width, blocks) in enumerate(((48, 4), (96, 8), (192, 4)), 2):
            setattr(self, f"stage{stage}", nn.Sequential(
                Block(True, before, width // 2), *[Block(False, width // 2, width // 2) for _ in range(blocks - 1)]))
            before = width

    def forward(self, x):
        x = nn.functional.max_pool2d(self.first_conv(x), 3, 2, 1)
        for stage in (self.stage2, self.stage3, self.stage4):
            x = stage(x)
            yield x


authors = Authors()
path = os.path.join(os.environ.get("DISTILLATION_TEST_MODELS", "../../../../shared/models"), "shufflenetv2_x0_5_backbone.pth")
authors.load_state_dict(collections.OrderedDict(torch.load(path, map_location="cpu")))
authors.eval()
with torch.no_grad():
    maps = list(authors(images(1, 1, 3, 64, 64)))
with open("Weights/shufflenetv2.json", "w") as file:
    json.dump({f"stage{i + 2}": [round(v, 6) for v in m.mean((0, 2, 3)).tolist()] for i, m in enumerate(maps)}, file)
