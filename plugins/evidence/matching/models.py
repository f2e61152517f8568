"""Where face comparison is on, and the templates that it keeps there."""

from __future__ import annotations

from mongoengine import DateTimeField, ObjectIdField, StringField

from backend.plugin_api import EncryptedStringField, PlacedRecord


class Activation(PlacedRecord):
    """Face comparison switched on for an area, on a legal basis and an assessment, until a day; `area` is a path."""

    meta = {"collection": "evidence_face_activations", "indexes": ["area", {"fields": ["ended_at"]}]}

    legal_basis = StringField(required=True, max_length=500)
    assessment_number = StringField(required=True, max_length=100)
    expires_at = DateTimeField(required=True)
    by = StringField(required=True)
    name = StringField(required=True)
    ended_at = DateTimeField()
    ended_by = StringField()


class Template(PlacedRecord):
    """A face as numbers (512 half-precision floats in base64, encrypted), of one case's subject."""

    meta = {"collection": "evidence_face_templates", "indexes": [("area", "-id"), {"fields": ["case"], "unique": True}]}

    activation = ObjectIdField(required=True)
    case = ObjectIdField(required=True)
    number = StringField(required=True)
    exhibit = ObjectIdField(required=True)
    model_sha256 = StringField(required=True)
    vector = EncryptedStringField(required=True)
