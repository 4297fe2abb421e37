"""Questions about a scene and their answers, one function per kind, kinds that ask alike in one file.

Each takes a generator, a scene and what was last spoken of, and returns a Turn, or None where the scene gives no
such question. `checks` are what an evaluation looks for in the answer.
"""

from .absent import absent_words, denial
from .colours import background, colour, is_colour, what_is_coloured
from .counting import count_all, count_category, count_concept, more_than
from .describing import caption, describe, list_objects
from .existence import exists, exists_coloured
from .knowledge import category_of, fact, fact_about, is_category
from .places import what_is_at, where
from .relations import relation, side_by_side, what_is_beside, which_further
from .turn import Turn

__all__ = [
    "Turn",
    "absent_words",
    "background",
    "caption",
    "category_of",
    "colour",
    "count_all",
    "count_category",
    "count_concept",
    "denial",
    "describe",
    "exists",
    "exists_coloured",
    "fact",
    "fact_about",
    "is_category",
    "is_colour",
    "list_objects",
    "more_than",
    "relation",
    "side_by_side",
    "what_is_at",
    "what_is_beside",
    "what_is_coloured",
    "where",
    "which_further",
]
