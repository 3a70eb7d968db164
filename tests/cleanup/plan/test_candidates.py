"""Piles by regret, and a suggestion that reaches its goal with what would be missed least, or says how it fails."""

import contextlib
import datetime as dt
import io
import os
import random
import subprocess

import pandas as pd
import pytest

import picora_analytics as pic
from picora_analytics import PlanError

OLD, NEW, NOW = "2020-01-01", "2026-11-01", pd.Timestamp("2026-11-23T14:00:00Z")
PILES = ["duplicates", "never-found", "found-before", "old-not-found", "old-untagged", "old"]


def scattered(n):
    """Give old days that lie far apart: no week holds many of them."""
    return [f"{2010 + k % 12}-{1 + k // 12 % 12:02}-01" for k in range(n)]


def piles_of(images, **options):
    found = {}
    for name in PILES:
        found |= dict.fromkeys(pic.suggest(images, pile=name, **options).index, name)
    return found


@pytest.mark.slow
def test_without_references_what_is_old_is_never_called_unused(make_images):
    images = make_images(
        id=list("abcdef"),
        created_at=[OLD, OLD, OLD, NEW, OLD, OLD],
        tags=[(), ("cat",), None, (), (), ()],
        content_hash=[None, None, None, None, "f0", "f0"],
    )

    assert piles_of(images) == {"a": "old-untagged", "b": "old", "c": "old", "f": "duplicates"}
    table = pic.summarize_candidates(images)
    assert table["pile"].tolist() == ["duplicates", "old-untagged", "old"]
    assert table["n_images"].tolist() == [1, 1, 2]
    assert table["certainty"].str.contains("nobody looked").tolist() == [False, True, True]


@pytest.mark.slow
def test_with_references_only_what_was_looked_for_is_in_a_pile(make_images, looked):
    images = make_images(
        id=list("abcdefgh"),
        created_at=[OLD] * 7 + [NEW],
        tags=[(), ("x",), ("x",), (), (), (), (), ()],
        filename=["a.png", "Bildschirmfoto 1.png", *(f"{c}.png" for c in "cdefgh")],
    )
    references = looked(
        found=("d",), unlooked=("e",), before={"f": "2024-01-01", "g": "2026-10-01"}
    )

    # d is in use, nobody could look for e, g was on a page last month, and h is new.
    assert piles_of(images, references=references) == {
        "a": "never-found",
        "b": "never-found",
        "f": "found-before",
        "c": "old-not-found",
    }
    (line,) = pic.summarize_candidates(images, references=references)["python"].head(1)
    assert line == 'pic.suggest(images, pile="never-found", references=references)'


@pytest.mark.parametrize(
    "name",
    [
        "Screenshot 2021-03-04.png",
        "Capture d’écran 2.png",
        "屏幕截图.png",
        "Снимок экрана.png",
        "skærmbillede.png",
    ],
)
@pytest.mark.slow
def test_a_picture_of_the_screen_is_known_by_its_name(make_images, looked, name):
    images = make_images(id=["a"], filename=[name], tags=[("x",)], created_at=[OLD])

    assert piles_of(images, references=looked()) == {"a": "never-found"}


@pytest.mark.slow
def test_what_was_decided_or_edited_lately_or_is_protected_is_in_no_pile(make_images):
    images = make_images(
        id=list("abcde"),
        created_at=[OLD] * 5,
        updated_at=[OLD, "2026-11-01", OLD, OLD, OLD],
        tags=[(), (), ("keep",), (), ()],
    )
    decisions = pd.DataFrame({"id": ["a", "e"], "decision": ["keep", "delete"]})

    assert piles_of(images, decisions=decisions, protect="keep") == {
        "d": "old-untagged",
        "e": "old-untagged",
    }


@pytest.mark.slow
def test_a_public_address_is_never_given_up_for_a_private_one(make_images, looked):
    images = make_images(
        id=list("abc"), content_hash=["f0"] * 3, created_at=[NEW] * 3, is_public=[False, True, None]
    )

    # a is referenced, so it stays; b and c may have readers that a private image has not.
    assert piles_of(images, references=looked(found=("a",))) == {}


