"""At least a hundredth of every campaign, in each run of the tests."""

import random  # noqa: TID251 - seeded: a campaign's inputs must come again
from pathlib import Path

import pytest
from campaigns import CAMPAIGNS, Campaign

HERE = [campaign for campaign in CAMPAIGNS if not campaign.slice_in]
ELSEWHERE = [campaign for campaign in CAMPAIGNS if campaign.slice_in]


@pytest.mark.parametrize("campaign", HERE, ids=lambda campaign: campaign.name)
def test_a_slice_of_the_campaign_finds_nothing(campaign: Campaign) -> None:
    tries = max(campaign.full // 100, 1)
    assert campaign.run(random.Random(f"{campaign.name}/slice"), tries) == []  # noqa: S311 - not for secrets


@pytest.mark.parametrize("campaign", ELSEWHERE, ids=lambda campaign: campaign.name)
def test_a_slice_that_runs_elsewhere_is_there(campaign: Campaign) -> None:
    assert (Path(__file__).parents[2] / campaign.slice_in).is_file()
