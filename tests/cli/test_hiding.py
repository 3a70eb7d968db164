"""Hiding before deleting, and the way back, as a person types them."""

import dataclasses
import re

import picora_analytics as pic
from picora_analytics import DemoServer


def shapes(service):
    return {one: dataclasses.replace(image, updated_at=0) for one, image in service.images.items()}


def typed_after(word, done):
    """Give the line that a dry run says to type."""
    return re.search(rf"To {word} +picora-analytics (.+)", done.stdout)[1].split()


def test_hide_and_unhide_from_the_shell(run, tmp_path):
    with DemoServer(40, rate_scale=None) as service:
        with pic.Client(service.api_key, service.url) as client:
            images = pic.load_images(client, store=None, progress=False)
        ids = list(images.index[images["is_public"]][:5])
        pic.plan_deletion(images, ids, reason="x", max_fraction=1).save(tmp_path / "plan.json")
        before = shapes(service)

        rehearsed = run("hide", "plan.json", "--decisions", "d.csv", server=service)
        assert rehearsed.returncode == 0, rehearsed.stderr
        wrong = run("hide", "plan.json", "--confirm", "5-123456789abc", server=service)
        assert wrong.returncode == 1
        assert shapes(service) == before
        done = run(*typed_after("hide", rehearsed), "-o", "receipt.json", server=service)
        assert done.returncode == 0, done.stderr
        assert "5 images hidden" in done.stdout
        assert len(pic.read_decisions(tmp_path / "d.csv")) == 5
        journal = "plan.hide.journal.ndjson"
        assert run("apply", journal, "--resume", server=service).returncode == 1

        rehearsed = run("unhide", "d.csv", f"--id={ids[0]}", server=service)
        assert run(*typed_after("show", rehearsed), server=service).returncode == 0
        assert service.images[ids[0]].is_public
        undone = re.search(r"To show again: picora-analytics (.+)", done.stdout)[1].split()
        assert undone == ["unhide", journal]
        rehearsed = run(*undone, server=service)
        assert run(*typed_after("show", rehearsed), server=service).returncode == 0
        assert shapes(service) == before
        assert run("unhide", "receipt.json", server=service).returncode == 0
        assert run("unhide", "plan.json", server=service).returncode == 1
        assert not service.deleted
