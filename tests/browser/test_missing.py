"""What happens where there is no browser."""

import pytest


@pytest.mark.parametrize(
    ("ci", "outcome"),
    [
        pytest.param("", pytest.skip.Exception, id="with a person the test is skipped"),
        pytest.param("true", pytest.fail.Exception, id="in CI it fails"),
    ],
)
@pytest.mark.parametrize("there", [pytest.param(False, id="none"), pytest.param(True, id="broken")])
def test_a_missing_browser_is_said_and_how_to_get_one(
    find_browser, monkeypatch, tmp_path, ci, outcome, there
):
    named = tmp_path / "chromium"
    if there:
        named.write_text("#!/bin/sh\nexit 1\n")
        named.chmod(0o700)
    monkeypatch.setenv("PICORA_BROWSER", str(named))
    monkeypatch.setenv("CI", ci)

    with pytest.raises(outcome, match=r"name one in PICORA_BROWSER, or install Debian's with"):
        find_browser()
