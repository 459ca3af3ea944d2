# The winscard calls that kiosk/cards/pcsc.py makes; pyscard 2.3 has no types of its own.
# Each call returns its result code first. A handle is an opaque integer.

INFINITE: int
SCARD_SCOPE_SYSTEM: int
SCARD_SHARE_EXCLUSIVE: int
SCARD_PROTOCOL_T0: int
SCARD_PROTOCOL_T1: int
SCARD_LEAVE_CARD: int
SCARD_RESET_CARD: int
SCARD_PCI_T0: int
SCARD_PCI_T1: int
SCARD_STATE_UNAWARE: int
SCARD_STATE_CHANGED: int
SCARD_STATE_PRESENT: int
SCARD_STATE_UNKNOWN: int
SCARD_STATE_UNAVAILABLE: int
SCARD_STATE_MUTE: int
SCARD_S_SUCCESS: int
SCARD_E_TIMEOUT: int
SCARD_E_NO_SERVICE: int
SCARD_E_SERVICE_STOPPED: int
SCARD_E_NO_READERS_AVAILABLE: int
SCARD_E_UNKNOWN_READER: int
SCARD_E_READER_UNAVAILABLE: int
SCARD_E_SHARING_VIOLATION: int
SCARD_E_INVALID_HANDLE: int

def SCardEstablishContext(scope: int) -> tuple[int, int]: ...
def SCardReleaseContext(context: int) -> int: ...
def SCardListReaders(context: int, groups: list[str]) -> tuple[int, list[str]]: ...
def SCardGetStatusChange(
    context: int, timeout: int, states: list[tuple[str, int]]
) -> tuple[int, list[tuple[str, int, list[int]]]]: ...
def SCardConnect(
    context: int, reader: str, share: int, protocols: int
) -> tuple[int, int, int]: ...
def SCardBeginTransaction(card: int) -> int: ...
def SCardEndTransaction(card: int, disposition: int) -> int: ...
def SCardDisconnect(card: int, disposition: int) -> int: ...
def SCardTransmit(card: int, pci: int, apdu: list[int]) -> tuple[int, list[int]]: ...
def SCardGetErrorMessage(code: int) -> str: ...
