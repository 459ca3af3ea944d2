import stat
from datetime import date, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import text

from backend.database import transaction
from dedicated_line.contract import canonical, cose, seal
from dedicated_line.contract.issuing import Composed
from dedicated_line.contract.key_list import KeyUse, trusted_key
from dedicated_line.contract.keys import Purpose
from dedicated_line.contract.kinds import Options
from dedicated_line.contract.residence import page_digest
from printers.pages.service import draw
from printers.seal.service import verify_seal


def test_the_header_says_what_was_ordered_and_commits_to_the_content(
    town: Any, records: Any
) -> None:
    town.settle(records.family())
    word = town.word()
    order = town.everybody(word=word, copies=2, options=Options(relationship=True))
    opened = town.compose(order)
    header = opened.header
    assert (header.municipality, header.order, header.session, header.kiosk) == (
        "352012",
        order.order,
        word.session,
        "k000001",
    )
    assert (header.members, header.copies, header.sheets) == (2, 2, 1)
    assert header.options == Options(relationship=True)
    assert header.layout == town.layout == opened.content.document.layout
    assert header.holder == canonical.digest(word.holder.user_certificate)
    assert header.issues == tuple(copy.number for copy in opened.content.copies)
    assert len(set(header.issues)) == 2
    assert header.record_version == 1
    assert header.register_as_of == header.sealed_at == town.now
    assert header.attested_on == date(2026, 6, 15)
    assert header.content == canonical.digest(opened.plain)


def test_every_page_of_every_copy_has_a_seal_that_verifies_by_the_published_list(
    town: Any, records: Any
) -> None:
    people = [records.resident()] + [
        records.resident(f"child-{n}", name=f"見本　{n}子", relationship="子") for n in range(6)
    ]
    town.settle([records.municipality(), records.household(), *people])
    opened = town.compose(town.everybody(copies=2))
    sheets, copies = opened.sheets, opened.content.copies
    assert [len(sheet.persons) for sheet in sheets] == [4, 3]
    assert [(sheet.sheet, sheet.sheets) for sheet in sheets] == [(1, 2), (2, 2)]
    salts = {page.salt for copy in copies for page in copy.pages}
    assert len(salts | {opened.content.salt}) == 5
    for copy in copies:
        digests = [
            bytes.fromhex(page_digest(page.salt, sheet))
            for page, sheet in zip(copy.pages, sheets, strict=True)
        ]
        for place, page in enumerate(copy.pages, start=1):
            claims = verify_seal(seal.to_qr_text(page.seal), opened.keys)
            assert claims.number == copy.number
            assert (claims.page, claims.pages) == (place, 2)
            assert claims.page_digest == digests[place - 1]
            assert claims.set_digest == seal.set_digest(digests)
            assert claims.salt == page.salt
            assert claims.attested_on == date(2026, 6, 15)
            assert claims.specimen


def test_what_is_sealed_can_be_drawn_at_the_kiosk(town: Any, records: Any) -> None:
    town.settle(records.family())
    opened = town.compose(town.everybody())
    drawn = draw(opened.content.document, opened.content.copies[0])
    assert len(drawn.pages) == 1


def test_envelope_key_and_seal_key_never_stand_in_for_each_other(town: Any, records: Any) -> None:
    town.settle(records.family())
    opened = town.compose(town.order())
    page = opened.content.copies[0].pages[0]
    assert cose.read(page.seal).key_id == "352012-seal-1"
    assert cose.read(opened.composed.header).key_id == "352012-envelope-1"
    with pytest.raises(ValueError, match="trusted"):
        trusted_key(opened.keys, "352012-seal-1", KeyUse.ENVELOPE, "352012", town.now)
    key = trusted_key(opened.keys, "352012-seal-1", KeyUse.SEAL, "352012", town.now)
    with pytest.raises(ValueError, match="signed for"):
        cose.verify(cose.read(page.seal), key, Purpose.ENVELOPE)


def test_the_same_order_gets_the_same_answer_and_no_second_number(town: Any, records: Any) -> None:
    town.settle(records.family())
    order = town.order()
    first = town.ask(order)
    town.clock.move(minutes=5)
    assert town.ask(order).data == first.data
    with transaction(town.engine) as connection:
        assert connection.execute(text("SELECT count(*) FROM issue")).scalar_one() == 1


def test_an_order_id_with_another_body_is_refused(town: Any, records: Any) -> None:
    town.settle(records.family())
    town.compose(town.order())
    answer = town.ask(town.order(copies=2))
    assert (answer.status_code, answer.json["code"]) == (409, "key-reused")


def test_the_same_body_from_another_kiosk_is_another_order(town: Any, records: Any) -> None:
    town.settle(records.family())
    order = town.order()
    town.compose(order)
    elsewhere = order.model_copy(update={"card": town.word(kiosk="k000002")})
    assert town.ask(elsewhere).json["code"] == "key-reused"


def test_a_repeated_order_is_gone_once_its_ciphertext_is_deleted(town: Any, records: Any) -> None:
    town.settle(records.family())
    order = town.order()
    town.compose(order)
    town.clock.move(minutes=61)
    town.compose(town.order(order="02" * 16))
    answer = town.ask(order)
    assert (answer.status_code, answer.json["code"]) == (410, "gone")


def test_an_order_signed_by_another_key_is_refused(town: Any, records: Any) -> None:
    town.settle(records.family())
    answer = town.ask(town.order(key=ec.generate_private_key(ec.SECP256R1())))
    assert (answer.status_code, answer.json["code"]) == (403, "bad-signature")


