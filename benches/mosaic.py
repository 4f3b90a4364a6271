"""A large picture: the photographs of a folder side by side and below one another, as PPM or PNG, made row by row (see large.sh)."""

import argparse
import pathlib
import struct
import zlib

import numpy

from pictures import folder_pictures

parser = argparse.ArgumentParser(description="A mosaic of photographs as a PPM file, or as a PNG file if OUT ends so")
parser.add_argument("folder", type=pathlib.Path)
parser.add_argument("width", type=int)
parser.add_argument("height", type=int)
parser.add_argument("out", type=pathlib.Path)
arguments = parser.parse_args()


class Ppm:
    """Writes a PPM file."""

    def __init__(self, out, width, height):
        self.out = out
        out.write(b"P6\n%d %d\n255\n" % (width, height))

    def rows(self, rows):
        self.out.write(numpy.ascontiguousarray(rows).tobytes())

    def end(self):
        pass


class Png:
    """Writes a PNG file as libpng does at its default level, every row filtered by the one above it."""

    def __init__(self, out, width, height):
        self.out, self.above, self.data = out, None, b""
        self.deflater = zlib.compressobj(6, zlib.DEFLATED, 15, 8, zlib.Z_FILTERED)
        out.write(b"\x89PNG\r\n\x1a\n")
        self.chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))

    def chunk(self, kind, data):
        self.out.write(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)))

    def add(self, data, least):
        self.data += data
        while len(self.data) >= least and self.data:
            self.chunk(b"IDAT", self.data[:8192])
            self.data = self.data[8192:]

    def rows(self, rows):
        flat = numpy.ascontiguousarray(rows).reshape(len(rows), -1)
        above = numpy.zeros_like(flat[:1]) if self.above is None else self.above
        filtered = flat - numpy.concatenate([above, flat[:-1]])
        self.above = flat[-1:].copy()
        lines = numpy.concatenate([numpy.full((len(flat), 1), 2, numpy.uint8), filtered], axis=1)
        for line in lines:
            self.add(self.deflater.compress(line.tobytes()), 8192)

    def end(self):
        self.add(self.deflater.flush(), 1)
        self.chunk(b"IEND", b"")


pictures = [pixels for _, pixels in folder_pictures(arguments.folder)[0]]
rows = min(len(pixels) for pixels in pictures)
with open(arguments.out, "wb") as out:
    file = (Png if arguments.out.suffix == ".png" else Ppm)(out, arguments.width, arguments.height)
    done = number = 0
    while done < arguments.height:
        # Each strip begins with another picture, and is another turn of them.
        strip, width = [], 0
        while width < arguments.width:
            pixels = pictures[number % len(pictures)][:rows]
            pixels = pixels[:: (-1, 1)[number // len(pictures) % 2], :: (-1, 1)[number // len(pictures) // 2 % 2]]
            strip.append(pixels)
            width += pixels.shape[1]
            number += 1
        strip = numpy.concatenate(strip, axis=1)[: arguments.height - done, : arguments.width]
        file.rows(strip)
        done += len(strip)
    file.end()
