import json
from typing import Any

import pytest

from backend.issuer.register.lines import LINE
from backend.issuer.register.model import is_individual_number
from backend.issuer.register.service import ImportReport, import_records, link_card, summaries
from backend.issuer.register.vault import MasterKeyError, Vault
from dedicated_line.clock import SystemEntropy
from dedicated_line.errors import UsageError

BAD_RESIDENTS = [
    ({"unheard_of": 1}, "unheard_of"),
    ({"birth_date": "昭和45年4月1日"}, "birth_date"),
    ({"birth_date": "1872-12-31"}, "1873"),
    ({"birth_date": "2026-06-16", "became_resident": "2026-06-16"}, "future"),
    ({"became_resident": "1970-03-31"}, "before birth_date"),
    ({"individual_number": "123456789010"}, "check digit"),
    ({"resident_record_code": "1234567890"}, "resident_record_code"),
    ({"name": "か\u3099　太郎"}, "normal form C"),
    ({"name": "見本\u0000太郎"}, "control character"),
    ({"name": " 見本"}, "white space"),
    ({"name": ""}, "name"),
    ({"sex": "男"}, "sex"),
    ({"protected": "yes"}, "protected"),
    ({"domicile": None}, "domicile"),
    ({"foreign": {"nationality": "見本国", "status": "special-permanent"}}, "no registered"),
    ({"roman_name": "MIHON TARO"}, "only foreign"),
    ({"household": "h-9"}, "household"),
    ({"municipality": "352021"}, "no line of it"),
    ({"municipality": "352011"}, "check digit"),
]


@pytest.mark.parametrize(("change", "word"), BAD_RESIDENTS)
def test_a_line_that_does_not_hold_is_refused_with_its_reason_and_without_its_values(
    town: Any, records: Any, change: dict[str, Any], word: str
) -> None:
    report = town.load([*records.family(), records.resident("third", **change)])
    assert report.accepted == 4
    ((number, reason),) = report.refused
    assert number == 5
    assert word in reason
    assert "見本" not in reason


@pytest.mark.parametrize(
    "text", [b"{", b"[]", b'"resident"', b'{"type":"ghost"}', b"\xff\xfe", b"1"]
)
def test_a_line_whose_owner_cannot_be_told_takes_nobody_out(
    town: Any, records: Any, text: bytes
) -> None:
    town.settle(records.family())
    smaller = [*records.lines(records.family()[:3]), text]
    report = import_records(town.engine, smaller, town.vault, town.now)
    assert report.removed == 0
    assert [number for number, _ in report.refused] == [4]
    assert town.refusal(town.everybody()) == "counter"
    assert town.reasons() == ["household-incomplete"]
    whole = town.load(records.family()[:3])
    assert whole.removed == 1
    assert len(town.members()) == 1


def test_loading_again_changes_nothing_but_the_freshness(town: Any, records: Any) -> None:
    town.settle(records.family())
    before = town.compose(town.order()).header
    town.clock.move(hours=1)
    assert town.load(records.family()) == ImportReport(accepted=4, refused=())
    after = town.compose(town.order(order="02" * 16)).header
    assert after.record_version == before.record_version
    assert after.register_as_of == town.now


def test_a_change_gives_the_household_a_new_version_and_no_other(town: Any, records: Any) -> None:
    neighbour = [
        records.household("h-2", "jiro"),
        records.resident("jiro", household="h-2", name="例示　次郎"),
    ]
    town.settle([*records.family(), *neighbour])
    town.link("jiro", "g2019")
    report = town.load([*records.family(relationship="夫"), *neighbour])
    assert (report.households, report.residents, report.removed) == (1, 1, 0)
    assert town.compose(town.order()).header.record_version == 2
    other = town.compose(town.order(word=town.word("g2019"), order="02" * 16))
    assert other.header.record_version == 1


