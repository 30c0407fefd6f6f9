"""Invented people, places, addresses and organisations: Faker's locales plus our own lists of what Faker lacks.

The lists are in `lists/`; a line of a weighted list is a weight and a pattern whose `{slots}` are `Values.words`. Names that
no list holds come from a letter model over all names, so that the encoder learns the place where a name stands and not only
the names it has seen.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from faker import Faker
from pieces import LOCATION, ORGANIZATION, PERSON, STREET_ADDRESS, UNSCORED, Piece

LISTS: Final = Path(__file__).parent / "lists"
LOCALES: Final = (
    " en_US en_GB en_AU en_CA en_IE en_IN en_NZ en_PH en_NG en_KE en_PK de_DE de_AT de_CH fr_FR fr_CA fr_CH fr_BE"
    " es_ES es_MX es_CO es_AR es_CL it_IT nl_NL nl_BE pt_BR pt_PT pl_PL cs_CZ sk_SK sl_SI hr_HR hu_HU ro_RO lt_LT"
    " lv_LV et_EE fi_FI sv_SE da_DK no_NO is_IS tr_TR az_AZ uz_UZ id_ID vi_VN fil_PH yo_NG ha_NG ig_NG tw_GH zu_ZA"
    " ga_IE sq_AL sw"
)
DRAWS_PER_LOCALE: Final = 250
ENGLISH: Final = ("en_US", "en_GB", "en_US", "english", "en_CA", "hispanic")
ENGLISH_PLACES: Final = ("en_US", "en_GB", "en_AU", "en_CA", "en_IN")
ENGLISH_SHARE: Final = 0.3
"""How often a name or a place is drawn from English-speaking groups; otherwise all groups are alike."""
MONTHS: Final = "January February March April May June July August September October November December"
WEEKDAYS: Final = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday"
TITLES: Final = (
    "Dr.;Dr;Mr.;Mr;Mrs.;Mrs;Ms.;Ms;Miss;Prof.;Doctor;Professor;Sir;Herr;Frau;Señora;Sra.;Mme;M.;Shri;Hon.;Rev.;Captain;Judge"
)
SLOT: Final = re.compile(r"\{(\w+)\}")
SHORTEST_NAME, LONGEST_NAME = 3, 12


def read_list(name: str) -> list[str]:
    """Entries of a list file, split at `;` or line ends; `#` and a blank start a comment line."""
    lines = [line for line in (LISTS / f"{name}.txt").read_text("utf-8").splitlines() if line and not line.startswith("# ")]
    return [entry.strip() for line in lines for entry in line.split(";") if entry.strip()]


def read_weighted(name: str) -> tuple[list[str], list[int]]:
    """Patterns and weights of a list whose lines are `weight pattern`."""
    rows = [entry.split(" ", 1) for entry in read_list(name)]
    return [pattern for _, pattern in rows], [int(weight) for weight, _ in rows]


def name_case(word: str) -> str:
    """`o'brien` -> O'Brien, `de_la_cruz` -> De La Cruz, `ben-david` -> Ben-David; `NY` stays."""
    return word if word.isupper() else re.sub(r"(^|[\s'\u2019-])(\w)", lambda m: m[1] + m[2].upper(), word.replace("_", " "))


class LetterModel:
    """Writes words that look like those it was given: third-order Markov chain over letters."""

    def __init__(self, words: list[str]) -> None:
        self.follow: dict[str, list[str]] = defaultdict(list)
        for word in words:
            padded = "^^^" + word.lower() + "$"
            for i in range(3, len(padded)):
                self.follow[padded[i - 3 : i]].append(padded[i])

    def write(self, rng: random.Random) -> str:
        """One word, with a capital."""
        while True:
            text = "^^^"
            while not text.endswith("$") and len(text) <= LONGEST_NAME + 3:
                text += rng.choice(self.follow[text[-3:]])
            word = text.strip("^$")
            if text.endswith("$") and len(word) >= SHORTEST_NAME:
                return name_case(word)


