# ruff: noqa: RUF001, E501, SIM905  # letters of 15 languages; a pattern is easier to read unbroken
"""What mail programs and companies put around the words of a mail, in 15 languages: en de fr es it nl pt pl sv da fi cs tr ru ja.

Collected from the programs' own translations (Gmail, Outlook, Apple Mail, Thunderbird, Yahoo Mail, their mobile versions) and
compared with the tables of mail-parser-reply 1.36 (MIT), quotequail 0.5 (MIT) and talon 1.4 (Apache-2.0). All patterns are matched
against single lines, or a few joined ones, of bounded length; none repeats a group that may be empty.
"""

import re
from collections.abc import Mapping
from typing import Final

IGNORE: Final = re.IGNORECASE

DATE: Final = re.compile(
    r"\d{1,4}\s?[./-]\s?\d{1,2}\s?[./-]\s?\d{2,4}|\d{4}年\s?\d{1,2}月\s?\d{1,2}日|"
    r"\b\d{1,2}(?:st|nd|rd|th|er|º|°)?\.?\s(?:de\s|d['’]\s?)?[^\W\d_]{3,14}\.?,?\s(?:de\s|del\s)?\d{4}|"
    r"\b[^\W\d_]{3,12}\.?[\s-]\d{1,2}(?:st|nd|rd|th)?[,\s-]+\d{2,4}\b",
    IGNORE,
)
TIME: Final = re.compile(r"\b\d{1,2}\s?(?:[:.]|h)\s?\d{2}(?::\d{2})?\b|\d{1,2}時\d{1,2}分", IGNORE)
ADDRESS: Final = re.compile(r"[<(\[]\s?(?:mailto:)?[^\s@<>()\[\]]+@[^\s@<>()\[\]]+\s?[>)\]]|\b[^\s@<>()\[\]]+@[\w-]+\.[\w.-]+\b")

WROTE: Final = re.compile(
    r"\b(?:wrote|writes|schrieb|schreibt|a\s[ée]crit|escribi[óo]|ha\sscritto|scrive|schreef|geschreven|escreveu|"
    r"napisała?(?:\(a\))?|pisze|napisana\sprzez|skrev|kirjoitti|napsala?(?:\(a\))?|yazdı|написала?(?:\(а\))?|пишет)"
    r"(?=[\s:(<,]|$)|のメール|書きました|さんの(?:メッセージ|投稿)",
    IGNORE,
)
"""The verb of a reply header, as clients conjugate it."""

SOMEBODY_WROTE: Final = re.compile(
    r"\b(?:you|we|i|they|he|she|it|who|colleague|colleagues|team)\s(?:guys\s|all\s|also\s|then\s|just\s)?(?:wrote|writes)\b|"
    r"\b(?:schrieb|schreibt|schrieben)\s(?:ich|er|sie|wir|ihr|du|mir|uns|man|ihr[e]?\skolleg\w+)\b|"
    r"\b(?:vous|tu|il|elle|on|nous|je|m['’]|coll[èe]gue)\s?(?:nous\s|lui\s|m['’])?a\s[ée]crit|"
    r"\b(?:me|nos|le|les|te|usted|compañer[oa])\sescribi[óo]|\b(?:mi|ci|vi|le|gli|lei|collega)\sha\sscritto|"
    r"\bschreef\s(?:u|je|jij|ik|hij|zij|ze|wij|we|uw\scollega)\b|\b(?:u|je|ik|hij|zij|wij)\sschreef\b|"
    r"\b(?:me|nos|lhe|voc[êe]|colega)\sescreveu|\b(?:mi|nam|pan|pani|ktoś|kolega)\s(?:napisała?|pisze)\b|"
    r"\bskrev\s(?:ni|du|jag|vi|han|hon|de|i|jeg|hun|man)\b|\b(?:ni|du|jag|vi|jeg|i)\sskrev\b|"
    r"\b(?:hän|kollegasi|asiakaspalvelija)\skirjoitti\b|\b(?:jste|mi|nám|kolega)\snapsala?\b|"
    r"\b(?:bana|bize|siz|o)\s(?:şunu\s|şöyle\s)?yazdı\b|\b(?:вы|он|она|мне|нам|коллега)\s(?:написала?|пишет)\b|(?:御社|貴社|あなた)の(?:メール|メッセージ)",
    IGNORE,
)
"""A verb with a pronoun or a colleague: a person tells who wrote, a program would give a name."""

