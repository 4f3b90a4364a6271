"""Cuts pictures from 8-bit RGB PNGs, with Python alone: crops.py COUNT WIDTHxHEIGHT FOLDER FILE.png..."""

import struct
import sys
import zlib
from pathlib import Path


def read(path):
    """Width, height and rows of RGB bytes of a PNG that is not interlaced (filters: PNG specification, section 9)."""
    data = Path(path).read_bytes()
    at, deflated = 8, b""
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        body = data[at + 8 : at + 8 + length]
        if kind == b"IHDR":
            width, height, *form = struct.unpack(">IIBBBBB", body)
            assert form == [8, 2, 0, 0, 0], f"{path}: not 8-bit RGB without interlacing"
        elif kind == b"IDAT":
            deflated += body
        at += 12 + length
    raw, line, rows = zlib.decompress(deflated), width * 3, []
    above = bytes(line)
    for y in range(height):
        kind, row = raw[y * (line + 1)], bytearray(raw[y * (line + 1) + 1 : (y + 1) * (line + 1)])
        for i in range(line):
            left, up = row[i - 3] if i >= 3 else 0, above[i]
            corner = above[i - 3] if i >= 3 else 0
            if kind == 1:
                row[i] = (row[i] + left) & 255
            elif kind == 2:
                row[i] = (row[i] + up) & 255
            elif kind == 3:
                row[i] = (row[i] + (left + up) // 2) & 255
            elif kind == 4:
                guess = left + up - corner
                row[i] = (row[i] + min((left, up, corner), key=lambda v: abs(guess - v))) & 255
        rows.append(bytes(row))
        above = rows[-1]
    return width, height, rows


count, size, folder, *files = sys.argv[1:]
w, h = map(int, size.split("x"))
pictures = [read(file) for file in files]
for number in range(int(count)):
    width, height, rows = pictures[number % len(pictures)]
    assert w <= width and h <= height, f"{files[number % len(files)]} has only {width}x{height} pixels"
    # Anywhere, and the same at every run.
    x, y = number * 7919 % (width - w + 1), number * 104729 % (height - h + 1)
    samples = b"".join(row[x * 3 : (x + w) * 3] for row in rows[y : y + h])
    Path(folder, f"{number:03}.ppm").write_bytes(b"P6\n%d %d\n255\n" % (w, h) + samples)
