"""The tree of RFC 6962: every leaf proves itself, and nothing else does."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.evidence.custody.canonical import HASHES, sha256
from plugins.evidence.custody.merkle import Tree, levels, proof, proves

#: Of the reference implementation of Certificate Transparency: leaves, and the root over the first n of them.
LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def definition(digest, leaves):
    """Return the root as RFC 6962 defines it, in its own words."""
    if not leaves:
        return digest(b"")
    if len(leaves) == 1:
        return digest(b"\0" + leaves[0])
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return digest(b"\1" + definition(digest, leaves[:k]) + definition(digest, leaves[k:]))


def made(count: int, seed: int = 0) -> list[bytes]:
    chance = random.Random(seed)
    return [chance.randbytes(32) for _ in range(count)]


def test_the_roots_are_those_of_certificate_transparency() -> None:
    for size, root in enumerate(ROOTS):
        tree = Tree(sha256)
        for each in LEAVES[:size]:
            tree.add(bytes.fromhex(each))
        assert tree.root().hex() == root


@pytest.mark.parametrize("hash_name", HASHES)
def test_every_leaf_of_every_tree_up_to_300_proves_itself(hash_name: str) -> None:
    digest, leaves = HASHES[hash_name], made(300)
    tree = Tree(digest)
    for size in range(301) if hash_name == "SHA-256" else (0, 1, 2, 3, 100, 255, 256, 257, 300):
        while tree.size < size:
            tree.add(leaves[tree.size])
        rows = levels(digest, leaves[:size])
        root = tree.root()
        assert root == definition(digest, leaves[:size]) and (not size or rows[-1] == [root])
        for index in range(size):
            path = proof(rows, index)
            assert len(path) <= (size - 1).bit_length()
            assert proves(digest, leaves[index], index, size, path, root)


@settings(max_examples=300, deadline=None)
@given(size=st.integers(1, 300), data=st.data())
def test_a_flipped_bit_a_wrong_place_or_another_length_prove_nothing(size: int, data: st.DataObject) -> None:
    leaves = made(size, size)
    index = data.draw(st.integers(0, size - 1))
    rows = levels(sha256, leaves)
    root, path = rows[-1][0], proof(rows, index)

    def flipped(value: bytes) -> bytes:
        bit = data.draw(st.integers(0, 255))
        return (int.from_bytes(value, "big") ^ 1 << bit).to_bytes(32, "big")

    def holds(entry=leaves[index], index=index, size=size, path=path, root=root):
        return proves(sha256, entry, index, size, path, root)

    assert holds()
    assert not holds(entry=flipped(leaves[index]))
    assert not holds(root=flipped(root))
    assert not holds(path=[*path, root])
    wrong = data.draw(st.integers(-2, 2 * size + 2).filter(lambda other: other != index))
    assert not holds(index=wrong)
    if path:
        at = data.draw(st.integers(0, len(path) - 1))
        assert not holds(path=[*path[:at], flipped(path[at]), *path[at + 1 :]])
        assert not holds(path=path[:at] + path[at + 1 :])
    assert not holds(size=0)