def test_an_order_of_another_session_is_refused(town: Any, records: Any) -> None:
    town.settle(records.family())
    answer = town.ask(town.order(session="cd" * 16))
    assert (answer.status_code, answer.json["code"]) == (403, "bad-signature")


def test_a_changed_body_is_refused(town: Any, records: Any) -> None:
    town.settle(records.family())
    order = town.order()
    changed = order.order_body.replace(b'"copies":1', b'"copies":2')
    answer = town.ask(order.model_copy(update={"order_body": changed}))
    assert answer.json["code"] == "bad-signature"


def test_member_handles_of_another_session_are_refused(town: Any, records: Any) -> None:
    town.settle(records.family())
    other = town.members(town.word(session="cd" * 16))
    assert {member.handle for member in other}.isdisjoint(
        member.handle for member in town.members()
    )
    answer = town.ask(town.order(other[1].handle))
    assert (answer.status_code, answer.json["code"]) == (403, "bad-signature")


def test_a_member_of_another_household_is_refused(town: Any, records: Any) -> None:
    neighbour = records.resident("jiro", household="h-2", name="例示　次郎")
    town.settle([*records.family(), records.household("h-2", "jiro"), neighbour])
    town.link("jiro", "g2019")
    handle = town.members(town.word("g2019"))[0].handle
    assert town.ask(town.order(handle)).json["code"] == "bad-signature"


def test_a_member_named_twice_is_refused(town: Any, records: Any) -> None:
    town.settle(records.family())
    handle = town.members()[0].handle
    assert town.ask(town.order(handle, handle)).json["code"] == "bad-signature"


def test_a_swapped_certificate_is_refused(town: Any, records: Any) -> None:
    town.settle(records.family())
    mine, other = town.word(), town.word("g2019")
    swapped = mine.model_copy(
        update={
            "holder": mine.holder.model_copy(
                update={"user_certificate": other.holder.user_certificate}
            )
        }
    )
    order = town.order().model_copy(update={"card": swapped})
    assert town.refusal(order) == "card-not-confirmed"


def test_swapped_session_keys_are_refused(town: Any, records: Any) -> None:
    town.settle(records.family())
    word = town.word()
    swapped = word.model_copy(
        update={"holder": word.holder.model_copy(update={"receiving_key": word.holder.signing_key})}
    )
    assert town.refusal(town.order().model_copy(update={"card": swapped})) == "card-not-confirmed"


def test_nothing_is_sealed_with_a_key_that_the_list_does_not_trust_any_more(
    town: Any, records: Any
) -> None:
    town.settle([records.municipality(stale_after_hours=8784), *records.family()[1:]])
    town.compose(town.order())
    town.clock.move(days=365)
    assert town.refusal(town.order(order="02" * 16)) == "unavailable"
    assert town.reasons() == ["no-signing-key"]


def test_private_keys_are_readable_by_their_owner_alone(town: Any) -> None:
    places = town.places
    for file in [places.root, *(places.of("352012", use) for use in KeyUse)]:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_confirmation_holds_while_nothing_changes(town: Any, records: Any) -> None:
    town.settle(records.family())
    opened = town.compose(town.order())
    town.load(records.family())
    answer = town.confirm()
    assert answer.json == {"unchanged": True, "record_version": opened.header.record_version}


@pytest.mark.parametrize(
    "change",
    [
        {"protected": True},
        {"deceased_on": "2026-06-14"},
        {"moved_out_on": "2026-06-20"},
        {"moving": True},
        {"being_edited": True},
        {"name": "例示　太郎"},
    ],
)
def test_any_change_between_order_and_release_is_told(
    town: Any, records: Any, change: dict[str, Any]
) -> None:
    town.settle(records.family())
    opened = town.compose(town.order())
    town.load(records.family(**change))
    answer = town.confirm().json
    assert not answer["unchanged"]
    assert answer["record_version"] > opened.header.record_version


def test_a_household_that_is_no_more_is_a_change(town: Any, records: Any) -> None:
    town.settle(records.family())
    town.compose(town.order())
    town.load([records.municipality()])
    assert town.confirm().json["unchanged"] is False


def test_a_copy_that_grew_stale_is_a_change(town: Any, records: Any) -> None:
    town.settle(records.family())
    town.compose(town.order())
    town.clock.move(hours=25)
    assert town.confirm().json["unchanged"] is False


def test_an_order_that_was_never_sealed_cannot_be_confirmed(town: Any, records: Any) -> None:
    town.settle(records.family())
    town.compose(town.order())
    for answer in (town.confirm("02" * 16), town.confirm(municipality="352021")):
        assert (answer.status_code, answer.json["code"]) == (404, "unknown-order")


def test_two_kiosks_with_the_same_order_at_once_get_one_effect(town: Any, records: Any) -> None:
    from concurrent.futures import ThreadPoolExecutor

    from backend.issuer.sealing.service import compose

    town.settle(records.family())
    order = town.order()
    with ThreadPoolExecutor(4) as pool:
        answers = set(pool.map(lambda _: compose(town.issuer, order).to_json(), range(4)))
    assert len(answers) == 1
    assert town.open(Composed.model_validate_json(answers.pop())).header.order == order.order


def test_attested_is_the_tokyo_date_at_sealing(town: Any, records: Any) -> None:
    town.clock.move(hours=12)  # 2026-06-16 00:00 in Tokyo, still the 15th in UTC
    town.settle(records.family())
    opened = town.compose(town.order())
    assert opened.header.attested_on == date(2026, 6, 16)
    assert opened.sheets[0].attested_on == "令和8年6月16日"
    assert opened.header.sealed_at == town.now
    assert town.now.date() + timedelta(days=1) == opened.header.attested_on
