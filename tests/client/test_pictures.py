"""Which addresses of pictures are asked, whoever gave them."""

import pytest

from picora_analytics.client.pictures import picture_url


@pytest.mark.parametrize(
    ("text", "local", "asked"),
    [
        pytest.param("https://img.picora.com/a.png", False, True, id="a public picture"),
        pytest.param("https://img.picora.com/a.png?sig=x&exp=1", False, True, id="a signed one"),
        pytest.param("http://img.picora.com/a.png", False, False, id="unencrypted"),
        pytest.param("http://127.0.0.1:8080/a.png", True, True, id="this machine's own service"),
        pytest.param("http://127.0.0.1:8080/a.png", False, False, id="another's, leading here"),
        pytest.param("https://localhost/a.png", False, False, id="another's, leading here by name"),
        pytest.param("http://img.picora.com/a.png", True, False, id="unencrypted and elsewhere"),
        pytest.param("https://me:secret@img.picora.com/a.png", False, False, id="a password"),
        pytest.param("ftp://img.picora.com/a.png", False, False, id="another protocol"),
        pytest.param("/a.png", False, False, id="no host"),
        pytest.param("https://img.picora.com:x/a.png", False, False, id="no address"),
        pytest.param("https://xn--a/a.png", False, False, id="a broken name"),
    ],
)
def test_only_honest_addresses_are_asked(text, local, asked):
    assert (picture_url(text, local=local) is not None) is asked
