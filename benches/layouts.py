"""Bytes of pictures of every layout beside JPEG XL and WebP (see layouts.sh).

--photo-cd DIR: each picture of a folder as PPM, and their sum, with the transform that was found.
--jpeg DIR: the same for the pictures of a folder after they were JPEGs of quality 75, 90 and 95, 4:2:0 and 4:4:4.
--as-is DIR: the pictures of a folder as they are (gray, palette, alpha, ...).
--layouts DIR: pictures made from the colour pictures of a folder: alpha, palettes, 16 bits.
--sets FILE...: IDX files; JPEG XL gets the pictures below one another or 50 side by side, whichever is smaller.
--bits FILE...: PBM files.

Every stream is decompressed and compared. JPEG XL and WebP get the pixels, we get files (PPM, PGM, PBM, IDX, or PNG of zlib).
"""

import argparse
import io
import json
import pathlib
import tempfile

import imagecodecs
import numpy
import PIL.Image

from pictures import run, table


def jpegxl(pixels):
    """Bytes of JPEG XL, lossless, at its highest common effort."""
    code = imagecodecs.jpegxl_encode(numpy.ascontiguousarray(pixels), effort=9, lossless=True, distance=0)
    assert numpy.array_equal(imagecodecs.jpegxl_decode(code).reshape(pixels.shape), pixels)
    return len(code)


def webp(pixels):
    """Bytes of lossless WebP; none where it has no such pictures."""
    if pixels.dtype != numpy.uint8 or max(pixels.shape) > 16383:
        return None
    if pixels.ndim == 2:
        pixels = numpy.repeat(pixels[..., None], 3, axis=2)
    return len(imagecodecs.webp_encode(numpy.ascontiguousarray(pixels), lossless=True, level=100, method=6))


def pnm(pixels):
    """A PGM or PPM file."""
    height, width = pixels.shape[:2]
    kind, most = (b"P5", b"P6")[pixels.ndim == 3], 65535 if pixels.dtype == numpy.uint16 else 255
    return b"%b\n%d %d\n%d\n" % (kind, width, height, most) + pixels.astype(">u2" if most > 255 else "u1").tobytes()


def png(picture):
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def shown(picture):
    """The samples of a picture as other codecs get them."""
    if picture.mode == "P":
        picture = picture.convert("RGBA" if "transparency" in picture.info else "RGB")
    return numpy.asarray(picture.convert("L") if picture.mode == "1" else picture)


