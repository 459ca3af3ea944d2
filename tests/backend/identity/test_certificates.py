from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from backend.identity.certificates import TrustedCas, load_certificate
from backend.identity.errors import NoTrustError


def test_the_generation_of_a_ca_is_the_name_of_its_file(jpki_world: Any) -> None:
    assert set(jpki_world.cas.by_generation) == {"g2015", "g2019", "g2023", "next"}


def test_three_generations_share_one_name_and_are_told_apart_by_key(jpki_world: Any) -> None:
    cas = [jpki_world.cas.by_generation[name] for name in ("g2015", "g2019", "g2023")]
    assert len({ca.certificate.subject for ca in cas}) == 1
    assert len({ca.key_id for ca in cas}) == 3
    for ca in cas:
        card = jpki_world.card(ca.generation).card
        found = jpki_world.cas.issuer_of(load_certificate(card.user_certificate))
        assert found is ca


def test_without_any_trusted_ca_nothing_begins(tmp_path: Path) -> None:
    with pytest.raises(NoTrustError, match=r"no trusted CA certificate in .*world load"):
        TrustedCas.load(tmp_path)
    with pytest.raises(NoTrustError, match="no trusted CA"):
        TrustedCas.load(tmp_path / "nowhere")


def test_a_file_that_is_no_certificate_is_named(tmp_path: Path) -> None:
    (tmp_path / "g2023.pem").write_text("rubbish")
    with pytest.raises(NoTrustError, match=r"g2023\.pem is not a CA certificate"):
        TrustedCas.load(tmp_path)


def test_a_persons_certificate_cannot_become_a_ca(tmp_path: Path, jpki_world: Any) -> None:
    der = jpki_world.card().card.user_certificate
    (tmp_path / "g2023.pem").write_bytes(load_certificate(der).public_bytes(Encoding.PEM))
    with pytest.raises(NoTrustError, match="not of a CA"):
        TrustedCas.load(tmp_path)
