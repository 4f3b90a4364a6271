"""A second decoder of .srp streams, written from src/container/FORMAT.md alone.

It knows stored chunks and pictures that a network codes, with adaptation, in files without a medium and in PNM files. It
shares nothing with the program, so that what both decode alike is what the document says.

    python decode.py STREAM MODEL.srm... > FILE
"""

import sys
import zlib

from blake3 import blake3_128
from model import Model
from network import ROWS, Picture, decode_band
from wire import Reader, Refused

STORED, NETWORK = 0, 2
CONTENT, RECIPE, ADAPTATION = range(3)


class Header:
    def __init__(self, r):
        flags = r.u8()
        self.length, self.checksum = r.uint(), r.raw(16)
        self.medium = (r.u8(), r.uint()) if flags & 1 else None
        self.model = r.raw(16) if flags & 2 else None
        self.parts = r.list(lambda: (r.text(), r.text()))
        self.kind, self.numbers = r.u8(), (r.uint(), r.uint())
        self.last = r.u8() if self.kind in (1, 2, 3, 4) else None
        self.chunks = r.list(lambda: self.chunk(r))
        r.end()
        if flags >> 2 or self.kind > 4:
            raise Refused("reserved values are used")

    @staticmethod
    def chunk(r):
        tag, decoded = r.u8(), r.uint()
        if tag >> 2 > 2 or decoded == 0:
            raise Refused("a chunk's entry is wrong")
        coded = decoded if tag & 3 == STORED else r.uint()
        return tag & 3, tag >> 2, decoded, coded, int.from_bytes(r.raw(4), "little")


def checked(chunk, data):
    if len(data) != chunk[2] or zlib.crc32(data) != chunk[4]:
        raise Refused("a chunk is damaged")
    return data


def stored(chunks, role):
    """The bytes of a role whose chunks are all stored."""
    mine = [(entry, code) for entry, code in chunks if entry[1] == role]
    if any(entry[0] != STORED for entry, _ in mine):
        raise NotImplementedError("this decoder has no byte model")
    return b"".join(checked(entry, code) for entry, code in mine)


def bands(header, chunks, models):
    """A picture in bands."""
    if header.parts:
        raise NotImplementedError(f"this decoder has no part {header.parts[0][0]}")
    model = models[header.model]
    adaptation = stored(chunks, ADAPTATION)
    if adaptation:
        model.adapt(adaptation)
    picture = Picture(*header.numbers, header.last)
    content = [chunk for chunk in chunks if chunk[0][1] == CONTENT]
    for number, (entry, code) in enumerate(content):
        if entry[0] != NETWORK:
            raise NotImplementedError("this decoder has no byte model")
        decode_band(model, picture, ROWS * number, code)
        checked(entry, picture.samples()[ROWS * number :][:ROWS].tobytes())
    return picture.samples().tobytes()


def join_pnm(recipe, samples, header):
    r = Reader(recipe)
    form = r.u8()
    width, height = header.numbers
    letter = 6 if header.last == 3 else 5
    front = f"P{letter}\n{width} {height}\n{r.u8()}\n".encode() if form == 0 else r.blob()
    behind = r.blob()
    r.end()
    return front + samples + behind


def decode(stream, models):
    r = Reader(stream)
    if r.raw(6) != b"\xf5SRP\x01\x00":
        raise Refused("no stream of a known version")
    header = Header(Reader(r.blob()))
    if zlib.crc32(stream[: r.at]) != int.from_bytes(r.raw(4), "little"):
        raise Refused("the header is damaged")
    chunks = [(entry, r.raw(entry[3])) for entry in header.chunks]
    r.end()
    if header.medium is None:
        file = stored(chunks, CONTENT)
    elif header.medium == (1, 1) and header.kind == 1:
        file = join_pnm(stored(chunks, RECIPE), bands(header, chunks, models), header)
    else:
        raise NotImplementedError(f"this decoder has no medium {header.medium}, content {header.kind}")
    if len(file) != header.length or blake3_128(file) != header.checksum:
        raise Refused("the file is another one")
    return file


def main():
    models = {}
    for path in sys.argv[2:]:
        with open(path, "rb") as f:
            model = Model(f.read())
        models[model.id] = model
    with open(sys.argv[1], "rb") as f:
        sys.stdout.buffer.write(decode(f.read(), models))


if __name__ == "__main__":
    main()
