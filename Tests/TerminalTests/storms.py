"""What the storms are made of: how hard they blow, random keys and sizes, and how the screen is judged afterwards."""

import os
import random
import re
import sys

from session import ITERM_TERMINAL, KITTY_TERMINAL, PATIENCE, PLAIN_TERMINAL, ROOT, SIXEL_TERMINAL, Session

PICTURES = os.path.join(ROOT, "Assets", "pictures")
PICTURE = os.path.join(PICTURES, "demo.png")
READY = re.compile(r"╰─ ready")
# A round stands so long that an answer can be met in its middle.
SLOWLY = ("--pace", "0.02")
# After a storm much is left to do.
LONG_PATIENCE = 4 * PATIENCE

# `make test-storms` blows in full and from everywhere; `make test` a little, and always the same.
IS_FULL = os.environ.get("SPECCHAT_STORMS") == "full"
SEED = int(os.environ.get("SPECCHAT_STORM_SEED") or (random.SystemRandom().randrange(10**6) if IS_FULL else 1))
if IS_FULL:
    print(f"SPECCHAT_STORM_SEED={SEED}", file=sys.stderr)


def amount(full, short):
    """How many of something, by how hard the storms blow."""
    return full if IS_FULL else short


def chance(name):
    """Random numbers of a test's own, so that one test does not change another's."""
    return random.Random(f"{SEED} {name}")


def chat(*arguments, **how):
    """A chat in a folder of its own: random keys may write files."""
    how.setdefault("folder", "here")
    return Session("chat", *arguments, **how)


WAYS = {
    "blocks": {"answer": PLAIN_TERMINAL},
    "sixel": {"answer": SIXEL_TERMINAL},
    "kitty": {"answer": KITTY_TERMINAL},
    "iterm2": {"answer": ITERM_TERMINAL},
    "without colours": {"answer": PLAIN_TERMINAL, "NO_COLOR": "1"},
    "silent": {"answer": None},
}

# --- Keys --------------------------------------------------------------------------------------------------------

NAMED = [
    "\r", "\t", "\x1b", "\x7f", "\n", "\x1b\r", "\x1b[Z", "\x1b[3~", "\x1b[2~", "\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D",
    "\x1bOA", "\x1bOB", "\x1bOC", "\x1bOD", "\x1b[H", "\x1b[F", "\x1b[5~", "\x1b[6~", "\x1b[1;5D", "\x1b[1;5C",
    "\x1b\x7f", *(f"\x1bO{key}" for key in "PQRS"), *(f"\x1b[{code}~" for code in (15, 17, 18, 19, 20, 21, 23, 24)),
]
CONTROLS = [chr(code) for code in range(32) if chr(code) not in "\x03\x04\x1a\r\n\t\x1b"]
WORDS = [
    "/tree ", "/help\r", "/stats\r", "/images\r", "/set temp 0.7\r", "/spec chain\r", "/theme light\r", "/doctor\r",
    "/pause\r", "/step 3\r", "/replay\r", "/copy\r", "/edit\r", "/retry\r", "/new\r", "/clear\r", "/sessions\r",
    "/save\r", "/nothing\r", f"/image {PICTURE}\r", "/image nowhere.png\r", "What is there?\r", "Describe the picture.\r",
    "/imag", "日本語", "e\u0301", "👩‍👩‍👧", "مرحبا", "\u202e", "\ufffd", "🇩🇪",
]
BROKEN = [
    b"\x1b[", b"\x1bO", b"\x1b[1;", b"\x1b[<0;3;4M", b"\x1b[M !!", b"\x1b[?1;2c", b"\x1b[200~", b"\x1b[201~", b"\x1b]52;c;",
    b"\x1b_G", b"\x1bP", b"\x1b[I", b"\x1b[O", b"\x1b[" + b"9" * 80, b"\xff", b"\xc3", b"\xe2\x82", b"\xf0\x9f", b"\x80",
    b"\xc0\xaf", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\x00", b"\x9b1;2H",
]


