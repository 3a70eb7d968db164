"""The rules are named once: command, policy and panel offer the same."""

import ast
import datetime as dt

import msgspec
import pytest
from hypothesis import given, strategies as st

import picora_analytics as pic
from picora_analytics.analysis import rules
from picora_analytics.analysis.criteria import RULES, Criteria, literal
from picora_analytics.text import visible

NAMES = [rule.name for rule in RULES]
VALUES = {
    "days": st.floats(0, 5000).map(lambda days: round(days, 2)),
    "date": st.dates(dt.date(2000, 1, 1), dt.date(2030, 1, 1)),
    "size": st.sampled_from([0, 5_000_000, "5 MiB", "1.5 GB"]),
    "tags": st.lists(st.sampled_from(["cat", 'a "quoted" tag', "x\ny"]), min_size=1).map(tuple),
    "flag": st.just(True),
    "references": st.just(True),
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


def test_each_rule_is_a_function_and_each_function_a_rule():
    # Those that ask what was decided are for Python: options have no frame of decisions.
    assert set(NAMES) == set(rules.__all__) - {"decided", "hidden_for"}


def test_the_command_has_an_option_for_each_rule():
    from picora_analytics.cli.main import cli

    offered = {option.name for option in cli.commands["plan"].params}

    assert set(NAMES) <= offered


def test_the_panel_has_a_filter_for_each_rule(library):
    from picora_analytics.widgets.panel.filters import FilterStep
    from picora_analytics.widgets.panel.session import CleanupSession

    step = FilterStep(CleanupSession(library), lambda act: None)

    assert list(step.filters) == NAMES


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
def test_the_code_gives_the_very_mask(library, references, values):
    criteria = Criteria(**values)

    typed = eval(criteria.code(), {"pic": pic, "images": library, "references": references})

    assert typed.tolist() == criteria.mask(library, references).tolist()


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
