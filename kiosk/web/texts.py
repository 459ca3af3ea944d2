"""The catalogue of the screen's words; why a journey ends is said in `kiosk.session.texts`."""

from enum import StrEnum
from typing import Final

from kiosk.session.state import Stage
from kiosk.session.texts import Text


class Language(StrEnum):
    """A language of the screen, by its BCP 47 tag."""

    JAPANESE = "ja"
    ENGLISH = "en"


SERVICE: Final = Text("行政サービス", "Government services")
TEXTS: Final[dict[str, Text]] = {
    "service": SERVICE,
    "language": Text("English", "日本語"),
    "simulation": Text(
        "これは模擬環境です。発行される証明書に効力はありません。",
        "SIMULATED kiosk: what it issues has no legal force.",
    ),
    "step": Text("手順", "Step"),
    "cancel": Text("やめる", "Leave"),
    "back": Text("もどる", "Back"),
    "next": Text("次へ", "Next"),
    "begin": Text("はじめる", "Begin"),
    "begin-lead": Text(
        "マイナンバーカードで、住民票の写しを受け取れます。",
        "Get your residence certificate with your My Number Card.",
    ),
    "needs": Text("ご用意いただくもの", "What you need"),
    "needs-card": Text("マイナンバーカード", "Your My Number Card"),
    "needs-pin": Text("利用者証明用の暗証番号(数字4桁)", "Its four-digit user PIN"),
    "needs-money": Text("手数料(硬貨・千円札)", "The fee, in coins or a 1,000-yen note"),
    "hold-lead": Text(
        "カードをリーダーに置き、そのままにしてください。",
        "Lay the card on the reader and leave it there.",
    ),
    "hold-simulated": Text("カードをかざす(模擬)", "Hold up a card (SIMULATED)"),
    "whose-card": Text("だれのカードか", "Whose card"),
    "hold": Text("かざす", "Hold up"),
    "take-simulated": Text("カードを取る(模擬)", "Take the card (SIMULATED)"),
    "hold-by-command": Text(
        "模擬環境では、端末(ターミナル)から次のコマンドでかざします。",
        "In simulation a command in a terminal holds it up:",
    ),
    "take-by-command": Text(
        "模擬環境では、コマンドを Ctrl-C で止めるとカードが離れます。",
        "In simulation Ctrl-C in that terminal takes it back.",
    ),
    "card-lost": Text(
        "カードが離れました。もう一度かざしてください。暗証番号の回数は減っていません。",
        "Contact with the card was lost. Hold it up again. No try was used.",
    ),
    "pin-lead": Text(
        "利用者証明用電子証明書の暗証番号(数字4桁)です。",
        "The four-digit PIN of the user-authentication certificate.",
    ),
    "pin-left": Text("残り{count}回入力できます。", "{count} tries are left."),
    "pin-wrong": Text(
        "暗証番号が違います。残り{count}回です。", "The PIN is wrong. {count} tries are left."
    ),
    "last-try": Text(
        "あと1回間違えると、暗証番号がロックされます。ロックされると、"
        "お住まいの市区町村の窓口で再設定するまで使えません。",
        "One more wrong PIN locks the card. It then cannot be used until your municipal "
        "office sets the PIN anew.",
    ),
    "last-try-yes": Text("最後の1回を使う", "Use the last try"),
    "delete": Text("1字消す", "Delete"),
    "enter": Text("確認", "Enter"),
    "wait": Text("しばらくお待ちください。", "One moment, please."),
    "keep-card": Text("カードは置いたままにしてください。", "Leave the card on the reader."),
    "take-lead": Text(
        "カードをお取りいただくと、次へ進みます。",
        "The next screen comes when you have taken your card.",
    ),
    "at": Text("発行元", "Issued by"),
    "fee": Text("1通 {yen}円", "{yen} yen a copy"),
    "closed": Text("ただいま利用できません", "Not available now"),
    "who-lead": Text("証明書に載せる方を選んでください。", "Choose who shall be on it."),
    "holder": Text("ご本人", "You"),
    "options-lead": Text(
        "必要な項目だけを選んでください。選ばない項目は記載されません。",
        "Choose only what you need; anything else is left out.",
    ),
    "relationship": Text("世帯主・続柄", "Householder and relationship"),
    "domicile": Text("本籍・筆頭者", "Registered domicile"),
    "individual_number": Text("個人番号(マイナンバー)", "Individual number (My Number)"),
    "resident_record_code": Text("住民票コード", "Resident record code"),
    "foreign_items": Text(
        "国籍・在留資格など(外国人住民)", "Foreign residents' nationality and status"
    ),
    "none": Text("なし", "None"),
    "and": Text("、", ", "),
    "copies": Text("部数", "Copies"),
    "copies-count": Text("{count}通", "{count}"),
    "fewer": Text("減らす", "Fewer"),
    "more": Text("増やす", "More"),
    "kind": Text("証明書", "Certificate"),
    "who": Text("記載する方", "Persons on it"),
    "options": Text("記載する項目", "Items on it"),
    "total": Text("合計", "Total"),
    "yen": Text("{yen}円", "{yen} yen"),
    "change": Text("変更", "Change"),
    "confirm": Text("この内容で申し込む", "Order this"),
    "to-pay": Text("お支払い", "To pay"),
    "inserted": Text("投入済み", "Paid in"),
    "coins": Text("硬貨を入れる(模擬)", "Put in coins (SIMULATED)"),
    "progress": Text(
        "{total}通のうち{done}通を印刷しました。", "{done} of {total} copies printed."
    ),
    "paper-lead": Text(
        "証明書は裏向きに出ます。枚数をお確かめください。",
        "It lies face down. Please count the pages.",
    ),
    "paper-pages": Text("全部で{count}枚", "{count} pages in all"),
    "paper-taken": Text("受け取りました", "I have taken it"),
    "reference": Text("受付番号", "Reference number"),
    "done": Text("おわる", "Finish"),
    "card-left": Text("カードが残っています。お取りください。", "Take your card, please."),
    "money-safe": Text("料金はいただいていません。", "Nothing is charged."),
    "idle": Text("続けますか?", "Are you still there?"),
    "idle-lead": Text(
        "操作がないため、まもなく終了します。", "This ends soon unless you touch the screen."
    ),
    "idle-paper": Text("証明書をお取りください。", "Take your paper, please."),
    "still-here": Text("続ける", "Go on"),
    "not-now": Text(
        "画面が変わりました。もう一度お選びください。",
        "The screen has changed. Please choose again.",
    ),
    "broken": Text(
        "この端末は応答していません。係員をお呼びください。",
        "This kiosk does not answer. Please call the staff.",
    ),
}
TITLES: Final[dict[Stage, Text]] = {
    Stage.START: SERVICE,
    Stage.HOLD_CARD: Text("カードをかざしてください", "Hold up your card"),
    Stage.PIN: Text("暗証番号を入力してください", "Type your PIN"),
    Stage.SIGNING_IN: Text("カードを確認しています", "Checking your card"),
    Stage.TAKE_CARD: Text("カードをお取りください", "Take your card back"),
    Stage.KIND: Text("証明書を選んでください", "Choose a certificate"),
    Stage.WHO: Text("どなたの証明書ですか", "Who shall be on it?"),
    Stage.OPTIONS: Text("記載する項目を選んでください", "Which items shall be on it?"),
    Stage.COPIES: Text("何通必要ですか", "How many copies?"),
    Stage.CONFIRM: Text("内容をご確認ください", "Please check"),
    Stage.ORDERING: Text("証明書を用意しています", "Preparing your certificate"),
    Stage.PAY: Text("料金をお入れください", "Please pay"),
    Stage.RELEASING: Text("証明書を受け取っています", "Receiving your certificate"),
    Stage.DRAWING: Text("証明書を確認しています", "Checking your certificate"),
    Stage.PRINTING: Text("印刷しています", "Printing"),
    Stage.CLOSING: Text("手続きを終えています", "Finishing"),
    Stage.TAKE_PAPER: Text("証明書をお取りください", "Take your certificate"),
    Stage.FINISHED: Text("ありがとうございました", "Thank you"),
    Stage.CANCELLED: Text("手続きを取りやめました", "You have left"),
    Stage.REFUSED: Text("お手続きできません", "This cannot be done now"),
    Stage.FAULT: Text("ご迷惑をおかけします", "We are sorry"),
}
KINDS_EN: Final = {"residence-certificate": "Residence certificate"}


def in_language(text: Text, language: Language) -> str:
    """Return the text in one language."""
    return text.ja if language is Language.JAPANESE else text.en
