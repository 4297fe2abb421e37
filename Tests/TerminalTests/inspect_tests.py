"""`specchat inspect --image` on a terminal and into a file: what the model is shown, as sixels and as PNG."""

import os
import re
import struct
import tempfile
import unittest
import zlib

from session import KITTY_TERMINAL, PLAIN_TERMINAL, ROOT, SIXEL_TERMINAL, Session, TerminalTest, run

WIDE = os.path.join(ROOT, "Tests/EngineTests/Goldens/grouped/picture.png")
VISION = os.path.join(ROOT, "Tests/EngineTests/Goldens/grouped/vision.gguf")
TILES = os.path.join(ROOT, "Tests/EngineTests/Goldens/anyres/vision.gguf")
MEAN = bytes((122, 116, 104))
SIXEL = re.compile(rb'\x1bP[0-9;]*q"1;1;(\d+);(\d+)(.*?)\x1b\\', re.DOTALL)


def png(path):
    """Width, height and rows of a PNG file of 8-bit RGB."""
    with open(path, "rb") as file:
        data = file.read()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    packed, at = b"", 8
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        if data[at + 4 : at + 8] == b"IDAT":
            packed += data[at + 8 : at + 8 + length]
        at += 12 + length
    width, height, depth, kind = struct.unpack(">IIBB", data[16:26])
    assert (depth, kind) == (8, 2)
    raw, stride = zlib.decompress(packed), 3 * width
    rows, above = [], bytearray(stride)
    for line in range(height):
        begin = line * (stride + 1)
        row = bytearray(raw[begin + 1 : begin + 1 + stride])
        for index in range(stride):
            left = row[index - 3] if index > 2 else 0
            up, corner = above[index], above[index - 3] if index > 2 else 0
            paeth = min((left, up, corner), key=lambda value: abs(left + up - corner - value))
            row[index] = (row[index] + (0, left, up, (left + up) // 2, paeth)[raw[begin]]) % 256
        rows.append(bytes(row))
        above = row
    return width, height, rows


def sixel_pixels(body):
    """How many pixels each colour of a sixel picture sets."""
    counts, colour = {}, None
    for register, defined, repeat, sign in re.findall(rb"#(\d+)(;[0-9;]+)?|!(\d+)|([?-~])", body):
        if register:
            colour, times = register, 1
        elif repeat:
            times = int(repeat)
        elif sign:
            counts[colour] = counts.get(colour, 0) + times * bin(sign[0] - 63).count("1")
            times = 1
    return counts


class InspectTest(TerminalTest):
    def inspect(self, *arguments, **how):
        return Session("inspect", *arguments, rows=40, columns=100, **how)

    def test_draws_sixels_of_the_size_that_the_model_reads(self):
        for model, size, words in (
            (VISION, (56, 56), "padded to a square with the mean colour, 56 × 56"),
            (TILES, (56 + 16 + 56 + 2 + 56, 56 + 2 + 56), "then 2 × 2 tiles of 56 × 56"),
        ):
            with self.subTest(model), self.inspect(model, "--image", WIDE, answer=SIXEL_TERMINAL) as session:
                self.assertEqual(session.finish(), 0)
                drawn = SIXEL.findall(session.raw)
                self.assertEqual(len(drawn), 1)
                width, height, body = drawn[0]
                # Whole bands of six lines: a terminal would scroll for one that is cut.
                self.assertEqual((int(width), int(height)), (size[0], size[1] // 6 * 6))
                # Every pixel has a colour, or the terminal would show what lay below.
                self.assertEqual(sum(sixel_pixels(body).values()), int(width) * int(height))
                self.assertIn("picture  picture.png, 90 × 61 pixels", session.text)
                self.assertIn(words, session.text)

    def test_draws_as_the_terminal_can_and_as_is_wished(self):
        with self.inspect(VISION, "--image", WIDE, answer=KITTY_TERMINAL) as session:
            # The picture stays among the lines, as those do.
            session.wait("tokens   16").wait("[ended]")
            self.assertIn(b"\x1b_Ga=T,f=100", session.raw)
        with self.inspect(VISION, "--image", WIDE, answer=PLAIN_TERMINAL) as session:
            self.assertEqual(session.finish(), 0)
            self.assertIn("▀", session.text)
            self.assertNotIn(b"\x1bP0;", session.raw)
        with self.inspect(VISION, "--image", WIDE, "--image-protocol", "none", answer=SIXEL_TERMINAL) as session:
            self.assertEqual(session.finish(), 0)
            self.assertIsNone(SIXEL.search(session.raw))
            self.assertIn("tokens   16", session.text)

    def test_writes_a_png_of_the_same_pixels(self):
        with tempfile.TemporaryDirectory() as folder:
            out = os.path.join(folder, "seen.png")
            # On a terminal too, a file takes the place of the drawing.
            with self.inspect(VISION, "--image", WIDE, "--out", out, answer=SIXEL_TERMINAL) as session:
                self.assertEqual(session.finish(), 0)
                self.assertIsNone(SIXEL.search(session.raw))
            width, height, rows = png(out)
            self.assertEqual((width, height), (56, 56))
            # A wide picture has the mean colour above and below, and something else between.
            for row in (rows[0], rows[-1]):
                self.assertEqual(row, MEAN * 56)
            self.assertNotIn(MEAN * 56, rows[15:40])
            status, text, errors = run("inspect", VISION, "--image", WIDE, "--out", out)
            self.assertEqual((status, text), (1, ""))
            self.assertIn("already there", errors)
            self.assertEqual(run("inspect", VISION, "--image", WIDE, "--out", out, "--force")[0], 0)

    def test_shows_what_a_bundle_sees(self):
        demo = os.path.join(ROOT, "Assets/demo")
        with self.inspect(demo, "--image", WIDE, answer=SIXEL_TERMINAL) as session:
            self.assertEqual(session.finish(), 0)
            self.assertEqual(SIXEL.search(session.raw).group(1, 2), (b"112", b"108"))


if __name__ == "__main__":
    unittest.main()
