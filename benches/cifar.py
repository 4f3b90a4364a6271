"""The family `pixelcnn++` in plain PyTorch, of WIDTH features and in batches of BATCH (environment), trained as `surprisal train` trains it (see cifar.sh):

cifar.py train STEPS SEED CURVE.csv TEST-SHEET TRAIN-SHEET...     prints bits per dimension on the test pictures
cifar.py plot CURVES.svg OURS.csv... -- THEIRS.csv...             training bits against steps

Written from the description of the family as one writes such a script: padded convolutions, torch.optim.Adam, an average of the
weights. First weights, batches and the pictures left out of training follow the same rules with other random numbers.
"""

import csv
import math
import os
import sys

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from PIL import Image

SIDE, CHANNELS, VALUES = 32, 3, 256
WIDTH, BATCH = (int(os.environ.get(name, default)) for name, default in (("WIDTH", 32), ("BATCH", 16)))
LEVELS, BLOCKS, COMPONENTS = 2, 2, 5
RATE, CLIP = 1e-3, 1.0
HELD_OUT = 20
EACH = 1 + 2 * CHANNELS + CHANNELS * (CHANNELS - 1) // 2
FLOOR, COEFFICIENT = 2.0**-14, 4.0


def begin(layer, inputs):
    """First weights: uniform in +-1 / sqrt(inputs)."""
    for parameter in layer.parameters():
        nn.init.uniform_(parameter, -1 / math.sqrt(inputs), 1 / math.sqrt(inputs))


class Conv(nn.Module):
    """A convolution whose tap `origin` lies on the current place."""

    def __init__(self, inputs, outputs, size, origin, stride=1):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, size, stride)
        begin(self.conv, inputs * size[0] * size[1])
        (rows, columns), (row, column) = size, origin
        self.pad = (column, columns - 1 - column, row, rows - 1 - row)

    def forward(self, x):
        return self.conv(F.pad(x, self.pad))


class Up(nn.Module):
    """The other way round, onto a grid twice as fine."""

    def __init__(self, inputs, outputs, size, origin):
        super().__init__()
        self.conv = nn.ConvTranspose2d(inputs, outputs, size, 2)
        begin(self.conv, inputs * size[0] * size[1])
        self.origin = origin

    def forward(self, x):
        row, column = self.origin
        rows, columns = 2 * x.shape[2], 2 * x.shape[3]
        out = self.conv(x)
        out = F.pad(out, (0, max(0, column + columns - out.shape[3]), 0, max(0, row + rows - out.shape[2])))
        return out[:, :, row : row + rows, column : column + columns]


def concat_elu(x):
    return F.elu(torch.cat([x, -x], 1))


