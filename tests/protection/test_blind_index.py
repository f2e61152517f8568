"""Search by equality on encrypted fields."""

from __future__ import annotations

import pytest
from mongoengine import NotUniqueError, StringField

from backend import storage
from backend.protection import BlindIndexField, EncryptedStringField, blind_index, normalise_id, normalise_phone
from backend.storage import Record
from tests.protection.program import Contact


class Citizen(Record):
    """A record whose encrypted number is unique."""

    meta = {"collection": "test_citizens"}

    phone = EncryptedStringField()
    phone_index = BlindIndexField(of="phone")
    id_number = EncryptedStringField()
    id_number_index = BlindIndexField(of="id_number", unique=True, sparse=True)
    nickname = EncryptedStringField()
    nickname_index = BlindIndexField(of="nickname", normalise=str.lower)
    remark = StringField()


@pytest.mark.parametrize(
    ("written", "digits"),
    [
        ("13812345678", "8613812345678"),
        (" 138-1234 5678 ", "8613812345678"),
        ("+86 138 1234 5678", "8613812345678"),
        ("008613812345678", "8613812345678"),
        ("8613812345678", "8613812345678"),
        ("１３８１２３４５６７８", "8613812345678"),
        ("0571-88886666", "8657188886666"),
        ("(0571)88886666 转 801", "8657188886666"),
        ("+86 571 88886666 ext. 801", "8657188886666"),
        ("400-800-1234", "864008001234"),
        ("+44 20 7946 0958", "442079460958"),
        ("没有", ""),
    ],
)
def test_one_phone_number_has_one_form(written, digits):
    assert normalise_phone(written) == digits


def test_one_identifier_has_one_form():
    assert {
        normalise_id(each) for each in ("33010619900101123x", " 330106 19900101 123Ｘ", "330106-19900101-123X")
    } == {"33010619900101123X"}


def test_records_are_found_however_the_value_is_written():
    contact = Contact(phone="138 1234 5678").save()
    Contact(phone="13900000000").save()
    found = Contact.objects(phone_index=blind_index(Contact, "phone", "+8613812345678"))
    assert [each.id for each in found] == [contact.id]
    assert not Contact.objects(phone_index=blind_index(Contact, "phone", " "))


def test_the_index_follows_the_value():
    citizen = Citizen(phone="13812345678", nickname="Ming").save()
    assert citizen.nickname_index == blind_index(Citizen, "nickname", "MING")
    citizen.phone = "13900000000"
    assert citizen.phone_index == blind_index(Citizen, "phone", "13900000000")
    citizen.phone = None
    assert citizen.phone_index is None
    citizen.phone = "—"
    assert citizen.phone_index is None


def test_hashes_of_two_fields_or_documents_cannot_be_compared():
    same = "13812345678"
    made = {blind_index(Citizen, name, same) for name in ("phone", "id_number", "nickname")}
    assert len(made | {blind_index(Contact, "phone", same)}) == 4
    assert all(len(each) == 32 and same.encode() not in each for each in made)


def test_an_encrypted_value_can_be_unique():
    storage.ensure_indexes([Citizen])
    Citizen(id_number="33010619900101123x").save()
    Citizen(remark="none").save()
    Citizen(remark="none either").save()
    with pytest.raises(NotUniqueError):
        Citizen(id_number="33010619900101123X").save()


def test_a_field_without_an_index_says_so():
    with pytest.raises(LookupError, match="has no BlindIndexField\\(of='address'\\)"):
        blind_index(Contact, "address", "x")
