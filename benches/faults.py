"""Odd files made of normal ones, by seed: what `benches/outliers.py` is to find.

    faults.py KIND IN OUT [--ratio DB] [--seed N]

Recordings (WAV or FLAC in the folder IN; `flac` must be there), written as WAV into OUT:
  copy    as they are (decoded)
  clicks  four a second, two milliseconds long, at random moments
  hum     100 hertz and its harmonics up to 500, at random phases
  band    500 to 1000 hertz removed
  vorbis  encoded as Ogg Vorbis at quality 5 and decoded again (needs the Python package soundfile)
--ratio is the power of the fault over that of the recording, in decibels, for clicks and hum.

Pictures (PNG, PPM, WebP, ... in IN; needs Pillow), written as PNG into OUT:
  picture copies them as they are
  jpeg    encoded as JPEG at quality 75 with halved colour, and decoded again
  scratch a bright line, blob a dark disc, foreign a square of the next picture: each of 1 % of the area, at a random place, which is
          written into OUT/places.csv as name,x,y,width,height
"""

import argparse
import io
import os
import subprocess
import wave

import numpy as np


def read(path):
    if path.endswith(".flac"):
        data = subprocess.run(["flac", "-dsc", path], check=True, stdout=subprocess.PIPE).stdout
    else:
        data = open(path, "rb").read()
    with wave.open(io.BytesIO(data)) as file:
        channels, width, rate, frames = file.getparams()[:4]
        bytes_ = file.readframes(frames)
    if width == 2:
        samples = np.frombuffer(bytes_, "<i2").astype(float)
    else:
        whole = np.frombuffer(bytes_, np.uint8).reshape(-1, 3).astype(np.int64)
        samples = ((whole[:, 0] | whole[:, 1] << 8 | whole[:, 2] << 16) ^ 0x800000) / 256.0 - 0x8000
    return samples.reshape(-1, channels), rate


def write(path, samples, rate):
    with wave.open(path, "wb") as file:
        file.setnchannels(samples.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.clip(np.round(samples), -32768, 32767).astype("<i2").tobytes())


def added(samples, fault, ratio):
    gain = np.sqrt((samples**2).mean() / (fault**2).mean() * 10 ** (ratio / 10))
    return samples + fault[:, None] * gain


def recording(kind, samples, rate, ratio, rng):
    frames = len(samples)
    time = np.arange(frames) / rate
    if kind == "clicks":
        fault = np.zeros(frames)
        length = max(2, round(0.002 * rate))
        for second in range(max(1, round(frames / rate))):
            for at in rng.integers(0, rate, 4) + second * rate:
                part = fault[at : at + length]
                part += (np.exp(-np.arange(length) * 5 / length) * rng.choice([-1, 1]))[: len(part)]
        return added(samples, fault, ratio)
    if kind == "hum":
        fault = sum(np.sin(2 * np.pi * (100 * k * time + rng.random())) / k for k in range(1, 6))
        return added(samples, fault, ratio)
    if kind == "band":
        spectrum = np.fft.rfft(samples, axis=0)
        frequency = np.fft.rfftfreq(frames, 1 / rate)
        spectrum[(frequency >= 500) & (frequency <= 1000)] = 0
        return np.fft.irfft(spectrum, frames, axis=0)
    if kind == "vorbis":
        import soundfile

        buffer = io.BytesIO()
        soundfile.write(buffer, samples / 32768, rate, format="OGG", subtype="VORBIS", compression_level=0.5)
        buffer.seek(0)
        return soundfile.read(buffer, always_2d=True)[0] * 32768
    return samples


def picture(kind, image, other, rng):
    from PIL import Image, ImageDraw

    width, height = image.size
    if kind == "jpeg":
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=75, subsampling=2 if image.mode == "RGB" else -1)
        return Image.open(io.BytesIO(buffer.getvalue())).copy(), None
    side = max(2, round((0.01 * width * height) ** 0.5))
    light, dark = (255, 0) if image.mode == "L" else ((255,) * 3, (0,) * 3)
    draw = ImageDraw.Draw(image)
    if kind == "scratch":
        thick = max(1, round(side / 8))
        long = min(width - 1, round(0.01 * width * height / thick))
        x, y = int(rng.integers(0, width - long + 1)), int(rng.integers(0, height - thick + 1))
        box = (x, y, long, thick)
        draw.rectangle([x, y, x + long - 1, y + thick - 1], fill=light)
    elif kind in ("blob", "foreign"):
        side = round(side * (4 / np.pi) ** 0.5) if kind == "blob" else side
        x, y = int(rng.integers(0, width - side + 1)), int(rng.integers(0, height - side + 1))
        box = (x, y, side, side)
        if kind == "blob":
            draw.ellipse([x, y, x + side - 1, y + side - 1], fill=dark)
        else:
            a, b = int(rng.integers(0, other.width - side + 1)), int(rng.integers(0, other.height - side + 1))
            image.paste(other.crop((a, b, a + side, b + side)).convert(image.mode), (x, y))
    else:
        return image, None
    return image, box


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices="copy clicks hum band vorbis picture jpeg scratch blob foreign".split())
    parser.add_argument("input")
    parser.add_argument("output")
    parser.add_argument("--ratio", type=float, default=-6)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    os.makedirs(options.output, exist_ok=True)
    names = sorted(os.listdir(options.input))
    if options.kind in ("copy", "clicks", "hum", "band", "vorbis"):
        for name in (n for n in names if n.endswith((".flac", ".wav"))):
            samples, rate = read(os.path.join(options.input, name))
            samples = recording(options.kind, samples, rate, options.ratio, rng)
            write(os.path.join(options.output, os.path.splitext(name)[0] + ".wav"), samples, rate)
        return
    from PIL import Image

    images = []
    for name in (n for n in names if n.lower().endswith((".png", ".ppm", ".webp", ".bmp", ".pgm"))):
        image = Image.open(os.path.join(options.input, name))
        images.append((os.path.splitext(name)[0], image.convert("L" if image.mode in ("L", "1") else "RGB")))
    places = []
    for i, (name, image) in enumerate(images):
        made, box = picture(options.kind, image.copy(), images[(i + 1) % len(images)][1], rng)
        made.save(os.path.join(options.output, name + ".png"))
        if box:
            places.append(",".join([name + ".png", *map(str, box)]))
    if places:
        with open(os.path.join(options.output, "places.csv"), "w") as file:
            file.write("name,x,y,width,height\n" + "\n".join(places) + "\n")


if __name__ == "__main__":
    main()
