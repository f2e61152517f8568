"""Sealed bytes: two ciphers, bound to a place."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend import protection
from backend.protection import TamperedError, UnknownKeyVersion

CIPHERS = ["AES-256-GCM", "SM4-GCM"]
many = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("cipher", CIPHERS)
@many
@given(data=st.binary(max_size=300), place=st.binary(max_size=50))
def test_what_was_sealed_opens_at_its_place_alone(change_settings, cipher, data, place):
    change_settings(cipher=cipher)
    sealed = protection.seal(data, place)
    assert protection.open_sealed(sealed, place) == data
    assert sealed != protection.seal(data, place)
    with pytest.raises(TamperedError):
        protection.open_sealed(sealed, place + b"x")


@pytest.mark.parametrize("cipher", CIPHERS)
@many
@given(data=st.data())
def test_any_changed_or_lost_byte_is_noticed(change_settings, cipher, data):
    change_settings(cipher=cipher)
    sealed = protection.seal(b"13812345678", b"place")
    at = data.draw(st.integers(0, len(sealed) - 1))
    flip = data.draw(st.integers(1, 255))
    for broken in (sealed[:at] + bytes([sealed[at] ^ flip]) + sealed[at + 1 :], sealed[:at], sealed + b"x"):
        with pytest.raises((TamperedError, UnknownKeyVersion)):
            protection.open_sealed(broken, b"place")


def test_values_of_both_ciphers_open_whatever_the_setting(change_settings):
    sealed = {}
    for cipher in CIPHERS:
        change_settings(cipher=cipher)
        sealed[cipher] = protection.seal(cipher.encode(), b"place")
    for cipher in CIPHERS:
        change_settings(cipher=cipher)
        assert [protection.open_sealed(sealed[each], b"place").decode() for each in CIPHERS] == CIPHERS


def test_values_of_one_purpose_do_not_open_as_another():
    with pytest.raises(TamperedError):
        protection.open_sealed(protection.seal(b"data", b"place", "field"), b"place", "blob")
