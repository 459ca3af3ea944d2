"""What every test shares: no sockets without asking, serial pcscd, the state folder of its own."""

import pytest


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups in the same hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let only tests that say so open sockets; keep pcscd's tests on one worker."""
    for item in items:
        real = any(item.get_closest_marker(name) for name in ("sockets", "pcscd", "browser"))
        item.add_marker(pytest.mark.enable_socket if real else pytest.mark.disable_socket)
        if item.get_closest_marker("pcscd"):
            item.add_marker(pytest.mark.xdist_group("pcscd"))
