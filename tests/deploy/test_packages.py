"""Without root, the set-up says exactly what to install."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOBODY = 65534


def _install(*packages: str) -> subprocess.CompletedProcess[str]:
    """Run the script as a user who may not install."""
    folder = Path(tempfile.mkdtemp(prefix="kofu-"))
    try:
        folder.chmod(0o755)
        script = folder / "install-packages.sh"
        shutil.copy(ROOT / "deploy" / "install-packages.sh", script)
        script.chmod(0o755)
        wanted = folder / "packages.txt"
        wanted.write_text("\n".join(packages) + "\n")
        return subprocess.run(
            ["sh", str(script), str(wanted)],
            user=NOBODY if os.geteuid() == 0 else None,
            cwd="/",
            text=True,
            capture_output=True,
            check=False,
        )
    finally:
        shutil.rmtree(folder)


def test_without_root_the_missing_packages_are_named_and_nothing_else() -> None:
    done = _install("coreutils", "kofu-is-no-package")
    assert done.returncode == 1
    assert "apt-get install --no-install-recommends kofu-is-no-package" in done.stderr
    assert "coreutils" not in done.stderr


def test_when_nothing_is_missing_nothing_is_said() -> None:
    done = _install("coreutils")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_lists_are_sorted_and_name_each_package_once() -> None:
    run, test = (
        (ROOT / "deploy" / name).read_text().split()
        for name in ("packages.txt", "packages-test.txt")
    )
    assert run == sorted(run)
    assert test == sorted(test)
    assert len(run + test) == len(set(run + test))


def test_lock_files_have_a_hash_for_everything_and_no_address() -> None:
    for lock in (ROOT / "requirements").glob("*.lock"):
        text = lock.read_text()
        pinned = [line for line in text.splitlines() if "==" in line]
        assert pinned
        assert all(line.endswith("\\") for line in pinned)
        assert "://" not in text
    assert '"resolved"' not in (ROOT / "package-lock.json").read_text()