def _draw(fake: Faker, method: str, times: int) -> list[str]:
    """Distinct values of one Faker method in Latin script; none where the locale lacks it or breaks in it (es_CL)."""
    try:
        values = dict.fromkeys(str(getattr(fake, method)()) for _ in range(times))
    except (AttributeError, AssertionError):
        return []
    return [value for value in values if value.strip() and not re.search(r"[Ͱ-ῼ⺀-퟿]", value)]


class Pools:
    """Names, towns, streets, postcodes and firms by locale or group of peoples."""

    def __init__(self, seed: int) -> None:
        self.given: dict[str, list[str]] = {}
        self.family: dict[str, list[str]] = {}
        self.city: dict[str, list[str]] = {}
        self.street: dict[str, list[str]] = {}
        self.postcode: dict[str, list[str]] = {}
        self.company: dict[str, list[str]] = {}
        kinds = {"first_name": self.given, "last_name": self.family, "city": self.city, "street_name": self.street}
        kinds |= {"postcode": self.postcode, "company": self.company}
        romanized = {"first_romanized_name": self.given, "last_romanized_name": self.family}
        for locale in LOCALES.split():
            self._read_faker(locale, kinds, seed)
        for locale in ("ja_JP", "zh_CN"):
            self._read_faker(locale, romanized, seed)
        for line in read_list("people"):
            group, given, family = (part.strip() for part in line.split("|"))
            self.given[group] = [name_case(n) for n in given.split()]
            self.family[group] = [name_case(n) for n in family.split()]
        self.groups = sorted(set(self.given) & set(self.family))
        us = Faker("en_US")
        us.seed_instance(seed)
        longest = 30
        self.countries = sorted(c for c in _draw(us, "country", 3000) if len(c) < longest and "(" not in c)

    def _read_faker(self, locale: str, kinds: Mapping[str, dict[str, list[str]]], seed: int) -> None:
        try:
            fake = Faker(locale, use_weighting=False)
        except AttributeError:  # this version of Faker has no such locale
            return
        fake.seed_instance(seed)
        draws = DRAWS_PER_LOCALE * (2 if locale.startswith("en") else 1)
        for method, pool in kinds.items():
            values = _draw(fake, method, draws * (2 if pool in (self.given, self.family) else 1))
            if values:
                pool[locale] = values


