"""Triage: it learns, it knows what it does not know, it says why, and it comes back from storage the same."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from makegood.text.lexicon import pack
from makegood.text.triage import UNTAUGHT_THRESHOLD, Example, Model, default_model, seeds, types

CODES = types()


def texts_of(code, count):
    """Messages that only this team writes: the packs know none of their words."""
    return [f"zorblat {code.replace('.', ' ')} quux{n % 7} fnord {n}" for n in range(count)]


def test_every_pack_knows_the_same_28_types():
    assert len(CODES) == 28
    assert all(
        {e.type for e in seeds() if e.language == language} == set(CODES)
        for language in ("ko", "zh-hans", "en")
    )


def test_the_examples_of_the_packs_are_mostly_learned():
    model = default_model()
    first = [
        model.suggest(text, pack_.language).top[0].type == entry.id
        for pack_ in map(pack, ("ko", "zh-hans", "en"))
        for entry in pack_.types
        for text in entry.raw["hit"]
    ]
    assert np.mean(first) > 0.95


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("카드로 두 번 결제됐어요", "ko", "payment"),
        ("반품 보냈는데 환불이 아직 안 들어왔어요", "ko", "refund"),
        ("訂單還沒發貨，一直沒有物流信息", "zh-hans", "deliver"),
        ("I was charged twice for one order", "en", "payment"),
    ],
)
def test_a_plain_message_has_its_family_among_three(text, language, expected):
    suggestion = default_model().suggest(text, language)
    assert len(suggestion.top) == 3
    assert any(guess.type.startswith(expected) for guess in suggestion.top), suggestion


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "👍",
        "안녕하세요",
        "你好",
        "hello there",
        "Qwertz uiop asdf",
        "오늘 날씨가 참 좋네요",
        "我昨天看了一部电影",
    ],
)
def test_what_it_does_not_know_it_does_not_claim(text):
    suggestion = default_model().suggest(text, "ko")
    assert not suggestion.sure
    assert len({guess.type for guess in suggestion.top}) == 3


def test_reasons_are_quoted_from_the_original():
    text = "ＡＢＣ… 說好的發貨，物流信息一直沒有更新，包裹卡住了 12345"
    suggestion = default_model().suggest(text, "zh-hans")
    assert suggestion.reasons
    assert all(text[r.start : r.end] == r.quote and r.quote for r in suggestion.reasons)
    assert any("物流" in r.quote or "卡住" in r.quote for r in suggestion.reasons)


def test_the_same_examples_and_seed_give_the_same_model():
    some = seeds()[::9]
    assert Model.train(some, seed=3).to_bytes() == Model.train(some, seed=3).to_bytes()


def test_a_model_comes_back_from_storage_the_same():
    model = default_model()
    stored = model.to_bytes()
    assert len(stored) < 4_000_000
    back = Model.from_bytes(stored)
    for text in ("환불 언제 되나요", "退款什么时候到", "where is my parcel"):
        assert back.suggest(text, "en") == model.suggest(text, "en")


@pytest.mark.parametrize("stored", [b"", b"nonsense", b"PK\x03\x04" + b"\0" * 40])
def test_bytes_that_are_no_model_are_refused(stored):
    with pytest.raises(ValueError, match="no triage model"):
        Model.from_bytes(stored)


def test_unknown_types_and_nothing_are_refused():
    with pytest.raises(ValueError, match="unknown"):
        Model.train([Example("text", "en", "no.such.type")])
    with pytest.raises(ValueError, match="nothing"):
        Model.train([])


def test_a_few_labels_of_the_team_outweigh_the_packs():
    text = "환불 언제 되나요"
    before = default_model().suggest(text, "ko").top[0].type
    other = next(
        code for code in CODES if code not in [g.type for g in default_model().suggest(text, "ko").top]
    )
    after = Model.train([*seeds(), *[Example(text, "ko", other)] * 3]).suggest(text, "ko").top[0].type
    assert (before, after) == (before, other)
    assert before != other


@pytest.mark.slow
def test_a_team_with_consistent_labels_earns_certainty():
    chosen = CODES[:6]
    labels = [Example(text, "en", code) for code in chosen for text in texts_of(code, 40)]
    model = Model.train([*seeds(), *labels])
    assert model.labels == 240
    assert model.threshold <= UNTAUGHT_THRESHOLD
    suggestion = model.suggest("zorblat " + chosen[2].replace(".", " ") + " quux3 fnord 999", "en")
    assert suggestion.sure
    assert suggestion.top[0].type == chosen[2]


@pytest.mark.slow
def test_labels_without_sense_earn_no_certainty():
    random = np.random.default_rng(1)
    labels = [Example(text + "\ud800", "en", str(random.choice(CODES))) for text in texts_of("a.b", 200)]
    model = Model.train([*seeds(), *labels])
    assert not model.suggest("zorblat a b quux3 fnord 7", "en").sure


@settings(max_examples=60, deadline=None)
@given(st.text())
def test_any_text_gets_three_guesses(text):
    suggestion = default_model().suggest(text, "en")
    assert len(suggestion.top) == 3
    assert 0 <= suggestion.confidence <= 1
    assert sum(guess.probability for guess in suggestion.top) <= 1.0001
    assert all(text[r.start : r.end] == r.quote for r in suggestion.reasons)
