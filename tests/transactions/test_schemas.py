"""The schemas and the AsyncAPI document in the repository are what the tables say, and the examples pass the door."""

from __future__ import annotations

import json

import jsonschema_rs
import pytest

from makegood.connectors.canon import TYPES, noun_of
from makegood.transactions.envelope import Bad, check
from makegood.transactions.fields import fields_of
from makegood.transactions.models import MODELS, Store
from makegood.transactions.schemas import making


def test_the_files_are_what_the_tables_say():
    there = {path.name: path.read_text(encoding="utf-8") for path in making.HERE.glob("*.json")}
    assert there == making.files(), "run: python -m makegood.transactions.schemas.making"
    assert len(there) == len(TYPES) + 1 == 49


@pytest.mark.parametrize("type_", TYPES)
def test_every_example_passes_the_door_and_a_schema_is_one(type_):
    schema = json.loads((making.HERE / f"{type_}.json").read_text(encoding="utf-8"))
    jsonschema_rs.meta.validate(schema)
    fact = check(making.example_of(type_), Store())
    assert (fact.told.type, fact.told.noun, fact.told.sequence) == (type_, noun_of(type_), 7)
    assert set(fact.told.more) == set(fields_of(noun_of(type_)))
    with pytest.raises(Bad, match="schema"):
        check({**making.example_of(type_), "data": {"colour": "red"}}, Store())


def test_every_field_has_its_column():
    for noun, model in MODELS.items():
        columns = {f.name for f in model._meta.concrete_fields}
        assert {f.column for f in fields_of(noun).values() if f.column} <= columns, noun


def test_the_asyncapi_document_holds_together():
    """Every reference leads somewhere, each type is one message, and its example fits the payload that it names."""
    document = json.loads((making.HERE / "asyncapi.json").read_text(encoding="utf-8"))
    assert document["asyncapi"] == "3.0.0" and {"title", "version"} <= set(document["info"])
    found = []

    def walk(node):
        if isinstance(node, dict):
            if "$ref" in node:
                found.append(node["$ref"])
            for inner in node.values():
                walk(inner)
        elif isinstance(node, list):
            for inner in node:
                walk(inner)

    walk(document)
    for ref in found:
        if ref.startswith("#/"):
            place = document
            for part in ref[2:].split("/"):
                place = place[part]
        else:
            assert (making.HERE / ref).is_file(), ref
    messages = document["components"]["messages"]
    assert {m["name"].removesuffix(".v1") for m in messages.values()} == set(TYPES)
    assert set(document["channels"]["events"]["messages"]) == set(messages)
    envelope = jsonschema_rs.Draft202012Validator(document["components"]["schemas"]["cloudevent"])
    for message in messages.values():
        example = message["examples"][0]["payload"]
        assert envelope.is_valid(example) and example["type"] == message["name"]
