"""What describes a person without naming anyone: age, nationality and religion, the moment something happened.

Alone they identify nobody; together, with a small town, they do. Forms of address and bare years tell little, and texts
without them read badly: the shipped `scrub.modes` keep TITLE and YEAR.
"""

from collections.abc import Sequence
from typing import Final

from presidio_analyzer import EntityRecognizer, Pattern, PatternRecognizer

_PEOPLES: Final = (
    "afghan|albanian|algerian|american|andorran|angolan|argentin(?:e|ian)|armenian|australian|austrian|azerbaijani|bahraini"
    "|bangladeshi|belarusian|belgian|bolivian|bosnian|brazilian|british|bulgarian|burmese|cambodian|cameroonian|canadian|catalan"
    "|chilean|chinese|colombian|congolese|croatian|croat|cuban|cypriot|czech|danish|dane|dominican|dutch|ecuador(?:ian|ean)"
    "|egyptian|emirati|english(?:man|woman|men)?|eritrean|estonian|ethiopian|fijian|filipin[oa]|finnish|finn|french(?:man|woman)?"
    "|georgian|german|ghanaian|greek|greenlander|greenlandic|guatemalan|haitian|honduran|hungarian|icelandic|icelander|indian"
    "|indonesian|iranian|iraqi|irish(?:man|woman)?|israeli|italian|ivorian|jamaican|japanese|jordanian|kazakh|kenyan|korean"
    "|kosovar|kurdish|kurd|kuwaiti|laotian|latvian|lebanese|liberian|libyan|lithuanian|luxembourger|macedonian|malagasy|malaysian"
    "|maltese|mexican|moldovan|mongolian|montenegrin|moroccan|mozambican|namibian|nepal(?:ese|i)|nicaraguan|nigerian|norwegian"
    "|omani|pakistani|palestinian|panamanian|paraguayan|peruvian|polish|portuguese|qatari|romanian|russian|rwandan|salvadoran"
    "|saudi|scottish|scot|senegalese|serbian|serb|singaporean|slovakian?|slovenian?|slovene|somali|spaniard|spanish|sudanese"
    "|swedish|swede|swiss|syrian|taiwanese|tanzanian|thai|tibetan|tunisian|turkish|ugandan|ukrainian|uruguayan|uzbek|venezuelan"
    "|vietnamese|welsh(?:man|woman)?|yemeni|zambian|zimbabwean"
    "|muslim|jewish|hindu|buddhist|catholic|protestant|sikh|mormon|atheist"
)
_THINGS: Final = (
    "express|airlines?|airways|dollars?|pounds?|euros?|rubles?|roubles?|lira|franc|francs|currency|money|banks?|banking|translation"
    "|version|language|cards?|accounts?|website|site|text|menu|keyboard|size|sizes|plug|stores?|delivery|customs"
)
"""After the name of a people they make it say something of a thing."""

_NOT_LATER: Final = r"(?![\w%]|[.,:/-]\d|\s*(?:%|€|\$|£))"


def recognizers(language: str, _countries: Sequence[str]) -> list[EntityRecognizer]:
    """AGE, NRP (nationality, religion, politics: Presidio's name), DATE_TIME of moments written in full, TITLE, YEAR."""
    age = [
        Pattern(
            "so many years old", r"(?<![\w.,$€£])[1-9]\d{1,2}(?=[- ]?(?:years?|yrs?)[- ]?(?:old|of age)\b|\s?y[./]?o\b)", 0.6
        ),
        Pattern("child", r"(?<![\w.,])\d(?=[- ](?:years?|yrs?|months?)[- ]old (?:son|daughter|child|kid|boy|girl|baby)\b)", 0.6),
        Pattern(
            "reached",
            rf"\b(?:i|he|she|they|just|'ll|will|who|mother|father|brother|sister|son|daughter|wife|husband) (?:just |have |has )?"
            rf"turn(?:ed|s|ing)? \K[1-9]\d{{0,2}}{_NOT_LATER}",
            0.6,
        ),
        Pattern("announced", rf"\b(?:my age is|age[:=]|aged|at the age of|age of)\s*\K[1-9]\d{{0,2}}{_NOT_LATER}", 0.6),
        Pattern("at the time", rf"\b(?:when|since|until|till) (?:i|he|she|they) (?:was|were) \K[1-9]\d{_NOT_LATER}", 0.5),
        Pattern("after a name", r"(?-i:[A-Z])[\w'-]{1,20},\s\K\d{1,3}(?=\s(?:years?|yrs) old\b)", 0.5),
        Pattern("years after a name", r"(?-i:[A-Z])[\w'-]{1,20},\s\K(?:1[6-9]|[2-9]\d)(?=\s(?:years?|yrs)[,.])", 0.5),
        Pattern(
            "in brackets after a name",
            r"(?-i:\b[A-ZÀ-Þ][\w'-]{1,20} [A-ZÀ-Þ][\w'-]{1,30}) "
            r"\(\K(?:1[6-9]|[2-9]\d)(?=\)(?:,| (?:is|was|has|from|who|of|wurde|ist|hat|aus|est|a)\b))",
            0.5,
        ),
        Pattern(
            "of other languages",
            r"\b(?:j'ai|ai|a|âgée? de|tengo|tiene|ho|ha|bin|ist|is|ben|\w+,(?: de)?)\s\K\d{1,3}"
            r"(?=\s(?:jahre(?: alt)?|ans|años|anni|jaar(?: oud)?)\b(?!\s(?:de|di|d'|garantie)))",
            0.5,
        ),
        Pattern("of oneself", r"\bi(?:'m| am)\s+\K[1-9]\d(?=\s*(?:[.,!?;]|$|\s(?:and|now|already)\b))(?![.,]\d)", 0.5),
    ]
    people = [Pattern("people", rf"\b(?:{_PEOPLES})s?\b(?!'s|\s+(?:{_THINGS})\b)", 0.5)]
    moment = [
        Pattern(
            "timestamp",
            r"(?<![\w-])(?:19|20)\d\d-[01]\d-[0-3]\d[T ][0-2]\d:[0-5]\d(?::[0-5]\d(?:[.,]\d{1,6})?)?(?:Z|[+-]\d\d:?\d\d)?(?!\w)",
            0.6,
        )
    ]
    title = [Pattern("before a name", r"\b(?i:mr|mrs|ms|miss|mx|dr|prof|herr|frau|mme|mlle)\b\.?(?=\s+\w)", 0.5)]
    year = [
        Pattern(
            "after a preposition",
            r"\b(?:in|since|during|of|from|until|before|after|a|an)\s+\K(?:19|20)\d\d(?![\w%]|[.,/-]\d)",
            0.5,
        )
    ]
    return [
        PatternRecognizer("TITLE", "TitleRecognizer", language, title),
        PatternRecognizer("YEAR", "YearRecognizer", language, year),
        PatternRecognizer("AGE", "AgeRecognizer", language, age),
        PatternRecognizer("NRP", "PeopleRecognizer", language, people),
        PatternRecognizer("DATE_TIME", "MomentRecognizer", language, moment),
    ]
