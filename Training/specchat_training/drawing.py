"""From a scene's facts to pixels, and to the share of every patch that each object covers."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .concepts import BACKGROUNDS, COLOURS, CONCEPTS, SHAPE_COLOURS
from .scenes import SIDE, Scene, SceneObject

EMOJI_FONT = "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf"
PATCH = 14
GRID = SIDE // PATCH


@lru_cache(maxsize=None)
def _emoji(concept: int) -> Image.Image:
    """The emoji, cropped to its ink, RGBA, longer side about 130 pixels."""
    font = ImageFont.truetype(EMOJI_FONT, 109)  # the only size this bitmap font has
    tile = Image.new("RGBA", (160, 160), (0, 0, 0, 0))
    ImageDraw.Draw(tile).text((8, 8), CONCEPTS[concept].glyph, font=font, embedded_color=True)
    return tile.crop(tile.getbbox())


def _outline(shape: str, side: float) -> list[tuple[float, float]]:
    """Corners of a polygon in a box of the given side; empty for a circle."""
    half = side / 2

    def ring(radii: tuple[float, ...], turns: int) -> list[tuple[float, float]]:
        angles = [2 * math.pi * k / turns - math.pi / 2 for k in range(turns)]
        return [(half + radii[k % len(radii)] * half * math.cos(a), half + radii[k % len(radii)] * half * math.sin(a)) for k, a in enumerate(angles)]

    if shape == "square":
        return [(side * u, side * v) for u, v in ((0.06, 0.06), (0.94, 0.06), (0.94, 0.94), (0.06, 0.94))]
    if shape == "triangle":
        return [(half, side * 0.04), (side * 0.98, side * 0.92), (side * 0.02, side * 0.92)]
    if shape == "star":
        return ring((1.0, 0.42), 10)
    if shape == "cross":
        a, b = side * 0.33, side * 0.67
        return [(a, 0), (b, 0), (b, a), (side, a), (side, b), (b, b), (b, side), (a, side), (a, b), (0, b), (0, a), (a, a)]
    if shape == "heart":
        steps = [2 * math.pi * k / 60 for k in range(60)]
        return [
            (half + half * math.sin(t) ** 3,
             half - half * 0.0625 * (13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t)) - side * 0.03)
            for t in steps
        ]
    return []


@lru_cache(maxsize=4096)
def _shape(concept: int, colour: int, side: int) -> Image.Image:
    """The coloured shape drawn at twice its size and reduced, RGBA."""
    tile = Image.new("RGBA", (2 * side, 2 * side), (0, 0, 0, 0))
    pen = ImageDraw.Draw(tile)
    fill = SHAPE_COLOURS[COLOURS[colour]] + (255,)
    corners = _outline(CONCEPTS[concept].name, 2 * side)
    if corners:
        pen.polygon(corners, fill=fill)
    else:
        pen.ellipse((1, 1, 2 * side - 2, 2 * side - 2), fill=fill)
    return tile.resize((side, side), Image.Resampling.BICUBIC)


@lru_cache(maxsize=8192)
def _resized_emoji(concept: int, side: int, mirrored: bool) -> Image.Image:
    tile = _emoji(concept)
    scale = side / max(tile.size)
    tile = tile.resize((max(1, round(tile.width * scale)), max(1, round(tile.height * scale))), Image.Resampling.BICUBIC)
    return tile.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if mirrored else tile


def _sprite(each: SceneObject, scale: float) -> Image.Image:
    """The object as it will be pasted: its longer side, before turning, is size * scale pixels at most."""
    # Turning widens a box; draw a little smaller so that the turned sprite stays inside its own box.
    turn = math.radians(abs(each.angle))
    side = max(4, round(each.size * scale / (math.cos(turn) + 0.75 * math.sin(turn))))
    tile = _shape(each.concept, each.colour, side) if each.is_shape else _resized_emoji(each.concept, side, each.mirrored)
    return tile.rotate(each.angle, Image.Resampling.BICUBIC, expand=True)


def _background(scene: Scene, side: int) -> Image.Image:
    base = BACKGROUNDS[scene.background_name]
    picture = Image.new("RGB", (side, side), base)
    darker = tuple(round(v * 0.93) for v in base)
    pen = ImageDraw.Draw(picture)
    step = side / 14
    if scene.style_name == "striped":
        for k in range(0, 14, 2):
            pen.rectangle((0, k * step, side, (k + 1) * step - 1), fill=darker)
    elif scene.style_name == "dotted":
        radius = step * 0.28
        for u in range(14):
            for v in range(14):
                x, y = (u + 0.5) * step, (v + 0.5) * step
                pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=darker)
    return picture


def draw(scene: Scene, side: int) -> Image.Image:
    """The scene as an RGB picture of `side` x `side` pixels."""
    scale = side / SIDE
    picture = _background(scene, side)
    for each in scene.objects:
        tile = _sprite(each, scale)
        picture.paste(tile, (round(each.x * scale - tile.width / 2), round(each.y * scale - tile.height / 2)), tile)
    return picture


def patch_owners(scene: Scene) -> np.ndarray:
    """For every patch, row by row, the index of the object that covers at least a quarter of it, or -1: int8 [64]."""
    cover = np.zeros((len(scene.objects), GRID * GRID), np.float32)
    for index, each in enumerate(scene.objects):
        tile = _sprite(each, 1.0)
        mask = Image.new("L", (SIDE, SIDE), 0)
        mask.paste(tile.getchannel("A"), (round(each.x - tile.width / 2), round(each.y - tile.height / 2)))
        cover[index] = np.asarray(mask, np.float32).reshape(GRID, PATCH, GRID, PATCH).mean((1, 3)).reshape(-1) / 255
    owners = cover.argmax(0).astype(np.int8)
    owners[cover.max(0) < 0.25] = -1
    return owners
