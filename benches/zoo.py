"""Sets of small pictures: a model of the zoo against PNG, WebP, JPEG XL and xz (see zoo.sh).

Times are of whole processes, the best of some rounds; the stream is decompressed and compared. Other codecs get the set as one
tall picture and as a mosaic 50 wide, and the smaller one counts; what they were given is decoded and compared, too.
"""

import argparse
import gzip
import io
import json
import lzma
import os
import pathlib
import tempfile

import imagecodecs
import numpy
import oxipng
from PIL import Image

from pictures import jpegxl, run, table, webp

MOSAIC = 50


def read(path):
    """An IDX file of bytes, perhaps gzipped, as an array."""
    data = path.read_bytes()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    dims = [int.from_bytes(data[4 + 4 * i :][:4], "big") for i in range(data[3])]
    return numpy.frombuffer(data[4 + 4 * len(dims) :], dtype=numpy.uint8).reshape(dims)


def write(path, pictures):
    header = bytes([0, 0, 8, pictures.ndim]) + b"".join(n.to_bytes(4, "big") for n in pictures.shape)
    path.write_bytes(header + pictures.tobytes())


def layouts(pictures):
    """The set as one tall picture, and as a mosaic; empty places of its last row are black."""
    n, height, width = pictures.shape[:3]
    rest = pictures.shape[3:]
    yield pictures.reshape(n * height, width, *rest)
    rows = -(-n // MOSAIC)
    full = numpy.zeros((rows * MOSAIC, height, width, *rest), numpy.uint8)
    full[:n] = pictures
    grid = full.reshape(rows, MOSAIC, height, width, *rest).swapaxes(1, 2)
    yield numpy.ascontiguousarray(grid).reshape(rows * height, MOSAIC * width, *rest)


def png(pixels):
    image = Image.fromarray(pixels)
    if set(numpy.unique(pixels)) <= {0, 255} and pixels.ndim == 2:
        image = image.convert("1", dither=Image.Dither.NONE)
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    code = oxipng.optimize_from_memory(file.getvalue(), level=6)
    decoded = numpy.asarray(Image.open(io.BytesIO(code)).convert("L" if pixels.ndim == 2 else "RGB"))
    assert numpy.array_equal(decoded, pixels)
    return len(code)


def webp_of(pixels):
    return webp(pixels if pixels.ndim == 3 else numpy.repeat(pixels[..., None], 3, 2))


PEERS = {"PNG (oxipng 6)": png, "WebP lossless": webp_of, "JPEG XL e9": jpegxl}


def smallest(encode, pictures):
    """The smaller layout; None if neither can be coded (WebP has sides up to 16383)."""
    sizes = {}
    for name, pixels in zip(("tall", f"{MOSAIC} wide"), layouts(pictures)):
        try:
            sizes[name] = encode(pixels)
        except (imagecodecs.WebpError, imagecodecs.JpegxlError, ValueError) as error:
            print(f"  ({encode.__name__}, {name}: {error})")
    return min(((size, name) for name, size in sizes.items()), default=None)


def xz(data):
    return len(lzma.compress(data, preset=9 | lzma.PRESET_EXTREME))


def best(rounds, *arguments):
    """Seconds of the fastest round."""
    return min(run(*arguments)[1] for _ in range(rounds))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-n", type=int, default=10_000, help="pictures, from the first on")
    parser.add_argument("-T", "--threads", default=str(os.cpu_count()))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--binarize", action="store_true", help="make gray pictures binary by the fixed draw first")
    parser.add_argument("--no-peers", action="store_true", help="our figures alone")
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("images", type=pathlib.Path)
    args = parser.parse_args()
    common = ["-q", "-T", args.threads]
    model = ["-m", args.model]
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        images = args.images
        if args.binarize:
            images = work / "binary.idx"
            run(*common, "dataset", "binarize", args.images, "-o", images)
        pictures = read(images)[: args.n]
        file, stream, back = work / "set.idx", work / "set.srp", work / "back.idx"
        write(file, pictures)
        measured, _ = run(*common, "measure", *model, "--json", file)
        total = json.loads(measured.splitlines()[-1])
        encode = best(args.rounds, *common, "compress", *model, "--no-verify", "-f", file, "-o", stream)
        decode = best(args.rounds, *common, "decompress", *model, "-f", stream, "-o", back)
        assert back.read_bytes() == file.read_bytes()
        n, raw, size = len(pictures), file.stat().st_size, stream.stat().st_size
        over = size * 8 / total["bits"] - 1
        print(f"{args.model.name}, {n} pictures of {args.images.name}, {args.threads} threads")
        print(f"{total['nats']:.2f} nats a picture, {total['bits_per_dimension']:.5f} bits per dimension")
        print(f"{size} bytes: {over * 100:+.3f} % over the measured bits")
        print(f"{n / encode:.0f} pictures a second compressed (without verifying), {n / decode:.0f} decompressed")
        if args.no_peers:
            return
        sizes = [(args.model.stem, size, ""), ("xz -9e", xz(file.read_bytes()), "")]
        for name, encode in PEERS.items():
            found = smallest(encode, pictures)
            if found:
                sizes.append((name, *found))
        print()
        rows = [[name, layout, str(s), f"{s / raw * 100:.2f} %", f"{s / size:.2f}"] for name, s, layout in sizes]
        table(["codec", "layout", "bytes", "of the file", "times ours"], rows)


main()
