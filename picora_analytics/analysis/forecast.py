"""When the storage is full, with the errors that the same forecast would have made in the library's own past."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, NamedTuple

import narwhals.stable.v2 as nw
import numpy as np
import numpy.typing as npt
import pandas as pd

from picora_analytics.analysis.dates import Instant, now_of
from picora_analytics.analysis.engines import period_of
from picora_analytics.analysis.question import entered, summed
from picora_analytics.analysis.shown import Summary
from picora_analytics.analysis.small import rows_of
from picora_analytics.errors import SchemaError
from picora_analytics.library.frame import Facts, sums_dtype, total_bytes
from picora_analytics.units import parse_storage

__all__ = ["SNAPSHOTS", "UPLOADS", "Outlook", "forecast_storage", "outlook", "quota_of"]

Floats = npt.NDArray[np.float64]

# Weeks whose mean is carried forward: the last quarter, or the last year, whichever erred less.
_WINDOWS = (13, 52)
# The fewest past forecasts to learn from, the shortest horizon worth a range, and the longest.
_ORIGINS, _SHORTEST, _LONGEST = 12, 8, 156
_WITHOUT_RANGE = 26
# An 80 % range: eight of ten past errors were smaller. A little more, because errors of a short past are
# themselves uncertain, and the rule that erred less is chosen by the same past. Set on other libraries than those
# of benchmarks/forecasts.py, which measures what the ranges then cover.
_SHARE = 0.87
# Added to both sides before they are divided, as a share of the mean: a week may bring nothing.
_SMALL = 0.02
# Beyond this ratio of high to low the range says nothing.
_TOO_WIDE = 8.0
_SNAPSHOT_WEEKS = 26
# Weeks that must be there where uploads come in bursts, or the past holds too few of these to learn from.
_BURSTS_NEED = 104
# Between two snapshots the storage is taken to grow evenly: over longer gaps that would look steadier than it was.
_LONGEST_GAP = 4.0

UPLOADS = "uploads of the images that are still there; assumes that nothing is deleted"
SNAPSHOTS = "what came and went between snapshots"


class Outlook(NamedTuple):
    """
    Bytes that the next weeks bring, the first week first.

    Attributes
    ----------
    low, likely, high : array of float
        Added up from now on; `low` and `high` are NaN where no range can be given.
    reason : str or None
        Why there is no range.
    """

    low: Floats
    likely: Floats
    high: Floats
    reason: str | None


def outlook(weekly: Floats) -> Outlook:
    """
    Forecast from the bytes of each past week, the last one last.

    For each horizon the mean of the last 13 or 52 weeks is carried forward. The range comes from rolling origins:
    the same rule is tried at every past week that allows it, and 87 % of the logarithms of actual over forecast,
    of either sign, give the width, widened by one over the number of horizons that fit into the past. Where the rule
    fell short nearly always, as in a library that grows, `low` is half as far from `likely` as `high` is. Of what
    does not fit into the past twice nothing is said.

    Examples
    --------
    >>> steady = outlook(np.full(60, 100.0))
    >>> steady.likely[7], round(steady.high[7] / steady.low[7], 2)
    (np.float64(800.0), np.float64(1.0))
    >>> growing = outlook(np.arange(100.0, 204.0))
    >>> round(growing.likely[7] / growing.low[7], 2), round(growing.high[7] / growing.likely[7], 2)
    (np.float64(1.05), np.float64(1.1))
    >>> outlook(np.full(20, 100.0)).reason
    'a range needs 32 weeks of uploads, and these are 20'
    """
    n, learned = len(weekly), _WINDOWS[0] + _ORIGINS - 1
    pace = float(weekly[-_WINDOWS[0] :].mean()) if n else float("nan")
    reason = _refusal(weekly)
    if reason is not None:
        return _without_range(pace, reason)
    fits_twice = (n - _WINDOWS[0]) // 2
    horizons = range(1, min(n - learned, fits_twice, _LONGEST) + 1)
    table = np.array([_one_horizon(weekly, weeks) for weeks in horizons])
    # What has come stays: more weeks never bring less than fewer do.
    low = np.maximum.accumulate(table[:, 0])
    high = np.minimum.accumulate(table[::-1, 2])[::-1]
    high = np.maximum(high, low)
    likely = np.clip(np.maximum.accumulate(table[:, 1]), low, high)
    too_wide = high > _TOO_WIDE * low
    # Single weeks are uneven everywhere: what counts is whether two months can be told.
    if too_wide[_SHORTEST - 1]:
        return _without_range(pace, "uploads were too uneven to give a range")
    too_wide[:_SHORTEST] = False
    told = slice(0, int(too_wide.argmax()) if too_wide.any() else len(low))
    return Outlook(low[told], likely[told], high[told], None)


def _refusal(weekly: Floats) -> str | None:
    n, needed = len(weekly), _WINDOWS[0] + _SHORTEST + _ORIGINS - 1
    if n < needed:
        return f"a range needs {needed} weeks of uploads, and these are {n}"
    busy = np.flatnonzero(weekly != 0)
    if len(busy) < _ORIGINS:
        return f"a range needs uploads in {_ORIGINS} weeks, and they came in {len(busy)}"
    if n < _BURSTS_NEED and weekly.std() > weekly.mean() > 0:
        return f"uploads came in bursts, of which {n} weeks hold too few"
    quiet = n - 1 - int(busy[-1])
    longest = int(np.diff(busy).max(initial=1)) - 1
    if quiet > longest:
        return f"nothing came for {quiet} week{'s' * (quiet > 1)}, longer than ever before"
    if weekly[-_WINDOWS[0] :].sum() <= 0:
        return f"the storage did not grow over the last {_WINDOWS[0]} weeks"
    return None


def _without_range(pace: float, reason: str) -> Outlook:
    weeks = np.arange(1.0, _WITHOUT_RANGE + 1 if np.isfinite(pace) else 1.0)
    unknown = np.full(len(weeks), np.nan)
    return Outlook(unknown, weeks * max(pace, 0.0), unknown, reason)


def _one_horizon(weekly: Floats, weeks: int) -> tuple[float, float, float]:
    """Forecast what a number of weeks brings, by the rule that erred least over such a time."""
    n, total = len(weekly), np.concatenate([[0.0], np.cumsum(weekly)])
    found = []
    for window in _WINDOWS:
        origins = np.arange(window, n - weeks + 1)
        if len(origins) < _ORIGINS:
            continue
        forecast = (total[origins] - total[origins - window]) / window * weeks
        actual = total[origins + weeks] - total[origins]
        small = abs(float(weekly.mean())) * weeks * _SMALL or 1.0
        ratio = (np.maximum(actual, 0) + small) / (np.maximum(forecast, 0) + small)
        errors = np.log(ratio)
        error = float(np.quantile(np.abs(errors), _SHARE))
        width = error * (1 + weeks / (len(origins) + weeks - 1))
        # Where the rule fell short nearly always, there is little reason to expect far less than it says.
        fell_short = float(np.quantile(errors, 1 - _SHARE)) > 0
        likely = max(float(total[n] - total[n - window]), 0.0) / window * weeks
        found.append((width, width / 2 if fell_short else width, likely))
    above, below, likely = min(found)
    return likely * float(np.exp(-below)), likely, likely * float(np.exp(above))


def quota_of(facts: Facts | None, quota: int | str | None) -> int | None:
    """Give the quota in bytes: what the caller says, else what the service told the load."""
    if quota is not None:
        return parse_storage(quota, "quota")
    told: dict[str, Any] = dict(facts) if facts is not None else {}
    known = (told.get("usage") or {}).get("quota_bytes")
    return int(known) if known else None


def forecast_storage(
    images: Any,
    *,
    quota: int | str | None = None,
    snapshots: pd.DataFrame | None = None,
    now: Instant | None = None,
) -> pd.DataFrame:
    """
    Forecast the storage week by week, and when it reaches the quota: early, likely and late.

    The pace of the last 13 or 52 weeks is carried forward; the range is how far the same rule would have been off
    in this library's own past, and holds the truth about eight times in ten. A short or stopped past gives no range,
    and says why. Rebuilt from upload dates, the past knows nothing of what was deleted. There is no ``by="account"``,
    for a quota is of one account: of a frame of several, pass one account's rows at a time.

    Parameters
    ----------
    images : DataFrame or relation of shape (n_images, ...)
        One row per image, as made by ``load_images``. Reads ``created_at`` and ``size_bytes``.
    quota : int or str, optional
        Bytes, or text such as ``"5 GiB"``; by default what the service told the load.
    snapshots : DataFrame, optional
        ``loaded_at`` and ``size_bytes`` of earlier loads, as :meth:`SnapshotStore.totals` gives them. Where they span
        26 weeks or more, without a gap of over four weeks, what was deleted counts as well.
    now : str, date or datetime, optional
        The instant of week 0; by default the moment of the load, if the images know it. Without a zone it is UTC.

    Returns
    -------
    DataFrame of shape (n_weeks + 1, 5)
        A small frame of pandas, whatever engine `images` are of. ``week`` (0 is now), ``at`` (UTC), and
        ``low_bytes``, ``likely_bytes`` and ``high_bytes`` in all (Int64; low and high missing where there is no
        range). As far as the past allows, 26 weeks where there is no range, none without upload dates.
        ``attrs["forecast"]`` says ``early``, ``likely`` and ``late`` (days as text, when the
        quota is reached; None for not within these weeks), ``until`` (the last of these weeks), ``quota_bytes``,
        ``weekly_bytes`` (mean of the last 13 weeks), ``basis`` and ``reason`` (why there is no range).

    Raises
    ------
    SchemaError
        If a column is missing, or the images do not say when they were loaded and `now` is not given.
    ValueError
        If `quota` or `now` cannot be read.

    Examples
    --------
    >>> weeks = pd.date_range("2026-11-23T13:00Z", periods=60, freq="-7D")
    >>> images = make_images(created_at=list(weeks), size_bytes=[100] * 60)
    >>> forecast = forecast_storage(images, quota=6400)
    >>> forecast.loc[[0, 4], ["week", "likely_bytes"]]
       week  likely_bytes
    0     0          6000
    4     4          6400
    >>> forecast.attrs["forecast"]["likely"]
    '2026-12-21'
    """
    with entered(images, ["created_at", "size_bytes"], "forecast_storage") as (rows, facts):
        limit, at_load = quota_of(facts, quota), now_of(facts, now, "forecast_storage")
        size, weekly = _uploads(rows, at_load)
    return _forecast(size, weekly, limit, at_load, snapshots)


def _forecast(
    size: int, weekly: Floats, limit: int | None, now: dt.datetime, snapshots: pd.DataFrame | None
) -> pd.DataFrame:
    """Make the table from the bytes in all and those that came in each week."""
    basis = UPLOADS
    if snapshots is not None:
        between = _weekly_changes(snapshots, now)
        if len(between) >= _SNAPSHOT_WEEKS:
            weekly, basis = between, SNAPSHOTS
    seen = outlook(weekly)
    parts = {
        name: np.concatenate([[0.0], getattr(seen, name)]) for name in ("low", "likely", "high")
    }
    n = len(parts["likely"]) if len(weekly) else 0
    at = pd.DatetimeIndex([now + dt.timedelta(weeks=week) for week in range(n)], tz="UTC")
    table = pd.DataFrame({"week": np.arange(n), "at": at.as_unit("us")})
    for name, added in parts.items():
        table[f"{name}_bytes"] = _in_all(size, added[:n])
    table = Summary(table)
    table.attrs["forecast"] = {
        **_dates(size, limit, now, parts, n),
        "until": f"{at[-1]:%Y-%m-%d}" if n else None,
        "quota_bytes": limit,
        "weekly_bytes": round(float(weekly[-_WINDOWS[0] :].mean())) if len(weekly) else None,
        "basis": basis,
        "reason": seen.reason,
    }
    return table


def _in_all(size: int, added: Floats) -> Any:
    known = np.isfinite(added)
    cells = [
        size + round(one) if ok else pd.NA for one, ok in zip(added.tolist(), known, strict=True)
    ]
    return pd.Series(cells, dtype=sums_dtype(cells, "Int64")).array


def _uploads(rows: nw.LazyFrame[Any], now: dt.datetime) -> tuple[int, Floats]:
    """Give the bytes in all, and those uploaded in each whole week before now, from the first one on."""
    native = rows.to_native()
    if isinstance(native, pd.DataFrame):
        size, known = total_bytes(native["size_bytes"]), native.dropna()
        ages = pd.Timestamp(now).tz_localize(None) - known["created_at"]
        days = ages.dt.total_seconds().to_numpy("float64") // 86400
        sizes = known["size_bytes"].to_numpy("int64")
    else:
        size = int(rows.select(size=summed(rows).sum()).collect().row(0)[0] or 0)
        days, sizes = _days_elsewhere(rows, now)
    if not len(days):
        return size, np.empty(0)
    weeks = np.maximum(days // 7, 0).astype(np.int64)  # Clocks differ a little: ahead is new.
    # Long before Picora an upload date is a wrong one; it must not make a row for each week since.
    weeks = np.minimum(weeks, 52 * 50)
    # In halves, for a float would round on the way what engines add up exactly.
    high, low = (
        np.bincount(weeks, weights=part.astype("float64"))
        for part in (sizes >> 32, sizes & 0xFFFFFFFF)
    )
    return size, np.asarray(high * 2.0**32 + low, dtype=np.float64)[::-1]


def _days_elsewhere(rows: nw.LazyFrame[Any], now: dt.datetime) -> tuple[Floats, Any]:
    """Let an engine add up the uploads of each whole day before now; give the days and their bytes."""
    at = nw.col("created_at").dt
    seconds = at.hour().cast(nw.Int64) * 3600 + at.minute() * 60 + at.second()
    later = seconds * 1_000_000 + at.microsecond()
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    ends = (now.replace(tzinfo=None) - midnight) // dt.timedelta(microseconds=1)
    dated = rows.drop_nulls(["created_at", "size_bytes"]).with_columns(
        later=(later > ends).cast(nw.Int64)
    )
    by_day = period_of(dated, "created_at", "day").group_by("period", "later")
    table = pd.DataFrame(
        rows_of(by_day.agg(size=summed(rows).sum())), columns=["period", "later", "size"]
    )
    whole = (pd.Timestamp(midnight) - pd.to_datetime(table["period"])).dt.days - table["later"]
    return whole.to_numpy("float64"), table["size"].to_numpy(dtype=object)


def _weekly_changes(snapshots: pd.DataFrame, now: dt.datetime) -> Floats:
    """Give what came and went in each week between the first snapshot and the last."""
    if not isinstance(snapshots, pd.DataFrame):
        raise TypeError(
            f"snapshots is a {type(snapshots).__name__}; pass what SnapshotStore.totals() gives."
        )
    missing = {"loaded_at", "size_bytes"} - set(snapshots.columns)
    if missing:
        raise SchemaError(
            f"forecast_storage needs {sorted(missing)} in snapshots; pass what SnapshotStore.totals() gives."
        )
    if len(snapshots) < 2:
        return np.empty(0)
    days = pd.to_datetime(snapshots["loaded_at"], utc=True)
    ages = np.array(
        [(now - day) / dt.timedelta(weeks=1) for day in pd.DatetimeIndex(days).to_pydatetime()]
    )
    totals = snapshots["size_bytes"].to_numpy("float64")
    order = np.argsort(-ages)
    past = -ages[order]
    since = int(np.flatnonzero(np.diff(past) > _LONGEST_GAP).max(initial=-1)) + 1
    edges = np.arange(np.ceil(past[since]), np.floor(min(past[-1], 0.0)) + 1)
    return np.asarray(np.diff(np.interp(edges, past, totals[order])), dtype="float64")


def _dates(
    size: int, limit: int | None, now: dt.datetime, parts: Mapping[str, Floats], n: int
) -> dict[str, str | None]:
    """Give the days on which the quota is reached; the high bytes reach it early."""
    found: dict[str, str | None] = dict.fromkeys(("early", "likely", "late"))
    if limit is None or not n:
        return found
    for when, name in (("early", "high"), ("likely", "likely"), ("late", "low")):
        added, room = parts[name][:n], limit - size
        if not np.isfinite(added[1:]).all():
            continue
        reached = np.flatnonzero(added >= room)
        if len(reached):
            week = int(reached[0])
            before = added[week - 1] if week else 0.0
            step = added[week] - before
            part = week - 1 + (room - before) / step if week and step > 0 else float(week)
            found[when] = f"{now + dt.timedelta(weeks=part):%Y-%m-%d}"
    return found
