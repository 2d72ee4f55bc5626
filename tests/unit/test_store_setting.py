"""Which store the settings name."""

import sys
from pathlib import Path

import pytest

from tocsin.config import load
from tocsin.errors import ConfigError
from tocsin.node.store import care_of


def test_a_store_that_there_is_none_of_is_refused_without_telling_its_password() -> None:
    with pytest.raises(ConfigError, match="postgresql://USER") as refused:
        load({"store": "mysql://ann:s3cret@host/tocsin"})
    assert "s3cret" not in refused.value.detail


def test_the_url_of_a_store_is_in_no_text_of_the_settings() -> None:
    settings = load({"store": "postgresql://ann:s3cret@host/tocsin"})
    assert settings.store is not None
    assert settings.store.get_secret_value().endswith("host/tocsin")
    assert "s3cret" not in repr(settings)


def test_without_the_driver_it_is_said_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tocsin.adapters.postgres.care", None)
    settings = load({"store": "postgresql://host/tocsin", "data_dir": tmp_path})
    with pytest.raises(ConfigError, match=r"pip install 'tocsin\[postgres\]'"):
        care_of(settings)
