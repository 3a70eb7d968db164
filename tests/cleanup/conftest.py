"""What the tests of a cleanup share: a service, its client, and a plan read as a person reads it."""

import re

import pytest

import picora_analytics as pic
from picora_analytics import DemoServer


@pytest.fixture(params=["current", "seed-only"])
def service(request):
    with DemoServer(
        n_images=250, seed_only=request.param == "seed-only", rate_scale=1000
    ) as server:
        yield server


@pytest.fixture
def client(service):
    with pic.Client(service.api_key, service.url) as made:
        yield made


@pytest.fixture(scope="session")
def make_plan():
    """Plan the first images, or what `choice` picks from the ids."""

    def make(client, n=7, choice=None, **options):
        images = pic.load_images(client, store=None, progress=False)
        ids = list(images.index[:n]) if choice is None else choice(images)
        return pic.plan_deletion(images, ids, **({"reason": "a test", "max_fraction": 1} | options))

    return make


@pytest.fixture(scope="session")
def typed():
    """Give the phrase as a person would have read it off the preview."""

    def read(plan):
        return re.search(r'confirm="([^"]+)"', repr(plan))[1]

    return read


@pytest.fixture(scope="session")
def gone():
    """Give the ids the service itself deleted, in its order."""
    return lambda service: [one.id for one in service.deleted]


@pytest.fixture(scope="session")
def changing():
    """Give the requests that were not mere reads."""
    return lambda service: [request for request in service.requests if request.method != "GET"]
