"""The card's end of the virtual reader, spoken to as vpcd speaks."""

import socket
import struct
from collections.abc import Callable
from typing import Any

import pytest

from kiosk.simulated import vpcd
from kiosk.simulated.card import ATR, VirtualCard

SELECT_AP = bytes.fromhex("00A4040C0AD392F000260100000001")


def exchange(link: socket.socket, message: bytes, *, split: bool = False) -> bytes:
    packet = struct.pack("!H", len(message)) + message
    if split:
        for byte in packet:
            link.sendall(bytes([byte]))
    else:
        link.sendall(packet)
    if message in (b"\x00", b"\x01", b"\x02"):
        return b""
    (length,) = struct.unpack("!H", link.recv(2, socket.MSG_WAITALL))
    return link.recv(length, socket.MSG_WAITALL)


@pytest.mark.sockets
def test_a_card_in_the_slot_answers_power_atr_and_commands(
    make_card: Callable[..., Any], free_port: int
) -> None:
    slot = free_port - vpcd.FIRST_PORT
    with socket.create_server(("127.0.0.1", free_port)) as server:
        card = vpcd.VpcdCard(VirtualCard(make_card().file), slot)
        link, _ = server.accept()
        with link:
            assert exchange(link, b"\x04") == ATR
            assert not card.powered.is_set(), "asking for the ATR is only a look"
            exchange(link, b"\x01")
            assert exchange(link, SELECT_AP, split=True) == b"\x90\x00"
            assert card.powered.wait(5)
            exchange(link, b"\x02")
            assert exchange(link, bytes.fromhex("00A40000")) == b"\x6a\x86", "it was reset"
            card.remove()
            assert link.recv(1) == b""
    assert card.ended.is_set()


@pytest.mark.sockets
def test_a_reader_that_goes_away_ends_the_card(
    make_card: Callable[..., Any], free_port: int
) -> None:
    with socket.create_server(("127.0.0.1", free_port)) as server:
        card = vpcd.VpcdCard(VirtualCard(make_card().file), free_port - vpcd.FIRST_PORT)
        link, _ = server.accept()
        link.close()
        assert card.ended.wait(5)
        card.remove()
    assert card.failure is None


@pytest.mark.sockets
def test_without_a_virtual_reader_one_sentence_says_what_to_start(
    make_card: Callable[..., Any], free_port: int
) -> None:
    with pytest.raises(vpcd.NoVirtualReaderError, match="start pcscd"):
        vpcd.VpcdCard(VirtualCard(make_card().file), free_port - vpcd.FIRST_PORT)
