"""The numbers of a report as OpenMetrics text, for Prometheus and whatever reads its format."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from picora_analytics.report.writing import look_up
from picora_analytics.times import parse_instant

__all__ = ["metrics"]


class _Metric(NamedTuple):
    """A gauge: its name, unit and help, and where in the facts its samples are, each with its labels."""

    name: str
    unit: str
    help: str
    samples: list[tuple[str, dict[str, str]]]


def metrics(facts: dict[str, Any]) -> str:
    """
    Write gauges in OpenMetrics 1.0; what is unknown has no sample, and no name or tag of a stranger is in them.

    Examples
    --------
    >>> from picora_analytics.report.facts import Asked, gather
    >>> text = metrics(gather(make_images(size_bytes=[700, 300]), Asked(quota=2000)))
    >>> print([line for line in text.splitlines() if line.startswith("picora_storage")][0])
    picora_storage_bytes{account="01234567"} 1000
    """
    whose = {"account": facts["library"]["account"] or ""}
    lines: list[str] = []
    for metric in _gauges(facts):
        samples = [
            f"{metric.name}{_labels(whose | labels)} {_number(value)}"
            for path, labels in metric.samples
            if (value := _value(facts, path)) is not None
        ]
        if samples:
            lines += [f"# TYPE {metric.name} gauge"]
            lines += [f"# UNIT {metric.name} {metric.unit}"] if metric.unit else []
            lines += [f"# HELP {metric.name} {metric.help}", *samples]
    return "\n".join([*lines, "# EOF"]) + "\n"


def _gauges(facts: dict[str, Any]) -> Iterator[_Metric]:
    one: dict[str, str] = {}
    yield _Metric("picora_images", "", "Images in the library.", [("totals.n_images", one)])
    yield _Metric(
        "picora_storage_bytes", "bytes", "Bytes of all images.", [("totals.size_bytes", one)]
    )
    yield _Metric(
        "picora_loaded_timestamp_seconds",
        "seconds",
        "When the library was read, by the service's clock.",
        [("library.loaded_at", one)],
    )
    yield _Metric(
        "picora_library_whole", "", "1 if this is the whole library.", [("library.whole", one)]
    )
    if facts["quota"]:
        yield from _of_quota(facts)
    yield _by("picora_type", "Images by media type.", "formats", "mime_type", "type", facts)
    yield _by("picora_pile", "Images that could go.", "piles", "pile", "pile", facts)
    yield _by(
        "picora_pile_bytes", "Bytes that could go.", "piles", "pile", "pile", facts, "size_bytes"
    )
    yield _Metric(
        "picora_could_save_bytes",
        "bytes",
        "Bytes that could be saved, an estimate from low to high.",
        [(f"savings_in_all.{name}_bytes", {"bound": name}) for name in ("low", "high")],
    )
    if facts["since"]:
        names = ("n_added", "n_removed", "net_bytes")
        texts = ("Images that came", "Images that went", "Bytes that came, less those that went,")
        for name, text in zip(names, texts, strict=True):
            unit = "bytes" if name == "net_bytes" else ""
            of = f"picora_since_{name.removeprefix('n_')}"
            yield _Metric(of, unit, f"{text} since the earlier load.", [(f"since.{name}", one)])
    if facts["references"]:
        yield _Metric(
            "picora_references",
            "",
            "Images by what a search in one's own pages says.",
            [
                (f"references.n_{word}", {"status": word.replace("_", " ")})
                for word in ("found", "found_before", "not_found", "not_looked")
            ],
        )
        yield _Metric(
            "picora_dangling",
            "",
            "Addresses in one's own pages that lead to no image.",
            [("references.n_dangling", one)],
        )


def _of_quota(facts: dict[str, Any]) -> Iterator[_Metric]:
    yield _Metric("picora_quota_bytes", "bytes", "The plan.", [("quota.size_bytes", {})])
    yield _Metric("picora_quota_used_ratio", "ratio", "In use.", [("quota.used_share", {})])
    yield _Metric("picora_quota_free_bytes", "bytes", "Free.", [("quota.free_bytes", {})])
    if facts["forecast"]:
        yield _Metric(
            "picora_full_timestamp_seconds",
            "seconds",
            "When the quota is reached, by the library's own past.",
            [
                (f"forecast.full_{bound}_at", {"bound": bound})
                for bound in ("early", "likely", "late")
            ],
        )
        yield _Metric(
            "picora_weekly_bytes",
            "bytes",
            "Bytes a week, of late.",
            [("forecast.weekly_bytes", {})],
        )


def _by(
    name: str,
    text: str,
    rows: str,
    key: str,
    label: str,
    facts: dict[str, Any],
    value: str = "n_images",
) -> _Metric:
    # A media type is a stranger's text as well, unless it looks like one.
    known = [
        (i, row[key])
        for i, row in enumerate(facts[rows])
        if re.fullmatch(r"[a-z0-9.+/-]{1,60}", row[key] or "")
    ]
    unit = "bytes" if value.endswith("_bytes") else ""
    return _Metric(name, unit, text, [(f"{rows}.{i}.{value}", {label: one}) for i, one in known])


def _value(facts: dict[str, Any], path: str) -> Any:
    value = look_up(facts, path)
    return parse_instant(value).timestamp() if isinstance(value, str) else value


def _number(value: Any) -> str:
    return repr(float(value)) if isinstance(value, float) else f"{int(value)}"


def _labels(labels: dict[str, str]) -> str:
    parts = (
        f'{name}="{value}"'
        for name, text in labels.items()
        if (value := re.sub(r"[^\w .+/-]", "", text, flags=re.ASCII))
    )
    inside = ",".join(parts)
    return f"{{{inside}}}" if inside else ""