LEAD: Final = re.compile(
    r"(?:on|am|le|el|il|em|no\sdia|a|op|w\sdniu|dnia|den|dne|fra|von|the)\s|\d|[^\W\d_]{2,9}[.,]\s?\d|(?:mon|tue|wed|thu|fri|sat|sun)",
    IGNORE,
)

_ROLES: Final[Mapping[str, str]] = {
    "from": """from von de da van od från fra lähettäjä odesílatel kimden gönderen от отправитель 差出人 送信者 expéditeur remitente
        mittente afzender remetente nadawca avsändare afsender""",
    "sent": """sent date gesendet datum envoyé enviado enviado_el fecha inviato data verzonden enviada_em enviado_em enviada wysłano
        wysłane data_wysłania skickat sendt dato lähetetty päivämäärä pvm päiväys odesláno gönderildi gönderme_tarihi
        gönderilme_tarihi tarih отправлено дата 送信日時 日時 日付 送信日""",
    "to": """to an à a para aan do till til vastaanottaja komu kime alıcı кому 宛先 destinataire destinatario""",
    "subject": """subject betreff objet asunto oggetto onderwerp assunto temat ämne emne aihe předmět konu тема 件名 sujet""",
    "other": """cc bcc kopie kopia kopio kopi dw bilgi копия reply-to importance attachments attachment anlagen wichtigkeit
        organization organisation antwort antwort_an""",
}
ROLE_OF: Final[Mapping[str, str]] = {name.replace("_", " "): role for role, names in _ROLES.items() for name in names.split()}
"""Name of a header field, in lower case -> what it is. `de`, `a`, `an` are also words: a block needs three fields to be one."""

SENT: Final = frozenset(
    """sent gesendet envoyé enviado inviato verzonden enviada wysłano wysłane skickat sendt lähetetty odesláno gönderildi
    отправлено 送信日時""".split()
)
"""Fields that only mails have; a date has many things."""

FIELD: Final = re.compile(
    r"^[\s>]*[*_]{0,2}([^\W\d_][\w -]{0,20}?)\s?[*_]{0,2}\s?[:：][*_]{0,2}(?:\s+|(?=[<\[\w\"'])|$)(.{0,500})$"
)

