from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from backend.issuer.kinds.residence_certificate import (
    OMITTED,
    PART_OF_HOUSEHOLD,
    WHOLE_HOUSEHOLD,
)
from dedicated_line.contract.kinds import Options

FOREIGN = {
    "domicile": None,
    "head_of_family_register": None,
    "name": "見本　安奈",
    "roman_name": "EXAMPLE ANNA",
    "alias": "見本　杏奈",
    "birth_date": "1990-04-01",
    "became_resident": "2012-07-09",
    "foreign": {
        "nationality": "見本国",
        "status": "mid-to-long-term",
        "residence_status": "技術・人文知識・国際業務",
        "period": "5年",
        "expires": "2028-03-31",
        "card_number": "AB12345678CD",
    },
}


def test_what_was_not_asked_for_says_so(town: Any, records: Any) -> None:
    town.settle(records.family())
    opened = town.compose(town.everybody())
    (sheet,) = opened.sheets
    assert sheet.householder == OMITTED
    for person in sheet.persons:
        assert person.relationship == OMITTED
        assert person.registered_domicile == person.head_of_family_register == OMITTED
        assert person.individual_number == person.resident_record_code == OMITTED
    for secret in ("123456789018", "12345678901", "例示町", "見本　一郎", "妻"):
        assert secret.encode() not in opened.plain


def test_what_was_asked_for_is_there(town: Any, records: Any) -> None:
    town.settle(records.family())
    options = Options(
        relationship=True, domicile=True, individual_number=True, resident_record_code=True
    )
    (sheet,) = town.compose(town.everybody(options=options)).sheets
    taro, hanako = sheet.persons
    assert sheet.householder == taro.name == "見本　太郎"
    assert (taro.relationship, hanako.relationship) == ("世帯主", "妻")
    assert taro.registered_domicile == "山口県見本郡例示町一番地"
    assert taro.head_of_family_register == "見本　一郎"
    assert taro.individual_number == "123456789018"
    assert taro.resident_record_code == "12345678901"


@pytest.mark.parametrize(
    ("option", "row"),
    [
        ("relationship", "relationship"),
        ("domicile", "registered_domicile"),
        ("individual_number", "individual_number"),
        ("resident_record_code", "resident_record_code"),
    ],
)
def test_one_option_never_turns_another_on(town: Any, records: Any, option: str, row: str) -> None:
    town.settle(records.family())
    options = Options(**{option: True})
    (person,) = town.compose(town.order(options=options)).persons
    rows = ("relationship", "registered_domicile", "individual_number", "resident_record_code")
    assert [name for name in rows if getattr(person, name) != OMITTED] == [row]


def test_the_paper_says_who_attests_what_and_when(town: Any, records: Any) -> None:
    town.settle(records.family())
    (sheet,) = town.compose(town.everybody()).sheets
    assert sheet.attestation == WHOLE_HOUSEHOLD
    assert sheet.municipality == "山口県下関市"
    assert sheet.address == "山口県下関市見本町一丁目1番1号"
    assert sheet.mayor == "下関市長　見本　花子"
    assert sheet.attested_on == "令和8年6月15日"
    assert sheet.specimen


def test_one_of_two_is_a_part_of_the_household(town: Any, records: Any) -> None:
    town.settle(records.family())
    opened = town.compose(town.order())
    assert opened.sheets[0].attestation == PART_OF_HOUSEHOLD
    assert [person.name for person in opened.persons] == ["見本　太郎"]


def test_one_of_one_is_the_whole_household(town: Any, records: Any) -> None:
    town.settle(records.family()[:3])
    assert town.compose(town.order()).sheets[0].attestation == WHOLE_HOUSEHOLD


def test_members_stand_in_the_order_of_the_register_however_they_were_asked_for(
    town: Any, records: Any
) -> None:
    town.settle(records.family(), holder="hanako")
    holder, other = town.members()
    assert (holder.name, holder.holder, other.holder) == ("見本　花代", True, False)
    opened = town.compose(town.order(holder.handle, other.handle))
    assert [person.name for person in opened.persons] == ["見本　太郎", "見本　花代"]


