"""At least a hundredth of every campaign, in each run of the tests."""

import random  # noqa: TID251 - seeded: a campaign's inputs must come again

import pytest
from campaigns import CAMPAIGNS, Campaign


@pytest.mark.parametrize("campaign", CAMPAIGNS, ids=lambda campaign: campaign.name)
def test_a_slice_of_the_campaign_finds_nothing(campaign: Campaign) -> None:
    tries = max(campaign.full // 100, 1)
    assert campaign.run(random.Random(f"{campaign.name}/slice"), tries) == []  # noqa: S311 - not for secrets
