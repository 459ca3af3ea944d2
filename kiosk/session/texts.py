"""What a resident is told when it does not go on: what happened, and what to do."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from dedicated_line.clock import TOKYO
from dedicated_line.contract.refusals import Refusal
from kiosk.session.state import Ending, Fault, Session


@dataclass(frozen=True)
class Text:
    """The same in two languages."""

    ja: str
    en: str


REFUSALS: Final[dict[Refusal, Text]] = {
    Refusal.WRONG_PIN: Text(
        "暗証番号が違います。残り{tries}回です。もう一度確かめて入力してください。",
        "The PIN is wrong. {tries} tries are left. Check it and type it again.",
    ),
    Refusal.PIN_BLOCKED: Text(
        "暗証番号がロックされています。お住まいの市区町村の窓口で再設定してください。",
        "The PIN is locked. Have it set again at your municipal office.",
    ),
    Refusal.LAST_TRY: Text(
        "あと1回間違えると暗証番号がロックされます。入力は行いませんでした。"
        "続けるには、最後の1回を使うことを確認してください。",
        "One more wrong PIN locks the card, so the PIN was not used. "
        "To go on, confirm that you want to use the last try.",
    ),
    Refusal.OLD_JUKI_CARD: Text(
        "このカードは住民基本台帳カードです。ここではお使いになれません。"
        "マイナンバーカードをお使いください。",
        "This is an old Juki card, which is not accepted here. Please use a My Number Card.",
    ),
    Refusal.UNKNOWN_CARD: Text(
        "このカードは使えません。マイナンバーカードをかざしてください。",
        "This card cannot be used. Please hold up a My Number Card.",
    ),
    Refusal.CERTIFICATE_EXPIRED: Text(
        "カードの電子証明書の有効期間が終了しています。お住まいの市区町村の窓口で更新してください。",
        "The card's digital certificate has expired. Have it renewed at your municipal office.",
    ),
    Refusal.CERTIFICATE_REVOKED: Text(
        "カードの電子証明書は失効しています。お住まいの市区町村の窓口でお尋ねください。",
        "The card's digital certificate has been revoked. Please ask at your municipal office.",
    ),
    Refusal.CERTIFICATE_UNKNOWN: Text(
        "カードの電子証明書をここでは確認できません。お住まいの市区町村の窓口でお尋ねください。",
        "The card's digital certificate is not known here. Please ask at your municipal office.",
    ),
    Refusal.CARD_NOT_CONFIRMED: Text(
        "カードを確認できませんでした。お住まいの市区町村の窓口でお尋ねください。",
        "The card could not be confirmed. Please ask at your municipal office.",
    ),
    Refusal.REGISTERED_TOMORROW: Text(
        "カード、暗証番号、または転入の手続きが本日のため、翌日からご利用いただけます。",
        "The card, its PIN or your move was registered today. You can use this from tomorrow.",
    ),
    Refusal.CANNOT_CONFIRM: Text(
        "ただいまカードの有効性を確認できません。時間をおいてもう一度お試しください。",
        "Whether the card is valid cannot be confirmed just now. Please come again later.",
    ),
    Refusal.NOT_PARTICIPATING: Text(
        "{municipality}はこのサービスを行っていません。市区町村の窓口をご利用ください。",
        "{municipality} does not offer this service. Please go to the municipal office.",
    ),
    Refusal.NOT_YET_PARTICIPATING: Text(
        "{municipality}のサービスは{month}に始まります。それまでは市区町村の窓口をご利用ください。",
        "The service of {municipality} begins in {month}. "
        "Until then please go to the municipal office.",
    ),
    Refusal.KIND_CLOSED: Text(
        "{municipality}では、この証明書はただいま発行していません。{opening}",
        "{municipality} does not issue this certificate now. {opening}",
    ),
    Refusal.STOPPED: Text(
        "この証明書の発行は停止しています。市区町村の窓口をご利用ください。",
        "This certificate has been stopped here. Please go to the municipal office.",
    ),
    Refusal.KIOSK_OUTDATED: Text(
        "この端末ではこの証明書を発行できません。ほかの端末をご利用ください。",
        "This kiosk cannot issue this certificate. Please use another kiosk.",
    ),
    Refusal.COUNTER: Text(
        "お手数ですが、お住まいの市区町村の窓口でお尋ねください。",
        "Sorry for the trouble: please ask at the counter of your municipal office.",
    ),
    Refusal.UNAVAILABLE: Text(
        "ただいまご利用いただけません。時間をおいてもう一度お試しください。",
        "This is not available just now. Please come again later.",
    ),
    Refusal.CHANGED: Text(
        "お申し込みの間に内容が変わったため、取りやめました。料金はいただいていません。"
        "はじめからやり直してください。",
        "Something changed while you were ordering, so it was given up. Nothing is charged. "
        "Please start again.",
    ),
}
_LINE = Text(
    "センターと通信できません。時間をおいてもう一度お試しください。",
    "The centre cannot be reached. Please try again later.",
)
_STAFF = Text("係員をお呼びください。", "Please call the staff.")
FAULTS: Final[dict[Fault, Text]] = {
    Fault.LINE_LOST: _LINE,
    Fault.CENTRE_ERROR: Text(
        "センターで処理できませんでした。時間をおいてもう一度お試しください。",
        "The centre could not do it. Please try again later.",
    ),
    Fault.SESSION_LOST: Text(
        "手続きが途切れました。はじめからやり直してください。",
        "The session was lost. Please start again.",
    ),
    Fault.CLOCK_WRONG: Text(
        "この端末の時計が合っていないため、発行できません。係員をお呼びください。",
        "This kiosk's clock is wrong, so it does not sell. Please call the staff.",
    ),
    Fault.NOT_TRUSTED: Text(
        "センターの応答を確認できないため、発行できません。係員をお呼びください。",
        "The centre's answer could not be trusted, so nothing is issued. Please call the staff.",
    ),
    Fault.READER_DOWN: Text(
        "カードリーダーを使えません。係員をお呼びください。",
        "The card reader cannot be used. Please call the staff.",
    ),
    Fault.CARD_FAULT: Text(
        "カードを読み取れませんでした。もう一度はじめからお試しください。",
        "The card could not be read. Please start again.",
    ),
    Fault.PRINTER_NOT_READY: Text(
        "プリンターの準備ができていません。料金はいただいていません。係員をお呼びください。",
        "The printer is not ready. Nothing is charged. Please call the staff.",
    ),
    Fault.NO_CHANGE: Text(
        "おつりが不足しています。料金はいただいていません。係員をお呼びください。",
        "There is not enough change. Nothing is charged. Please call the staff.",
    ),
    Fault.COINS_FAILED: Text(
        "硬貨装置が故障しました。係員をお呼びください。",
        "The coin unit has failed. Please call the staff.",
    ),
    Fault.CHECK_FAILED: Text(
        "証明書の確認で異常が見つかったため、印刷しませんでした。係員をお呼びください。",
        "A check of the certificate failed, so nothing was printed. Please call the staff.",
    ),
    Fault.NOT_DRAWN: Text(
        "この端末ではこの証明書を印刷できません。お住まいの市区町村の窓口でお尋ねください。",
        "This kiosk cannot print this certificate. Please ask at your municipal office.",
    ),
    Fault.PRINT_WINDOW: Text(
        "時間内に印刷できなかったため、取りやめました。はじめからやり直してください。",
        "It could not be printed in time and was given up. Please start again.",
    ),
    Fault.NOT_PRINTED: Text(
        "最後まで印刷できませんでした。途中まで印刷された紙は無効です。係員をお呼びください。",
        "It was not printed whole. A page that came out in part is void. Please call the staff.",
    ),
    Fault.JOURNAL: Text(
        "端末の記録を書き込めないため、発行できません。係員をお呼びください。",
        "The kiosk's journal cannot be written, so nothing is issued. Please call the staff.",
    ),
    Fault.OUT_OF_SERVICE: Text(
        "この端末を停止しています。ほかの端末をご利用ください。",
        "This kiosk is going out of service. Please use another kiosk.",
    ),
    Fault.INTERNAL: _STAFF,
}
_MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def ending_text(session: Session) -> Text | None:
    """Return what is said on the last screen of a journey that did not end with paper in hand."""
    ending = session.ending
    if ending is None:
        return None
    if ending.fault is not None:
        return _with_money(session, FAULTS[ending.fault])
    if ending.refusal is None:
        return _with_money(
            session, Text("手続きを取りやめました。", "You have left; nothing was issued.")
        )
    return _with_money(session, refusal_text(session, ending, ending.refusal))


def refusal_text(session: Session, ending: Ending, refusal: Refusal) -> Text:
    """Return a refusal's sentences with municipality, month and tries filled in."""
    text = REFUSALS[refusal]
    opens = None if ending.opens_at is None else ending.opens_at.astimezone(TOKYO)
    name = session.municipality_name
    tries = session.tries_left if ending.tries_left is None else ending.tries_left
    return Text(
        text.ja.format(
            municipality=name or "お住まいの市区町村",
            month="これから" if opens is None else f"{opens.year}年{opens.month}月",
            opening="" if opens is None else f"{_moment_ja(opens)}から利用できます。",
            tries=tries,
        ),
        text.en.format(
            municipality=name or "Your municipality",
            month="the future" if opens is None else f"{_MONTHS[opens.month - 1]} {opens.year}",
            opening="" if opens is None else f"It opens at {opens:%Y-%m-%d %H:%M}.",
            tries=tries,
        ).strip(),
    )


def _moment_ja(moment: datetime) -> str:
    return f"{moment.year}年{moment.month}月{moment.day}日{moment:%H:%M}"


def _with_money(session: Session, text: Text) -> Text:
    till = session.till
    if till.owed:
        return Text(
            f"{text.ja}返金できなかった{till.owed}円は、受付番号により後日お返しします。",
            f"{text.en} {till.owed} yen could not be given back and are owed to you "
            "under the reference number.",
        )
    if till.returned:
        return Text(
            f"{text.ja}{till.returned}円をお返ししました。",
            f"{text.en} {till.returned} yen were given back.",
        )
    return text
