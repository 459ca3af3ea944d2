"""Japanese words of the consoles for states, reasons and moments."""

from datetime import datetime
from typing import Final

from backend.orders.model import Finding, Reason
from backend.participation.errors import (
    ChangedMeanwhileError,
    ChangeRefusedError,
    FeeOutOfRangeError,
    InThePastError,
    NothingChangesError,
    NothingToUndoError,
)
from backend.participation.model import MOST_YEN, Offer
from dedicated_line.clock import TOKYO
from dedicated_line.contract.line import Health, SecurityEventKind
from dedicated_line.contract.refusals import Refusal
from dedicated_line.contract.states import IssueState, MoneyState, NumberStatus

_DAYS: Final = "月火水木金土日"

ISSUE_STATES: Final = {
    IssueState.INTENDED: "受付済み",
    IssueState.SEALED: "作成済み",
    IssueState.RELEASED: "印刷中",
    IssueState.PRINTED: "印刷済み",
    IssueState.SPOILED: "書損",
    IssueState.UNKNOWN: "確認が必要",
    IssueState.ABANDONED: "取りやめ",
    IssueState.REFUSED: "お断り",
}
MONEY_STATES: Final = {
    MoneyState.NONE: "なし",
    MoneyState.DUE: "未収",
    MoneyState.TAKEN: "預かり中",
    MoneyState.KEPT: "領収",
    MoneyState.REFUNDED: "返金済み",
    MoneyState.OWED: "要返金",
    MoneyState.REPAID: "後日返金済み",
}
NUMBER_STATES: Final = {
    NumberStatus.PENDING: "未確定",
    NumberStatus.VALID: "有効",
    NumberStatus.SUSPENDED: "停止中",
    NumberStatus.VOID: "無効",
    NumberStatus.RECALLED: "回収",
}
REFUSALS: Final = {
    Refusal.WRONG_PIN: "暗証番号が違う",
    Refusal.PIN_BLOCKED: "暗証番号がロック",
    Refusal.LAST_TRY: "暗証番号の残り1回",
    Refusal.OLD_JUKI_CARD: "住基カード",
    Refusal.UNKNOWN_CARD: "対象外のカード",
    Refusal.CERTIFICATE_EXPIRED: "電子証明書の期限切れ",
    Refusal.CERTIFICATE_REVOKED: "電子証明書の失効",
    Refusal.CERTIFICATE_UNKNOWN: "電子証明書が対象外",
    Refusal.CARD_NOT_CONFIRMED: "カードを確認できない",
    Refusal.REGISTERED_TOMORROW: "翌日から利用可",
    Refusal.CANNOT_CONFIRM: "有効性を確認できない",
    Refusal.NOT_PARTICIPATING: "導入していない",
    Refusal.NOT_YET_PARTICIPATING: "導入前",
    Refusal.KIND_CLOSED: "受付を停止中",
    Refusal.STOPPED: "緊急停止",
    Refusal.KIOSK_OUTDATED: "端末の版が古い",
    Refusal.COUNTER: "窓口へ",
    Refusal.UNAVAILABLE: "証明発行サーバが応答しない",
    Refusal.CHANGED: "途中で条件が変わった",
}
REASONS: Final = {
    Reason.TIMED_OUT: "時間切れ",
    Reason.CANCELLED: "本人が取りやめ",
    Reason.REJECTED: "端末の確認で不一致",
    Reason.INTEGRITY: "センターの確認で不一致",
    Reason.NOT_REPORTED: "結果の報告がない",
}
HEALTH: Final = {Health.READY: "正常", Health.WARNING: "注意", Health.DOWN: "停止"}
SCREENS: Final = {
    "start": "待機中",
    "hold-card": "カード待ち",
    "pin": "暗証番号",
    "signing-in": "カードの確認",
    "take-card": "カードの返却",
    "kind": "選択",
    "who": "選択",
    "options": "選択",
    "copies": "選択",
    "confirm": "内容の確認",
    "ordering": "申請",
    "pay": "支払い",
    "releasing": "証明書の受信",
    "drawing": "証明書の確認",
    "printing": "印刷中",
    "closing": "精算",
    "take-paper": "証明書の受け取り",
    "finished": "終了",
    "cancelled": "取りやめ",
    "refused": "お断り",
    "fault": "障害",
}
"""What a kiosk's screen shows, by its state's name; a name unknown here is shown as it is."""
SECURITY: Final = {
    SecurityEventKind.NO_CERTIFICATE: "証明書なしの接続",
    SecurityEventKind.UNKNOWN_CERTIFICATE: "未知の証明書",
    SecurityEventKind.REVOKED: "失効した証明書",
    SecurityEventKind.WRONG_CIRCUIT: "回線の不一致",
    SecurityEventKind.FORGED_HEADER: "見出しの偽造",
    SecurityEventKind.MALFORMED: "不正な形式",
    SecurityEventKind.FLOOD: "過大な要求",
    SecurityEventKind.SLOW_CLIENT: "遅すぎる要求",
}
FINDINGS: Final = {
    Finding.CLERK_AT_CENTRE: "センターの確認で不一致",
    Finding.CLERK_AT_KIOSK: "端末の確認で不一致",
    Finding.NUMBER_TWICE: "発行番号の重複",
    Finding.CONTRADICTION: "結果の矛盾",
    Finding.FOREIGN_NUMBER: "別の申請の発行番号",
    Finding.NO_PROOF: "印刷の証拠なし",
    Finding.MONEY_DIFFERS: "金額の不一致",
    Finding.RECOVERY_HALTED: "自動回復の停止",
}
_CHANGE_REFUSALS: Final[tuple[tuple[type[ChangeRefusedError], str], ...]] = (
    (
        InThePastError,
        "その日時は過ぎています。これからの日時を指定するか、「今すぐ」を選んでください。",
    ),
    (
        NothingChangesError,
        "その日時には、すでにその状態です。別の日時か別の手数料を指定してください。",
    ),
    (FeeOutOfRangeError, f"手数料は0円から{MOST_YEN:,}円の間で入力してください。"),
    (
        ChangedMeanwhileError,
        "画面を開いたあとに、ほかの人が変更しました。いまの状態を確かめて、もう一度行ってください。",
    ),
    (NothingToUndoError, "取り消せる変更がありません。"),
)


