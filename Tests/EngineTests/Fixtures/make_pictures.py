"""Makes the picture fixtures and the preprocessing goldens beside this file.

Needs Pillow, numpy and transformers (made with Pillow 13.0.0 and transformers 5.23.0):
    python3 Tests/EngineTests/Fixtures/make_pictures.py
"""

import json
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

HERE = Path(__file__).parent
OUT = HERE / "Pictures"
WIDTH, HEIGHT = 32, 20


def scene():
    """Four quarters of different colours with a slow gradient; ImageFixtures.swift holds the same formula."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    right, lower = x >= WIDTH // 2, y >= HEIGHT // 2
    red = np.where(right, 40, 200) + x
    green = np.where(lower, 30, 180) + 2 * y
    blue = np.where(right ^ lower, 210, 20) + x
    return np.stack([red, green, blue], -1).astype(np.uint8)


def with_alpha():
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    return np.dstack([scene(), ((x * 8 + y) % 256).astype(np.uint8)])


def chunk(name, body):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(width, height, depth, kind, rows, extra=b""):
    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(rows))
            + chunk(b"IEND", b""))


def exif(orientation):
    block = Image.Exif()
    block[0x0112] = orientation
    return block


def formats():
    rgb = Image.fromarray(scene())
    rgba = Image.fromarray(with_alpha())
    grey = rgb.convert("L")
    jpeg = {"quality": 95, "subsampling": 0}
    rgb.save(OUT / "plain.jpg", **jpeg)
    rgb.save(OUT / "progressive.jpg", progressive=True, **jpeg)
    rgb.convert("CMYK").save(OUT / "cmyk.jpg", **jpeg)
    grey.save(OUT / "grey.jpg", quality=95)
    rgb.save(OUT / "plain.png")
    grey.save(OUT / "grey.png")
    rgb.quantize(256).save(OUT / "palette.png")
    rgba.save(OUT / "alpha.png")
    rgb.quantize(256).save(OUT / "plain.gif")
    rgb.quantize(256).save(OUT / "animated.gif", save_all=True, append_images=[rgb.rotate(180).quantize(256)])
    rgb.save(OUT / "plain.bmp")
    rgb.save(OUT / "plain.tif")
    rgb.save(OUT / "lzw.tif", compression="tiff_lzw")
    rgb.save(OUT / "lossless.webp", lossless=True)
    rgb.save(OUT / "lossy.webp", quality=98)
    rgb.save(OUT / "animated.webp", lossless=True, save_all=True, append_images=[rgb.rotate(180)])
    rgba.save(OUT / "alpha.webp", lossless=True, exact=True)
    sixteen = np.kron(scene().astype(">u2"), np.ones((1, 1, 1))).astype(">u2") * 257
    (OUT / "sixteen.png").write_bytes(
        png(WIDTH, HEIGHT, 16, 2, b"".join(b"\0" + row.tobytes() for row in sixteen)))
    white = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
    (OUT / "alpha.rgb").write_bytes(Image.alpha_composite(white, rgba).convert("RGB").tobytes())
    (OUT / "palette.rgb").write_bytes(rgb.quantize(256).convert("RGB").tobytes())


def orientations():
    undo = {1: None, 2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180,
            4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90,
            7: Image.Transpose.TRANSVERSE, 8: Image.Transpose.ROTATE_270}
    for orientation, turn in undo.items():
        stored = Image.fromarray(scene())
        stored = stored if turn is None else stored.transpose(turn)
        block = exif(orientation)
        stored.save(OUT / f"oriented-{orientation}.jpg", exif=block, quality=95, subsampling=0)
        if orientation in (5, 6):
            stored.save(OUT / f"oriented-{orientation}.png", exif=block)
            stored.save(OUT / f"oriented-{orientation}.webp", exif=block, lossless=True)
            stored.save(OUT / f"oriented-{orientation}.tif", exif=block)


def bombs():
    (OUT / "bomb.png").write_bytes(png(60000, 60000, 8, 2, bytes(1000)))
    gif = bytearray((OUT / "plain.gif").read_bytes())
    gif[6:10] = struct.pack("<HH", 60000, 60000)
    (OUT / "bomb.gif").write_bytes(gif)
    bmp = bytearray((OUT / "plain.bmp").read_bytes())
    bmp[18:26] = struct.pack("<ii", 60000, 60000)
    (OUT / "bomb.bmp").write_bytes(bmp)
    jpeg = bytearray((OUT / "plain.jpg").read_bytes())
    at = jpeg.find(b"\xff\xc0")
    jpeg[at + 5:at + 9] = struct.pack(">HH", 60000, 60000)
    (OUT / "bomb.jpg").write_bytes(jpeg)
    webp = bytearray((OUT / "lossless.webp").read_bytes())
    webp[21:25] = struct.pack("<I", 16382 | 16382 << 14)
    (OUT / "bomb.webp").write_bytes(webp)


def noise(width, height, seed):
    state, values = seed, bytearray()
    for _ in range(width * height * 3):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        values.append(state >> 24)
    return np.frombuffer(bytes(values), np.uint8).reshape(height, width, 3)


def fnv(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


def goldens():
    from transformers.models.llava.image_processing_pil_llava import LlavaImageProcessorPil

    resizes = []
    shapes = [(1, 1, 5, 7), (2, 3, 2, 3), (7, 5, 7, 3), (7, 5, 3, 5), (64, 48, 24, 18), (48, 64, 100, 91),
              (200, 3, 20, 9), (3, 200, 11, 210), (97, 89, 13, 113), (300, 200, 224, 149), (31, 31, 1, 1),
              (48, 64, 100, 31), (3, 200, 11, 10), (20, 90, 10, 69), (20, 90, 10, 70), (60, 60, 80, 59), (50, 99, 7, 60)]
    for seed, (width, height, to_width, to_height) in enumerate(shapes, 1):
        picture = Image.fromarray(noise(width, height, seed))
        pixels = picture.resize((to_width, to_height), Image.Resampling.BICUBIC).tobytes()
        resizes.append({"width": width, "height": height, "seed": seed, "toWidth": to_width, "toHeight": to_height,
                        "hash": fnv(pixels)})
    frames = []
    for seed, (width, height, size) in enumerate(
            [(64, 48, 28), (48, 64, 28), (33, 33, 28), (28, 28, 28), (29, 28, 28), (5, 9, 28), (9, 4, 30),
             (301, 200, 56), (200, 333, 56), (1, 40, 14), (90, 1, 14), (40, 130, 28), (70, 141, 28), (400, 300, 224)], 101):
        for framing in ("pad", "crop"):
            processor = LlavaImageProcessorPil(
                size={"shortest_edge": size}, crop_size={"height": size, "width": size}, do_pad=framing == "pad")
            values = processor(Image.fromarray(noise(width, height, seed)))["pixel_values"][0]
            values = np.ascontiguousarray(values, dtype="<f4")
            assert values.shape == (3, size, size)
            frames.append({"width": width, "height": height, "seed": seed, "size": size, "framing": framing,
                           "hash": fnv(values.tobytes())})
    text = json.dumps({"resizes": resizes, "frames": frames}, indent=0)
    (HERE / "preprocessing.json").write_text(text + "\n")


if __name__ == "__main__":
    OUT.mkdir(exist_ok=True)
    formats()
    orientations()
    bombs()
    goldens()
