"""Text from outside: made safe to show, and what was probably meant by it."""

import re
from collections.abc import Iterable

_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)


def one_line(text: str) -> str:
    """Text made safe, on one line."""
    return " ".join(safe(text).split("\n"))


def safe(text: str) -> str:
    r"""Text in which what a terminal would obey, hide or turn around is written out.

    Control and format characters become escapes such as ``\x1b``; line breaks and tabs stay.
    """
    return _UNSEEN.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def meant(name: object, known: Iterable[str], otherwise: str = "") -> str:
    """Ask for the known name that is nearest to one that is not; say `otherwise` where none is.

    By default all known ones are listed.
    """
    import difflib  # nobody who spells well needs it

    names = list(known)
    plain = {one.lower(): one for one in names}  # whatever the case
    near = difflib.get_close_matches(str(name).lower(), plain, n=1)
    if near:
        return f"did you mean {plain[near[0]]}?"
    return otherwise or f"known are {', '.join(names)}"