@pytest.mark.slow
def test_a_week_that_looks_like_a_move_is_named_and_in_no_age_pile(make_images):
    moved = ["2020-03-02", "2020-03-05", "2020-03-08"] * 5
    images = make_images(
        id=[f"i{n}" for n in range(30)], created_at=[*scattered(15), *moved], size_bytes=[10] * 30
    )

    found = piles_of(images)

    assert set(found) == {f"i{n}" for n in range(15)}
    row = pic.summarize_candidates(images).set_index("pile").loc["perhaps moved"]
    assert (row["n_images"], row["size_bytes"], row["shell"]) == (15, 150, "")
    assert row["why"] == (
        "15 of 30 came between 2 Mar 2020 and 8 Mar 2020, probably a move: upload age says little for them"
    )
    assert len(eval(row["python"], {"images": images})) == 15


@pytest.mark.slow
def test_large_images_are_for_looking_only(make_images):
    images = make_images(id=list("ab"), width=[9000, 9000], created_at=[NEW, OLD])

    table = pic.summarize_candidates(images)

    assert piles_of(images) == {"b": "old-untagged"}
    assert table[["pile", "n_images"]].values.tolist() == [["old-untagged", 1], ["oversized", 1]]


# A goal


def test_the_goal_is_reached_with_whole_piles_and_the_largest_of_the_last(make_images):
    images = make_images(
        id=list("abcdef"),
        created_at=[OLD] * 6,
        tags=[(), (), ("x",), ("x",), ("x",), ("x",)],
        size_bytes=[50, 3, 10, 40, 30, 20],
    )

    found = pic.suggest(images, free=100)

    # 53 of the first pile, then 40 and 30: 123, and without b it is still enough.
    assert found["size_bytes"].to_dict() == {"a": 50, "d": 40, "e": 30}
    assert found.loc["a", "reason"] == "old and never tagged"
    assert found.index.name == "id"


def test_a_goal_out_of_reach_says_how_far_it_falls_short_and_what_would_help(make_images, capsys):
    images = make_images(
        id=list("abc"),
        created_at=[OLD, NEW, NEW],
        size_bytes=[1024, 2048, 4096],
        width=[1, 1, 9000],
    )

    found = pic.suggest(images, free="5 KiB")

    assert list(found.index) == ["a"]
    said = capsys.readouterr().err
    assert said.startswith(
        "To free 5.0 KiB, all that may go is not enough: 1 image of 1.0 KiB, 4.0 KiB short.\n"
    )
    assert "1 image of 4.0 KiB over 2560 px" in said


@pytest.mark.parametrize(
    ("goal", "hashes", "says"),
    [
        pytest.param({"pile": "duplicates"}, None, True, id="a pile nobody knows"),
        pytest.param({"free": "1 GiB"}, None, True, id="a goal out of reach"),
        pytest.param({"free": 1}, None, False, id="a goal that is reached"),
        pytest.param({"pile": "duplicates"}, "f0", False, id="known, and there are none"),
    ],
)
def test_where_content_was_never_read_the_line_says_what_to_do(
    make_images, capsys, goal, hashes, says
):
    images = make_images(created_at=[OLD, NEW], content_hash=[hashes, None])

    pic.suggest(images, **goal)

    line = "Which of these images are the same file is not known yet: a first load does not ask."
    assert (line in capsys.readouterr().err) is says


@pytest.mark.parametrize(
    ("free_to", "freed"),
    [pytest.param("80%", 200, id="a part of the quota"), pytest.param(700, 300, id="bytes")],
)
def test_the_goal_may_be_what_stays(make_images, free_to, freed):
    images = make_images(id=list("abcd"), created_at=[OLD] * 4, size_bytes=[100, 100, 100, 700])
    images.attrs["picora"]["usage"] = {"size_bytes": 1000, "quota_bytes": 1000}

    found = pic.suggest(images, free_to=free_to, protect=pd.Index(["d"]))

    assert found["size_bytes"].sum() == freed


def test_a_part_of_an_unknown_quota_is_an_error(make_images):
    with pytest.raises(
        PlanError, match=r"the service did not tell; .* such as free_to=\"4 GiB\"\.$"
    ):
        pic.suggest(make_images(), free_to="80%")