class Values:
    """Everything a template slot can hold, drawn from one seeded generator; `fill(slot)` is the door."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.pools = Pools(seed)
        every_name = {n for pool in (self.pools.given, self.pools.family) for names in pool.values() for n in names}
        self.letters = LetterModel(sorted(n for n in every_name if n.isalpha()))
        self.nicknames = [name_case(n) for line in read_list("nicknames") for n in line.split()]
        self.word_names = [name_case(n) for line in read_list("word_names") for n in line.split()]
        self.towns = [[name_case(part) for part in entry.split("|")] for entry in read_list("places")]
        self.syllables = read_list("syllables")
        goods = {
            kind: [v.strip() for v in values.split(",")] for kind, _, values in (e.partition(": ") for e in read_list("brands"))
        }
        self.brands, self.products = goods["brand"], goods["product"]
        names = "regions states companies jobs works trades legal_forms adjectives nouns suffixes street_words street_endings"
        self.lists = {
            name: read_list(name) for name in (*names.split(), "foreign_streets", "units", "buttons", "emoji", "landmarks")
        }
        weighted = ("street_lines", "full_names", "coined", "organisations", "hotels", "facilities")
        self.weighted = {name: read_weighted(name) for name in weighted}
        self.words = self._words()
        self.slots = self._slots()

    def fill(self, slot: str) -> list[Piece]:
        """The piece of one template slot; KeyError for a slot nobody knows."""
        make, label = self.slots[slot]
        return [Piece(make().replace("\n", ", "), label)]

    def _words(self) -> dict[str, Callable[[], str]]:
        """What the patterns of the lists may hold."""
        rng, pick = self.rng, self._pick
        return {
            "given": self.given_name,
            "family": self.family_name,
            "nickname": lambda: rng.choice(self.nicknames),
            "given_saint": lambda: f"{rng.choice(['St.', 'St', 'Saint', 'San', 'Santa'])} {self.given_name()}",
            "name": lambda: rng.choice([self.family_name, self.given_name, self.full_name, self.coined_name])(),  # noqa: PLW0108
            "coined_name": self.coined_name,
            "city": self.city,
            "country": self.country,
            "noun": lambda: pick("nouns"),
            "Noun": lambda: pick("nouns").capitalize(),
            "Adjective": lambda: pick("adjectives").capitalize(),
            "syllables": lambda: "".join(rng.choice(self.syllables) for _ in range(rng.choice([2, 3, 3, 4]))).capitalize(),
            "suffix": lambda: pick("suffixes"),
            "trade": lambda: pick("trades"),
            "legal": lambda: pick("legal_forms"),
            "ABBREVIATION": lambda: "".join(rng.choice("ABCDEFGHIJKLMNOPRSTUVWXYZ") for _ in range(rng.choice([2, 3, 3, 4]))),
            "coined": lambda: self._write("coined"),
            "faker_company": lambda: self._of_some_locale(self.pools.company),
            "real_company": lambda: pick("companies"),
            "landmark": lambda: pick("landmarks"),
            "street_name": self.street_name,
            "unit": self.unit,
            "number": self.house_number,
            "n": lambda: str(rng.choice([rng.randint(1, 99), rng.randint(1, 9999)])),
            "small": lambda: str(rng.randint(1, 40)),
            "letter": lambda: rng.choice("ABCDEF"),
            "initial": lambda: rng.choice("ABCDEFGHJKLMNPRSTVW"),
        }

    def _slots(self) -> dict[str, tuple[Callable[[], str], str | None]]:
        """What the templates may hold, and as what it is labelled."""
        rng, pick = self.rng, self._pick
        months, weekdays, titles = MONTHS.split(), WEEKDAYS.split(), TITLES.split(";")
        return {
            "person": (self.person, PERSON),
            "given": (self.given_or_person, PERSON),
            "given_only": (self.given_name, PERSON),
            "family": (self.family_name, PERSON),
            "spelled": (self.spelled, PERSON),
            "city": (self.city, LOCATION),
            "state": (self.state, LOCATION),
            "country": (self.country, LOCATION),
            "place": (self.place, LOCATION),
            "facility": (lambda: self._write("facilities"), LOCATION),
            "street": (self.street, STREET_ADDRESS),
            "unit": (self.unit, STREET_ADDRESS),
            "zip": (self.postcode, STREET_ADDRESS),
            "org": (lambda: self._write("organisations"), ORGANIZATION),
            "hotel": (lambda: self._write("hotels"), ORGANIZATION),
            "team": (self.team, ORGANIZATION),
            "user": (self.user, UNSCORED),
            "email": (lambda: f"{self.user()}@{rng.choice(['example.com', 'example.net', 'mail.example.org'])}", UNSCORED),
            "hashtag": (lambda: rng.choice([self.user(), pick("nouns"), "love", "fail", "nowplaying"]), UNSCORED),
            "url": (lambda: f"http://t.example/{''.join(rng.choices('abcdefXYZ0123456789', k=7))}", UNSCORED),
            "title": (lambda: rng.choice(titles), None),
            "num": (self.number, None),
            "ref": (self.reference, None),
            "date": (self.date, None),
            "time": (lambda: f"{rng.randint(1, 12)}{rng.choice([' pm', 'pm', ':30 am', ':15', ' o clock'])}", None),
            "phone": (self.phone, None),
            "month": (lambda: rng.choice(months), None),
            "weekday": (lambda: rng.choice(weekdays), None),
            "money": (self.money, None),
            "brand": (lambda: name_case(rng.choice(self.brands)), None),
            "product": (lambda: rng.choice(self.products), None),
            "work": (lambda: name_case(pick("works")), None),
            "job": (lambda: pick("jobs"), None),
            "button": (lambda: pick("buttons"), None),
            "emoji": (lambda: pick("emoji"), None),
        }

    def _pick(self, name: str) -> str:
        return self.rng.choice(self.lists[name])

    def _write(self, name: str, words: Mapping[str, Callable[[], str]] | None = None) -> str:
        """A pattern of a weighted list, its slots filled."""
        pattern = self.rng.choices(*self.weighted[name])[0]
        return self._fill_pattern(pattern, words or self.words)

    def _fill_pattern(self, pattern: str, words: Mapping[str, Callable[[], str]]) -> str:
        return SLOT.sub(lambda m: words[m[1]](), pattern)

    def _of_some_locale(self, pool: Mapping[str, list[str]]) -> str:
        return self.rng.choice(pool[self.rng.choice(sorted(pool))])

    def _one_of(self, *makers: tuple[float, Callable[[], str]]) -> str:
        return self.rng.choices([make for _, make in makers], [weight for weight, _ in makers])[0]()

    # people

    def _group(self) -> str:
        return self.rng.choice(ENGLISH if self.rng.random() < ENGLISH_SHARE else self.pools.groups)

    def _given_of(self, group: str) -> str:
        rng = self.rng
        return self._one_of(
            (6, lambda: rng.choice(self.nicknames)),
            (7, lambda: rng.choice(self.word_names)),
            (8, self.coined_name),
            (79, lambda: rng.choice(self.pools.given[group])),
        )

    def _family_of(self, group: str) -> str:
        rng = self.rng
        return self._one_of(
            (5, lambda: rng.choice(self.word_names)), (10, self.coined_name), (85, lambda: rng.choice(self.pools.family[group]))
        )

    def coined_name(self) -> str:
        """A name that nobody bears, as far as the lists know."""
        return self.letters.write(self.rng)

    def given_name(self) -> str:
        """Of any group."""
        return self._given_of(self._group())

    def family_name(self) -> str:
        """Of any group."""
        return self._family_of(self._group())

    def full_name(self) -> str:
        """Mostly of one group; one name of eight mixes two, as people do."""
        given_group = family_group = self._group()
        if self.rng.random() < 1 / 8:
            given_group = self._group()
        words = {**self.words, "given": lambda: self._given_of(given_group), "family": lambda: self._family_of(family_group)}
        return self._write("full_names", words)

    def person(self) -> str:
        """A full name, or one part of it."""
        return self._one_of((30, self.given_name), (6, self.family_name), (64, self.full_name))

    def given_or_person(self) -> str:
        """As one is greeted."""
        return self._one_of((85, self.given_name), (15, self.person))

    def spelled(self) -> str:
        """A name letter by letter."""
        name = self._one_of((1, self.given_name), (1, self.family_name))
        return self.rng.choice([" ", "-", " ", ", ", "."]).join(c for c in name if c.isalpha())

    def team(self) -> str:
        """Of a town."""
        return f"{self.city()} {self.rng.choice(['FC', 'United', 'City', 'Rovers', self._pick('nouns').capitalize() + 's'])}"

    # places and addresses

    def city(self) -> str:
        """Real, of a locale of Faker, or made up."""
        rng, pools = self.rng, self.pools.city
        ends = ["", "", "ville", "ton", "burg", " City", "stad", "ovo", "pur", "abad", "ham", "borough"]
        return self._one_of(
            (50, lambda: rng.choice(self.towns)[0]),
            (8, lambda: self.coined_name() + rng.choice(ends)),
            (12, lambda: rng.choice(pools[rng.choice(ENGLISH_PLACES)])),
            (30, lambda: self._of_some_locale(pools)),
        )

    def state(self) -> str:
        """Abbreviation or name."""
        return self._one_of(
            (50, lambda: self._pick("states")), (25, lambda: self.rng.choice(self.towns)[-1]), (25, lambda: self._pick("regions"))
        )

    def country(self) -> str:
        """In full or as one says it."""
        return self._one_of((75, lambda: self.rng.choice(self.pools.countries)), (25, lambda: self._pick("regions")))

    def place(self) -> str:
        """Town, country or region, the town also with its state."""

        def town_and_state() -> str:
            return self.rng.choice([", ", " ", ", "]).join(self.rng.choice(self.towns))

        return self._one_of((45, self.city), (20, self.country), (10, lambda: self._pick("regions")), (25, town_and_state))

    def street_name(self) -> str:
        """Without a number; of many countries."""
        rng, pick = self.rng, self._pick

        def english() -> str:
            word = self._one_of(
                (6, lambda: name_case(pick("street_words"))),
                (4, lambda: name_case(rng.choice([self.family_name(), pick("nouns")]))),
            )
            return f"{rng.choice(['', '', '', 'N ', 'W. ', 'East ', 'SW '])}{word} {pick('street_endings')}"

        def numbered() -> str:
            n = rng.randint(1, 189)
            ending = "th" if n % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
            return (
                f"{rng.choice(['', '', 'W ', 'East '])}{n}{ending} {rng.choice(['Street', 'St', 'Ave', 'Avenue', 'Cross', 'Rd'])}"
            )

        return self._one_of(
            (34, lambda: self._of_some_locale(self.pools.street)),
            (20, english),
            (8, numbered),
            (
                4,
                lambda: (
                    f"{rng.choice(['Highway', 'Route', 'County Road', 'State Road', 'Hwy', 'Interstate'])} {rng.randint(1, 400)}"
                ),
            ),
            (34, lambda: self._fill_pattern(pick("foreign_streets"), self.words)),
        )

    def house_number(self) -> str:
        """Sometimes with a letter or an entrance."""
        rng = self.rng
        digits = rng.choice([99, 999, 9999, 99999])
        return f"{rng.randint(1, digits)}{rng.choice(['', '', '', '', '', 'a', 'B', '/3', '-12', ' bis', '/7'])}"

    def unit(self) -> str:
        """Flat, floor, suite."""
        return self._fill_pattern(self._pick("units"), self.words)

    def street(self) -> str:
        """Number, street and often flat."""
        return self._write("street_lines")

    def postcode(self) -> str:
        """Of many countries."""
        return self._one_of(
            (55, lambda: self._of_some_locale(self.pools.postcode)), (45, lambda: f"{self.rng.randint(501, 99950):05d}")
        )

    # not personal, or not for this model to find

    def user(self) -> str:
        """A login name made of a person's."""
        rng, given, family = self.rng, self.given_name(), self.family_name()
        name = rng.choice([given[0] + family, given + family[0], f"{given}.{family}", f"{given}_{family}", family + given[0]])
        return re.sub(r"[^\w.]", "", name.lower()) + rng.choice(["", str(rng.randint(1, 999)), str(rng.randint(1, 999))])

    def number(self) -> str:
        """Small or long."""
        return str(self.rng.randint(0, self.rng.choice([40, 9999, 10**10])))

    def reference(self) -> str:
        """Of an order, a ticket, an account."""
        rng = self.rng
        mixed = "".join(rng.choices("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789", k=10))
        dashed = f"{rng.choice('ABCKLOQRX')}{rng.choice('ABTZ')}-{rng.randint(1000, 99999)}"
        return rng.choice([f"#{rng.randint(1000, 999999)}", dashed, mixed, str(rng.randint(10**8, 10**10))])

    def date(self) -> str:
        """In figures or words."""
        rng = self.rng
        day, month, year, name = rng.randint(1, 28), rng.randint(1, 12), rng.randint(1950, 2026), rng.choice(MONTHS.split())
        numeric = [f"{day:02}/{month:02}/{year}", f"{year}-{month:02}-{day:02}", f"{day}.{month}.{year}"]
        spoken = [
            f"{day} {name} {year}",
            f"{name} {day}",
            f"{name} {day}, {year}",
            f"the {day}th",
            name,
            rng.choice(WEEKDAYS.split()),
        ]
        return rng.choice(numeric + spoken)

    def money(self) -> str:
        """In some currency, written in some way."""
        rng = self.rng
        return f"{rng.choice(['$', '£', '€', 'Rs. ', ''])}{rng.randint(1, 9999)}{rng.choice(['', '.99', ' dollars', 'k'])}"

    def phone(self) -> str:
        """Ranges reserved for fiction, and plain digits."""
        rng = self.rng
        tail = f"555-01{rng.randint(0, 99):02}"
        return rng.choice(
            [
                f"(555) {tail}",
                tail,
                f"+44 20 7946 0{rng.randint(100, 999)}",
                str(rng.randint(10**9, 10**10)),
                f"+{rng.randint(10**9, 10**12)}",
            ]
        )
