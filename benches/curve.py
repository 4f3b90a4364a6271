"""Bits against speed: the program's effort levels beside JPEG XL, WebP, JPEG-LS and PNG (see curve.sh).

Every figure is of the same pictures in the same run on all cores that this process may use. The program is measured as a
user sees it: whole processes that read and write files, the pictures of a folder at a time. The others are called as
libraries, from memory to memory, as many pictures side by side as there are cores, one thread each: no process to start, no
file to read, and no core idle at the end of a picture, so their speeds are the best that a program around them could show.
What is decoded is compared with the picture.
"""

import argparse
import concurrent.futures
import importlib.metadata
import io
import os
import pathlib
import platform
import tempfile
import time

import imagecodecs
import numpy
import oxipng
import PIL.Image

from pictures import effort_name, effort_points, folder_pictures, run, table, write_ppm
from plot import curves

CORES = len(os.sched_getaffinity(0))


def jpegxl(effort):
    return (
        lambda pixels: imagecodecs.jpegxl_encode(pixels, effort=effort, lossless=True, distance=0, numthreads=1),
        lambda code: imagecodecs.jpegxl_decode(code, numthreads=1),
    )


def webp(method):
    return (
        lambda pixels: imagecodecs.webp_encode(pixels, lossless=True, level=100, method=method),
        lambda code: imagecodecs.webp_decode(code)[..., :3],
    )


def png(level):
    def encode(pixels):
        plain = io.BytesIO()
        PIL.Image.fromarray(pixels).save(plain, "png", compress_level=1)
        return oxipng.optimize_from_memory(plain.getvalue(), level=level)

    return encode, imagecodecs.png_decode


def jpegls():
    return imagecodecs.jpegls_encode, imagecodecs.jpegls_decode


def peers(efforts):
    """(family, point, encoder, decoder) of each codec that is compared with."""
    yield from (("JPEG XL", f"e{effort}", *jpegxl(effort)) for effort in efforts)
    yield from (("WebP", f"m{method}", *webp(method)) for method in (0, 4, 6))
    yield from (("PNG (oxipng)", f"o{level}", *png(level)) for level in (1, 3))
    yield ("JPEG-LS", "", *jpegls())


def measure_peer(pictures, encode, decode):
    """Bytes, seconds to encode, seconds to decode."""
    with concurrent.futures.ThreadPoolExecutor(CORES) as pool:
        start = time.perf_counter()
        codes = list(pool.map(encode, pictures))
        middle = time.perf_counter()
        decoded = list(pool.map(decode, codes))
        end = time.perf_counter()
    assert all(numpy.array_equal(a, b) for a, b in zip(pictures, decoded, strict=True))
    return sum(map(len, codes)), middle - start, end - middle


def measure_own(files, effort, folder):
    """Bytes, seconds to compress without a check, to compress with one, to decompress."""
    coded, restored = folder / f"coded{effort}", folder / f"restored{effort}"
    coded.mkdir(), restored.mkdir()
    _, plain = run("compress", "-q", "-e", effort, "--no-verify", "-o", coded, *files)
    streams = [coded / (file.name + ".srp") for file in files]
    size = sum(stream.stat().st_size for stream in streams)
    _, verified = run("compress", "-q", "-f", "-e", effort, "-o", coded, *files)
    _, decode = run("decompress", "-q", "-o", restored, *streams)
    assert all((restored / file.name).read_bytes() == file.read_bytes() for file in files)
    return size, plain, verified, decode


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pictures", type=int, metavar="N", help="at most N pictures of each folder, evenly spread")
    parser.add_argument("--efforts", default="1,2,3,4,5,6,7,8,9", help="those of JPEG XL")
    parser.add_argument("-o", "--output", type=pathlib.Path, default=pathlib.Path("curve.svg"), help="the figure")
    parser.add_argument("folders", nargs="+", type=pathlib.Path)
    arguments = parser.parse_args()

    chosen, names = [], []
    for folder in arguments.folders:
        pictures, _ = folder_pictures(folder)
        count = min(arguments.pictures or len(pictures), len(pictures))
        chosen += [pictures[i * len(pictures) // count] for i in range(count)]
        names.append(f"{folder.name} ({count} of {len(pictures)})")
    arrays = [numpy.ascontiguousarray(pixels) for _, pixels in chosen]
    samples = sum(array.size for array in arrays)
    megapixels = samples / 3e6

    points, checked = [], {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        files = [write_ppm(folder / f"{i}-{path.stem}.ppm", array) for i, ((path, _), array) in enumerate(zip(chosen, arrays))]
        for levels in effort_points():
            size, plain, verified, decode = measure_own(files, levels[0], folder)
            name = effort_name(levels)
            points.append(("Surprisal", name, size, megapixels / plain, megapixels / decode))
            checked[name] = megapixels / verified
    for family, name, encode, decode in peers([int(effort) for effort in arguments.efforts.split(",")]):
        size, encoding, decoding = measure_peer(arrays, encode, decode)
        points.append((family, name, size, megapixels / encoding, megapixels / decoding))

    version, _ = run("--version")
    libraries = (version.decode().strip(), imagecodecs.jpegxl_version(), imagecodecs.webp_version(),
                 imagecodecs.jpegls_version(), f"pyoxipng {importlib.metadata.version('pyoxipng')}")
    print(f"{'; '.join(libraries)}; {CORES} cores, {platform.machine()}")
    print(f"{', '.join(names)}: {len(arrays)} pictures, {megapixels:.2f} MP\n")
    last = [point for point in points if point[0] == "JPEG XL"][-1]
    head = ["codec", "level", "bytes", "bits a sub-pixel", f"of JPEG XL {last[1]}", "MP/s encode", "MP/s decode", "MP/s encode, verified"]
    table(head, [
        [family, name, str(size), f"{size * 8 / samples:.3f}", f"{size / last[2]:.4f}", f"{encode:.3g}", f"{decode:.3g}",
         f"{checked[name]:.3g}" if family == "Surprisal" else ""]
        for family, name, size, encode, decode in points
    ])
    bits = [(family, name, size * 8 / samples, *speeds) for family, name, size, *speeds in points]
    curves(bits, arguments.output, f"megapixels a second to {{}}, {CORES} cores", "bits a sub-pixel", f"{len(arrays)} photographs, {megapixels:.1f} MP")
    print(f"figure: {arguments.output}, {arguments.output.stat().st_size} bytes")


if __name__ == "__main__":
    main()