_BAR: Final = r"^[\s>]*[-_=*–—]{2,}\s?"
ORIGINAL: Final = re.compile(
    _BAR
    + r"(?:original\s(?:message|appointment|e-?mail)|reply\smessage|urspr[üu]ngliche\s(?:nachricht|mail|e-mail)|original-?nachricht|"
    r"original-?mail|message\sd['’]origine|message\soriginal|mensaje\soriginal|messaggio\soriginale|oorspronkelijk\sbericht|"
    r"origineel\sbericht|mensagem\soriginal|wiadomo[śs][ćc]\s(?:oryginalna|pierwotna)|oryginalna\swiadomość|"
    r"ursprungligt\smeddelande|original\s?meddelande|originalmeddelande|oprindelig\s(?:meddelelse|besked|mail)|alkuper[äa]inen\sviesti|"
    r"p[ůu]vodn[íi]\s(?:zpr[áa]va|e-?mail)|[öo]zg[üu]n\s(?:ileti|mesaj)|orijinal\s(?:mesaj|ileti)|исходное\sсообщение|"
    r"оригинальное\sсообщение|первоначальное\sсообщение|元のメッセージ|オリジナルメッセージ)"
    r"(?:\s?[-_=*–—]{2,})?\s*$",
    IGNORE,
)
FORWARDED: Final = re.compile(
    r"^[\s>]*(?:[-_=*–—]{2,}\s?(?:forwarded\s(?:message|by)|forwarded|weitergeleitete\s(?:nachricht|mail|e-mail)|message\stransf[ée]r[ée]|"
    r"mensaje\sreenviado|mensaje\sremitido|messaggio\s(?:inoltrato|inoltrata)|doorgestuurd\sbericht|mensagem\s(?:encaminhada|reencaminhada)|"
    r"wiadomość\sprzekazana|przekazana\swiadomość|treść\sprzekazanej\swiadomości|vidarebefordrat\s(?:meddelande|mejl|brev)|"
    r"videresendt\s(?:meddelelse|besked|mail)|(?:edelleen)?(?:lähetetty|välitetty)\sviesti|přeposlaná\szpráva|přeposlan[ýá]\s\w+|iletilen\s(?:mesaj|ileti)|"
    r"yönlendirilen\s(?:mesaj|ileti)|пересылаемое\sсообщение|пересланное\s(?:сообщение|письмо)|перенаправленное\sсообщение|"
    r"転送(?:された)?メッセージ|転送メール|forwarded\smessage).{0,60}|"
    r"(?:begin\sforwarded\smessage|anfang\sder\sweitergeleiteten\s(?:nachricht|e-mail)|début\sdu\smessage\s(?:transféré|réexpédié)|"
    r"inicio\sdel\smensaje\sreenviado|inizio\smessaggio\sinoltrato|begin\sdoorgestuurd\sbericht|início\sda\smensagem\s(?:encaminhada|reencaminhada)|"
    r"początek\sprzekazywanej\swiadomości|vidarebefordrat\sbrev|start\spå\svideresendt\sbesked|välitetty\sviesti\salkaa|začátek\spřeposílané\szprávy|"
    r"iletilmiş\smesaj|начало\sпереадресованного\s(?:сообщения|письма)|転送されたメッセージ))\s?[:：]?\s*$",
    IGNORE,
)
BAR: Final = re.compile(r"^\s*(?:[-_=*~#–—•·]\s?){3,}$")
UNDERSCORES: Final = re.compile(r"^\s*_{10,}\s*$")

_APP: Final = (
    r"(?:iphon|ipad|ipod|android|samsung|galaxy|huawei|honor|xiaomi|redmi|pixel|oppo|oneplus|motorola|nokia|sony|xperia|lg|htc|blackberry|"
    r"windows|outlook|e?mail|yahoo|aol|gmail|gmx|web\.de|freenet|proton|orange|sfr|libero|virgilio|t-online|telekom|spark|seznam|onet|wp\b|interia|"
    r"яндекс|yandex|телефон|смартфон|мобильн|почт|携帯|スマ|タブレット|ipadn?|nine|bluemail|k-9|fairemail|thunderbird|em client|tablet|"
    r"smartphone|handy|mobil|móvil|movil|celular|telem[óo]vel|cellulare|telefon|téléphone|telefoon|toestel|puhelim|cep\s|gsm|airmail|sparrow|mac\b)"
)
_WITH_APP: Final = rf"(?=.{{0,80}}{_APP})"
MOBILE: Final = re.compile(
    r"^\s*[*_<\[(]{0,2}(?:"
    rf"(?:sent|typed|written)\sfrom\smy\s\w+(?:\s\w+)?|"
    rf"{_WITH_APP}(?:sent|typed|written|composed|posted)\s(?:from|with|via|using|by|on)\s.{{2,80}}|"
    rf"{_WITH_APP}(?:get|download|obtener?|obtenez|téléchargez?|descargar|ottieni|scarica|obter|obtenha|baixe|pobierz|uzyskaj|hämta|skaffa|hent|få|hanki|"
    rf"získat|získejte|stáhnout|загрузите|скачать|скачайте|получить|получите|holen|laden|download)\s.{{0,30}}outlook.{{0,80}}|"
    rf"outlook\s(?:für|voor|for)\s(?:ios|android|mac).{{0,80}}|(?:(?:ios|android)\s\w+\s)?outlook.{{0,30}}(?:を入手|edinin|indirin).{{0,60}}|"
    rf"{_WITH_APP}(?:von|vom|diese\s\w+\swurde)\s.{{2,60}}\sgesendet|{_WITH_APP}gesendet\s(?:von|mit|aus|über|via|per|vom)\s.{{2,60}}|"
    rf"{_WITH_APP}envoy[ée]e?\s(?:de|depuis|à\spartir|avec|via|par|du)\b.{{2,60}}|"
    rf"{_WITH_APP}enviad[oa]\s(?:desde|con|de|do|da|a\spartir|pelo|com|via|por|através)\b.{{2,60}}|"
    rf"{_WITH_APP}inviat[oa]\s(?:da|dal|dalla|con|tramite)\b.{{2,60}}|"
    rf"{_WITH_APP}(?:verzonden|verstuurd)\s(?:vanaf|vanuit|met|via|van|door)\s.{{2,60}}|"
    rf"{_WITH_APP}wysłan[eoay]\s(?:z|ze|za|przez)\s.{{2,60}}|"
    rf"{_WITH_APP}skickat\s(?:från|med|via)\s.{{2,60}}|{_WITH_APP}sendt\s(?:fra|med|via)\s.{{2,60}}|"
    rf"{_WITH_APP}lähetetty\s.{{2,60}}|{_WITH_APP}odesláno\s(?:z|ze|pomocí)\s.{{2,60}}|"
    rf"{_WITH_APP}.{{2,50}}\s(?:gönderildi|gönderilmiştir)|{_WITH_APP}отправлено\s(?:с|из|от|через)\s.{{2,60}}|"
    rf"{_WITH_APP}.{{1,30}}(?:から|で|より)送信(?:しています|されました|しました)?"
    r")[\s.*_>\])。]{0,3}(?:<?https?://\S{1,300}>?)?\s*$",
    IGNORE,
)
"""The footer of a program. Where the phrase is also everyday language it needs the name of a device or a program."""

