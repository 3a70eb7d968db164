"""What is held while chains read: each image once at the end, whichever chains were dropped on the way."""

from hypothesis import given, strategies as st

from picora_analytics.library.load.collected import CollectedRows
from picora_analytics.library.load.state import RECHECK

PAGES = st.lists(
    st.tuples(st.integers(0, 3), st.lists(st.sampled_from("abcdefgh"), max_size=5))
    | st.sets(st.integers(0, 3), min_size=1, max_size=2),
    max_size=12,
)


def columns_of(ids):
    n = len(ids)
    nothing = ("filename", "title", "mime_type", "size_bytes", "width", "height", "is_public")
    times = ("created_at", "updated_at")
    return {"id": ids, "url": ["u"] * n, "tags": [()] * n} | {
        name: [None] * n for name in (*nothing, *times)
    }


@given(steps=PAGES, newest=st.lists(st.sampled_from("abcdefghij"), max_size=4, unique=True))
def test_each_image_that_a_chain_still_holds_is_there_once(steps, newest):
    held, model = CollectedRows(), {chain: [] for chain in range(4)}
    for step in steps:
        if isinstance(step, set):  # These chains are dropped.
            held.drop(step)
            model |= {chain: [] for chain in step}
        else:
            chain, ids = step
            held.add(chain, columns_of(ids))
            model[chain] += ids
        assert len(held) == len({one for ids in model.values() for one in ids})
    known = {one for ids in model.values() for one in ids}
    held.add(RECHECK, columns_of(newest), only_new=True)

    table, _ = held.table([RECHECK, 0, 1, 2, 3])

    expected = [one for one in newest if one not in known]
    expected += dict.fromkeys(one for chain in range(4) for one in model[chain])
    assert table["id"].to_pylist() == expected
