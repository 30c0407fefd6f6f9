"""Everyday and chat words that the names model takes for names now and then, and that name nobody.

Chat words: written down by hand, as support chats and posts have them; none of them is a given or a family name. Greetings and
exclamations open a turn with a capital letter, as names do.
"""

import re
from typing import Final

from pipeline.known_values import FUNCTION_WORDS, NAME_WORDS, known_words
from pipeline.replacing.atoms import normal_word
from pipeline.replacing.name_lists import family_names, given_names
from pipeline.spans import Span
from pipeline.word_list import word_list

WORDS: Final = word_list(
    "aaa abt acc acct addy admin af afaik afk afternoon ahoy aight aka alot anyway app apps appt arent asap atm atms"
    " 2day 2moro 2morrow 2nite 4ever cvc cvv hun sik"
    " attn aw awesome aww ayo ayy b4 bad bc bday best bf bff bk brah brb brilliant bro bros bruh btw bump bye cant cba"
    " cheers christmas cmon congrats convo cool couldnt coz cu cuz cya dafuq dat dawg dear def dem didnt dm dms dnt"
    " doesnt dont dood dude dunno e2e easter ehh emoji eod esp eta etc evening fam faq faqs fb ffs fml fomo frfr ftw"
    " fwiw fyi gf gg gift gimme gm gonna good gotta gr8 great greetings grr gtg haha hahah hahaha happy hbu heh hehe"
    " hella hello hey heya hi hiya hmm hmmm hmu hola howdy hrs hru hurray idc idek idgaf idk ikr ily imei imho imo"
    " info insta irl isnt iykyk jk jus k kinda kk kthx kudos l8r lemme lfg lil lmao lmaoo lmaooo lmfao lmk lol lolol"
    " lolz lool lovely lurker lurkers lurking luv lvl mah meh meme memes merry mfw mins mkay mmm morning msg msgd msgs mth"
    " mths nah nbd ngl nice nite nm no nope np nvm obv obvs ofc oh oic ok okay okey okie omfg omg omw oof ooo oops ord otp"
    " outta pc peeps pfft phew pic pics pissed please pls plz plzz pm pms ppl prob probs promo ps psa pw pwd qt rant"
    " regards rly rn rofl roflmao rt salutations sec secs shh shite shoulda shouldnt sincerely sis smdh smfh smh sms smth"
    " sorry sorta spam srry srs srsly sry stfu sup super sux tba tbd tbf tbh tbt tgif thank thanks thanx tho thru thx til"
    " tix tks tldr tmi tmr tmrw tnx tomoz tqvm trails tryna trynna ttfn ttyl txt txting txts ty tyia tysm tyt tyvm ugh uhh"
    " umm ummm unsub ur urs urself ux vid vids vm w8 wanna wasnt wassup wat wbu wdym welcome well welp wfh whatev whatevs"
    " whoa whoops wk wks woah wont woo woohoo worst wouldnt wow wtaf wtf wth wtv wym xd xmas xoxo xx xxx y'all ya yaa"
    " yall yay yd yea yeah yeet yeh yep yes yikes yo yolo youre yours yrs yuck yup zzz"
    # words written as they sound
    " agen allways alrite anutha any1 aswell becos betta bf4 bruv bt coulda cud cudnt da dats deffo defo dere diffrent dis"
    " doin dose emale enuf every1 every1s evry evry1 evrybody evrything fanx fink frend frends frm frnd frnds gd gettin goin"
    " gona grrr gud gunna hapi hapy hav havent havin havnt hospitle init innit jst kno kool lads lappy laterz lissen lk luk"
    " lukin mabe mayb mite mornin nd nethin nething nitemare no1 nowt nuffin nufin nuthin nvr nxt omgg ov owt peng pleez"
    " plox prolly puter qik rite rites rlly rong sed sez shoud shud shudnt skool soo sooo soooo sory sos sum sum1 sumfin"
    " summat sumone sumthin sumthing supa supposably thnx thort thot tht tmoz tomoro tomorow tomorro tonite tuff tym untill"
    " waz wen wensday wer wernt whatevr wich wierd wiv wot wotever wots woz wud wudnt wurk wurse yer yesturday yh yoo yuh"
    " yur zomg"
    # of forms, and services where one has an account
    " aadhaar bic cvv dl dob guardian iban lat lng lon mrn pager pnr pt seat serial sex ssn swift vin vrm"
    " discord facebook instagram linkedin mastodon paypal skype snapchat telegram tiktok venmo whatsapp"
)
"""In lower case."""

