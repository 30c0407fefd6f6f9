"""Which finds of an English names model to believe in a text of another language.

The packaged model learnt from English texts; in German, Spanish or French it takes everyday words for names, and masking
them all would leave nothing to train on. A text whose function words are more often foreign than English is therefore read
with more care: of a find, only those words stay that the language itself marks as a name.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from pipeline.reading.languages import language_of
from pipeline.replacing.atoms import normal_word
from pipeline.replacing.name_lists import family_names, given_names
from pipeline.spans import Span
from pipeline.word_list import word_list

ENGLISH: Final = word_list(
    "the a an and or but of to for with from by at is are was were be been am i you he she it we they my your his her our"
    " their this that these those not have has had do does did can could will would should may if when where what who why how"
    " there here please thanks thank hello hi hey yes no on in as so me us up out about just get got need want order it's i'm"
    " told tell said say asked ask wait waiting again still since after before because then any some been back call called sent"
    " went came gave took made says lives works calls"
)

GERMAN: Final = word_list(
    "ich du er wir ihr mich mir dich dir uns euch sie ihnen ihre ihren ihrem ihrer mein meine meinen meinem meiner dein deine"
    " unser unsere der das dem den des ein eine einen einem einer eines ist sind bin seid war waren wurde wurden wird werden hat"
    " habe haben hatte hatten kann können könnte muss müssen soll sollte möchte will darf nicht kein keine keinen und oder aber"
    " denn weil dass daß wenn ob als wie wo wer wann warum wieso welche welcher welches mit ohne für von vom zu zum zur bei beim"
    " nach aus auf über unter vor seit bis durch gegen um im am noch schon auch nur sehr mehr jetzt hier dort da doch mal bitte"
    " herrn danke vielen dank hallo guten tag morgen abend moin servus grüße gruß freundlichen freundliche liebe lieber beste"
    " viele ja nein gern gerne leider worum geht es alles sich man mehr etwas nichts"
)

ROMANCE: Final = word_list(
    "yo tú usted ustedes nosotros ellos ella él mi mis tu tus su sus nuestro nuestra el los las un una unos unas del al es son"
    " soy eres somos está están estoy estaba fue era ser estar ha he han hay tiene tengo puede puedo quiero quiere necesito y o"
    " pero porque que qué quién cuál cuándo dónde cómo cuánto si sí no con sin para por desde hasta entre sobre muy más menos"
    " también ya todavía ahora aquí allí este esta esto ese esa eso lo le les se nos gracias hola buenos buenas días tardes"
    " noches favor saludos cordiales adiós tal je tu il elle nous vous ils elles mon ma mes ton ta tes son sa ses notre nos"
    " votre vos leur leurs le les une des du au aux ce cet cette ces est sont suis es sommes êtes était été être ai as avons"
    " avez ont peux peut pouvez voudrais veux et ou mais donc car parce que quand où comment pourquoi qui quoi quel quelle avec"
    " sans pour par dans sur sous chez vers très plus moins aussi déjà encore maintenant ici là pas ne jamais rien tout tous"
    " toujours veut veulent attends reçu faut depuis après avant"
    " bonjour bonsoir salut merci beaucoup cordialement bonne journée oui non svp il lo gli una uno di che con per sono è ciao"
    " grazie prego buongiorno não você obrigado obrigada olá bom dia"
)

ITALIAN: Final = word_list(
    "io lui lei noi voi loro mio mia miei mie tuo suo sua suoi nostra vostro il lo i gli uno una del dello della dei degli"
    " delle allo alla ai agli alle nel nella nei sul sulla dal dalla è sono siamo siete ho hai abbiamo avete hanno posso"
    " può vorrei voglio devo deve perché che chi cosa quale dove quanto sì non senza per da di tra fra molto più anche già"
    " ancora adesso qui questo questa quello mi ti si ci vi grazie ciao buongiorno buonasera salve prego scusi gentile"
    " cordiali distinti saluti signor signora chiamo riesco abito meu minha seu o os não está em do dos nas moro chamo você"
)

DUTCH: Final = word_list(
    "ik jij je u hij zij wij jullie mijn uw zijn haar ons onze het een niet geen en maar want omdat dat dit deze er hier"
    " daar waar wie wanneer waarom hoe met zonder voor van naar bij aan op uit onder tot sinds om te ben bent wordt worden"
    " heb hebt heeft hebben kan kunnen moet moeten wil willen zal zou mag nog ook alleen zeer veel nu hallo hoi goedemorgen"
    " goedendag alstublieft graag bedankt dankjewel groet groeten vriendelijke geachte beste heer mevrouw nee niets iets"
    " kwijt woon wonen bellen"
)

OTHERS: Final = word_list(
    "jest moja mój nie się gdzie czy proszę dziękuję mam jestem został została quero minha onde não obrigado jag inte mitt och"
    " att är tack hej ikke jeg og hvor hala bir için nasıl benim çok teşekkürler merhaba kde moje není prosím děkuji missä ole"  # noqa: RUF001  # Turkish has it
    " kiitos kde hol nem köszönöm unde este nu mulțumesc gdje nije hvala"
)
"""Of Polish, Portuguese, Swedish, Danish, Turkish, Czech, Finnish, Hungarian, Romanian and Croatian, some that tell them."""

GERMAN_FORMS: Final = word_list(
    "ab alt april august ausgestellt benutzername bestellnummer dezember eingestellt februar finanzamt führerschein"
    " führerscheinnummer geboren geburtsdatum geburtsort handy handynummer hausnummer jahre januar juli juni kennzeichen"
    " klasse kontoinhaber kontonummer krankenversichertennummer kundennummer läuft mai märz november nr oktober ort"
    " passwort personalausweis personalausweisnummer postleitzahl rechnungsnummer reisepass reisepassnummer senden"
    " september sozialversicherungsnummer steuer-id steuernummer straße telefon telefonnummer uhr vertragsnummer wohnhaft"
    " wohnort zählernummer mfg vg lg tel fax kd kdnr kd-nr kundennr bestellnr artikelnr seriennr seriennummer"
    " gerätenummer vorgangsnr kalenderwoche kw mitarbeiter kollegen kollegin kollege kundendienst kundenservice hotline"
    " wohne gerät strom firma betreff geehrte geehrter damen herren anbei rückruf"
    " tage tagen woche wochen monat monate stunde stunden minuten konto bestellung lieferung rechnung paket artikel ware"
    " gutschein rückgabe rücksendung erstattung reparatur garantie akku bildschirm drucker ladekabel ladegerät kabel schalter"
    " versand abo vertrag kündigung anmeldung einstellungen ersatz ersatzteil umtausch termin techniker fehler fehlermeldung"
    " familie eheleute ehepaar defekt kaputt beschädigt falsch geliefert gesperrt vergessen fehlt storniert"
    " stornieren funktioniert angekommen"
)
FORMS: Final = word_list(
    "abril adres adresse agosto anni ans août appelle aprile augustus avril año años bestelbus bic blauwe bsn btw"
    " burgerservicenummer caduca carta carte casa cellulare cliente cnpj codice conduire contraseña correo cpf cuenta curp"
    " data dicembre diciembre dirección ditta dni dochter dossier décembre enero envíelo estimada estimado febbraio febrero"
    " februari fecha fiscale fixe février geboortedatum geboren gebruikersnaam gennaio giugno habite hija hijo iban"
    " identifiant identità identité immatriculation intestato iva jaar januari janvier joignable juillet juin juli julio"
    " juni junio kenteken klantnummer kvk-nummer livraison luglio maart maggio marito mars marzo matrícula mayo moglie moi"
    " móvil nacimiento nació nací naissance nascita nata nato nie nif nome novembre noviembre numéro né née número octobre"
    " octubre ottobre partita pasaporte paspoort passeport password patente patient patiente permis plaque portable rfc"
    " rijbewijs scrivo seguridad septembre septiembre settembre siren siret social société spedire swift targa tarjeta"
    " telefoon teléfono titular téléphone usuario utente vit vivo wachtwoord zoon"
    " pedido factura reembolso devolución pantalla batería cargador envío paquete producto sesión commande facture colis"
    " remboursement retour livreur écran batterie chargeur abonnement produit impossible ordine fattura pacco rimborso"
    " batteria schermo caricatore spedizione prodotto reso bestelling factuur pakket terugbetaling scherm lader levering"
    " abonnement encomenda reembolso entrega assinatura cancelar fatura"
)
"""Words of forms, the other in French, Spanish, Italian, Dutch: what stands beside them tells of somebody, they do not."""

_AMBIGUOUS: Final = word_list(
    "los im yo y ya car man um ella em hat wil con tra han ou want comment ese"
    " a an am no in as so me us on he do has will his son des es ha ma mon ton tag dank fue era ser du le i o os of over van"
    " te had was is die wat al het om aan per di da dal mi ti si vi u er we hoe door patient data casa mars handy august"
    " september november met bent plaque social swift ai ho or hier note dove chi mag klasse moi bic dossier livraison nr"
    " ort mai patente nut men kan zo april juli password portable cliente nome beste dos nas ben je een alt alle il"
    " tel fax mfg vg lg kd kw strom firma war"
)
"""Words of two of the languages, or parts of names: they decide nothing."""

_SHARED: Final = word_list("a am an")
"""English words that are as common elsewhere."""

_PLACES: Final = word_list("aus in nach bei à a da en uit te vit habite habito vivo wohne wohnhaft dans desde")
"""What stands before a place that a model took for one."""

_NO_PLACES: Final = word_list(
    "ordnung versehen rechnung höhe kürze zukunft anspruch betrieb zahlung hause ruhe frage deutschland gründen bearbeitung"
    " bezug form einzelteilen kulanz france españa italia nederland europe ligne retard effet avance cours stock attente"
    " casa seguida línea"
)

_INTRODUCES: Final = word_list(
    "hallo lieber liebe herr frau herrn heiße heisse name bin grüße gruß danke hola señor señora sr sra don doña llamo"
    " nombre soy saludos gracias bonjour bonsoir monsieur madame mme mlle m appelle nom suis cordialement merci salut"
    " agente agent ciao servus moin steht lautet heißt chiamo sig ra dott signor signora sono nome heer mevrouw mevr dhr"
    " naam groet groeten saluti gentile geachte beste heet mfg vg lg namen gewisser gewisse gewissen kontoinhaber kontoinhaberin"
    " titulaire titular intestatario rekeninghouder saludo groetjes bedankt grazie meneer hoi dr prof heter hedder navn namn imię"
    " jmenuji adım ismim chamo зовут имя мене звати familie eheleute ehepaar witwe famille familia famiglia"  # noqa: RUF001  # Turkish has it
)
"""What stands before a name."""

_INTRODUCE_TOGETHER: Final = (
    *(["hier", "ist"], ["hier", "spricht"], ["guten", "morgen"], ["guten", "tag"], ["guten", "abend"]),
    *(["spreekt", "met"], ["ik", "ben"], ["naam", "is"], ["nazywam", "się"], ["namen", "von"]),
    *(["kontoinhaber", "ist"], ["titulaire", "est"], ["titular", "es"], ["rekeninghouder", "is"]),
    *(["nom", "de"], ["nombre", "de"], ["intestato", "a"], ["naam", "van"], ["nome", "di"], ["läuft", "auf"]),
    *(["auftrag", "von"], ["part", "de"], ["parte", "de"], ["conto", "di"], ["à", "vous"]),
)
_ASKS: Final = re.compile(
    r"\b(?:frag|verlang|sprech|sprach|gesproch|telefonier|red)\w*(?:\s\w{2,4}){0,2}\s(?:nach|mit)\s\Z", re.IGNORECASE
)
_WITH: Final = re.compile(r"\bmit\s\Z", re.IGNORECASE)
_SPOKEN: Final = re.compile(
    r"\s(?:\w+\s){0,2}(?:gesprochen|telefoniert|geredet|geschrieben|verbunden|abgestimmt|geklärt|besprochen|abstimmen|klären"
    r"|besprechen|sprechen)\b",
    re.IGNORECASE,
)
_NAMES: Final = word_list(
    "heiße heisse llamo appelle herr frau chiamo heet mfg vg lg monsieur madame signor signora señor señora meneer mevrouw dr"
)
"""What stands before nothing but a name."""

_RELATED: Final = word_list(
    "bruder chef chefin freund freundin hausmeister kollege kollegin mann mitbewohner mitbewohnerin nachbar nachbarin neffe"
    " nichte onkel opa oma schwager schwester schwägerin sohn tante tochter vermieter vermieterin vetter ehemann ehefrau partner"
    " partnerin mari épouse femme fils fille frère sœur soeur père mère ami amie voisin voisine collègue copain copine oncle"
    " marido esposo esposa mujer hijo hija hermano hermana padre madre amigo amiga vecino vecina compañero compañera novio novia"
    " tío tía marito moglie figlio figlia fratello sorella amico amica vicino vicina collega zio zia compagno compagna man vrouw"
    " zoon dochter broer zus vader moeder vriend vriendin buurman buurvrouw oom neef"
)
"""Who is named with an article, "mein Nachbar der Jörg", or after whose they are, "mein Nachbar Jörg"."""

_WHOSE: Final = word_list(
    "mein meine meinem meinen meiner dein deine ihr ihre ihrem ihren ihrer unser unsere mon ma notre votre son sa mi su nuestro"
    " nuestra tu mio mia suo sua nostro nostra vostro vostra mijn uw ons onze"
)

_FOR: Final = word_list("für an bei von mit auf pour chez avec à para con a per da voor bij met naar namens hier ici")
"""What stands before people and things: in lower case a first name is one that a list has."""

_CALLS: Final = re.compile(
    r"(?:\s[^\W\d_]+)?\s(?:am apparat|ist mein name|à l['’]appareil|al habla|al tel[eé]fono|aan de (?:lijn|telefoon))\b",  # noqa: RUF001  # the apostrophe people type
    re.IGNORECASE,
)
"""After the name of who calls."""

_ARTICLES: Final = word_list(
    "der die das den dem des ein eine einen einem einer mein meine meinen meinem meiner kein keine ihre zum zur im am"
)
"""Before a German noun; before a name only where people speak, not where they write."""

FOREIGN: Final = GERMAN | ROMANCE | ITALIAN | DUTCH | OTHERS | GERMAN_FORMS | FORMS | _ARTICLES

_ELIDED: Final = re.compile(r"(?:[cdjlmnst]|qu)['’][a-zà-ÿ]")  # noqa: RUF001  # the apostrophe people type
"""A French or Italian word whose article or pronoun lost its vowel, in lower case."""

_STREET: Final = re.compile(
    r"(?:straße|strasse|str\.|weg|platz|allee|gasse|ring|damm|ufer|laan|straat|gracht|plein|kade|dijk)\b"
    r"|\b(?:rue|avenue|boulevard|place|chemin|impasse|quai|calle|avda|avenida|plaza|paseo|camino|via|viale|piazza|corso|vicolo|rua)\b",
    re.IGNORECASE,
)

_WORD: Final = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")  # noqa: RUF001  # the apostrophe people type
_SENTENCE_START: Final = re.compile(r"(?:\A|[.!?¡¿:\n])[\s\"'“«(]*\Z")
SHORT_LINE: Final = 4
"""Words of a line that may be nothing but a name or a place: a signature, an answer; so may the last of a longer one."""

MIN_LETTERS: Final = 3

MIN_WORDS: Final = 3
"""Of fewer nobody knows whether they are anything but a name."""

_NOT_LATIN: Final = re.compile(r"[\u0370-\u1dff\u2c00-\ua71f\uac00-\ufaff]")
"""Greek, Cyrillic, Arabic, the scripts of Asia: the packaged model knows no word of theirs."""


def is_foreign(text: str) -> bool:
    """Whether more of its function words are those of another language than English, or all it says is in another.

    >>> is_foreign("Wo bleibt meine Bestellung?"), is_foreign("Where is my order, Maria de la Cruz?")
    (True, False)
    >>> is_foreign("Gdzie jest moja paczka, zamówiona w piątek?"), is_foreign("Где мой заказ?")
    (True, True)
    """
    words = [word.casefold() for word in _WORD.findall(text)]
    told = sum(_is_said(word) for word in words if word not in _AMBIGUOUS)
    english = sum(word in ENGLISH and word not in _SHARED for word in words)
    if told > english:
        return True
    if told < english and any(word in ENGLISH and word not in _AMBIGUOUS and word not in _SHARED for word in words):
        return _is_in_another_script(text)
    return _is_in_another_script(text) or (_is_sentence(text) and (_is_accented(text) or language_of(text) not in {None, "en"}))


def _is_sentence(text: str) -> bool:
    """Whether it says something: in names and addresses alone most words are capital."""
    words = _WORD.findall(text)
    capital: int = sum(word[0].isupper() for word in words)
    return capital * 2 <= len(words)


def _is_in_another_script(text: str) -> bool:
    """Whether most of its letters are; a name or a place alone may be."""
    return not text.isascii() and len(_NOT_LATIN.findall(text)) * 2 > sum(map(str.isalpha, text))


def _is_accented(text: str) -> bool:
    """Whether letters stand in its words in lower case such as no word of English has; not those of a name alone."""
    words = _WORD.findall(text)
    accented = [normal_word(word) for word in words if word.islower() and not word.isascii()]
    return len(words) >= MIN_WORDS and any(word not in given_names() and word not in family_names() for word in accented)


def believable(text: str, spans: Sequence[Span]) -> list[Span]:
    """The words of these finds that are names in that language, side by side as one find; addresses with a number whole."""
    words = [word.casefold() for word in _WORD.findall(text)]
    german = sum(word in GERMAN or word in GERMAN_FORMS for word in words)
    other = sum(
        _ELIDED.match(word) is not None or any(word in each for each in (ROMANCE, ITALIAN, DUTCH, FORMS)) for word in words
    )
    nouns_are_capital = german >= other if german or other else language_of(text) in {None, "de", "lb"}
    return [kept for span in _whole(text, spans) for kept in _kept(text, span, nouns_are_capital=nouns_are_capital)]


def _whole(text: str, spans: Sequence[Span]) -> Iterator[Span]:
    """Of people's names that a model found word by word each as one find."""
    last: Span | None = None
    for span in sorted(spans):
        if last and last.entity_type == span.entity_type == "PERSON" and text[last.end : span.start] == " ":
            last = last._replace(end=span.end, score=max(last.score, span.score))
        else:
            yield from [last] if last else []
            last = span
    yield from [last] if last else []