@pytest.mark.parametrize(
    ("goal", "said"),
    [
        pytest.param({}, "Say one goal: ", id="none"),
        pytest.param({"free": 1, "pile": "old"}, "Say one goal: ", id="two"),
        pytest.param(
            {"pile": "oversized"}, "pile='oversized' is none that may go", id="for looking"
        ),
        pytest.param({"free_to": "much%"}, "free_to='much%' is no part", id="no part"),
    ],
)
def test_a_goal_is_said_once_and_clearly(make_images, goal, said):
    images = make_images()
    images.attrs["picora"]["usage"] = {"size_bytes": 1000, "quota_bytes": 1000}

    with pytest.raises(ValueError, match=f"^{said}"):
        pic.suggest(images, **goal)


IDS = [f"i{k:010d}" for k in range(9)]
BEFORE = {IDS[1]: "2023-01-01", IDS[4]: "2023-01-01", IDS[2]: "2026-10-01"}


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """Give a repository whose pages once showed some of the ids, and show none today."""
    folder = tmp_path_factory.mktemp("repository")
    stream = ""
    for day, text in (
        ("2023-01-01", f"{IDS[1]} {IDS[4]} {IDS[2]}"),
        ("2026-10-01", IDS[2]),
        ("2026-11-01", "nothing"),
    ):
        seconds = int(pd.Timestamp(f"{day}T12:00:00Z").timestamp())
        stream += f"commit refs/heads/main\ncommitter a <a@b.invalid> {seconds} +0000\ndata 1\nx\n"
        stream += f"M 100644 inline page.md\ndata {len(text)}\n{text}\n"
    for words, told in ((("init", "-q"), ""), (("fast-import", "--quiet"), stream)):
        subprocess.run(["git", *words], cwd=folder, input=told, text=True, check=True)
    for words in (("symbolic-ref", "HEAD", "refs/heads/main"), ("reset", "-q", "--hard")):
        subprocess.run(["git", *words], cwd=folder, check=True)
    return folder


@pytest.mark.slow
def test_random_libraries_never_lose_what_must_stay_and_sums_are_right(
    make_images, repository, tmp_path
):
    # PICORA_LIBRARIES=1000 tries as many as there is time for.
    for seed in range(int(os.environ.get("PICORA_LIBRARIES", "12"))):
        (tmp_path / str(seed)).mkdir()
        _check(make_images, repository, tmp_path / str(seed), random.Random(seed))


