"""Encrypted fields of documents, as the author of a plugin uses them."""

from __future__ import annotations

import pickle

import pytest
from bson import ObjectId
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mongoengine import EmbeddedDocument, EmbeddedDocumentField, IntField, StringField, ValidationError

from backend import storage
from backend.protection import (
    EncryptedQueryError,
    EncryptedStringField,
    TamperedError,
    UnknownKeyVersion,
    blind_index,
    cipher,
    decrypt_field,
    encrypt_field,
)
from backend.storage import Record
from tests.protection.program import Contact

PHONE = "13812345678"


def refuse_x(value: str) -> None:
    if value == "x":
        raise ValidationError("not x")


class Strict(Record):
    """A record with rules on its private field."""

    meta = {"collection": "test_strict"}

    title = StringField()
    code = EncryptedStringField(required=True, max_length=4, regex=r"^[a-z]+$", validation=refuse_x)
    choice = EncryptedStringField(choices=("a", "b"))


def stored(record: Record) -> dict:
    return storage.database()[record._get_collection_name()].find_one({"_id": record.id})


def test_the_attribute_is_plain_and_the_store_is_not():
    contact = Contact(number=1, phone=PHONE, address="幸福路 12 号").save()
    assert (contact.phone, contact.address) == (PHONE, "幸福路 12 号")
    again = Contact.objects.get(id=contact.id)
    assert (again.phone, again.address) == (PHONE, "幸福路 12 号")
    row = stored(contact)
    assert PHONE.encode() not in row["phone"] and "幸福路".encode() not in row["where"]
    assert PHONE not in repr(row) and PHONE not in contact.to_json() and PHONE not in repr(contact._data)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=st.text(max_size=40))
def test_any_text_comes_back(value):
    record_id = ObjectId()
    ciphertext = encrypt_field(Contact, record_id, "address", value)
    assert decrypt_field(Contact, record_id, "address", ciphertext) == value
    assert Contact(id=record_id, address=value).address == value


def test_rows_past_mongoengine_read_and_write_the_same():
    contact = Contact(phone=PHONE, address=None).save()
    row = next(Contact.objects(id=contact.id).as_pymongo())
    assert decrypt_field(Contact, row["_id"], "phone", row["phone"]) == PHONE
    assert decrypt_field(Contact, str(row["_id"]), "phone", row["phone"]) == PHONE
    assert decrypt_field(Contact, row["_id"], "address", row.get("where")) is None
    new = ObjectId()
    Contact._get_collection().insert_one({"_id": new, "where": encrypt_field(Contact, new, "address", "河边")})
    assert Contact.objects.get(id=new).address == "河边"


def test_a_list_decrypts_only_what_is_read(monkeypatch):
    for number in range(3):
        Contact(number=number, phone=PHONE, address="河边").save()
    opened = []
    monkeypatch.setattr("backend.protection.fields.open_sealed", lambda *a: opened.append(a) or b"x")
    contacts = list(Contact.objects)
    assert opened == []
    assert [contacts[1].phone, len(opened)] == ["x", 1]


def test_save_writes_a_change_and_nothing_without_one():
    contact = Contact(phone=PHONE).save()
    before = stored(contact)
    again = Contact.objects.get(id=contact.id)
    again.phone = PHONE
    assert again._get_changed_fields() == []
    again.phone = "13900000000"
    again.save()
    after = stored(contact)
    assert after["phone"] != before["phone"] and after["phone_index"] != before["phone_index"]
    contact.reload()
    assert contact.phone == "13900000000"
    contact.phone = None
    contact.save()
    assert not {"phone", "phone_index"} & stored(contact).keys()