def test_a_resident_who_moves_to_another_household_is_there_and_only_there(
    town: Any, records: Any
) -> None:
    town.settle(records.family(), holder="hanako")
    town.load(
        [
            *records.family()[:3],
            records.household("h-2", "hanako"),
            records.resident("hanako", household="h-2", name="見本　花代"),
        ]
    )
    assert [member.name for member in town.members()] == ["見本　花代"]


def test_an_older_copy_never_replaces_a_newer_one(town: Any, records: Any) -> None:
    new = records.municipality(register_as_of="2026-06-15T09:00:00+09:00")
    old = records.municipality(register_as_of="2026-06-14T09:00:00+09:00")
    town.settle([new, *records.family(protected=True)[1:]])
    report = town.load([old, *records.family()[1:]])
    assert report.accepted == 0
    assert "older than what is loaded" in report.refused[0][1]
    assert town.refusal(town.order()) == "counter"


def test_a_copy_of_the_future_is_refused(town: Any, records: Any) -> None:
    report = town.load([records.municipality(register_as_of="2026-06-16T12:00:00+09:00")])
    assert "future" in report.refused[0][1]


def test_a_householder_must_be_of_the_household(town: Any, records: Any) -> None:
    report = town.load(
        [records.municipality(), records.household("h-1", "nobody"), records.resident()]
    )
    assert (report.accepted, report.refused) == (
        2,
        ((2, "householder: is no resident of this household"),),
    )


def test_the_same_id_twice_is_refused_the_second_time(town: Any, records: Any) -> None:
    one, two = records.municipality(), records.household()
    report = town.load([one, one, two, two, records.resident(), records.resident()])
    assert [number for number, _ in report.refused] == [2, 4, 6]


def test_empty_lines_are_no_lines(town: Any, records: Any) -> None:
    spaced = b"\n\n".join(records.lines(records.family())).split(b"\n")
    assert import_records(town.engine, spaced, town.vault, town.now).accepted == 4


def test_a_card_of_nobody_cannot_be_linked(town: Any, records: Any) -> None:
    town.load(records.family())
    with pytest.raises(UsageError, match="import it first"):
        link_card(town.engine, "352012", "nobody", "g2023", 1, vault=town.vault)


def test_a_new_link_of_a_certificate_replaces_the_old(town: Any, records: Any) -> None:
    town.settle(records.family())
    town.link("hanako")
    assert town.members()[0].name == "見本　花代"


def test_the_summary_counts_and_names_nobody(town: Any, records: Any) -> None:
    town.settle(records.family())
    (summary,) = summaries(town.engine, town.vault, town.now)
    assert (summary.households, summary.residents, summary.fresh) == (1, 2, True)


def test_no_personal_value_lies_in_clear_in_any_file(town: Any, records: Any) -> None:
    town.settle(records.family(protected=True, former_address="山口県架空市例示一丁目2番3号"))
    town.refusal(town.order())
    town.load(records.family(former_address="山口県架空市例示一丁目2番3号"))
    town.compose(town.order(order="02" * 16))
    town.engine.dispose()
    files = [path for path in town.folder.rglob("*") if path.is_file()]
    assert town.folder / "issuer.db" in files
    for value in (
        "見本　太郎",
        "ミホン",
        "見本町",
        "例示",
        "123456789018",
        "12345678901",
        "1970-04-01",
    ):
        for form in (
            value.encode(),
            json.dumps(value).strip('"').encode(),
            value.encode("utf-16-le"),
        ):
            assert all(form not in path.read_bytes() for path in files), value
    for reason in (b'"protected"', b"true"):
        assert reason not in (town.folder / "issuer.db").read_bytes()


def _put_in_place_of(table: str, row: str, other: str) -> str:
    return (
        f"UPDATE {table} SET sealed = (SELECT sealed FROM {table} WHERE id = '{other}') "  # noqa: S608 - the test's own words
        f"WHERE id = '{row}'"
    )