def _kept(text: str, span: Span, *, nouns_are_capital: bool) -> Iterator[Span]:
    if span.entity_type == "STREET_ADDRESS" and any(map(str.isdecimal, value := text[span.start : span.end])):
        words = _WORD.findall(value)
        if _STREET.search(value) or not words or _may_hold_place(words):
            yield span
        return
    words = list(_WORD.finditer(text, span.start, span.end))
    wanted = [_is_name(text, word, span, nouns_are_capital=nouns_are_capital) for word in words]
    beside = [text[one.end() : other.start()] == " " for one, other in pairwise(words)]
    for order, step in ((range(1, len(words)), -1), (range(len(words) - 2, -1, -1), 1)):
        for at in order:
            if wanted[at + step] and beside[min(at, at + step)]:
                if step > 0 and nouns_are_capital and _follows_article(text, words[at]):
                    continue  # "mein Nachbar Alois"
                alike = words[at].group()[0].isupper() or (step < 0 and words[at + step].group()[0].islower())
                wanted[at] = wanted[at] or (alike and not _says_nothing(words[at]))
    start = None
    for at, word in enumerate(words):
        if wanted[at] and start is None:
            start = word.start()
        if start is not None and (at + 1 == len(words) or not (wanted[at + 1] and beside[at])):
            yield span._replace(start=start, end=word.end())
            start = None