PROMOTION: Final = re.compile(
    r"^\s*\W{0,3}(?:virus-?(?:free|frei|vrij|fri)\b.{0,80}|.{0,60}\b(?:avast|avg|avira|eset|kaspersky|norton)\b.{0,80}(?:virus|viren|vírus|вирус|ウイルス).{0,80}|"
    r".{0,40}(?:virus|viren|вирус|ウイルス).{0,60}\b(?:avast|avg|avira|eset|kaspersky|norton)\b.{0,80}|"
    r"(?:powered|delivered)\sby\s(?:zendesk|freshdesk|intercom|help\s?scout|hubspot|gorgias|front|zoho\sdesk|kayako)\b.{0,60}|"
    r"this\semail\sis\sa\sservice\sfrom\s.{1,120}|\[[A-Z0-9]{4,8}-[A-Z0-9]{3,8}\]|\{#HS:[\d-]+#\}|"
    r"to\s(?:add\sadditional\scomments|add\sa\scomment|review\sthe\sstatus).{0,140}|you\sare\sregistered\sas\sa\scc\son\s.{1,140}|"
    r"(?:click\shere\sto\s)?(?:unsubscribe|abmelden|se\sdésabonner|darse\sde\sbaja|cancellati|uitschrijven|cancelar\sinscrição|wypisz\ssię|"
    r"avregistrera|afmeld|peru\stilaus|odhlásit|abonelikten\sçık|отписаться|配信停止)(?:\s?[<(:]?\s?https?://\S{1,500})?)\W{0,3}$",
    IGNORE,
)