def _search(ids, repository, folder, draw):
    """Look for some of the ids in real files; give the references, and the word that is true of each id."""
    used, looked_for = draw.sample(ids, len(ids) // 3), draw.sample(ids, len(ids) - len(ids) // 4)
    complete, git = draw.random() < 0.9, draw.random() < 0.4
    (folder / "page.md").write_text(
        "".join(f"![](https://img.picora.com/{one}.png)\n" for one in used)
    )
    if not complete:
        (folder / "unread.pdf").write_bytes(b"%PDF-1.7")
    references = pic.find_references(
        pd.Index(looked_for), folder, git=repository if git else None, progress=False
    )
    words = {}
    for one in ids:
        seen = one in looked_for
        words[one] = "not found" if seen and complete else "could not look"
        if seen and complete and git and one in BEFORE:
            words[one] = "found before"
        if seen and one in used:
            words[one] = "found"
    return references, words


def _may_go(images, words, kept, unwanted, protect):
    """Tell row by row, as the piles are documented, what may go."""
    rows = dict(images.iterrows())

    def order(one):
        row = rows[one]
        word = {"found": 0, "found before": 1}.get(words.get(one), 2)
        said = 0 if one in kept else 2 if one in unwanted else 1
        created = (
            pd.Timestamp.max.tz_localize("UTC") if pd.isna(row["created_at"]) else row["created_at"]
        )
        return word, said, row["is_public"] is not True, created, one

    def public(one):
        return not pd.isna(rows[one]["is_public"]) and bool(rows[one]["is_public"])

    def same_file(one, other):
        content = rows[one]["content_hash"]
        sizes = images["size_bytes"][images["content_hash"] == content]
        return rows[other]["content_hash"] == content and sizes.nunique() <= 1

    may = set()
    for one, row in rows.items():
        equal = [other for other in rows if same_file(one, other)]
        keeper = min(equal, key=order) if len(equal) > 1 else None
        lately = row["updated_at"] > max(row["created_at"], NOW - dt.timedelta(days=90))
        guarded = protect is not None and (row["tags"] is None or protect in row["tags"])
        if one in kept or one == keeper or guarded or lately:
            continue
        word = words.get(one, "nobody looked")
        private = not pd.isna(row["is_public"]) and not row["is_public"]
        copy = keeper is not None and (private or public(keeper))
        old = row["created_at"] < NOW - dt.timedelta(days=730)
        long_ago = one in BEFORE and pd.Timestamp(BEFORE[one], tz="UTC") < NOW - dt.timedelta(
            days=365
        )
        if word == "found before" and long_ago:
            may.add(one)
        if word in ("not found", "nobody looked") and (copy or old):
            may.add(one)

    def twins(one):
        return [other for other in rows if other != one and same_file(one, other)]

    def hands_on(one):
        """Tell whether the duplicates that stay could take over its address and its tags."""
        stay = [other for other in twins(one) if other not in may]
        shown = not public(one) or not stay or any(public(other) for other in stay)
        return shown and not (
            rows[one]["tags"] and any(rows[o]["tags"] is None for o in twins(one))
        )

    return {one for one in may if hands_on(one)}


def _check(make_images, repository, folder, draw):
    ids = IDS[: draw.randint(1, 9)]

    def some(*values):
        return [draw.choice(values) for _ in ids]

    images = make_images(
        id=ids,
        created_at=some(OLD, NEW, "2019-05-05", None),
        size_bytes=some(1, 2, 5, 9, 14, None),
        tags=some((), ("keep",), ("x",), None),
        content_hash=some("f0", "aa", None, None),
        is_public=some(True, False, None),
    )
    images["updated_at"] = images["created_at"].where(
        [draw.random() < 0.8 for _ in ids], pd.Timestamp("2026-11-20T00:00:00Z")
    )
    references, words = None, {}
    if draw.random() < 0.7:
        references, words = _search(ids, repository, folder, draw)
    rows = [(one, draw.choice(["keep", "delete"])) for one in draw.sample(ids, len(ids) // 3)]
    decisions = pd.DataFrame(rows, columns=["id", "decision"])
    protect = "keep" if ("keep",) in images["tags"].tolist() and draw.random() < 0.5 else None
    options = {"references": references, "decisions": decisions, "protect": protect}
    wanted = draw.randint(1, 40)

    with contextlib.redirect_stderr(io.StringIO()):
        found = pic.suggest(images, free=wanted, **options)
        everything = piles_of(images, **options)

    kept, unwanted = ({one for one, word in rows if word == said} for said in ("keep", "delete"))
    may = _may_go(images, words, kept, unwanted, protect)
    assert set(everything) == may
    for one in may:
        # A hash of different sizes is of different files.
        same = images[images["content_hash"] == images.loc[one, "content_hash"]]
        same = same.index if same["size_bytes"].nunique() <= 1 else [one]
        assert set(same) <= {one} or not set(same) <= may
    sizes = images["size_bytes"].dropna().astype(int).to_dict()
    total, freed = sum(sizes.get(one, 0) for one in may), sum(map(sizes.get, found.index))
    riding = found.attrs["picora_suggestion"]
    assert riding["shortfall_bytes"] == max(0, wanted - total)
    assert freed >= min(wanted, total)
    assert total < wanted or all(freed - sizes[one] < wanted for one in found.index)
    assert {one: everything[one] for one in found.index} == found["pile"].to_dict()
    # A later pile is not touched while all of the earlier ones would do.
    last = max((PILES.index(pile) for pile in found["pile"]), default=0)
    earlier = [one for one, pile in everything.items() if PILES.index(pile) < last]
    assert sum(sizes.get(one, 0) for one in earlier) < wanted
    made = pic.plan_deletion(images, found, max_fraction=1)
    # Of a hash that is told for files of different sizes, a plan leaves one all the same.
    doubtful = images.groupby("content_hash")["size_bytes"].nunique() > 1
    kept = images["content_hash"].isin(doubtful.index[doubtful])
    assert set(made.images.index) == set(found.index) - set(made.spared.index)
    assert set(made.spared.index) <= set(images.index[kept])


# What rides along


def test_a_suggestion_is_planned_with_its_reasons(make_images):
    images = make_images(id=list("abc"), created_at=[OLD] * 3, tags=[(), ("x",), ()])

    made = pic.plan_deletion(images, pic.suggest(images, free=3000))

    assert made.images["reason"].to_dict() == {
        "a": "old and never tagged",
        "b": "old",
        "c": "old and never tagged",
    }
    assert made.reason == "free 2.9 KiB, what would be missed least"


def test_what_it_was_made_with_holds_in_the_plan(make_images, looked, tmp_path):
    images = make_images(id=list("abcd"), created_at=[OLD] * 4, tags=[(), (), (), ("x", "y")])
    file = tmp_path / "decisions.csv"
    file.write_text("id,decision\nz,keep\n")
    references = looked()
    found = pic.suggest(
        images, free=4000, references=references, decisions=file, protect=[pd.Index(["d"])]
    )
    assert list(found.index) == ["a", "b", "c"]

    # Decided after it was suggested.
    file.write_text("id,decision\nb,keep\n")
    made = pic.plan_deletion(images, found[found["pile"] == "never-found"], protect=pd.Index(["c"]))

    assert list(made.images.index) == ["a"]
    assert made.spared["reason"].to_dict() == {"b": "on your keep list", "c": "protected"}
    assert any(line.startswith("protect[0]: 1 of 1 entry") for line in made.protection)


def test_decisions_given_beside_it_hold_as_well(make_images):
    images = make_images(id=list("abc"), created_at=[OLD] * 3)
    one, other = (pd.DataFrame({"id": [x], "decision": ["keep"]}) for x in "ab")

    made = pic.plan_deletion(images, pic.suggest(images, free=9000, decisions=one), decisions=other)

    assert list(made.images.index) == ["c"]


def test_references_ride_along_and_are_shown_in_the_plan(make_images, looked):
    images = make_images(id=list("abc"), created_at=[OLD] * 3)

    found = pic.suggest(images, free=9000, references=looked(found=("a",)))
    made = pic.plan_deletion(images, found)

    assert list(made.images.index) == ["b", "c"]
    assert made.searched


def test_references_that_protect_are_minded(make_images, looked):
    images = make_images(id=list("abc"), created_at=[OLD] * 3)

    found = pic.suggest(images, free=9000, protect=[looked(found=("a",), unlooked=("b",))])

    assert list(found.index) == ["c"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param({"account": "f" * 16}, "of another account than these images", id="account"),
        pytest.param({"read_at": "2026-11-23T14:00:01Z"}, "of another load than", id="load"),
    ],
)
def test_a_suggestion_of_another_library_is_refused(make_images, change, said):
    images = make_images(created_at=[OLD] * 3)
    found = pic.suggest(images, free=1)
    images.attrs["picora"] = images.attrs["picora"] | change

    with pytest.raises(PlanError, match=said):
        pic.plan_deletion(images, found)


def test_rows_that_were_not_suggested_are_refused(make_images):
    images = make_images(id=list("abc"), created_at=[OLD, OLD, NEW])
    found = pic.suggest(images, free=1)
    more = found.reindex(["a", "c"])
    more.attrs = found.attrs

    with pytest.raises(
        PlanError, match=r"rows that were not suggested, first 'c'; rows may be dropped, not added"
    ):
        pic.plan_deletion(images, more)


def test_a_suggestion_from_a_file_is_refused(make_images, tmp_path):
    images = make_images(created_at=[OLD] * 3)
    pic.suggest(images, free=1).to_parquet(tmp_path / "found.parquet")

    with pytest.raises(PlanError, match=r"was in a file, and lost the references and decisions"):
        pic.plan_deletion(images, pd.read_parquet(tmp_path / "found.parquet"))


def test_references_of_another_account_are_refused(make_images, looked):
    with pytest.raises(
        PlanError, match=r"^These references are of account ffffffff, and this library"
    ):
        pic.suggest(make_images(), free=1, references=looked(account="f" * 16))
