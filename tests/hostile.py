"""What a messenger may send that it never should: its own shapes, with fields missing, of other types, or huge."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

# Half a surrogate pair never gets here: it is replaced in the whole answer, before that is taken apart.
LETTERS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NO_IDS = (2**63, -(2**63) - 1, 2**64, 10**30)  # numbers that sqlite has no room for
HUGE = st.sampled_from([2**31, 2**53 + 1, 2**63 - 1, -(2**63), *NO_IDS, -(10**400), 1.5, 1e308])
SCALARS = st.none() | st.booleans() | st.integers() | HUGE | LETTERS | st.sampled_from(["x" * 100_000, "\0"])
ANY_JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(LETTERS, inner, max_size=3)
)

Holder = dict[str, Any] | list[Any]


@st.composite
def spoilt(draw: st.DrawFn, samples: list[dict[str, Any]]) -> dict[str, Any]:
    """One of the samples, of which a few fields are missing or hold anything."""
    found: dict[str, Any] = copy.deepcopy(draw(st.sampled_from(samples)))
    for _ in range(draw(st.integers(1, 3))):
        holder = draw(st.sampled_from([holder for holder in _holders(found) if isinstance(holder, dict)]))
        field = draw(st.sampled_from([*holder, *draw(st.lists(LETTERS, max_size=1))] or ["message"]))
        if draw(st.booleans()):
            holder[field] = draw(ANY_JSON)
        else:
            holder.pop(field, None)
    return found


def with_each_number_too_large(sample: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The sample as often as there are numbers in it, times the ways in which one can be too large."""
    places = sum(1 for _ in _numbers(sample))
    for place in range(places):
        for number in NO_IDS:
            found = copy.deepcopy(sample)
            holder, key = list(_numbers(found))[place]
            holder[key] = number
            yield found


def _numbers(value: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
    for holder in _holders(value):
        for key, inner in holder.items() if isinstance(holder, dict) else enumerate(holder):
            if isinstance(inner, int) and not isinstance(inner, bool):
                yield holder, key


def _holders(value: object) -> Iterator[Holder]:
    if isinstance(value, dict | list):
        yield value
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _holders(inner)