_ABOVE: Final = (
    r"(?:reply|respond|write|type|answer)\b.{0,40}\babove\s(?:this|the)\sline|antwort\w*.{0,40}(?:oberhalb|über)\s(?:von\s)?dieser\s(?:zeile|linie)|"
    r"r[ée]pon\w*.{0,40}au-?dessus\sde\scette\sligne|resp(?:ond|uest)\w*.{0,40}(?:encima|arriba)\sde\sesta\sl[íi]nea|"
    r"(?:rispo\w*|scriv\w*).{0,40}(?:sopra|al\sdi\ssopra\sdi)\s(?:a\s)?questa\s(?:riga|linea)|(?:antwoord|reactie|reageer)\w*.{0,40}boven\sdeze\s(?:regel|lijn)|"
    r"(?:respo\w*|escrev\w*).{0,40}acima\sd(?:esta|a)\slinha|odpow\w*.{0,40}(?:powyżej|nad)\s(?:tej|tą)\s(?:lini\w+|kresk\w+)|"
    r"sva\w*.{0,40}(?:ovanför|ovan|över)\s(?:den\shär|denna)\s(?:raden|linjen|rad|linje)|s[kv]\w*.{0,40}(?:over|ovenfor)\sdenne\slinj\w|"
    r"(?:vasta|kirjoita)\w*.{0,40}tämän\s(?:rivin|viivan)\syläpuole\w+|(?:odpov|napiš)\w*.{0,40}nad\st(?:ento|ímto|uto|outo)\s(?:řád\w+|čár\w+|lini\w+)|"
    r"(?:yanıt|cevab)\w*.{0,40}bu\s(?:satırın|çizginin)\süst\w*|(?:ответ|напиш)\w*.{0,40}выше\sэтой\s(?:строки|линии|черты)|この(?:行|線)(?:より|の)上.{0,30}"
)
REPLY_ABOVE: Final = re.compile(
    rf"^[\s>]*(?:[#=*_~–—-]{{2,}}.{{0,60}}(?:{_ABOVE}).{{0,60}}|(?:please\s|bitte\s)?.{{0,20}}(?:{_ABOVE})\W{{0,30}})$",
    IGNORE,
)

BANNER: Final = re.compile(
    r"^\W{0,6}(?:external(?:\s(?:e-?mail|sender|message))?|caution|warning|extern(?:e\s(?:e-?mail|nachricht)|al)?|achtung|attention|atención|attenzione|"
    r"let\sop|pas\spå|pozor|uwaga|varning|varoitus|dikkat|внимание|注意)\b.{0,40}\W{0,6}$|"
    r"^\W{0,6}(?:(?:caution|warning|achtung|attention|external)\W{1,4})?(?:this\s(?:e-?mail|message)\s(?:originated|came|was\ssent)\s(?:from\s)?(?:an\s)?(?:outside|external)|"
    r"diese\s(?:e-?mail|nachricht)\s(?:stammt|kommt)\svon\s(?:außerhalb|einem\sexternen)|ce\s(?:message|courriel)\sprovient\s(?:de\sl['’]extérieur|d['’]un\sexpéditeur\sexterne)|"
    r"you\sdon['’]t\soften\sget\semail\sfrom|some\speople\swho\sreceived\sthis\smessage\sdon['’]t\soften).{0,300}$",
    IGNORE,
)
"""A warning the receiving mail server wrote above the text; the first alternative only counts with brackets or a bar around it."""

