"""Plugins come after what they need, then by name, however they were found."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from backend.plugins_host.ordering import in_order_of_need

names = st.sampled_from("abcdefgh")
graphs = st.dictionaries(names, st.sets(names, max_size=3))


@given(graphs)
def test_each_comes_after_what_it_needs_and_circles_are_named(needs: dict[str, set[str]]) -> None:
    order, circles = in_order_of_need(needs)
    assert sorted([*order, *circles]) == sorted(needs)
    for position, name in enumerate(order):
        assert (needs[name] & needs.keys()) <= set(order[:position])
    for name, refusal in circles.items():
        assert refusal.state == "refused" and needs[name] & circles.keys()


@given(graphs, st.randoms(use_true_random=False))
def test_the_order_does_not_depend_on_how_they_were_found(needs: dict[str, set[str]], random: object) -> None:
    shuffled = list(needs.items())
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert in_order_of_need(dict(shuffled))[0] == in_order_of_need(needs)[0]


def test_names_decide_among_equals() -> None:
    assert in_order_of_need({"c": (), "a": ("c",), "b": ()})[0] == ["b", "c", "a"]
