"""
Prove that decisions and a review survive a spreadsheet: opened and saved by a real LibreOffice, without a screen.

Run by `make prove`; prints its figures, and ends with an error where a row is lost, changed or made up. Where there is
no LibreOffice it says so and proves nothing. A note
that looks like a date is one to a spreadsheet, and a tab in it is lost.
"""

import csv
import io
import random
import shutil
import subprocess
import tempfile
from pathlib import Path

import pandas as pd

import picora_analytics as pic
from picora_analytics.cleanup.plan.review import read_review, write_review
from picora_analytics.decisions import read_rows

ALPHABET = "ABab019_-"
ODD = ("-T40cZpLq8x", "=1+1=1+1=1+", "1e234567890", "00000000012", "MAR-1234567", "12-11-20245")
TEXTS = (
    "",
    "for the talk",
    "=1+1",
    "+49 30 1234",
    "Müller & Söhne",
    "a;b,c",
    'say "yes"',
)
FAR = ("秋天的山谷", "\N{SPARKLES} new", "Łódź")  # What Windows' code page does not have.
# LibreOffice's own numbers: of a separator's letter, and of an encoding.
SEPARATORS = {"commas": 44, "semicolons": 59, "tabs": 9}
ENCODINGS = {"UTF-8": 76, "UTF-16": 65535, "Windows-1252": 1}
CSV = "Text - txt - csv (StarCalc)"


def opened_and_saved(source: Path, folder: Path, separator: int, encoding: int) -> Path:
    """Open a CSV file, numbers and dates recognized as a double click does, keep it as a sheet, and save it as CSV."""
    folder.mkdir()
    _convert(source, folder, "ods", f"--infilter={CSV}:44,34,76,1,,0,false,true")
    sheet = folder / f"{source.stem}.ods"
    _convert(sheet, folder, f"csv:{CSV}:{separator},34,{encoding},1,,0,false,true")
    return folder / source.name


def _convert(source: Path, folder: Path, into: str, *options: str) -> None:
    with tempfile.TemporaryDirectory() as profile:
        command = ["soffice", f"-env:UserInstallation=file://{profile}", "--headless", *options]
        command += ["--convert-to", into, "--outdir", str(folder), str(source)]
        subprocess.run(command, check=True, capture_output=True, timeout=300)
    if not list(folder.glob(f"*.{into.split(':')[0]}")):
        raise AssertionError(f"LibreOffice made no {into} of {source}")


def decisions(n: int, rng: random.Random, texts: tuple[str, ...]) -> pd.DataFrame:
    """Draw decisions whose ids and notes a spreadsheet may take for something else."""
    ids = list(dict.fromkeys([*ODD, *("".join(rng.choices(ALPHABET, k=11)) for _ in range(n))]))
    rows = [
        {
            "id": one,
            "decision": rng.choice(("keep", "delete", "hidden")),
            "until": rng.choice(("", "2027-01-31", "2027-11-12")),
            "by": rng.choice(("mia", "0123", "TRUE")),
            "note": rng.choice(texts),
            "decided_at": rng.choice(("", "2026-11-23T14:00:00Z")),
            "filename": f"{number}.png",
            "url": f"https://img.picora.com/{one}.png",
        }
        for number, one in enumerate(ids)
    ]
    return pd.DataFrame(rows)


def said(file: Path) -> list[tuple[str, ...]]:
    """Give what a file of decisions says, row by row."""
    table = pic.read_decisions(file)
    return list(
        table[["id", "decision", "until", "note", "filename", "url"]].itertuples(
            index=False, name=None
        )
    )


def prove_decisions(room: Path, n: int) -> int:
    """Send decisions through LibreOffice in each encoding and with each separator, and compare every row."""
    rng, n_rows = random.Random(13), 0
    for name, encoding in ENCODINGS.items():
        texts = TEXTS if name == "Windows-1252" else TEXTS + FAR
        for separator, number in SEPARATORS.items():
            folder = room / f"{name} {separator}"
            folder.mkdir()
            pic.write_decisions(decisions(n, rng, texts), folder / "decisions.csv")
            before = said(folder / "decisions.csv")

            back = opened_and_saved(folder / "decisions.csv", folder / "saved", number, encoding)

            after = said(back)
            wrong = [pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]]
            assert not wrong, (name, separator, wrong[0])
            n_rows += len(after)
    return n_rows


def prove_review(room: Path) -> int:
    """Strike lines out of a review that LibreOffice saved; those are kept, and no other image is."""
    with pic.DemoServer(300) as server, pic.Client(server.api_key, server.url) as client:
        images = pic.load_images(client, store=None, progress=False)
    plan = pic.plan_deletion(images, pic.suggest(images, pile="old"), max_fraction=1)
    review = write_review(plan, room / "review.csv")
    for separator, number in SEPARATORS.items():
        back = opened_and_saved(review, room / separator, number, ENCODINGS["UTF-8"])
        columns, rows, _ = read_rows(back, "review")
        struck = {row["id"].removeprefix("'") for _, row in rows[::3]}
        text = io.StringIO()
        writer = csv.DictWriter(text, columns)
        writer.writeheader()
        writer.writerows(row for place, (_, row) in enumerate(rows) if place % 3)
        back.write_text(text.getvalue(), encoding="utf-8")
        shutil.copyfile(f"{review}.plan.json", f"{back}.plan.json")

        found = read_review(back)

        assert set(found.struck.index) == struck, separator
        assert set(found.plan.images.index) == set(plan.images.index) - struck, separator
        assert found.lines == [], found.lines
    return len(plan.images)


def main() -> None:
    """Prove both, or say that there is nothing to prove it with."""
    if shutil.which("soffice") is None:
        print(
            "SKIPPED: there is no LibreOffice here (apt install libreoffice-calc); nothing was proved"
        )
        return
    with tempfile.TemporaryDirectory() as folder:
        room = Path(folder)
        n_rows = prove_decisions(room, 300)
        print(
            f"{n_rows:,} decisions opened and saved by LibreOffice, {len(ENCODINGS)} encodings and {len(SEPARATORS)} "
            "separators: each is read again as it was"
        )
        n_images = prove_review(room)
        print(
            f"a review of {n_images:,} rows, a third struck out, {len(SEPARATORS)} separators: only those are kept"
        )


if __name__ == "__main__":
    main()