_STEMS: Final = (
    r"confidential|privileged|intended\s(?:solely|only|exclusively|for\sthe)|(?:intended|named)\s(?:recipient|addressee)|(?:in|by)\s(?:error|mistake)|unauthori[sz]ed|"
    r"virus|notify\sthe\ssender|delete\s(?:it|this|the)|disclos|legally|"
    r"vertraulich|rechtlich\sgeschützt|adressat|empfänger|irrtümlich|unbefugt|unerlaubt|vernichten|löschen|"
    r"confidentiel|destinataire|par\serreur|non\sautoris|détruire|supprim|divulg|"
    r"confidencial|destinatari|por\serror|autorizad|elimin|divulgaci|prohibid|"
    r"riservat|confidenzial|per\serrore|divulgazione|cancell|vietat|"
    r"vertrouwelijk|geadresseerde|uitsluitend|ten\sonrechte|verwijder|openbaar|"
    r"destinatário|por\s(?:engano|erro)|apag|proibid|"
    r"poufn|adresat|omyłk|pomyłk|usuni|zabronion|przeznaczon|"
    r"konfidentiell|sekretess|mottagare|misstag|radera|avsedd|avsett|"
    r"fortrolig|tiltænkt|ved\sen\sfejl|slet|modtager|"
    r"luottamuksel|vastaanottaj|vahingossa|erehdyksessä|poista|tarkoitettu|"
    r"důvěrn|adresát|omylem|smaž|odstra|určen|neoprávněn|"
    r"gizli|yanlışlıkla|alıcı|siliniz|silin|yetkisiz|yasak|"
    r"конфиденциальн|адресат|ошиб|удалит|уничтож|предназначен|запрещ|"
    r"機密|秘密|誤って|宛先|破棄|削除|禁止|受信者|開示"
)
STEMS: Final = re.compile(_STEMS, IGNORE)
MAIL_WORD: Final = re.compile(
    r"e-?mail|\bmail\b|message|communication|transmission|nachricht|courriel|mensaje|correo|messaggio|bericht|mensagem|wiadomo|korespondencj|meddeland|e-?post|mejl|"
    r"meddelelse|besked|viesti|sähköposti|zpráv|ileti|mesaj|e-?posta|сообщени|письм|почт|メール",
    IGNORE,
)
DISCLAIMER: Final = re.compile(
    r"^\W{0,6}(?:confidential|disclaimer|legal\snotice|important\snotice|notice|privacy\snotice|this\s(?:e-?mail|message|communication|transmission)|the\s(?:information|contents?)|"
    r"if\syou\s(?:are\snot|have\sreceived)|any\s|diese[rs]?\s|der\sinhalt|die\s(?:in|information)|wichtiger\shinweis|sollten\ssie|falls\ssie|wenn\ssie|vertraulich|haftungsausschluss|"
    r"ce\s(?:message|courriel|mail|e-?mail)|cet\se-?mail|les?\sinformations?|avis\s|si\svous|este\s(?:mensaje|correo|e-?mail)|la\sinformación|aviso|si\s(?:usted|ha\s)|"
    r"quest[oa]\s|le\sinformazioni|il\s(?:presente|contenuto)|avvertenza|ai\ssensi|dit\s(?:bericht|e-?mail)|deze\s|de\s(?:informatie|inhoud)|indien\s|"
    r"est[ae]\s(?:mensagem|e-?mail)|as?\sinformaç|se\s(?:você|recebeu|não)|t[ae]\s(?:wiadomość|e-?mail)|niniejsz|treść|informacj|jeśli|jeżeli|"
    r"detta\s|det\s(?:här|hele)|innehållet|om\sdu|denne\s|indholdet|hvis\sdu|tämä\s|viestin|jos\s(?:olet|et)|t(?:ato|ento)\s|obsah|informace|pokud|"
    r"bu\s(?:e-?posta|mesaj|ileti)|eğer|yasal\suyarı|это(?:т)?\s|настоящ|данн|содержан|информаци|если\sвы|(?:本|この)(?:電子)?メール|免責|もし|【?(?:機密|ご注意))",
    IGNORE,
)
PRINTING: Final = re.compile(
    r"^\W{0,6}.{0,60}(?:consider\s(?:the|our)\senvironment|think\sbefore\s(?:you\s)?print|an\sdie\sumwelt|pens(?:ez|ons)\sà\sl['’]environnement|n['’]imprim|"
    r"antes\sde\simprimir|prima\sdi\sstampare|aan\shet\smilieu|pense\sno\smeio\sambiente|o\sśrodowisku|på\smiljön|på\smiljøet|ympäristö(?:ä|n)\sennen|"
    r"na\sživotní\sprostředí|çevreyi\sdüşün|подумайте\sоб?\s(?:экологии|окружающей)|環境).{0,120}$",
    IGNORE,
)

