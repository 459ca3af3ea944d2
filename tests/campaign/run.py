"""``make campaign``: run every campaign in full, from where it stopped; write docs/results/."""

import json
import random  # noqa: TID251 - seeded: a campaign's inputs must come again
import subprocess
import sys
from pathlib import Path

from campaigns import CAMPAIGNS, Campaign
from rich.progress import track

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "docs" / "results"
UNFINISHED = ROOT / "var" / "campaign"
SEED = 20230327


def run_piece(campaign: Campaign, seed: int, number: int) -> list[str]:
    """Run one piece; the same seed and number try the same inputs."""
    return campaign.run(random.Random(f"{campaign.name}/{seed}/{number}"), campaign.piece)  # noqa: S311 - not for secrets


def _commit() -> str:
    words = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    return subprocess.run(
        words, cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()


def _run(campaign: Campaign, seed: int, commit: str) -> list[str]:
    unfinished = UNFINISHED / f"{campaign.name}.json"
    pieces = -(-campaign.full // campaign.piece)
    state = {"seed": seed, "commit": commit, "pieces": 0, "failures": []}
    if unfinished.exists():
        before = json.loads(unfinished.read_text("utf-8"))
        if (before["seed"], before["commit"]) == (seed, commit):
            state = before
    for number in track(range(state["pieces"], pieces), f"{campaign.name:20}"):
        state["failures"] += run_piece(campaign, seed, number)
        state["pieces"] = number + 1
        unfinished.write_text(json.dumps(state), "utf-8")
    result = {
        "campaign": campaign.name,
        "says": campaign.says,
        "tries": pieces * campaign.piece,
        "failures": len(state["failures"]),
        "first_failures": state["failures"][:5],
        "seed": seed,
        "commit": commit,
    }
    text = json.dumps(result, ensure_ascii=False, indent=2) + "\n"
    (RESULTS / f"{campaign.name}.json").write_text(text, "utf-8")
    unfinished.unlink(missing_ok=True)
    return state["failures"]


def main() -> int:
    """Run the campaigns named on the command line, or all; exit 1 when one found a failure."""
    named = sys.argv[1:]
    unknown = set(named) - {campaign.name for campaign in CAMPAIGNS}
    if unknown:
        print(f"no campaign {', '.join(sorted(unknown))}; there are:", file=sys.stderr)
        for campaign in CAMPAIGNS:
            print(f"  {campaign.name:20} {campaign.full:>10,} × {campaign.says}", file=sys.stderr)
        return 2
    UNFINISHED.mkdir(parents=True, exist_ok=True)
    RESULTS.mkdir(parents=True, exist_ok=True)
    commit, failed = _commit(), False
    for campaign in CAMPAIGNS:
        if not named or campaign.name in named:
            failures = _run(campaign, SEED, commit)
            print(f"{campaign.name}: {campaign.full:,} tries, {len(failures)} failures")
            failed = failed or bool(failures)
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main())
