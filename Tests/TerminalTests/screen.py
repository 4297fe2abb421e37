"""What a terminal shows and remembers: a grid of cells, and which modes were left switched on at the end."""

import re

import pyte

# Device control, application program and operating system strings: sixels, kitty's and iTerm's pictures, the clipboard.
STRING = re.compile(rb"\x1b(?:[P_^X].*?\x1b\\|\].*?(?:\x1b\\|\x07))", re.DOTALL)
STRING_START = re.compile(rb"\x1b[P_^X\]]")

# Modes that a program may switch on, as it must not leave them.
MODES = {
    1: "application cursor keys",
    9: "mouse",
    1000: "mouse",
    1002: "mouse",
    1003: "mouse",
    1004: "focus reports",
    1006: "mouse",
    1015: "mouse",
    1049: "alternate screen",
    2004: "bracketed paste",
    2026: "synchronized output",
}


def leftovers(raw):
    """What the bytes of a whole session leave switched on, in words; empty when the terminal is as it was."""
    left = []
    state = {}
    for numbers, switch in re.findall(rb"\x1b\[\?([0-9;]+)([hl])", raw):
        for number in numbers.split(b";"):
            state[int(number or b"0")] = switch == b"h"
    left += [f"{name} ({mode})" for mode, name in MODES.items() if state.get(mode)]
    if state.get(25) is False:
        left.append("hidden cursor")
    if raw.rfind(b"\x1b=") > raw.rfind(b"\x1b>"):
        left.append("keypad")
    shown = [match.start() for match in re.finditer(rb"\x1b_G[^;\x1b]*a=[TtpP]", raw)]
    if shown and max(raw.rfind(b"\x1b_Ga=d"), raw.rfind(b"\x1b_Gq=2,a=d")) < shown[-1]:
        left.append("kitty pictures")
    return left


class RecordingScreen(pyte.Screen):
    """A screen that remembers what would hurt a picture: everything that writes, erases or scrolls over its cells."""

    def __init__(self, columns, rows):
        self.picture = None
        self.hurts = []
        self.last_drawn = " "
        super().__init__(columns, rows)

    def guard(self, rows, columns):
        """From now on a picture lies on these rows and columns."""
        self.picture = (rows, columns)
        self.hurts = []

    def touch(self, what, first, last):
        """Notes that the cursor's row changes from one column to another, both included."""
        if self.picture and self.cursor.y in self.picture[0]:
            columns = self.picture[1]
            if first <= columns[-1] and last >= columns[0]:
                self.hurts.append((what, self.cursor.y, first, last))

    def draw(self, data):
        self.touch("text", self.cursor.x, self.cursor.x + len(data) - 1)
        self.last_drawn = data[-1:] or self.last_drawn
        super().draw(data)

    def erase_in_line(self, how=0, private=False):
        first = 0 if how else self.cursor.x
        last = self.cursor.x if how == 1 else self.columns - 1
        self.touch("erase in line", first, last)
        super().erase_in_line(how, private)

    def erase_characters(self, count=None):
        self.touch("erase characters", self.cursor.x, self.cursor.x + (count or 1) - 1)
        super().erase_characters(count)

    def erase_in_display(self, *arguments, **options):
        if self.picture:
            self.hurts.append(("erase in display", self.cursor.y))
        super().erase_in_display(*arguments, **options)

    def set_margins(self, *arguments, **options):
        if self.picture:
            self.hurts.append(("scroll region", arguments))
        super().set_margins(*arguments, **options)

    def index(self):
        if self.picture and self.cursor.y == (self.margins.bottom if self.margins else self.lines - 1):
            self.hurts.append(("scroll", self.cursor.y))
        super().index()

    # What ncurses uses of xterm and pyte leaves out.

    def repeat(self, count=1, private=False):
        """Draws the character before once more, so many times."""
        self.draw(self.last_drawn * max(1, count))

    def tab_back(self, count=1, private=False):
        for _ in range(max(1, count)):
            self.cursor.x = max((stop for stop in self.tabstops if stop < self.cursor.x), default=0)

    def scroll_up(self, count=1, *_, private=False):
        """Moves the lines of the scroll region up. With a question mark it is a question about sixels."""
        self.scroll(count, private, pyte.Screen.index, lambda: self.margins.bottom if self.margins else self.lines - 1)

    def scroll_down(self, count=1, *_, private=False):
        self.scroll(count, private, pyte.Screen.reverse_index, lambda: self.margins.top if self.margins else 0)

    def scroll(self, count, is_question, move, edge):
        if is_question:
            return
        if self.picture:
            self.hurts.append(("scroll", self.cursor.y))
        row = self.cursor.y
        self.cursor.y = edge()
        for _ in range(max(1, count)):
            move(self)
        self.cursor.y = row

    @property
    def grid(self):
        """Every cell with its looks, as a tuple of rows."""
        return tuple(tuple(self.buffer[row][column] for column in range(self.columns)) for row in range(self.lines))

    def is_plain(self):
        """Whether what is written next has no colour and no attribute."""
        return self.cursor.attrs._replace(data=" ") == self.default_char._replace(data=" ")


class ScreenStream(pyte.ByteStream):
    """Bytes from a program onto a screen, but for strings, which pyte would print as text."""

    csi = dict(pyte.Stream.csi, S="scroll_up", T="scroll_down", Z="tab_back", b="repeat")
    events = pyte.Stream.events | {"scroll_up", "scroll_down", "tab_back", "repeat"}

    def __init__(self, screen):
        self.unfed = b""
        super().__init__(screen)

    def feed(self, data):
        data = STRING.sub(b"", self.unfed + data)
        start = STRING_START.search(data)
        end = start.start() if start else len(data) - 1 if data.endswith(b"\x1b") else len(data)
        self.unfed = data[end:]
        super().feed(data[:end])