SIGN_OFF: Final = re.compile(
    r"^\s*(?:(?:(?:with\s)?(?:best|kind|warm|many|my)(?:\s(?:kind|best|warm))?\s(?:regards|wishes|thanks)|regards|best|cheers|thanks(?:\s(?:again|so\smuch|a\slot|in\sadvance))?|"
    r"many\sthanks|thank\syou|sincerely|yours(?:\s(?:sincerely|faithfully|truly))?|all\sthe\sbest|"
    r"(?:mit\s)?(?:freundlich\w+|best\w+|lieb\w+|herzlich\w+|schön\w+|viele\w*)\s(?:gr[üu](?:ß|ss)\w*|dank)|(?:viele|beste|liebe)?\s?gr[üu](?:ß|ss)e?|mfg|vg|lg|danke(?:\sund.{0,30})?|"
    r"(?:bien\s)?cordialement|bien\sà\svous|(?:meilleures\s)?salutations(?:\sdistinguées)?|merci(?:\sd['’]avance)?|"
    r"(?:un\s)?(?:cordial\s)?saludos?(?:\scordial(?:es)?)?|atentamente|gracias|(?:cordiali|distinti)\ssaluti|cordialmente|un\ssaluto|grazie(?:\smille)?|"
    r"(?:met\s)?(?:vriendelijke|hartelijke)\s?gro(?:et|eten)|mvg|groet(?:en|jes)?|bedankt|(?:com\s)?(?:os\s)?(?:melhores\s)?cumprimentos|atenciosamente|obrigad[oa]|abraços?|"
    r"(?:z\s)?(?:poważaniem|wyrazami\sszacunku)|pozdrawiam|(?:serdecznie\s)?pozdrawiam|z\spozdrowieniami|dziękuję|(?:med\s)?(?:vänliga?|bästa)\s(?:hälsning(?:ar)?)|mvh|hälsningar|tack(?:\spå\sförhand)?|"
    r"(?:med\s)?(?:venlig|bedste|mange)\shilsen(?:er)?|venlig\shilsen|hilsen|(?:på\sforhånd\s)?tak|(?:ystävällisin|parhain|terveisin)\s?(?:terveisin)?|terveisin|terv\.?|kiitos|"
    r"(?:s\s)(?:pozdravem|úctou|přáním\s\w+\s\w+)|děkuji|zdravím|(?:saygılarımla|saygılarımızla|iyi\sgünler|teşekkürler|iyi\sçalışmalar)|"
    r"(?:с\s)(?:уважением|наилучшими\sпожеланиями)|спасибо|благодарю)|(?:どうぞ)?(?:よろしくお願い(?:いた)?します|宜しくお願い(?:致)?します|敬具|以上))"
    r"\s?[,.!、。–—-]{0,3}\s*$",
    IGNORE,
)
"""A formula that ends a letter, alone on its line."""

CONTACT: Final = re.compile(
    r"(?:^|\s)(?:tel|phone|mobile?|cell|fax|direct|office|telefon|mobil|handy|tél|téléphone|móvil|teléfono|cellulare|telefoon|telemóvel|telefone|kom|puh|puhelin|gsm|"
    r"тел|моб|tlf)\s?[.:：]|(?:^|\s)[tmfewp](?::|\.?\s?\+?\d)|電話|携帯|www\.|https?://|[^\s@]+@[\w-]+\.\w|\+\d[\d ()./-]{6,}|\b\d{2,5}[ /-]\d{3}[\d -]{2,}|"
    r"\b(?:ltd|gmbh|inc|llc|plc|ag|kg|e\.v|s\.?a\.?s|s\.l|s\.a|s\.?r\.?l|s\.?p\.?a|b\.?v|n\.v|lda|ltda|sp\.\sz\so\.o|oyj?|aps|a/s|s\.r\.o|a\.s|a\.ş|ооо|зао)\b\.?|株式会社|有限会社",
    IGNORE,
)

TRACKED: Final = re.compile(
    r"<https?://[^\s<>]{80,}>|<https?://[^\s<>]*(?:utm_|/track|click\.|/ls/click|mailtrack|safelinks|list-manage|sendgrid|mandrillapp)[^\s<>]*>",
    IGNORE,
)
PARAMETER: Final = re.compile(
    r"(?<=[?&])(?:utm_\w+|gclid|fbclid|msclkid|mc_[ce]id|_hs(?:enc|mi)|mkt_tok|trk\w*|vero_id|oly_\w+)=[^&\s<>)\]\"']*&?", IGNORE
)
PICTURE: Final = re.compile(
    r"\[(?:image|cid|bild|imagen|immagine|afbeelding|imagem|obraz|kuva|obrázek|resim|画像)\s?:[^\[\]]{0,200}\]|\[cid:[^\[\]]{0,200}\]",
    IGNORE,
)