SWAPS = [
    _put_in_place_of("resident", "taro", "jiro"),
    "UPDATE resident SET household = 'h-2' WHERE id = 'hanako'",
    "UPDATE resident SET household = 'h-1' WHERE id = 'jiro'",
    "DELETE FROM resident WHERE id = 'hanako'",
    "UPDATE resident SET version = version + 1 WHERE id = 'taro'",
    _put_in_place_of("household", "h-1", "h-2"),
    "UPDATE household SET version = version + 1 WHERE id = 'h-1'",
    "UPDATE card_link SET sealed = (SELECT sealed FROM card_link WHERE generation = 'g2019')",
]


@pytest.mark.parametrize("swap", SWAPS)
def test_a_swapped_row_is_noticed_and_nothing_is_issued(town: Any, records: Any, swap: str) -> None:
    town.settle(
        [
            *records.family(),
            records.household("h-2", "jiro"),
            records.resident("jiro", household="h-2", name="例示　次郎"),
        ]
    )
    town.link("jiro", "g2019")
    order = town.order()
    town.change(swap)
    answer = town.ask(order)
    assert (answer.status_code, answer.json["code"]) == (500, "integrity")
    incident = answer.json["incident"]
    log = (town.log / "incidents.log").read_text()
    assert incident in log
    assert "見本" not in log + answer.text


@pytest.mark.parametrize("swap", SWAPS[:-1])
def test_loading_again_heals_a_damaged_register(town: Any, records: Any, swap: str) -> None:
    whole = [
        *records.family(),
        records.household("h-2", "jiro"),
        records.resident("jiro", household="h-2", name="例示　次郎"),
    ]
    town.settle(whole)
    town.change(swap)
    report = town.load(whole)
    assert report.refused == ()
    assert report.damaged == (0 if swap.startswith("DELETE") else 1)
    assert len(town.compose(town.everybody()).persons) == 2


def test_an_older_record_put_back_is_noticed(town: Any, records: Any) -> None:
    from sqlalchemy import text

    from backend.database import transaction

    town.settle(records.family())
    with transaction(town.engine) as connection:
        old = connection.execute(text("SELECT version, sealed FROM resident WHERE id='taro'")).one()
    town.load(records.family(protected=True))
    order = town.order()
    town.change(
        "UPDATE resident SET version = :version, sealed = :sealed WHERE id = 'taro'",
        version=old.version,
        sealed=old.sealed,
    )
    assert town.ask(order).json["code"] == "integrity"


def test_another_master_key_opens_nothing(town: Any, records: Any) -> None:
    town.settle(records.family())
    with pytest.raises(MasterKeyError, match="restore"):
        import_records(
            town.engine,
            records.lines(records.family()),
            Vault(b"\x09" * 32, SystemEntropy()),
            town.now,
        )


@pytest.mark.parametrize(
    ("number", "right"),
    [
        ("123456789018", True),
        ("123456789019", False),
        ("000000000000", True),
        ("12345678901", False),
        ("１２３４５６７８９０１８", False),
    ],
)
def test_individual_numbers_have_a_check_digit(number: str, right: bool) -> None:  # noqa: FBT001 - a row of the table
    assert is_individual_number(number) is right


def test_the_example_in_the_documentation_is_accepted_whole(town: Any, request: Any) -> None:
    text = (request.config.rootpath / "docs" / "register-format.md").read_text("utf-8")
    example = text.split("```json\n")[1].split("```")[0].encode().splitlines()
    assert import_records(town.engine, example, town.vault, town.now).accepted == len(example)


def test_every_field_of_a_line_is_documented(request: Any) -> None:
    text = (request.config.rootpath / "docs" / "register-format.md").read_text("utf-8")
    schema = LINE.json_schema()
    fields = {name for part in schema["$defs"].values() for name in part.get("properties", ())}
    assert fields
    assert {name for name in fields if f"`{name}`" not in text} == set()
