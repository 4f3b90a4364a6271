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
import subprocess
import tempfile
import threading
import time

import imagecodecs
import numpy
import PIL.Image

BAND_ROWS = 36
SURPRISAL = os.environ.get("SURPRISAL", "surprisal")


def load(path):
    """Its samples [height][width][3]; None for a picture of another kind."""
    with PIL.Image.open(path) as picture:
        return numpy.asarray(picture) if picture.mode == "RGB" else None


def is_picture(path):
    return path.suffix.lower() in PIL.Image.registered_extensions()


def jpegxl(pixels):
    code = imagecodecs.jpegxl_encode(pixels, effort=9, lossless=True, distance=0)
    assert numpy.array_equal(imagecodecs.jpegxl_decode(code), pixels)
    return len(code)


def webp(pixels):
    code = imagecodecs.webp_encode(pixels, lossless=True, level=100, method=6)
    assert numpy.array_equal(imagecodecs.webp_decode(code)[..., :3], pixels)
    return len(code)


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


def run(*arguments):
    """Runs the program; its output, and the seconds that the process took."""
    start = time.perf_counter()
    done = subprocess.run([SURPRISAL, *map(str, arguments)], check=True, stdout=subprocess.PIPE)
    return done.stdout, time.perf_counter() - start


def measure(folder, sizes):
    pictures = [(path, load(path)) for path in sorted(folder.iterdir()) if is_picture(path)]
    skipped = [path.name for path, pixels in pictures if pixels is None]
    pictures = [(path, pixels) for path, pixels in pictures if pixels is not None]
    if not pictures:
        raise SystemExit(f"{folder}: there is no 8-bit RGB picture in it")
    with tempfile.TemporaryDirectory() as temporary:
        temporary = pathlib.Path(temporary)
        coded, restored = temporary / "coded", temporary / "restored"
        coded.mkdir(), restored.mkdir()
        files = []
        for path, pixels in pictures:
            height, width, _ = pixels.shape
            files.append(temporary / (path.stem + ".ppm"))
            files[-1].write_bytes(b"P6\n%d %d\n255\n" % (width, height) + pixels.tobytes())
        _, plain = run("compress", "-q", "--no-verify", "-o", coded, *files)
        streams = [coded / (file.name + ".srp") for file in files]
        first = [stream.read_bytes() for stream in streams]
        _, decode = run("decompress", "-q", "-o", restored, *streams)
        for file in files:
            assert (restored / file.name).read_bytes() == file.read_bytes(), file
        _, verified = run("compress", "-q", "-f", "-o", coded, *files)
        assert first == [stream.read_bytes() for stream in streams]
        lines, _ = run("measure", "-q", "--json", *files)
    total = json.loads(lines.splitlines()[-1])
    arrays = [pixels for _, pixels in pictures]
    return {
        "name": folder.name,
        "files": len(pictures),
        "skipped": skipped,
        "pixels": sum(a.shape[0] * a.shape[1] for a in arrays),
        "bands": sum(-(-a.shape[0] // BAND_ROWS) for a in arrays),
        "bytes": sum(map(len, first)),
        "bits": total["bits"],
        "seconds": (plain, decode, verified),
        "peers": {peer: sizes.all(peer, arrays) for peer in PEERS},
    }


def table(head, rows):
    print("|", " | ".join(head), "|")
    print("|", " | ".join("---" if i == 0 else "---:" for i in range(len(head))), "|")
    for row in rows:
        print("|", " | ".join(row), "|")
    print()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cache", type=pathlib.Path, default=pathlib.Path("bench-peers.json"))
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("folders", nargs="+", type=pathlib.Path)
    arguments = parser.parse_args()
    sizes = Sizes(arguments.cache, arguments.fresh)
    rows = [measure(folder, sizes) for folder in arguments.folders]

    version, _ = run("--version")
    print(f"{version.decode().strip()}; {imagecodecs.jpegxl_version()}, {imagecodecs.webp_version()}; ", end="")
    print(f"{len(os.sched_getaffinity(0))} cores, {platform.machine()}")
    print(f"sizes of other codecs: {sizes.made} made in this run, {sizes.cached} from {arguments.cache}\n")

    def bits(row, size):
        return f"{size * 8 / (row['pixels'] * 3):.3f}"

    head = ["folder", "files", "MP", "WebP", "JPEG XL e9", "bits a sub-pixel", "Surprisal", "bits a sub-pixel"]
    table(head + ["of JPEG XL"], [
        [
            row["name"], str(row["files"]), f"{row['pixels'] / 1e6:.2f}", str(row["peers"]["WebP"]),
            str(row["peers"]["JPEG XL e9"]), bits(row, row["peers"]["JPEG XL e9"]), str(row["bytes"]),
            bits(row, row["bytes"]), f"{row['bytes'] / row['peers']['JPEG XL e9']:.4f}",
        ]
        for row in rows
    ])
    head = ["MP/s, whole program", "compress --no-verify", "decompress", "compress, verified"]
    table(head, [[row["name"], *(f"{row['pixels'] / 1e6 / s:.2f}" for s in row["seconds"])] for row in rows])
    head = ["folder", "bands", "code length (`measure`)", "streams", "over", "bytes a band"]
    table(head, [
        [
            row["name"], str(row["bands"]), f"{row['bits'] / 8:.0f}", str(row["bytes"]),
            f"{row['bytes'] * 8 / row['bits'] * 100 - 100:.3f} %",
            f"{(row['bytes'] - row['bits'] / 8) / row['bands']:.1f}",
        ]
        for row in rows
    ])
    for row in rows:
        if row["skipped"]:
            print(f"{row['name']}: not an 8-bit RGB picture: {', '.join(row['skipped'])}")


if __name__ == "__main__":
    main()
