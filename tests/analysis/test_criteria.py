"""The rules are named once: command, policy and panel offer the same."""

import ast
import datetime as dt
from typing import get_args

import msgspec
import pandas as pd
import pytest
from hypothesis import given, strategies as st

import picora_analytics as pic
from picora_analytics.analysis import rules
from picora_analytics.analysis.criteria import RULES, Criteria, Decision, literal
from picora_analytics.decisions import DECISIONS
from picora_analytics.text import visible

NAMES = [rule.name for rule in RULES]
VALUES = {
    "days": st.floats(0, 5000).map(lambda days: round(days, 2)),
    "date": st.dates(dt.date(2000, 1, 1), dt.date(2030, 1, 1)),
    "size": st.sampled_from([0, 5_000_000, "5 MiB", "1.5 GB"]),
    "tags": st.lists(st.sampled_from(["cat", 'a "quoted" tag', "x\ny"]), min_size=1).map(tuple),
    "flag": st.just(True),
    "references": st.just(True),
    "decision": st.sampled_from(DECISIONS),
    "hidden": st.floats(0, 500).map(lambda days: round(days, 2)),
}
GIVEN = {rule.name: VALUES[rule.kind] for rule in RULES}


@pytest.fixture(scope="module")
def library(make_images):
    return make_images(
        tags=[("cat",), ('a "quoted" tag',), ("x\ny",), (), None],
        created_at=["2020-01-01", "2024-05-01", "2026-01-01", None, "2025-02-02"],
        size_bytes=[10, 6_000_000, None, 9_000_000, 2_000_000_000],
        width=[4000, 800, None, 100, 2560],
        is_public=[True, False, None, False, True],
        content_hash=["f", "f", None, "e", "e"],
    )


@pytest.fixture(scope="module")
def references(library, tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    (folder / "page.md").write_text(library.index[1])
    return pic.find_references(library.index[:3], folder, progress=False)


@pytest.fixture(scope="module")
def decisions(library):
    words = ["delete", "hidden", "keep", "later"]
    return pd.DataFrame(
        {
            "id": library.index[:4],
            "decision": words,
            "until": ["", "2026-11-01", "", "2027-01-01"],
            "decided_at": ["", "2026-09-01T00:00:00Z", "", ""],
        }
    )


def test_each_rule_is_a_function_and_each_function_a_rule():
    assert set(NAMES) == set(rules.__all__)
    assert get_args(Decision) == DECISIONS


def test_the_command_has_an_option_for_each_rule():
    from picora_analytics.cli.main import cli

    offered = {option.name for option in cli.commands["plan"].load().params}

    assert set(NAMES) <= offered


def test_the_panel_has_a_filter_for_each_rule(library):
    from picora_analytics.widgets.panel.filters import Filters
    from picora_analytics.widgets.panel.session import CleanupSession

    filters = Filters(CleanupSession(library), lambda act: None, lambda session, text: None)

    assert list(filters.chips)[: len(NAMES)] == NAMES


def test_the_table_of_a_policy_knows_each_rule():
    from picora_analytics.cleanup.policy.policy import Policy

    (table,) = [field for field in msgspec.structs.fields(Policy) if field.name == "rule"]

    assert {field.name for field in msgspec.structs.fields(table.type)} == set(NAMES)


def test_no_rule_never_means_all_images(library):
    with pytest.raises(ValueError, match=r"never means all images; give at least one\.$"):
        Criteria().mask(library)


@given(
    st.dictionaries(st.sampled_from(NAMES), st.none(), min_size=1).flatmap(
        lambda chosen: st.fixed_dictionaries({name: GIVEN[name] for name in chosen})
    )
)
@pytest.mark.slow
def test_the_code_gives_the_very_mask(library, references, decisions, values):
    criteria = Criteria(**values)
    given = {"images": library, "references": references, "decisions": decisions}

    typed = eval(criteria.code(), {"pic": pic, **given})

    assert typed.tolist() == criteria.mask(**given).tolist()


def test_what_was_decided_is_asked_of_the_decisions(library, decisions):
    wish, hidden = Criteria(decided="delete"), Criteria(hidden_for=30)

    assert wish.code() == 'pic.rules.decided(images, decisions, "delete")'
    assert hidden.code() == "pic.rules.hidden_for(images, days=30, decisions=decisions)"
    assert wish.mask(library, decisions=decisions).tolist() == [True] + [False] * 4
    assert hidden.mask(library, decisions=decisions).tolist() == [False, True] + [False] * 3
    with pytest.raises(ValueError, match=r'^hidden_for needs decisions: .* "decisions\.csv"\.$'):
        hidden.mask(library)


def test_an_image_must_meet_all_rules_and_what_one_cannot_tell_stays_open(library):
    mask = Criteria(larger_than="1 KiB", private=True).mask(library)

    assert mask.tolist()[:2] == [False, True]
    assert mask.isna().tolist()[2]


@given(
    st.text(st.characters(), max_size=20)
    | st.sampled_from(['"', "\\", "\u202e", "\u3164\U0001f600", "a" + "\u0301" * 20])
)
def test_any_text_is_written_as_a_literal_that_can_be_seen(text):
    written = literal(text)

    assert ast.literal_eval(written) == text
    assert written.isprintable()
    assert visible(written, len(written)) == written
