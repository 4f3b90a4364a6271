"""Photographs against JPEG XL and WebP: bytes, speed, and file size over code length (see photos.sh).

Every figure of ours is of whole processes that got all pictures of a folder as PPM: what a user waits for. Streams are
decompressed and compared with what went in.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import platform
import tempfile
import threading

import imagecodecs
import numpy

from pictures import effort_name, effort_points, folder_pictures, jpegxl, run, table, webp, write_ppm

BAND_ROWS = 36


PEERS = {
    "JPEG XL e9": (jpegxl, imagecodecs.jpegxl_version),
    "WebP": (webp, imagecodecs.webp_version),
}


class Sizes:
    """Sizes under other codecs, kept by a hash of the pixels and the codec's version."""

    def __init__(self, file, fresh):
        self.file = file
        self.known = {} if fresh or not file.exists() else json.loads(file.read_text())
        self.cached = self.made = 0
        self.lock = threading.Lock()

    def of(self, peer, pixels):
        encode, version = PEERS[peer]
        digest = hashlib.blake2b(str(pixels.shape).encode() + pixels.tobytes(), digest_size=16).hexdigest()
        key = f"{peer} {version()} {digest}"
        size = self.known.get(key)
        made = size is None
        if made:
            size = encode(pixels)
        with self.lock:
            self.made += made
            self.cached += not made
            self.known[key] = size
            if made:
                self.file.parent.mkdir(parents=True, exist_ok=True)
                self.file.write_text(json.dumps(self.known, indent=0, sort_keys=True))
        return size

    def all(self, peer, pictures):
        """The total of all pictures, encoded side by side: sizes do not depend on it, and no speed is taken."""
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            return sum(pool.map(lambda pixels: self.of(peer, pixels), pictures))


def measure(folder, points, sizes):
    pictures, skipped = folder_pictures(folder)
    arrays = [pixels for _, pixels in pictures]
    with tempfile.TemporaryDirectory() as temporary:
        temporary = pathlib.Path(temporary)
        files = [write_ppm(temporary / (path.stem + ".ppm"), pixels) for path, pixels in pictures]
        levels = [measure_level(point, files, temporary) for point in points]
    return {
        "name": folder.name,
        "skipped": skipped,
        "files": len(pictures),
        "pixels": sum(a.shape[0] * a.shape[1] for a in arrays),
        "bands": sum(-(-a.shape[0] // BAND_ROWS) for a in arrays),
        "peers": {peer: sizes.all(peer, arrays) for peer in PEERS},
        "levels": levels,
    }


def measure_level(point, files, temporary):
    """Streams of all files at an effort level: bytes, code length, and the seconds of each process."""
    effort = ("-e", point[0])
    coded, restored = temporary / f"coded{point[0]}", temporary / f"restored{point[0]}"
    coded.mkdir(), restored.mkdir()
    _, plain = run("compress", "-q", *effort, "--no-verify", "-o", coded, *files)
    streams = [coded / (file.name + ".srp") for file in files]
    first = [stream.read_bytes() for stream in streams]
    _, decode = run("decompress", "-q", "-o", restored, *streams)
    for file in files:
        assert (restored / file.name).read_bytes() == file.read_bytes(), file
    _, verified = run("compress", "-q", "-f", *effort, "-o", coded, *files)
    assert first == [stream.read_bytes() for stream in streams]
    lines, _ = run("measure", "-q", "--json", *effort, *files)
    return {
        "name": effort_name(point),
        "bytes": sum(map(len, first)),
        "bits": json.loads(lines.splitlines()[-1])["bits"],
        "seconds": (plain, decode, verified),
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cache", type=pathlib.Path, default=pathlib.Path("bench-peers.json"))
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("-e", "--effort", metavar="N,N...", help="effort levels [default: those that differ]")
    parser.add_argument("folders", nargs="+", type=pathlib.Path)
    arguments = parser.parse_args()
    sizes = Sizes(arguments.cache, arguments.fresh)
    chosen = arguments.effort and [[int(effort)] for effort in arguments.effort.split(",")]
    rows = [measure(folder, chosen or effort_points(), sizes) for folder in arguments.folders]

    version, _ = run("--version")
    print(f"{version.decode().strip()}; {imagecodecs.jpegxl_version()}, {imagecodecs.webp_version()}; ", end="")
    print(f"{len(os.sched_getaffinity(0))} cores, {platform.machine()}")
    print(f"sizes of other codecs: {sizes.made} made in this run, {sizes.cached} from {arguments.cache}\n")

    def bits(row, size):
        return f"{size * 8 / (row['pixels'] * 3):.3f}"

    head = ["folder", "files", "MP", "WebP", "JPEG XL e9", "bits a sub-pixel"]
    table(head, [
        [
            row["name"], str(row["files"]), f"{row['pixels'] / 1e6:.2f}", str(row["peers"]["WebP"]),
            str(row["peers"]["JPEG XL e9"]), bits(row, row["peers"]["JPEG XL e9"]),
        ]
        for row in rows
    ])
    head = ["folder", "effort", "Surprisal", "bits a sub-pixel", "of JPEG XL e9", "MP/s: compress --no-verify", "decompress"]
    table(head + ["compress, verified"], [
        [
            row["name"], level["name"], str(level["bytes"]), bits(row, level["bytes"]),
            f"{level['bytes'] / row['peers']['JPEG XL e9']:.4f}",
            *(f"{row['pixels'] / 1e6 / seconds:.2f}" for seconds in level["seconds"]),
        ]
        for row in rows for level in row["levels"]
    ])
    head = ["folder", "effort", "bands", "code length (`measure`)", "streams", "over", "bytes a band"]
    table(head, [
        [
            row["name"], level["name"], str(row["bands"]), f"{level['bits'] / 8:.0f}", str(level["bytes"]),
            f"{level['bytes'] * 8 / level['bits'] * 100 - 100:.3f} %",
            f"{(level['bytes'] - level['bits'] / 8) / row['bands']:.1f}",
        ]
        for row in rows for level in row["levels"]
    ])
    for row in rows:
        if row["skipped"]:
            print(f"{row['name']}: not an 8-bit RGB picture: {', '.join(row['skipped'])}")


if __name__ == "__main__":
    main()
