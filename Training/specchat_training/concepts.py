"""What a scene can hold: things with an emoji, coloured shapes, backgrounds, places and number words."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Concept:
    """One kind of thing: its words, its look and one fact about it."""

    name: str
    plural: str
    glyph: str  # emoji; empty for a drawn shape
    category: str
    colour: str  # empty for a drawn shape, whose colour is part of the object
    fact: str


def _thing(name: str, glyph: str, category: str, colour: str, fact: str, plural: str = "") -> Concept:
    return Concept(name, plural or name + "s", glyph, category, colour, fact)


THINGS: tuple[Concept, ...] = (
    _thing("dog", "🐕", "animal", "brown", "Dogs have a very good nose."),
    _thing("cat", "🐈", "animal", "orange", "Cats sleep for most of the day."),
    _thing("cow", "🐄", "animal", "black and white", "Cows give us milk."),
    _thing("pig", "🐖", "animal", "pink", "Pigs are clever animals."),
    _thing("sheep", "🐑", "animal", "white", "Sheep give us wool.", "sheep"),
    _thing("rabbit", "🐇", "animal", "gray", "Rabbits have long ears and like to hop."),
    _thing("fish", "🐟", "animal", "blue", "Fish live in water.", "fish"),
    _thing("duck", "🦆", "animal", "brown and green", "Ducks can swim and fly."),
    _thing("penguin", "🐧", "animal", "black and white", "Penguins are birds that cannot fly."),
    _thing("elephant", "🐘", "animal", "gray", "Elephants are the largest animals on land."),
    _thing("turtle", "🐢", "animal", "green", "Turtles carry their shell with them."),
    _thing("butterfly", "🦋", "animal", "orange", "Butterflies start life as caterpillars.", "butterflies"),
    _thing("frog", "🐸", "animal", "green", "Frogs can jump very far."),
    _thing("apple", "🍎", "food", "red", "Apples grow on trees."),
    _thing("banana", "🍌", "food", "yellow", "Bananas grow in warm countries."),
    _thing("lemon", "🍋", "food", "yellow", "Lemons taste very sour."),
    _thing("strawberry", "🍓", "food", "red", "Strawberries ripen in early summer.", "strawberries"),
    _thing("pear", "🍐", "food", "green", "Pears are sweet and soft when they are ripe."),
    _thing("carrot", "🥕", "food", "orange", "Carrots grow under the ground."),
    _thing("tomato", "🍅", "food", "red", "Tomatoes are often used in salads.", "tomatoes"),
    _thing("watermelon", "🍉", "food", "red and green", "Watermelons are mostly water."),
    _thing("burger", "🍔", "food", "brown", "Burgers are often eaten with fries."),
    _thing("cake", "🎂", "food", "white", "Cakes are baked for birthdays."),
    _thing("doughnut", "🍩", "food", "brown", "Doughnuts are fried and sweet."),
    _thing("car", "🚗", "vehicle", "red", "Cars drive on roads."),
    _thing("bus", "🚌", "vehicle", "gray", "Buses carry many people at once.", "buses"),
    _thing("bicycle", "🚲", "vehicle", "blue", "Bicycles need no fuel."),
    _thing("train", "🚂", "vehicle", "red and black", "Trains run on rails."),
    _thing("airplane", "✈", "vehicle", "blue and gray", "Airplanes fly above the clouds."),
    _thing("rocket", "🚀", "vehicle", "red and gray", "Rockets fly into space."),
    _thing("boat", "⛵", "vehicle", "orange", "Boats travel on water."),
    _thing("tractor", "🚜", "vehicle", "green", "Tractors work on farms."),
    _thing("ball", "⚽", "thing", "black and white", "Balls are used in many games."),
    _thing("balloon", "🎈", "thing", "red", "Balloons are filled with air or helium."),
    _thing("book", "📘", "thing", "blue", "Books are full of stories and ideas."),
    _thing("key", "🔑", "thing", "yellow", "Keys open locks."),
    _thing("clock", "⏰", "thing", "red", "Clocks tell us the time."),
    _thing("umbrella", "☂", "thing", "purple", "Umbrellas keep us dry in the rain."),
    _thing("hat", "🎩", "thing", "black", "Hats keep the head warm."),
    _thing("guitar", "🎸", "thing", "red", "Guitars usually have six strings."),
    _thing("house", "🏠", "thing", "white", "Houses give people a home."),
    _thing("gift", "🎁", "thing", "yellow and red", "Gifts make people happy."),
    _thing("tree", "🌳", "plant", "green", "Trees can live for hundreds of years."),
    _thing("sunflower", "🌻", "plant", "yellow", "Sunflowers turn towards the sun."),
    _thing("cactus", "🌵", "plant", "green", "Cacti need very little water.", "cacti"),
    _thing("tulip", "🌷", "plant", "pink", "Tulips bloom in spring."),
)

SHAPES: tuple[Concept, ...] = (
    Concept("circle", "circles", "", "shape", "", "A circle has no corners."),
    Concept("square", "squares", "", "shape", "", "A square has four equal sides."),
    Concept("triangle", "triangles", "", "shape", "", "A triangle has three sides."),
    Concept("star", "stars", "", "shape", "", "This star has five points."),
    Concept("heart", "hearts", "", "shape", "", "A heart stands for love."),
    Concept("cross", "crosses", "", "shape", "", "A cross has four arms."),
)

CONCEPTS: tuple[Concept, ...] = THINGS + SHAPES

SHAPE_COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (215, 38, 38),
    "orange": (243, 134, 22),
    "yellow": (246, 208, 24),
    "green": (38, 152, 60),
    "blue": (36, 88, 214),
    "purple": (136, 50, 176),
    "pink": (244, 112, 176),
    "black": (28, 28, 30),
}

# Every colour phrase an object can have; its index is the label of the auxiliary colour head.
COLOURS: tuple[str, ...] = tuple(
    dict.fromkeys(list(SHAPE_COLOURS) + [thing.colour for thing in THINGS])
)

BACKGROUNDS: dict[str, tuple[int, int, int]] = {
    "white": (252, 252, 252),
    "light gray": (206, 206, 208),
    "light blue": (178, 216, 246),
    "pale pink": (250, 210, 220),
    "pale green": (198, 236, 198),
    "pale yellow": (250, 244, 188),
    "pale purple": (218, 204, 244),
}

STYLES: tuple[str, ...] = ("plain", "striped", "dotted")

# The nine regions in reading order, as a phrase that follows "The dog is ...".
PLACES: tuple[str, ...] = (
    "in the top left corner",
    "at the top",
    "in the top right corner",
    "on the left",
    "in the center",
    "on the right",
    "in the bottom left corner",
    "at the bottom",
    "in the bottom right corner",
)

NUMBERS: tuple[str, ...] = ("no", "one", "two", "three", "four", "five")

CATEGORY_PLURALS: dict[str, str] = {
    "animal": "animals",
    "food": "things to eat",
    "vehicle": "vehicles",
    "plant": "plants",
    "shape": "shapes",
}

MAXIMUM_OBJECTS = 5


def article(words: str) -> str:
    """`words` with its indefinite article: "an apple", "a red circle"."""
    return ("an " if words[0] in "aeiou" else "a ") + words