def key(chance):
    """Any key, word, half a sequence or broken character, as bytes."""
    kind = chance.random()
    if kind < 0.40:
        return chr(chance.randint(32, 126)).encode()
    if kind < 0.65:
        return chance.choice(NAMED).encode()
    if kind < 0.78:
        return chance.choice(CONTROLS).encode()
    if kind < 0.84:
        return b"\x1b" + chr(chance.randint(32, 126)).encode()
    if kind < 0.91:
        return chance.choice(WORDS).encode()
    if kind < 0.996:
        return chance.choice(BROKEN)
    return chance.choice([b"\x03", b"\x04", b"\x03\x03"])


def size(chance):
    """Rows and columns: usually those of a window, sometimes too few."""
    if chance.random() < 0.15:
        return chance.randint(1, 12), chance.randint(1, 45)
    return chance.randint(10, 70), chance.randint(40, 220)


def is_calm(session):
    """Nothing lies on the panes, nothing is typed, no answer is on its way."""
    lines = session.screen.display
    border = max((row for row, line in enumerate(lines) if line[0] in "├+" and row < len(lines) - 1), default=0)
    composer = "".join(line[1:-1] for line in lines[border + 1 : -1]).strip()
    return READY.search(session.text) and composer in ("›", ">") and "Esc" not in lines[border]


def calm(session):
    """Out of every list, search and half sequence, with an empty composer and no answer on its way."""
    # The end of a paste that may have begun; then what a half sequence may still swallow.
    session.send(b"\x1b[201~").rest(0.2)
    for _ in range(20):
        # Escape closes what lies on top, the tree's panel too; Ctrl-C stops, then takes back, then clears.
        session.send(b"\x1b").rest(0.15).send(b"\x1b").rest(0.15)
        if is_calm(session):
            return session
        # A second one within a second and a half would quit.
        session.send(b"\x03").pump(1.7)
    raise AssertionError(f"it does not calm down; the screen:\n{session.text}")


# --- Judging -------------------------------------------------------------------------------------------------------


def looks(cell):
    """What can be seen of a cell: a blank's letter colour cannot."""
    if cell.data == " " and not cell.underscore and not cell.reverse and not cell.strikethrough:
        return (" ", cell.bg)
    return cell


def seen(session):
    return [[looks(cell) for cell in row] for row in session.screen.grid]


def kitty_pictures(raw):
    """The numbers of kitty's pictures that lie on the screen: shown, and not taken away again."""
    shown = set()
    for keys in re.findall(rb"\x1b_G([^;\x1b]*)", raw):
        said = dict(key.split(b"=", 1) for key in keys.split(b",") if b"=" in key)
        if said.get(b"a") == b"T":
            shown.add(int(said[b"i"]))
        elif said.get(b"a") == b"d":
            shown = shown - {int(said[b"i"])} if said[b"d"] == b"I" else set()
    return shown


def difference(before, after):
    """The rows that differ, as text and as looks."""
    lines = []
    for number, (old, new) in enumerate(zip(before, after)):
        if old != new:
            column = next(at for at in range(len(old)) if old[at] != new[at])
            lines.append(f"row {number}, column {column}: {old[column]} is {new[column]} when drawn anew")
            lines += ["  " + "".join(cell[0] for cell in row) for row in (old, new)]
    return "\n".join(lines)


def assert_whole(session):
    """The screen holds what drawing it anew from nothing shows: no cell is stale, none is missing."""
    # A key without a meaning takes the last hint away, as Ctrl-L will.
    session.send("\x1b[24~").rest()
    before, count = seen(session), len(session.raw)
    session.send("\x0c").wait(lambda: b"\x1b[2J" in session.raw[count:], "the screen to be drawn anew").rest()
    after = seen(session)
    assert before == after, f"the screen was not what it should have been:\n{difference(before, after)}"
    return session
