"""Towns that shoppers live in, by the name their country has in order histories."""

import random
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Town:
    """A town with a real postal code. province: where the country's addresses need one."""

    country_code: str
    city: str
    postal_code: str
    province: str | None = None


HOME: Final = (
    Town("GB", "London", "E1 6AN"),
    Town("GB", "Manchester", "M1 1AE"),
    Town("GB", "Birmingham", "B2 4QA"),
    Town("GB", "Bristol", "BS1 4DJ"),
    Town("GB", "Leeds", "LS1 4AP"),
    Town("GB", "Glasgow", "G2 1DU"),
    Town("GB", "Cardiff", "CF10 1EP"),
    Town("GB", "Norwich", "NR2 1TF"),
)
# "EIRE" and "RSA" are how British order histories write Ireland and South Africa.
_ABROAD: Final = {
    "Australia": Town("AU", "Sydney", "2000", "NSW"),
    "Austria": Town("AT", "Wien", "1010"),
    "Bahrain": Town("BH", "Manama", "317"),
    "Belgium": Town("BE", "Bruxelles", "1000"),
    "Brazil": Town("BR", "São Paulo", "01310-100", "SP"),
    "Canada": Town("CA", "Toronto", "M5V 2T6", "ON"),
    "Channel Islands": Town("JE", "St Helier", "JE2 4UE"),
    "Cyprus": Town("CY", "Nicosia", "1010"),
    "Czech Republic": Town("CZ", "Praha", "110 00"),
    "Denmark": Town("DK", "København", "1050"),
    "EIRE": Town("IE", "Dublin", "D02 X285"),
    "European Community": Town("BE", "Bruxelles", "1000"),
    "Finland": Town("FI", "Helsinki", "00100"),
    "France": Town("FR", "Paris", "75001"),
    "Germany": Town("DE", "Berlin", "10117"),
    "Greece": Town("GR", "Athina", "105 57"),
    "Hong Kong": Town("HK", "Hong Kong", "999077"),
    "Iceland": Town("IS", "Reykjavík", "101"),
    "Israel": Town("IL", "Tel Aviv", "6133701"),
    "Italy": Town("IT", "Roma", "00184", "RM"),
    "Japan": Town("JP", "Tokyo", "100-0001", "JP-13"),
    "Lebanon": Town("LB", "Beirut", "1107 2020"),
    "Lithuania": Town("LT", "Vilnius", "01100"),
    "Malta": Town("MT", "Valletta", "VLT 1117"),
    "Netherlands": Town("NL", "Amsterdam", "1012 AB"),
    "Norway": Town("NO", "Oslo", "0150"),
    "Poland": Town("PL", "Warszawa", "00-001"),
    "Portugal": Town("PT", "Lisboa", "1100-148"),
    "RSA": Town("ZA", "Cape Town", "8001", "WC"),
    "Saudi Arabia": Town("SA", "Riyadh", "11564"),
    "Singapore": Town("SG", "Singapore", "018956"),
    "Spain": Town("ES", "Madrid", "28013", "M"),
    "Sweden": Town("SE", "Stockholm", "111 20"),
    "Switzerland": Town("CH", "Zürich", "8001"),
    "USA": Town("US", "Boston", "02108", "MA"),
    "United Arab Emirates": Town("AE", "Dubai", "00000", "DU"),
}
_BY_CODE: Final = {town.country_code: town for town in _ABROAD.values()}


def town_in(country: str | None, rng: random.Random) -> Town:
    """A town in a country given by name or ISO 3166 code; at home for an unknown or unspecified one."""
    home = rng.choice(HOME)
    return _ABROAD.get(country or "") or _BY_CODE.get((country or "").upper()) or home