def coded(file, name, effort):
    """Bytes of our stream of a file, and what `info` says of it."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / name).write_bytes(file)
        run("compress", "-q", "--no-verify", "-e", effort, folder / name)
        stream = folder / (name + ".srp")
        restored, _ = run("decompress", "-q", "-c", stream)
        assert restored == file, name
        info, _ = run("info", "--json", stream)
        return stream.stat().st_size, json.loads(info)


class Rows:
    """The lines of a table."""

    def __init__(self, effort):
        self.effort, self.lines, self.sums = effort, [], {}

    def add(self, group, name, file, ending, pixels, others=None):
        """A file of ours, its pixels for the others, or their sizes."""
        ours, info = coded(file, name + ending, self.effort)
        others = others or (webp(pixels), jpegxl(pixels))
        kind = info.get("transform") or info["content"]
        self.lines.append((name, kind, pixels.size, others, ours))
        total = self.sums.setdefault(group, [0, 0, 0, 0, 0])
        for i, value in enumerate((1, pixels.size, others[0], others[1], ours)):
            total[i] = None if value is None or total[i] is None else total[i] + value

    def print(self, each):
        def cells(size, others, ours):
            sizes = ["" if other is None else str(other) for other in others]
            return [*sizes, str(ours), f"{ours * 8 / size:.3f}", f"**{ours / others[1]:.4f}**"]

        head = ["WebP", "JPEG XL e9", f"Surprisal -e {self.effort}", "bits a sample", "of JPEG XL"]
        if each:
            table(["picture", "coded as", *head], [[name, kind, *cells(*rest)] for name, kind, *rest in self.lines])
        table(
            ["pictures", "files", *head],
            [[g, str(n), *cells(size, (w, j), ours)] for g, (n, size, w, j, ours) in self.sums.items()],
        )


def opened(folder):
    files = [path for path in sorted(folder.iterdir()) if path.suffix.lower() in PIL.Image.registered_extensions()]
    return [(path.stem, PIL.Image.open(path)) for path in files]


def once_jpeg(rows, folder):
    for name, picture in opened(folder):
        for quality in (75, 90, 95):
            for subsampling, ratio in ((2, "4:2:0"), (0, "4:4:4")):
                out = io.BytesIO()
                picture.convert("RGB").save(out, "JPEG", quality=quality, subsampling=subsampling)
                pixels = numpy.asarray(PIL.Image.open(io.BytesIO(out.getvalue())))
                group = f"once JPEG, quality {quality}, {ratio}"
                rows.add(group, f"{name}-q{quality}-{ratio.replace(':', '')}", pnm(pixels), ".ppm", pixels)


def made(rows, folder):
    random = numpy.random.default_rng(0)
    for name, picture in opened(folder):
        picture = picture.convert("RGB").crop((0, 0, 400, 300))
        pixels = numpy.asarray(picture)
        height, width = pixels.shape[:2]
        y, x = numpy.mgrid[0:height, 0:width]
        disc = numpy.clip(numpy.minimum(width, height) / 2.2 - numpy.hypot(x - width / 2, y - height / 2) + 0.5, 0, 1)
        for kind, alpha in (("opaque", numpy.full((height, width), 255)), ("a disc", disc * 255)):
            with_alpha = numpy.dstack([pixels, alpha.astype(numpy.uint8)])
            rows.add(f"RGBA, {kind}", f"{name}-rgba", png(PIL.Image.fromarray(with_alpha)), ".png", with_alpha)
        for colours in (256, 16):
            few = picture.quantize(colours, dither=PIL.Image.Dither.NONE)
            rows.add(f"palette of {colours}", f"{name}-palette", png(few), ".png", shown(few))
        wide = pixels.astype(float)
        noise = random.normal(0, 40, wide.shape)
        deep = numpy.clip(wide * 230 + numpy.roll(wide, 1, 1) * 20 + noise, 0, 65535).round().astype(numpy.uint16)
        rows.add("RGB, 16 bits", f"{name}-deep", pnm(deep), ".ppm", deep)
        gray = numpy.asarray(picture.convert("L")).astype(float)
        twelve = 80 + gray * 9 + random.normal(0, 1, gray.shape) * (3 + numpy.sqrt(4 * gray + 1))
        twelve = numpy.clip(twelve, 0, 4095).round().astype(numpy.uint16)
        rows.add("gray, 12 in 16 bits", f"{name}-twelve", pnm(twelve), ".pgm", twelve)


def as_is(rows, folder):
    for name, picture in opened(folder):
        pixels = shown(picture)
        plain = picture.mode in ("L", "RGB")
        rows.add(folder.name, name, pnm(pixels) if plain else png(picture), (".png", ".pnm")[plain], pixels)


def set_of(rows, path):
    file = path.read_bytes()
    count, height, width = (int.from_bytes(file[at : at + 4], "big") for at in (4, 8, 12))
    stack = numpy.frombuffer(file[16:], numpy.uint8).reshape(count, height, width)
    padded = numpy.zeros((-(-count // 50) * 50, height, width), numpy.uint8)
    padded[:count] = stack
    sheet = padded.reshape(-1, 50, height, width).transpose(0, 2, 1, 3).reshape(-1, 50 * width)
    least = min(jpegxl(stack.reshape(-1, width)), jpegxl(sheet))
    rows.add(path.name, path.stem, file, ".idx", stack, (None, least))


def bits(rows, path):
    pixels = numpy.asarray(PIL.Image.open(path).convert("L"))
    rows.add(path.name, path.stem, path.read_bytes(), ".pbm", pixels)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-e", "--effort", default="5")
    parser.add_argument("--each", action="store_true", help="a line for each picture, too")
    for name in ("photo-cd", "jpeg", "layouts", "as-is"):
        parser.add_argument(f"--{name}", metavar="DIR", type=pathlib.Path, action="append", default=[])
    for name in ("sets", "bits"):
        parser.add_argument(f"--{name}", metavar="FILE", type=pathlib.Path, nargs="+", default=[])
    arguments = parser.parse_args()
    rows = Rows(arguments.effort)
    for folder in arguments.photo_cd:
        for name, picture in opened(folder):
            pixels = numpy.asarray(picture.convert("RGB"))
            rows.add(folder.name, name, pnm(pixels), ".ppm", pixels)
    for many, one in (
        (arguments.jpeg, once_jpeg), (arguments.layouts, made), (arguments.as_is, as_is),
        (arguments.sets, set_of), (arguments.bits, bits),
    ):
        for path in many:
            one(rows, path)
    version, _ = run("--version")
    print(f"{version.decode().strip()}; {imagecodecs.jpegxl_version()}, {imagecodecs.webp_version()}\n")
    rows.print(arguments.each)


if __name__ == "__main__":
    main()
