"""Makes the expected values of RoI pooling with torchvision. Run it with Python 3 and PyTorch in this folder."""
import json
import os

import torch
from torchvision.ops import roi_pool

from fill import values

os.makedirs("Boxes", exist_ok=True)
maps = values(1, 2, 3, 9, 12).requires_grad_()
boxes = [
    torch.tensor([[0, 0, 95, 71], [10, 12, 60, 40], [90, 68, 96, 72], [3.9, 4.1, 20, 12.1]]),
    torch.tensor([[40.0, 4, 44, 8], [0, 0, 96, 72], [95, 71, 96, 72], [17, 20, 33, 52]]),
]
pooled = roi_pool(maps, [b.float() for b in boxes], 4, 1 / 8)
(pooled * values(2, *pooled.shape)).sum().backward()
with open("Boxes/roi_pool.json", "w") as file:
    json.dump({"boxes": [b.flatten().tolist() for b in boxes], "pooled": pooled.flatten().tolist(), "gradient": maps.grad.flatten().tolist()}, file)