class Residual(nn.Module):
    def __init__(self, size, origin, other=0):
        super().__init__()
        self.first = Conv(2 * WIDTH, WIDTH, size, origin)
        self.second = Conv(2 * WIDTH, 2 * WIDTH, size, origin)
        self.other = Conv(2 * other, WIDTH, (1, 1), (0, 0)) if other else None

    def forward(self, x, other=None):
        r = self.first(concat_elu(x))
        if self.other is not None:
            r = r + self.other(concat_elu(other))
        a, b = self.second(concat_elu(r)).chunk(2, 1)
        return x + a * torch.sigmoid(b)


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        down, right = ((2, 3), (1, 1)), ((2, 2), (1, 1))
        self.u = Conv(CHANNELS, WIDTH, (2, 3), (2, 1))
        self.above, self.left = Conv(CHANNELS, WIDTH, (1, 3), (1, 1)), Conv(CHANNELS, WIDTH, (2, 1), (1, 1))
        module = nn.ModuleList
        self.going = module(
            module([Residual(*down), Residual(*right, WIDTH)]) for _ in range((LEVELS + 1) * BLOCKS)
        )
        self.coarser = module(module([Conv(WIDTH, WIDTH, *k, 2) for k in (down, right)]) for _ in range(LEVELS))
        self.coming = module(
            module([Residual(*down, WIDTH), Residual(*right, 2 * WIDTH)])
            for _ in range((LEVELS + 1) * BLOCKS + LEVELS)
        )
        self.finer = module(
            module([Up(WIDTH, WIDTH, (2, 3), (0, 1)), Up(WIDTH, WIDTH, (2, 2), (0, 0))]) for _ in range(LEVELS)
        )
        self.last = Conv(WIDTH, COMPONENTS * EACH, (1, 1), (0, 0))

    def forward(self, symbols):
        """Parameters, [n, COMPONENTS * EACH, SIDE, SIDE]; symbols as float, [n, CHANNELS, SIDE, SIDE]."""
        x = symbols * (4 / VALUES) - 2 * (VALUES - 1) / VALUES
        u, ul = self.u(x), self.above(x) + self.left(x)
        kept, going, coming = [(u, ul)], iter(self.going), iter(self.coming)
        for level in range(LEVELS + 1):
            for _ in range(BLOCKS):
                one, two = next(going)
                u = one(u)
                ul = two(ul, u)
                kept.append((u, ul))
            if level < LEVELS:
                one, two = self.coarser[level]
                u, ul = one(u), two(ul)
                kept.append((u, ul))
        u, ul = kept.pop()
        for level in range(LEVELS + 1):
            for _ in range(BLOCKS + (level > 0)):
                if not kept:
                    break
                one, two = next(coming)
                skip_u, skip_ul = kept.pop()
                u = one(u, skip_u)
                ul = two(ul, torch.cat([u, skip_ul], 1))
            if level < LEVELS:
                one, two = self.finer[level]
                u, ul = one(u), two(ul)
        assert not kept and next(coming, None) is None
        return self.last(F.elu(ul))