_WORD: Final = re.compile(r"[^\W_]+(?:['’][^\W\d_]+)*")  # noqa: RUF001  # the apostrophe people type


def without(text: str, span: Span) -> Span | None:
    """The find less such words in lower case at its ends; None when it has no other words.

    >>> without("thx Priya", Span(0, 9, "PERSON", 0.3, "x"))
    Span(start=4, end=9, entity_type='PERSON', score=0.3, recognizer='x')
    >>> without("George Best", Span(0, 11, "PERSON", 0.3, "x")).end
    11
    >>> without("Lmao", Span(0, 4, "PERSON", 0.3, "x")) is None
    True
    """
    words = list(_WORD.finditer(text, span.start, span.end))
    if all(_is_plain(word.group()) for word in words) or (len(words) == 1 and _is_function(words[0].group())):
        return None
    telling = [word for word in words if not (word.group()[0].islower() and _is_plain(word.group()))]
    if not telling:
        return None
    start = telling[0].start() if telling[0] is not words[0] else span.start
    end = telling[-1].end() if telling[-1] is not words[-1] else span.end
    return span._replace(start=start, end=end)


def _is_listed(word: str) -> bool:
    return (name := normal_word(word)) in given_names() or name in family_names()


_LETTERS: Final = frozenset("nru")
"""And, are, you: in lower case; a capital letter is an initial."""


SHORTEST_CLIPPED: Final = 5
"""Letters: shorter ones are parts of names (Ye-jin)."""


def _is_plain(word: str) -> bool:
    low = word.casefold()
    return low in WORDS or word in _LETTERS or (word.islower() and _is_clipped(low))


def _is_function(word: str) -> bool:
    """Whether it is a function word in lower case that nobody is called."""
    return word in FUNCTION_WORDS and word not in NAME_WORDS


def _is_clipped(word: str) -> bool:
    """Whether it is a form in -ing without its g: "parkin"; a name with such an end is one, if a list has it."""
    return len(word) >= SHORTEST_CLIPPED and word.endswith("in") and f"{word}g" in known_words() and not _is_listed(word)


_HANDLE: Final = re.compile(r"@[\w.-]*\w")
LONGEST_HANDLE: Final = 40


def less_what_follows(text: str, span: Span) -> Span | None:
    """The find less the words after a handle that name nobody.

    >>> less_what_follows("@Zebedee_k same here", Span(1, 15, "PERSON", 0.3, "x")).end
    10
    >>> less_what_follows("@support john smith here", Span(1, 24, "PERSON", 0.3, "x")).end
    19
    >>> less_what_follows("@Zebedee same here", Span(9, 13, "PERSON", 0.3, "x")) is None
    True
    """
    at = text.rfind("@", max(0, span.start - LONGEST_HANDLE), span.start + 1)
    handle = _HANDLE.match(text, at) if at >= 0 and not text[at - 1 : at].isalnum() else None
    if handle is None or not handle.end() + 1 >= span.start or handle.end() >= span.end:
        return span
    after = max(span.start, handle.end())
    if "\n" in text[handle.end() : after + 1]:
        return span
    end = max((word.end() for word in _WORD.finditer(text, after, span.end) if _may_name(word.group())), default=handle.end())
    return span._replace(end=end) if end > span.start else None


def _may_name(word: str) -> bool:
    """Whether a word after a handle may be somebody's name: a list has it, or English has it not."""
    low = word.casefold()
    if _is_plain(word) or low in FUNCTION_WORDS:
        return False
    return (_is_listed(word) and not (word.islower() and low in NAME_WORDS)) or low not in known_words()
