"""The packs hold what they say about themselves, and a pack that does not is refused."""

from importlib.resources import files

import pytest

from makegood.text import lexicon

LANGUAGES = ("ko", "zh-hans", "en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_example_of_the_pack_holds(language):
    assert lexicon.failures(lexicon.pack(language)) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_packs_hold_the_same_ids(language):
    def ids(pack):
        return [
            [x.id for x in group]
            for group in (pack.rules, pack.slots, pack.signals, pack.entities, pack.types)
        ]

    ours = lexicon.pack(language)
    assert ids(ours) == ids(lexicon.pack("en"))
    assert [len(group) for group in ids(ours)] == [23, 10, 25, 4, 28]
    assert ours.language == language


def english():
    return files("makegood.packs").joinpath("text/en.toml").read_text("utf-8")


def test_a_pack_whose_example_fails_is_refused_when_checked():
    broken = english().replace('"This is ridiculous, I am furious"', '"What a lovely day"')
    lexicon.read(broken)
    with pytest.raises(lexicon.PackError, match="What a lovely day"):
        lexicon.read(broken, check=True)


@pytest.mark.parametrize(
    "broken",
    [
        "no toml at all",
        "[pack]\n",
        '[pack]\nlang="en"\n[[signal]]\nid="x"\npatterns=["(unclosed"]\n',
        '[pack]\nlang="en"\n[[signal]]\nid="x"\npatterns=["{{nowhere}}"]\n',
        '[pack]\nlang="zh"\n[fold]\n"甲" = "乙"\n',
    ],
)
def test_a_pack_that_cannot_be_read_is_refused(broken):
    with pytest.raises(lexicon.PackError):
        lexicon.read(broken)


def test_an_unknown_language_has_no_pack():
    with pytest.raises(KeyError):
        lexicon.pack("fr")