def test_a_foreign_resident_has_article_30_45_items_and_no_domicile(
    town: Any, records: Any
) -> None:
    town.settle(records.family(**FOREIGN))
    (person,) = town.compose(town.order(options=Options(domicile=True))).persons
    assert person.name == "EXAMPLE ANNA（見本　安奈）"
    assert person.alias == "見本　杏奈"
    assert person.registered_domicile is None
    assert person.head_of_family_register is None
    assert person.birth_date == "1990年4月1日"
    assert person.became_resident == "平成24年7月9日"
    assert person.foreign.nationality == "見本国"
    assert person.foreign.status == "中長期在留者"
    assert person.foreign.residence_status == "技術・人文知識・国際業務"
    assert person.foreign.expires == "2028年3月31日"
    assert person.foreign.card_number == "AB12345678CD"


def test_article_30_45_items_can_be_left_out(town: Any, records: Any) -> None:
    town.settle(records.family(**FOREIGN))
    opened = town.compose(town.order(options=Options(foreign_items=False)))
    items = opened.persons[0].foreign.model_dump().values()
    assert set(items) == {OMITTED}
    assert "見本国".encode() not in opened.plain


def test_a_special_permanent_resident_has_no_period(town: Any, records: Any) -> None:
    foreign = {
        "nationality": "見本国",
        "status": "special-permanent",
        "card_number": "EF87654321GH",
    }
    town.settle(records.family(**(FOREIGN | {"foreign": foreign, "roman_name": None})))
    (person,) = town.compose(town.order()).persons
    assert person.foreign.status == "特別永住者"
    assert person.foreign.card_number == "EF87654321GH"
    assert (person.foreign.residence_status, person.foreign.period, person.foreign.expires) == (
        None,
        None,
        None,
    )


def test_a_former_family_name_and_history_stand_on_the_paper(town: Any, records: Any) -> None:
    town.settle(
        records.family(
            former_family_name="例示",
            address_since="2019-05-01",
            notified="2019-04-30",
            former_address="山口県架空市例示一丁目2番3号",
        )
    )
    (person,) = town.compose(town.order()).persons
    assert person.former_family_name == "例示"
    assert person.address_since == "令和元年5月1日"
    assert person.notified == "平成31年4月30日"
    assert person.former_address == "山口県架空市例示一丁目2番3号"


def test_unsettled_kana_are_marked(town: Any, records: Any) -> None:
    town.settle(records.family(kana_settled=False))
    (person,) = town.compose(town.order()).persons
    assert person.kana == "ミホン　タロウ（未確定）"


def test_kana_stand_on_no_paper_before_they_were_an_item_of_the_record(
    town: Any, records: Any
) -> None:
    before = datetime(2025, 5, 25, 14, 59, tzinfo=UTC)  # 23:59 in Tokyo
    town.clock.move(seconds=(before - town.now).total_seconds())
    from backend.issuer.sealing.keys import init_keys
    from dedicated_line.clock import SystemEntropy

    town.places.key_list.unlink()
    init_keys(town.places, ["352012"], town.now, SystemEntropy())
    town.settle(records.family())
    assert town.compose(town.order()).persons[0].kana is None
    town.clock.move(minutes=1)
    assert town.compose(town.order(order="02" * 16)).persons[0].kana == "ミホン　タロウ"


@pytest.mark.parametrize("name", ["𠮷田　太郎", "髙﨑　太郎", "渡邉󠄏　太郎"])
def test_the_residents_own_characters_reach_the_paper(town: Any, records: Any, name: str) -> None:
    town.settle(records.family(name=name))
    assert town.compose(town.order()).persons[0].name == name


def test_a_household_of_twelve_has_three_sheets_of_four(town: Any, records: Any) -> None:
    children = [records.resident(f"c-{n}", name=f"見本　{n}", relationship="子") for n in range(11)]
    town.settle([*records.family()[:3], *children])
    opened = town.compose(town.everybody())
    assert [len(sheet.persons) for sheet in opened.sheets] == [4, 4, 4]
    assert {sheet.attestation for sheet in opened.sheets} == {WHOLE_HOUSEHOLD}


def test_what_is_older_than_a_day_is_still_fresh_where_the_municipality_says_so(
    town: Any, records: Any
) -> None:
    as_of = town.now - timedelta(hours=71)
    head = records.municipality(register_as_of=as_of.isoformat(), stale_after_hours=72)
    town.settle([head, *records.family()[1:]])
    assert town.compose(town.order()).header.register_as_of == as_of