def _may_hold_place(words: Sequence[str]) -> bool:
    """Whether one of them may be a place: beside words that say nothing one letter is none, as in "Seriennr. 550417B"."""
    telling = [word for word in words if word[0].isupper() and not _is_said(word.casefold())]
    return any(len(word) > 1 for word in telling) or (bool(telling) and not any(_is_said(word.casefold()) for word in words))


def _follows_article(text: str, match: re.Match[str]) -> bool:
    before = _WORD.findall(text[max(0, match.start() - 40) : match.start()])
    return bool(before) and before[-1].casefold() in _ARTICLES


def _is_name(text: str, match: re.Match[str], span: Span, *, nouns_are_capital: bool) -> bool:
    word = match.group()
    if _says_nothing(match):
        return False
    before = [each.casefold() for each in _WORD.findall(text[max(0, match.start() - 40) : match.start()])]
    is_listed = (plain := normal_word(word)) in given_names() or plain in family_names()
    told = _told(word, before[-2:], span.entity_type, is_listed=is_listed)
    if told is None and (_CALLS.match(text, match.end()) or (before and before[-1] in _FOR and word.islower())):
        told = word[0].isupper() or plain in given_names()
    if told is not None:
        return told
    if not word[0].isupper() or (nouns_are_capital and before and before[-1] in _ARTICLES):
        return False
    if is_listed or _is_last(text, match) or _is_spoken_with(text, match):
        return True
    return not nouns_are_capital and not _SENTENCE_START.search(text[: match.start()])


