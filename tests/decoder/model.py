"""Model files of format 0: FORMAT.md, "The model file", "The description" and "The adaptation"."""

import numpy as np

from blake3 import blake3_128
from coder import Decoder
from wire import Reader, Refused


class Node:
    def __init__(self, r):
        self.kind = r.u8()
        offset = lambda: (r.int(), r.int(), r.int())[1:]
        fields = {
            0: lambda: r.list(offset),  # Neighbours
            1: r.uint,  # Current
            2: lambda: (r.uint(), r.uint()),  # LocalMean
            3: lambda: r.list(r.uint),  # LocalScale
            4: lambda: (r.uint(), r.uint()),  # Normalize
            5: lambda: (r.uint(), r.u8()),  # Linear
            6: lambda: None,  # Relu
            7: lambda: None,  # Add
            8: lambda: None,  # Concat
        }
        if self.kind not in fields:
            raise Refused("an operation that is not for photographs")
        self.fields = fields[self.kind]()
        self.inputs = r.list(r.uint)


class Tables:
    """What makes parameters a distribution."""

    def __init__(self, r):
        self.fraction, self.floor = r.u8(), r.uint()
        levels = r.uint()
        self.unit = np.array([r.uint() for _ in range(levels)], dtype=np.int64)
        self.log_scale = np.array([r.int() for _ in range(levels)], dtype=np.int64)
        self.weight = np.array([r.uint() for _ in range(769)], dtype=np.int64)
        self.sigmoid = np.cumsum([r.int() for _ in range(769)], dtype=np.int64)
        self.inverse = np.array([r.uint() for _ in range(641)], dtype=np.int64)


class Model:
    def __init__(self, data):
        self.id = blake3_128(data)
        r = Reader(data)
        if r.raw(4) != b"SRPM" or r.u8() != 0:
            raise Refused("no model file of format 0")
        self.name = r.text()
        self.describe(Reader(r.blob()))
        for node in self.nodes:
            self.integers(r, node)
        self.tables = [Tables(r) for _ in self.outputs]
        r.end()

    def describe(self, r):
        r.text()
        axes, self.channels, alphabet, order = r.list(r.u8), r.uint(), r.uint(), r.u8()
        if (axes, alphabet, order) != ([1, 2], 256, 0) or r.list(r.u8):
            raise Refused("no model of photographs")
        self.nodes = r.list(lambda: Node(r))
        self.outputs = []
        for channel in range(r.uint()):
            first, parameters, family = r.uint(), r.uint(), r.u8()
            components, mean, scale, _unit, _floor = [r.uint() for _ in range(5)]
            if (first, family) != (channel, 0):
                raise Refused("an output that is not for photographs")
            self.outputs.append((parameters, components, mean, scale))
        r.end()
        widths, self.stages = [], []
        for node in self.nodes:
            each = [widths[i] for i in node.inputs]
            widths.append(
                {
                    0: lambda: self.channels * len(node.fields),
                    1: lambda: node.fields,
                    2: lambda: self.channels,
                    3: lambda: 1,
                    4: lambda: each[0],
                    5: lambda: node.fields[0],
                    6: lambda: each[0],
                    7: lambda: each[0],
                    8: lambda: sum(each),
                }[node.kind]()
            )
            node.width, node.columns = widths[-1], sum(each)
            needs = max((self.stages[i] for i in node.inputs), default=0)
            self.stages.append(node.fields if node.kind == 1 else needs)

    def integers(self, r, node):
        array = lambda read, n: np.array([read() for _ in range(n)], dtype=np.int64)
        if node.kind == 3:
            node.level = np.frombuffer(r.blob(), dtype=np.uint8).astype(np.int64)
        elif node.kind == 4:
            levels = r.uint()
            node.shift, node.limit = array(r.u8, levels), array(r.int, levels)
            node.multiplier = array(r.int, levels)
        elif node.kind == 5:
            rows, columns = node.width, node.columns
            node.weights = np.frombuffer(r.raw(2 * rows * columns), dtype="<i2").reshape(rows, columns).astype(np.int64)
            node.bias, node.shift = array(r.int, rows), array(r.u8, rows)
            node.low, node.high = r.int(), r.int()
        elif node.kind == 7:
            node.low, node.high = r.int(), r.int()

    def window(self):
        """All offsets (row, column) of all windows."""
        return [offset for node in self.nodes if node.kind == 0 for offset in node.fields]

    def adapt(self, code):
        """Moves the biases as a stream says."""
        decoder = Decoder(code)
        starts = [48000, 36000, 24000, 16000, 11000, 6000]
        contexts = [[[s if i == 0 else s // 2 + 16000, 3] for i in range(12)] for s in starts]

        def learned(context):
            zero, seen = context
            bit = decoder.bit(zero)
            rate = (1 << 17) // (2 * seen + 3) if seen < 63 else 1 << 10
            zero += (((0 if bit else 1 << 16) - zero) * (rate >> 1)) >> 15
            context[:] = [min(max(zero, 256), 65536 - 256), min(seen + 1, 255)]
            return bit

        for node in (n for n in self.nodes if n.kind == 5 and n.fields[1]):
            if not decoder.flat(1):
                continue
            unit, mean = decoder.flat(4) - 8, 16
            for row in range(node.width):
                places = contexts[sum(mean >= bound for bound in (6, 14, 28, 56, 112))]
                count = 0
                while count < 12 and learned(places[count]):
                    count += 1
                if count == 12:
                    bits = decoder.flat(4)
                    count += (1 << bits) + decoder.flat(bits) - 1
                difference = 16 * min(count, 64) - mean
                mean += abs(difference) // 16 * (1 if difference > 0 else -1)
                steps = min(count, (1 << 15) - 1)
                if count and decoder.flat(1):
                    steps = -steps
                exponent = int(node.shift[row]) + unit
                node.bias[row] += steps << exponent if exponent >= 0 else (steps + ((1 << -exponent) >> 1)) >> -exponent
