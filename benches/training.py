"""A plain PyTorch training of the network `window`: python training.py DIR STEPS [bfloat16|float32]

What `surprisal train photo` is timed against (benches/training.sh). Written as one writes such a script: windows gathered by
indexing one flat tensor of pixels, autocast, torch.optim.Adam, an average of the weights. Prints pixels a second."""
import sys
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from PIL import Image

BATCH, RADIUS, FIRST, WIDTH, BLOCKS, HEAD, COMPONENTS = 6144, 5, 192, 128, 2, 48, 5
OFFSETS = [
    (dy, dx)
    for dy in range(-RADIUS, 1)
    for dx in range(-RADIUS, RADIUS + 1)
    if (dy < 0 or dx < 0) and abs(dy) + abs(dx) <= RADIUS + 2
]
NEAR = [OFFSETS.index(o) for o in [(0, -1), (-1, 0), (-1, -1), (-1, 1), (0, -2), (-2, 0)]]


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.input, self.merge = nn.Linear(3 * len(OFFSETS) + 4, FIRST), nn.Linear(FIRST, WIDTH)
        pair = lambda: nn.ModuleList([nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)])
        self.blocks = nn.ModuleList(pair() for _ in range(BLOCKS))
        self.trunks = nn.ModuleList([nn.Linear(WIDTH, HEAD), nn.Linear(WIDTH, HEAD)])
        self.pixels = nn.ModuleList([nn.Linear(1, HEAD, bias=False), nn.Linear(2, HEAD, bias=False)])
        self.heads = nn.ModuleList(nn.Linear(w, 3 * COMPONENTS) for w in [WIDTH, HEAD, HEAD])

    def forward(self, window, pixel):
        """Bits of each channel; window is [n, offsets, 3], pixel [n, 3]."""
        mean = ((window[:, NEAR[0]] + window[:, NEAR[1]]) / 2).floor()
        activity = (window[:, NEAR] - mean[:, None]).abs().mean((1, 2))
        level = torch.round(4 * torch.log2(activity + 0.3))[:, None]
        scale = torch.exp2(level / 4)
        shape = ((window - mean[:, None]).flatten(1) / (4 * scale)).clamp(-6, 6)
        tone = torch.cat([(mean[:, 1:] - mean[:, :1]) / 64, level / 16, mean[:, :1] / 128 - 1], 1)
        x = self.merge(F.relu(self.input(torch.cat([shape, tone], 1))))
        for first, second in self.blocks:
            x = x + second(F.relu(first(F.relu(x))))
        x = F.relu(x)
        coded = ((pixel - mean) / (2 * scale)).clamp(-8, 8)
        outputs = [self.heads[0](x)]
        for c in (1, 2):
            hidden = F.relu(self.trunks[c - 1](x) + self.pixels[c - 1](coded[:, :c]))
            outputs.append(self.heads[c](hidden))
        out = torch.stack(outputs, 1).float().unflatten(2, (3, COMPONENTS))
        scale = scale[:, :, None]
        middle = mean[:, :, None] + 2 * scale * out[:, :, 1]
        inverse = torch.exp(-(out[:, :, 2] + scale.log()).clamp(-3, 7))
        symbol = pixel[:, :, None]
        high = torch.where(symbol >= 255, 1.0, torch.sigmoid((symbol + 0.5 - middle) * inverse))
        low = torch.where(symbol <= 0, 0.0, torch.sigmoid((symbol - 0.5 - middle) * inverse))
        p = (out[:, :, 0].softmax(2) * (high - low)).sum(2)
        return -torch.log2(p * (1 - 2**-12) + 2**-20)


def corpus(folder):
    """Flat pixels, channels in coding order, and where each picture lies."""
    parts, places, start = [], [], 0
    for path in sorted(p for p in Path(folder).rglob("*") if p.suffix.lower() in {".png", ".webp", ".ppm", ".bmp"}):
        picture = np.asarray(Image.open(path).convert("RGB"))[:, :, [1, 0, 2]]
        height, width, _ = picture.shape
        if min(height, width) >= 64:
            parts.append(picture.reshape(-1, 3))
            places.append((start, height, width))
            start += height * width
    return torch.from_numpy(np.concatenate(parts)), np.array(places)


def batch(pixels, places, random):
    """Random windows inside the pictures, each step under one symmetry, now and then darkened."""
    area = places[:, 1] * places[:, 2]
    start, height, width = places[random.choice(len(places), BATCH, p=area / area.sum())].T
    y = (RADIUS + random.random(BATCH) * (height - 2 * RADIUS)).astype(np.int64)
    x = (RADIUS + random.random(BATCH) * (width - 2 * RADIUS)).astype(np.int64)
    offsets = np.array(OFFSETS) * random.choice([-1, 1], 2)
    if random.random() < 0.24:
        offsets = offsets[:, ::-1]
    centre = start + y * width + x
    around = centre[:, None] + offsets[:, 0] * width[:, None] + offsets[:, 1]
    window, pixel = (pixels[torch.from_numpy(i)].float() for i in (around, centre))
    if random.random() < 0.25:
        gain, gamma = random.uniform(0.6, 1.0), random.uniform(1.0, 1.3)
        window, pixel = ((255 * gain * (t / 255) ** gamma).round() for t in (window, pixel))
    return window, pixel


def main():
    folder, steps = sys.argv[1], int(sys.argv[2])
    rounded = sys.argv[3:] != ["float32"]
    torch.manual_seed(0)
    random = np.random.default_rng(0)
    pixels, places = corpus(folder)
    network = Network()
    average = {k: v.clone() for k, v in network.state_dict().items()}
    optimiser = torch.optim.Adam(network.parameters(), lr=2e-3, betas=(0.9, 0.99))
    ends = [time.perf_counter()]
    for step in range(1, steps + 1):
        for group in optimiser.param_groups:
            group["lr"] = 2e-3 * min(1, step / 200)
        window, pixel = batch(pixels, places, random)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=rounded):
            bits = network(window, pixel)
        loss = bits.mean()
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        for name, value in network.state_dict().items():
            average[name].lerp_(value, 1 - min(0.999, step / (step + 20)))
        if not loss.isfinite():
            sys.exit("diverged")
        ends.append(time.perf_counter())
    # The median step: what else runs on the machine only ever slows some of them down.
    times = np.diff(ends)[steps // 8 :]
    print(f"{BATCH / np.median(times):.0f}")


main()
