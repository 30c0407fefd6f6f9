"""US social security numbers: area 9xx, never issued; groups left to ITINs avoided."""

from pipeline.replacing.atoms import Dice, shaped
from pipeline.replacing.pieces import whole


def ssn(_shape: str, dice: Dice, longer: int) -> str:
    """Nine digits that the Social Security Administration never gives out."""
    return shaped("9##", dice, 0) + f"{1 + dice.below(49):02d}{1 + dice.below(9999):04d}" + shaped("", dice, longer)


apart = whole("ssn", lambda _code: "#########")
