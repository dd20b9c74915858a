"""Commands as they were spelled before `semloss plan`: understood for a release, and told.

Light: every command line passes here. To be removed with the next minor version.
"""

import shlex
from collections.abc import Sequence

_KINDS = {
    "--adaptive": "adaptive", "--outage": "outage", "--against": "against", "--sweep": "sweep",
    "--tornado": "tornado", "--monte-carlo": "monte-carlo", "--cases": "cases",
    "--template": "template", "--preset": "template", "--pass": "pass", "--day": "day",
    "--tle": "day",
}  # fmt: skip
"""What each option of `predict` asked, the most telling first."""
_VALUED = ("--sweep", "--cases", "--template", "--pass")
_MAY_HAVE_VALUE = ("--against", "--monte-carlo")


def translated(words: Sequence[str]) -> list[str]:
    """The command in today's words; the same where they are that already."""
    if words[:1] == ["allocate"]:
        return ["plan", *words]
    if words[:1] != ["predict"]:
        return list(words)
    apart = [part for word in words[1:] for part in _split(word)]
    kind = next((kind for option, kind in _KINDS.items() if option in apart), None)
    if kind is None:
        return list(words)
    if kind == "adaptive" and "--outage" in apart:
        return list(words)  # two questions: `predict` refuses what it does not know
    solve = "--solve" in apart
    return list(words) if solve else ["plan", kind, *_options(kind, apart)]


def told(words: Sequence[str]) -> str:
    """The line that says how a command is spelled now."""
    return f"this is now spelled: semloss {shlex.join(words)}"


def _split(word: str) -> list[str]:
    option, equals, value = word.partition("=")
    known = option in _KINDS
    return [option, value] if known and equals else [word]


def _options(kind: str, words: list[str]) -> list[str]:
    """The question's own arguments first, then all other options as they were."""
    own: list[str] = []
    rest: list[str] = []
    left = list(words)
    while left:
        word = left.pop(0)
        value = None
        bare = bool(left) and (not left[0].startswith("-") or left[0] == "-")
        if (word in _VALUED and left) or (word in _MAY_HAVE_VALUE and bare):
            value = left.pop(0)
        if word == "--pass":
            rest += ["--max-elevation", *([] if value is None else [value])]
        elif word == "--monte-carlo":
            rest += [] if value is None else ["--draws", value]
        elif word in ("--sweep", "--cases", "--template", "--against"):
            own += [] if value is None else [value]
        elif word in ("--tornado", "--adaptive", "--outage") or (word == "--day" and kind == "day"):
            continue
        else:
            rest.append(word)
    # FIT.json comes before what the question is about
    fit = [w for w in rest[:1] if not w.startswith("-")]
    return [*fit, *own, *rest[len(fit) :]]