def test_partly_loaded_and_copied_records_keep_their_values():
    contact = Contact(phone=PHONE, address="河边").save()
    part = Contact.objects.only("address").get(id=contact.id)
    assert (part.phone, part.address) == (None, "河边")
    part.address = "山边"
    part.save()
    whole = Contact.objects.get(id=contact.id)
    assert (whole.phone, whole.address) == (PHONE, "山边")
    assert whole.phone_index == blind_index(Contact, "phone", PHONE)
    assert pickle.loads(pickle.dumps(whole)).phone == PHONE


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({}, "code"),
        ({"code": "abcde"}, "code"),
        ({"code": "A"}, "code"),
        ({"code": "x"}, "code"),
        ({"code": 7}, "code"),
        ({"code": {"$gt": ""}}, "code"),
        ({"code": b"abc"}, "code"),
        ({"code": "abc", "choice": "c"}, "choice"),
    ],
)
def test_rules_hold_for_the_plain_value(values, wrong):
    with pytest.raises(ValidationError) as caught:
        Strict(**values).save()
    assert list(caught.value.errors) == [wrong]
    assert Strict.objects.count() == 0


def test_a_loaded_record_stays_valid_and_a_changed_one_is_checked():
    Strict(code="abc", choice="a").save()
    record = Strict.objects.get()
    record.validate()
    record.code = "TOO LONG"
    with pytest.raises(ValidationError):
        record.save()


def test_plain_text_never_reaches_the_store_unchecked():
    record = Strict(code="abc").save()
    record.code = 7
    with pytest.raises(ValidationError):
        record.save(validate=False)


def test_a_ciphertext_moved_to_another_record_or_field_or_altered_is_named():
    one, two = Contact(phone=PHONE, address="河边").save(), Contact(phone="13900000000").save()
    row = stored(one)
    rows = Contact._get_collection()
    for changes in ({"phone": row["phone"]}, {"phone": row["where"]}, {"phone": b"\x01" + bytes(60)}, {"phone": b""}):
        rows.update_one({"_id": two.id}, {"$set": changes})
        with pytest.raises((TamperedError, UnknownKeyVersion)):
            _ = Contact.objects.get(id=two.id).phone
    rows.update_one({"_id": one.id}, {"$set": {"phone": row["where"]}})
    with pytest.raises(TamperedError, match=f"test_contacts {one.id} phone"):
        _ = Contact.objects.get(id=one.id).phone
    with pytest.raises(TamperedError):
        decrypt_field(Contact, one.id, "phone", "planted plain text")
    spoiled = Contact.objects.get(id=one.id)
    spoiled.phone = PHONE  # a new value puts it right
    spoiled.save()
    assert Contact.objects.get(id=one.id).phone == PHONE


@pytest.mark.parametrize(
    "query", [{"phone": PHONE}, {"phone__in": [PHONE]}, {"phone__startswith": "138"}, {"phone__ne": "1"}]
)
def test_a_query_by_an_encrypted_field_points_to_the_blind_index(query):
    with pytest.raises(EncryptedQueryError, match="blind_index"):
        Contact.objects(**query).first()


def test_an_update_by_filter_is_refused():
    contact = Contact(phone=PHONE).save()
    with pytest.raises(EncryptedQueryError, match="set the attribute"):
        Contact.objects(id=contact.id).update(set__phone="1")
    with pytest.raises(EncryptedQueryError):
        contact.update(set__phone="1")


def test_presence_may_be_asked():
    Contact(number=1, phone=PHONE).save()
    Contact(number=2).save()
    assert [each.number for each in Contact.objects(phone__exists=True)] == [1]
    assert [each.number for each in Contact.objects(phone__ne=None)] == [1]
    assert [each.number for each in Contact.objects(phone=None)] == [2]


@pytest.mark.parametrize("option", [{"default": "a"}, {"unique": True}, {"primary_key": True}])
def test_options_that_cannot_work_are_refused(option):
    with pytest.raises(TypeError, match="An encrypted field cannot have"):
        EncryptedStringField(**option)


def test_an_embedded_document_is_refused():
    class Inner(EmbeddedDocument):
        code = EncryptedStringField()

    class Outer(Record):
        number = IntField()
        inner = EmbeddedDocumentField(Inner)

    with pytest.raises(TypeError, match="stored records"):
        Inner(code="abc")


def test_what_is_stored_is_no_longer_than_promised():
    contact = Contact(phone=PHONE).save()
    assert len(stored(contact)["phone"]) == len(PHONE) + cipher.OVERHEAD