def _told(word: str, before: Sequence[str], entity_type: str, *, is_listed: bool) -> bool | None:
    """What the two words before say of a word; None when nothing."""
    if _is_introduced(before):
        return word[0].isupper() or is_listed or before[-1] in _NAMES
    by_article = len(before) > 1 and before[-1] in {"der", "die"} and (before[0] == "bin" or before[0] in _RELATED)
    if before == ["moi", "c'est"] or (is_listed and by_article):
        return True
    if len(before) > 1 and before[-1] in _RELATED and before[0] in _WHOSE:
        return word[0].isupper() or is_listed
    if word[0].isupper() and before and (before[-1] == "à" or (entity_type == "LOCATION" and before[-1] in _PLACES)):
        return word.casefold() not in _NO_PLACES
    return None


def _is_spoken_with(text: str, match: re.Match[str]) -> bool:
    """Whether a word, in German, is who is asked for or talked to; a noun there seldom passes for a name."""
    if _ASKS.search(text, max(0, match.start() - 40), match.start()):
        return True
    return (
        _WITH.search(text, max(0, match.start() - 4), match.start()) is not None and _SPOKEN.match(text, match.end()) is not None
    )


def _is_last(text: str, match: re.Match[str]) -> bool:
    """Whether a word stands in a short line of nothing but names, or at the end of a longer one."""
    line_end = text.find("\n", match.end())
    line = text[: line_end if line_end >= 0 else len(text)].rstrip()
    start = max(line.rfind(sign, 0, match.start()) for sign in ".!?\n")
    last = _WORD.findall(line[start + 1 :])
    are_names = all(each[0].isupper() and not _is_said(each.casefold()) for each in last)
    return len(last) <= SHORT_LINE and line[-1] not in "!?" and are_names


def _is_introduced(told: Sequence[str]) -> bool:
    """Whether the two words before a word, in lower case, say that a name comes."""
    return bool(told) and (told[-1] in _INTRODUCES or told in _INTRODUCE_TOGETHER)


def _says_nothing(match: re.Match[str]) -> bool:
    word = match.group().casefold()
    return len(word) < MIN_LETTERS or _is_said(word) or word in ENGLISH


def _is_said(word: str) -> bool:
    return word in FOREIGN or _ELIDED.match(word) is not None
