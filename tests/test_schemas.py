"""What is written as JSON fits the schemas that ship in the package."""

import importlib.resources
import json

import jsonschema
import pytest

import picora_analytics as pic

FOLDER = importlib.resources.files("picora_analytics") / "schemas"
NAMES = ("plan", "receipt", "references", "report")


def _validate(text, name):
    document = json.loads(text)
    schema = json.loads((FOLDER / f"{name}.schema.json").read_text(encoding="utf-8"))
    jsonschema.validators.Draft202012Validator.check_schema(schema)
    jsonschema.validate(document, schema)
    return document, schema


def test_there_is_a_schema_of_each_document():
    found = sorted(file.name.removesuffix(".schema.json") for file in FOLDER.iterdir())

    assert found == sorted(NAMES)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Write one document of each kind, from a demo with all there is to say."""
    folder = tmp_path_factory.mktemp("written")
    with pic.DemoServer(n_images=300) as server, pic.Client(server.api_key, server.url) as client:
        for _ in range(2):
            images = pic.load_images(client, store=folder / "store", progress=False)
        references = pic.find_references(
            images, server.write_site(folder / "site").folder, git=folder / "site", progress=False
        )
        references.write(folder / "references.json")
        mask = pic.rules.older_than(images, days=730) & pic.rules.untagged(images)
        plan = pic.plan_deletion(
            images,
            {"old": mask, "twice": pic.rules.duplicated(images)},
            reason="to see",
            protect=["blog"],
        )
        plan.save(folder / "plan.json")
        plan.dry_run(client).write(folder / "dry-run.json")
        plan.hide(client, plan.hiding_confirmation).write(folder / "hidden.json")
        before = images.iloc[5:]
        before.attrs["picora"] = images.attrs["picora"] | {
            "loaded_at": "2026-11-16T14:00:00Z",
            "n_images": len(before),
        }
        report = pic.StorageReport(
            images, previous=before, references=references, client=client, code="python"
        )
    (folder / "report.json").write_text(report.to_json(), encoding="utf-8")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("plan", "plan"),
        ("dry-run", "receipt"),
        ("hidden", "receipt"),
        ("references", "references"),
        ("report", "report"),
    ],
)
def test_a_document_fits_its_schema_and_nothing_is_said_beside_it(written, file, name):
    text = (written / f"{file}.json").read_text(encoding="utf-8")
    document, schema = _validate(text, name)

    assert schema["properties"]["format"]["const"] == document["format"]
    assert schema["properties"]["version"]["const"] == document["version"]
    # A key that the schema does not know, or one that is gone, is seen.
    for wrong in (document | {"more": 1}, {k: v for k, v in document.items() if k != "version"}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema)


@pytest.mark.parametrize(
    ("columns", "quota"),
    [
        ({"tags": []}, None),
        ({"tags": []}, "1 MiB"),
        ({"tags": [()]}, "5 GB"),
        ({"size_bytes": [10, None], "created_at": [None, "2020-01-01"]}, "10 B"),
        (
            {
                name: [None, None]
                for name in ("filename", "size_bytes", "width", "is_public", "tags", "created_at")
            },
            "1 GiB",
        ),
    ],
    ids=["nothing", "nothing of a quota", "one", "over", "all missing"],
)
@pytest.mark.slow
def test_the_report_of_an_odd_library_fits_the_schema(make_images, columns, quota):
    images = make_images(**columns)

    document, _ = _validate(pic.StorageReport(images, quota=quota).to_json(), "report")

    assert document["totals"]["n_images"] == len(images)
