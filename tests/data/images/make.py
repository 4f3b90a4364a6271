"""Makes the small PNG files of this folder (kept, since other versions of the programs write other bits).

Needs Pillow, numpy, optipng and zopflipng. The picture is a formula: smooth colours, a few edges, some noise.
"""
import subprocess, struct, zlib
import numpy as np
from PIL import Image, PngImagePlugin

rng = np.random.default_rng(3)
h, w = 60, 97
y, x = np.mgrid[:h, :w]
rgb = np.stack([120 + 90 * np.sin(x / 17 + y / 31), 100 + x * 0.9 + y * 0.4, 60 + ((x // 24 + y // 20) % 2) * 110], -1)
rgb = np.clip(rgb + rng.normal(0, 2.5, rgb.shape), 0, 255).astype(np.uint8)
im = Image.fromarray(rgb)

for level in (1, 6, 9):
    im.save(f"pillow_level{level}.png", compress_level=level)
im.save("pillow_optimize.png", optimize=True)
im.convert("L").save("gray.png")
im.convert("L").resize((300, 200)).save("gray_large.png", compress_level=6)
im.quantize(40).save("palette.png")
im.convert("1").save("one_bit.png")
rgba = im.copy(); rgba.putalpha(im.convert("L")); rgba.save("alpha.png")
rgba.convert("LA").save("gray_alpha.png")
Image.fromarray((rgb[..., 0].astype(np.uint16) * 257 + (x * 7 % 200).astype(np.uint16))).save("sixteen_bit.png")
im.save("animated.png", save_all=True, append_images=[im.rotate(180)], duration=100)
info = PngImagePlugin.PngInfo()
info.add_text("Title", "a formula"); info.add_itxt("Author", "nobody", zip=True)
info.add(b"gAMA", struct.pack(">I", 45455)); info.add(b"prVt", b"private")
im.save("chunks.png", pnginfo=info, dpi=(72, 72), icc_profile=bytes(range(200)))

def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

def write(name, filters, level, memory, strategy, window, pieces):
    rows = b""
    previous = np.zeros(w * 3, np.uint8)
    for i, row in enumerate(rgb.reshape(h, -1)):
        f = filters[i % len(filters)]
        left = np.concatenate([np.zeros(3, np.uint8), row[:-3]])
        rows += bytes([f]) + (row - (left if f == 1 else previous if f == 2 else 0)).astype(np.uint8).tobytes()
        previous = row
    c = zlib.compressobj(level, zlib.DEFLATED, window, memory, strategy)
    data = c.compress(rows) + c.flush()
    header = struct.pack(">IIBBBBB", w, h, 8, 2, 0, 0, 0)
    idat = b"".join(chunk(b"IDAT", data[i : i + pieces]) for i in range(0, len(data), pieces))
    open(name, "wb").write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + idat + chunk(b"IEND", b""))

write("zlib_3_8_default.png", [1], 3, 8, 0, 15, 8192)
write("zlib_8_8_filtered_window11.png", [0, 1, 2], 8, 8, 1, 11, 1000)
write("zlib_rle.png", [2, 1], 6, 9, 3, 15, 1 << 20)
write("zlib_huffman.png", [1, 1, 2], 6, 8, 2, 15, 100)
write("zlib_fixed.png", [2], 6, 8, 4, 15, 5000)
subprocess.run(["optipng", "-quiet", "-o5", "-out", "optipng.png", "pillow_level6.png"], check=True)
subprocess.run(["optipng", "-quiet", "-o2", "-i1", "-out", "interlaced.png", "pillow_level6.png"], check=True)
subprocess.run(["optipng", "-quiet", "-o2", "-i1", "-out", "interlaced_palette.png", "palette.png"], check=True)
subprocess.run(["zopflipng", "-y", "--always_zopflify", "pillow_level6.png", "zopfli.png"], check=True, stdout=subprocess.DEVNULL)
