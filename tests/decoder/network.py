"""The scalar network and the bands that it decodes: FORMAT.md, "Pictures in bands", "The network", "The mixture".

What must stay true: everything is an integer; positions of one step are computed together, which changes no number.
"""

import numpy as np

from coder import Decoder

ROWS = 36
TOTAL = 1 << 24


class Picture:
    """Samples [channel in coding order][row][column], as far as they are known."""

    def __init__(self, width, height, channels):
        self.width, self.height = width, height
        self.planes = np.zeros((channels, height, width), dtype=np.int64)

    def neighbour(self, plane, row, column, offset):
        y, x = row + offset[0], column + offset[1]
        if y < 0:
            y, x = 0, x + y
        x = min(max(x, 0), self.width - 1)
        if y < row or x < column:
            return plane[y, x]
        if column > 0:
            return plane[row, column - 1]
        return plane[row - 1, 0] if row > 0 else 128

    def windows(self, channels, positions, offsets):
        """[positions, channels * offsets]; the last plane stands for those that a picture lacks."""
        planes = [self.planes[min(c, len(self.planes) - 1)] for c in range(channels)]
        rows = [[self.neighbour(p, y, x, o) for p in planes for o in offsets] for y, x in positions]
        return np.array(rows, dtype=np.int64)

    def samples(self):
        """Row by row, interleaved."""
        order = [1, 0, 2] if len(self.planes) == 3 else [0]
        data = np.zeros((self.height, self.width, len(order)), dtype=np.uint8)
        for channel, place in enumerate(order):
            data[:, :, place] = self.planes[channel]
        return data


def evaluate(model, picture, positions, stage, values):
    """Fills in the values [positions, width] of the nodes that need exactly `stage` channels of the position."""
    for number, node in enumerate(model.nodes):
        if model.stages[number] != stage:
            continue
        x = [values[i] for i in node.inputs]
        if node.kind == 0:
            out = picture.windows(model.channels, positions, node.fields)
        elif node.kind == 1:
            out = np.array([picture.planes[:stage, y, x] for y, x in positions], dtype=np.int64)
        elif node.kind == 2:
            windows = x[0].reshape(len(positions), model.channels, -1)
            out = (windows[:, :, node.fields[0]] + windows[:, :, node.fields[1]]) >> 1
        elif node.kind == 3:
            windows = x[0].reshape(len(positions), model.channels, -1)
            sums = np.abs(windows[:, :, node.fields] - x[1][:, :, None]).sum(axis=(1, 2))
            out = node.level[sums][:, None]
        elif node.kind == 4:
            level = x[2]
            each = 1 if model.nodes[node.inputs[0]].kind == 1 else x[0].shape[1] // x[1].shape[1]
            means = np.repeat(x[1], each, axis=1)[:, : x[0].shape[1]]
            limit = node.limit[level]
            clamped = np.minimum(np.maximum(x[0] - means, -limit), limit)
            out = ((clamped << node.shift[level]) * node.multiplier[level]) >> 16
        elif node.kind == 5:
            sums = x[0] @ node.weights.T + node.bias
            out = (sums + (np.int64(1) << (node.shift - 1))) >> node.shift
            out = np.minimum(np.maximum(out, node.low), node.high)
        elif node.kind == 6:
            out = np.maximum(x[0], 0)
        elif node.kind == 7:
            out = np.minimum(np.maximum(x[0] + x[1], node.low), node.high)
        else:
            out = np.concatenate(x, axis=1)
        values[number] = out


def cumulative(model, channel, values):
    """[positions, 257]: how many of 2^24 counts lie below each symbol."""
    parameters, used, mean, scale = model.outputs[channel]
    t = model.tables[channel]
    logits, means, scales = (values[parameters][:, i * used : (i + 1) * used] for i in range(3))
    mean, level = values[mean][:, channel : channel + 1], values[scale][:, :1]
    drop = t.fraction - 6
    half = (1 << drop) >> 1
    below = (logits.max(axis=1, keepdims=True) - logits + half) >> drop
    weight = t.weight[np.minimum(below, 768)]
    center = (mean << 10) + 512 + ((means * t.unit[level]) >> t.fraction)
    log = np.clip(((scales + half) >> drop) + t.log_scale[level], -192, 448)
    inverse = t.inverse[log + 192]
    bounds = np.arange(1, 256, dtype=np.int64) << 10
    argument = ((bounds - center[:, :, None]) * inverse[:, :, None]) >> 17
    argument = np.clip(argument, -12 << 13, (12 << 13) - 1) + (12 << 13)
    index, rest = argument >> 8, argument & 255
    sigmoid = t.sigmoid[index] + (((t.sigmoid[index + 1] - t.sigmoid[index]) * rest) >> 8)
    gain = ((TOTAL - 256 * t.floor) << 16) // np.maximum(weight.sum(axis=1), 1)
    # A sum has 41 bits and a gain 25, so the product is made in Python's integers.
    sums = (weight[:, :, None] * sigmoid).sum(axis=1).astype(object)
    counts = (sums * gain.astype(object)[:, None]) >> 38
    counts = counts.astype(np.int64) + np.arange(1, 256) * t.floor
    ends = np.full((len(counts), 1), TOTAL)
    return np.concatenate([0 * ends, counts, ends], axis=1)


def decode_band(model, picture, first, code):
    """Decodes the band that begins at row `first`; the bands above are known."""
    decoder = Decoder(code)
    rows = min(ROWS, picture.height - first)
    lag = 1 + max([max(column, 0) for row, column in model.window() if row < 0], default=0)
    for step in range(picture.width + lag * (rows - 1)):
        inside = [(first + y, step - lag * y) for y in range(rows) if 0 <= step - lag * y < picture.width]
        if not inside:
            continue
        values = {}
        for channel in range(len(picture.planes)):
            evaluate(model, picture, inside, channel, values)
            counts = cumulative(model, channel, values)
            for (y, x), below in zip(inside, counts):
                symbol = int(np.searchsorted(below, decoder.quantile(24), side="right")) - 1
                decoder.take(int(below[symbol]), int(below[symbol + 1] - below[symbol]))
                picture.planes[channel, y, x] = symbol