def moment(at: datetime) -> str:
    """Return a minute of Tokyo such as 2026年11月24日（火）9:05."""
    local = at.astimezone(TOKYO)
    return (
        f"{local.year}年{local.month}月{local.day}日（{_DAYS[local.weekday()]}）"
        f"{local.hour}:{local.minute:02}"
    )


def exact(at: datetime) -> str:
    """Return a second of Tokyo in full, such as 2026年11月24日（火）9:05:07."""
    return f"{moment(at)}:{at.astimezone(TOKYO).second:02}"


def second(at: datetime) -> str:
    """Return a second of Tokyo for lists, such as 11/24 09:05:07."""
    return at.astimezone(TOKYO).strftime("%m/%d %H:%M:%S")


def yen(amount: int) -> str:
    """Return an amount such as 1,200円."""
    return f"{amount:,}円"


def reason(code: str | None) -> str:
    """Return why an order ended, as staff say it; a word unknown here as it is."""
    if code is None:
        return ""
    if code in set(Reason):
        return REASONS[Reason(code)]
    return REFUSALS[Refusal(code)] if code in set(Refusal) else code


def change_refusal(error: ChangeRefusedError) -> str:
    """Return what to do about a change that cannot be made."""
    return next((text for kind, text in _CHANGE_REFUSALS if isinstance(error, kind)), str(error))


def resident_sees(offer: Offer, municipality: str) -> str:
    """Return what a kiosk tells a resident of this municipality."""
    if offer.open:
        return f"お取りいただけます。1通 {yen(offer.fee)}"
    opens = f"{moment(offer.opens_at)}から" if offer.opens_at else None
    if offer.reason is Refusal.NOT_PARTICIPATING:
        return f"{municipality}では、ご利用いただけません。"
    if offer.reason is Refusal.NOT_YET_PARTICIPATING:
        return f"{municipality}では、{opens}ご利用いただけます。1通 {yen(offer.fee)}"
    if opens:
        return f"ただいま受付を停止しています。{opens}再開します。1通 {yen(offer.fee)}"
    return "ただいま受付を停止しています。再開の予定は決まっていません。"