def bits(parameters, symbols):
    """Bits of every symbol under mixtures of logistics that the channels of a place share."""
    values = parameters.unflatten(1, (EACH, COMPONENTS))
    weights = values[:, 0].softmax(1)
    total = []
    for c in range(CHANNELS):
        own = symbols[:, c, None]
        mean = values[:, 1 + c]
        for d in range(c):
            known = symbols[:, d, None] * (4 / VALUES) - 2 * (VALUES - 1) / VALUES
            coefficient = values[:, 1 + 2 * CHANNELS + c * (c - 1) // 2 + d]
            mean = mean + coefficient.clamp(-COEFFICIENT, COEFFICIENT) * known
        middle = mean * (VALUES / 4) + (VALUES - 1) / 2
        inverse = torch.exp(-(values[:, 1 + CHANNELS + c] + math.log(VALUES / 4)).clamp(-3, 7))
        above = torch.where(own >= VALUES - 1, 1.0, torch.sigmoid((own + 0.5 - middle) * inverse))
        below = torch.where(own <= 0, 0.0, torch.sigmoid((own - 0.5 - middle) * inverse))
        masses = above - below
        p = (weights * masses).sum(1) * (1 - FLOOR) + FLOOR / VALUES
        total.append(-p.log2())
        weights = weights * (masses + 2.0**-22)
        weights = weights / weights.sum(1, keepdim=True)
    return torch.stack(total, 1)


def tiles(path):
    sheet = torch.from_numpy(np.array(Image.open(path).convert("RGB")))
    rows, columns = sheet.shape[0] // SIDE, sheet.shape[1] // SIDE
    cut = sheet.reshape(rows, SIDE, columns, SIDE, CHANNELS).permute(0, 2, 4, 1, 3)
    return cut.reshape(-1, CHANNELS, SIDE, SIDE)


def rate(step, steps):
    rise = (step + 1) / max(1, min(200, steps // 10))
    return RATE * min(1, rise) * max(0.01, 0.5 * (1 + math.cos(math.pi * step / steps)))


def train(steps, seed, curve, test, sheets):
    torch.manual_seed(seed)
    random = np.random.default_rng(seed)
    pictures = torch.cat([tiles(s) for s in sheets])
    pictures = pictures[random.permutation(len(pictures))[round(len(pictures) / HELD_OUT) :]]
    network = Network()
    average = {k: v.clone() for k, v in network.state_dict().items()}
    optimiser = torch.optim.Adam(network.parameters(), lr=RATE, betas=(0.9, 0.99))
    interval, total, order = max(1, min(500, steps // 200)), 0.0, []
    with open(curve, "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["step", "training_bits"])
        for step in range(steps):
            if len(order) < BATCH:
                order = [*order, *random.permutation(len(pictures))]
            batch, order = pictures[order[:BATCH]].float(), order[BATCH:]
            for group in optimiser.param_groups:
                group["lr"] = rate(step, steps)
            loss = bits(network(batch), batch).mean()
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), CLIP)
            optimiser.step()
            decay = min(0.999, (step + 1) / (step + 21))
            for name, value in network.state_dict().items():
                average[name].lerp_(value, 1 - decay)
            total += loss.item()
            if not math.isfinite(total):
                sys.exit("diverged")
            if (step + 1) % interval == 0:
                rows.writerow([step + 1, total / interval])
                total = 0.0
    network.load_state_dict(average)
    pictures = tiles(test).float()
    with torch.no_grad():
        parts = [bits(network(p), p).mean().item() * len(p) for p in pictures.split(25)]
    count = sum(p.numel() for p in network.parameters())
    print(f"{count} parameters", file=sys.stderr)
    print(f"{sum(parts) / len(pictures):.5f}")


def plot(target, ours, theirs):
    """Training bits against steps, one line a seed."""
    width, height, margin = 640, 400, 50
    read = lambda path: [(int(r["step"]), float(r["training_bits"])) for r in csv.DictReader(open(path))]
    lines = [("#1f5fa8", read(p)) for p in ours] + [("#c8641e", read(p)) for p in theirs]
    steps = max(s for _, line in lines for s, _ in line)
    # The first rows would leave no room for the others.
    shown = [b for _, line in lines for s, b in line if s > steps / 20]
    low, high = math.floor(min(shown) * 5) / 5, math.ceil(max(shown) * 5) / 5
    x = lambda s: margin + s / steps * (width - 2 * margin)
    y = lambda b: height - margin - (min(b, high) - low) / (high - low) * (height - 2 * margin)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">']
    out.append(f'<rect width="{width}" height="{height}" fill="white"/>')
    for i in range(5):
        b, s = low + (high - low) * i / 4, steps * i // 4
        out.append(f'<text x="{margin - 6}" y="{y(b) + 4:.1f}" text-anchor="end">{b:.2f}</text>')
        out.append(f'<path d="M{margin} {y(b):.1f}H{width - margin}" stroke="#ddd"/>')
        out.append(f'<text x="{x(s):.1f}" y="{height - margin + 18}" text-anchor="middle">{s}</text>')
    for colour, line in lines:
        points = " ".join(f"{x(s):.1f},{y(b):.1f}" for s, b in line if b <= high)
        out.append(f'<polyline points="{points}" fill="none" stroke="{colour}"/>')
    out.append(f'<text x="{margin}" y="20" fill="#1f5fa8">surprisal</text>')
    out.append(f'<text x="{margin + 90}" y="20" fill="#c8641e">plain PyTorch</text>')
    out.append(f'<text x="{width - margin}" y="20" text-anchor="end">training bits per dimension against steps</text>')
    open(target, "w").write("\n".join([*out, "</svg>\n"]))


if sys.argv[1] == "train":
    train(int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], sys.argv[5], sys.argv[6:])
else:
    middle = sys.argv.index("--")
    plot(sys.argv[2], sys.argv[3:middle], sys.argv[middle + 1 :])
