"""Which finds to believe where a text holds code, logs, versions, paths or part numbers.

The names model learnt from support chats, where a word nobody knows is a name and a word beside a number an address. In
technical posts that is `sdb1`, `libx264`, `RFC 2616`; and Presidio's web addresses are `main.py` and `user.name`.
"""

import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Final

from pipeline.replacing.atoms import normal_word
from pipeline.replacing.name_lists import family_names, given_names
from pipeline.spans import Span


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


WORDS: Final = _set(
    "abstractmethod adb admin alias android ansible apache api apk app apt arch arduino arg args argv array ascii asic"
    " async asyncio auth autoexec avr avrdude await awk backend backtrace bar bash bashrc baud baz binary bios bit bitmap"
    " bitrate blender blob bool boolean boot bootloader branch breakpoint browser bsd btrfs buffer bug bugzilla build byte"
    " bytecode bytes cache callback calloc cargo cat cdef cdn centos cgi char checksum chmod chown chrome chromium clang"
    " class cli client clipboard cls cluster cmake cmd codebase codeblocks codec commit compiler conf config const"
    " container cookie coredump coreutils cpan cpld cpp cpu cron crontab crontabs css csv ctrl curl cve cython daemon"
    " daemonize data database dbus ddr deb debian debug debugger decorator def default defaultdict defaultdicts defrag"
    " deploy desktop dev dhcp dialog diff dir directx div django dll dlna dmesg dns docker dockerfile docs docstring"
    " dotfiles driver drupal dst dtb dtype dump dvd ebook echo eclipse edge eeprom elf elif elisp else emacs email emulator"
    " endian endpoint enum enums env eof errno error esc eth ethernet ethtool excel exception exe exec ext2 ext3 ext4 false"
    " fat32 fd fdisk fds fedora fetchmail ffmpeg file filesystem firebug firefox firewall firmware flac flag flash flask"
    " float flutter fn font foo fork fortran fp fpga fprintf fps framebuffer framework freebsd frontend fstab ftp func"
    " function fuse gateway gcc gdb geany gentoo getattr getter ghostscript gimp git git-svn github gitlab glibc glob gnome"
    " gnu golang gparted gpio gpl gpu gradle grep grp grub grub2 gstreamer gtk gui gzip hasattr haskell hdd hdmi header"
    " heap hex hibernate host hostmask hostname hotfix hotplug hotspot href htaccess html htop http http2 httpd https"
    " hypervisor i2c icon id ide idle idx ieee iframe imagemagick imap img implement import init inkscape inode input"
    " insert install installer int integer intellij interface interpreter io ios ip iptables ipv4 ipv6 irq iscsi isinstance"
    " iso iter itunes jar javac javadoc javascript jboss jdk joomla jpeg jpg jquery json json5 jsp jtag junit kde kde4"
    " kernel keyboard keymap keyring kotlin kubectl kubelet kubernetes kwargs lambda laravel latex ldap led len lgpl lib"
    " libc libdrm libreoffice lilo linefeed linker lint linter linters linux list loader local localhost log login long"
    " loop lvm mac macbook macos magento mail main make makefile malloc map markdown matlab maven md5 mem memcached memory"
    " menu merge metaclass metadata middleware midi mingw mkdir mod mode modem modprobe module mongo mongodb monitor mosfet"
    " motherboard mount mouse mp3 mp4 mpeg mtu mutex mysql namespace namespaces nano netbeans netbsd netcat netstat nfs"
    " nginx nil nmap node nodejs none notepad npm ntfs ntp null numpy nvidia nvme nvram oauth obj object opamp openbox"
    " openbsd opencv opengl openjdk openoffice openssl openvpn oracle os overclock package pandas param params parse parser"
    " pastebin patch path payload pcb pcie pdf perl php phpmyadmin pidgin ping pip pipenv pixel pkg plugin png pod pointer"
    " pom popup port postgres postgresql postinst powershell pr pragma pre preprocessor printer printf println process"
    " processor profile property proxies proxy pthread public pulseaudio push putty py pycharm pygame pypi pytest python"
    " qemu qml qt query queue radeon raid rails ram raspbian rb react readme redis ref regex regexes regexp registry"
    " release renderer repl repo repos reset ret return rfc rgb rgba root rootfs rootkit router rpm rss rsync rtf runtime"
    " safari samba sata scanf scanner schema scipy scp screenshot script scrollbar sdk sed segfault segment select self"
    " selinux sendmail server service servlet setattr setter sftp sha1 sha256 shader sheet shell signal sizeof smb smd smtp"
    " snapshot snmp socket solaris source spi sprintf sql sqlite ssd ssh ssid ssl static staticmethod stderr stdin stdio"
    " stdlib stdout storage str strcmp string strlen struct stub subclass sublime submodule subnet subprocess subversion"
    " sudo sum super superuser suse svchost svg svn swap switch symlink synaptic syntax sys sysctl syslog system systemd"
    " tab table tablespace tar tcl tcp tcpdump telnet temp template terminal test tex thread thumbnail thunderbird timeout"
    " tkinter tmp token tomcat toml tool toolbar toolchain tooltip torx touchpad transcoder trojan true truecrypt tty tuple"
    " tuples txt type typedef typescript uart ubuntu udev udp uefi ui uid ulimit ulong undefined unicode unittest unix"
    " unmount unpickle unzip update upload uri url urllib usb user usleep utf utf-8 utf8 util utils uuid uvx ux valgrind"
    " value var vbox vbscript vector veracrypt version vhost vim virtualbox virtualenv visualstudio vlan vlc vmlinuz vmware"
    " vnc void vpn vps vram wamp watchdog wb webapp webcam webkit webmail webpack wget wheel whitespace widget wifi windows"
    " winxp wireshark wlan wlan0 wmv wordpress workspace workstation wsdl x11 x64 x86 xampp xargs xbmc xcode xfce xhci xml"
    " xmp xorg xsl xslt xterm yacc yaml yml youtube yum zfs zip zlib zombie zsh"
)
"""Of the trade, in lower case; as a name, in lower case or capitals, they name nobody."""

_UNITS: Final = r"(?i:[kmgt]i?b(?:it|ps|/s)?|[kmg]?hz|rpm|fps|px|dpi|dbm|mah|[nmck]m|kg|psi|bits?|bytes?|[munp][fs])"
_VERSION: Final = r"(?<![\d.])(?!\d\d?\.\d\d?\.(?:\d\d){1,2}(?!\d)|\d{3}\.\d{3}\.\d{4}(?!\d))\d{1,4}\.\d{1,3}\.\d"
"""And no date or telephone number."""

_ENDINGS: Final = (
    r"(?:py|js|ts|c|h|cc|cpp|hpp|java|class|jar|go|rs|rb|pl|php|sh|bat|ps1|conf|cfg|ini|log|so|dll|exe|sys|xml|json|ya?ml|toml|html?"
    r"|css|sql|txt|md|gz|zip|iso|img|bin|hex|mkv|mp[34]|avi|png|jpe?g|gif|pdf|deb|rpm|apk)"
)
_CODE: Final = re.compile(
    r"\w\(\)|\b[a-z_][\w.]*\((?!e?s\))[^\s\d]|\b(?:self|this|sys|os)\.[a-z_]|`|__[a-z]|\[['\"]|\A[=|]\Z|\A\.[a-z]{2,}"  # calls
    r"|\w\[\w*\]|\w::\w|->|=>|[=!<>+*-]=|&&|\|\||\+\+|\$\{?\w|</?[a-z][\w-]*|/>|[{}]|;\Z|\\\w"  # operators, marks
    r"|\A(?:elif|endif|sudo|apt-get|#include|#define|grep|chmod|npm|stderr|stdout)\Z"
    r"|\A--[a-z][\w-]*|\A-(?:[a-zA-Z]|[a-z]{2,4})\Z|\A[a-z_]+="  # options, settings
    r"|\A[\"'(]?(?:~|\.{1,2})?/[\w.+-]+/|\A[\"']?[A-Za-z]:\\|[a-z_][\w.+-]*/[\w.+-]+/|\A[a-z]{2,}/\Z"  # paths
    rf"|\w\.{_ENDINGS}\b|\A(?:[a-z]\w*\.){{2,}}[A-Za-z]\w+(?<!\.com)\b(?!@)"  # files, packages
    r"|\b0x[0-9a-fA-F]{2,}|\b(?=[0-9a-f]*[a-f])(?=[0-9a-f]*\d)[0-9a-f]{7,}\b|\b[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5}\b"
    r"|\b[0-9a-f]{4}:[0-9a-f]{4}\b|\A[0-9a-f]{2}:[0-9a-f]{2}\.\d"  # addresses, hashes, devices on a bus
    rf"|{_VERSION}|\b\d+(?:\.\d+)?(?:{_UNITS}|[uµmk]?[VWAFk])\b|\b\d{{3,5}}x\d{{3,5}}\b"  # versions, measures
    r"|\b[a-z]\w*:\d{2,5}\b|\b\d{3,5}:\d{2,5}\b|\A[\[(]\s*\d+\.\d+\]?|\d\d:\d\d:\d\d[.,]\d{3}",  # ports, times of a log
)
"""In a word that only code, a log or a data sheet has."""

_PERHAPS: Final = re.compile(r"[a-z]+(?:_[a-z]+)+\b|[a-z]{2,}[A-Z][a-z]+\w*\b")
"""A word of code, or what somebody calls himself: `next_page`, `kite_runner`."""

LONGEST: Final = 200
"""Characters of a word that are looked at: a word may be a whole file in base 64."""

_FEW: Final = 3
"""Words of code that make a text technical, however long it is."""

_SHARE: Final = 0.15
"""Of the words of a shorter text."""

_CHUNK: Final = re.compile(r"\S+")
_WORD: Final = re.compile(r"[^\W_]+(?:['’][^\W\d_]+)*")  # noqa: RUF001  # the apostrophe people type
_UNIT: Final = re.compile(rf"\s?{_UNITS}(?!\w)")
_MEASURE: Final = re.compile(rf"\d\s?{_UNITS}(?!\w)|\b0x|{_VERSION}|\d+x\d+|\A(?:\d+\.\d+|\d+[A-Za-z]+\d+)\Z")
_STREET: Final = re.compile(
    r"\b(?:street|st|road|rd|avenue|ave|lane|ln|drive|dr|court|ct|boulevard|blvd|way|place|pl|square|terrace|close|crescent|parkway"
    r"|highway|hwy|circle|trail|alley|row|mews|gardens|grove|apt|suite|flat|box)\b|(?:stra(?:ß|ss)e|str|weg|platz|gasse|laan|straat)\b",
    re.IGNORECASE,
)
_GREETED: Final = re.compile(
    r"(?:\b(?:hi|hey|hello|dear|thanks|thank you|thx|tnx|cheers|regards|from|near|by|as|mr|mrs|ms|dr)\s+|@)\Z",
    re.IGNORECASE,
)
_COUNTED: Final = re.compile(r"\b(?:lines?|pages?|times|gates?|routes?)\b")
_SPEAKS: Final = re.compile(r"\s(?:said|says|wrote|writes|suggested|mentioned|posted|asked|replied|told)\b", re.IGNORECASE)
_FUNCTION: Final = re.compile(r"\b(?:is|was|are|were|has|have|see)\b")

_SCRIPTS: Final = _set("py sh so rs md cc mk pl ps name id in is to it pa li mp do st")
"""Top-level domains that are also endings of files or members of objects."""

_SCRIPT_OR_HOST: Final = re.compile(r"\W*(?:[\w-]+\.)+[a-z]{2,4}(?:\([^()]*\)?)?\W*", re.IGNORECASE)

_DECORATED: Final = re.compile(r"(?:\([^()\n]{0,200}\))?\s*\n\s*(?:def|class|async|public|private|protected|static|@\w)\b")
_NO_HOST: Final = re.compile(
    r"https?://(?:localhost|127(?:\.\d{1,3}){3}|0\.0\.0\.0|\[::1?\])(?::\d{1,5})?(?:/[^\s?#@]*)?", re.IGNORECASE
)
"""Without a query, which may hold somebody's token."""

_NO_MACHINE: Final = re.compile(
    r"0\.0\.0\.0|127\.\d+\.\d+\.\d+|255\.\d+\.\d+\.\d+|(?:ff[:-]){5}ff|(?:00[:-]){5}00|::1?", re.IGNORECASE
)
"""Addresses that no machine has: unspecified, of itself, a mask, all of a network."""


def without_things(text: str, spans: Iterable[Span]) -> list[Span]:
    """The finds of patterns but things of computers that are nobody's."""
    seen = _Text(text)
    return [span for span in spans if not _is_nobodys(seen, span)]


def _is_nobodys(seen: "_Text", span: Span) -> bool:
    text = seen.text
    value = text[span.start : span.end]
    if span.entity_type == "URL":
        return _NO_HOST.fullmatch(value) is not None or _is_file(seen, span, value)
    if span.entity_type in {"IP_ADDRESS", "MAC_ADDRESS"}:
        return _NO_MACHINE.fullmatch(value) is not None
    if span.entity_type != "USER_NAME" or not value.startswith("@"):
        return False
    return _DECORATED.match(text, span.end) is not None and seen.has_code


def _is_file(seen: "_Text", span: Span, value: str) -> bool:
    """Whether a web address without its scheme is the name of a file, or a member of an object in code."""
    text = seen.text
    name, dot, top = value.rpartition(".")
    if not dot or "/" in value or name.startswith("www") or "@" in text[max(0, span.start - 1) : span.end + 1]:
        return False
    before, after = text[max(0, span.start - 1) : span.start], text[span.end : span.end + 1]
    if after == "(":
        return text[span.end : span.end + 2] == "()" or seen.has_code
    if after.isalnum() or after == "_" or before in {"_", "/", "\\", "`", "~", "."}:
        return True
    return top in _SCRIPTS and seen.has_code


class _Text:
    """A text whose words are told apart when somebody asks."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def chunks(self) -> list[tuple[int, int, bool]]:
        """Start and end of what stands between blanks, and whether it is code."""
        return [(*match.span(), _CODE.search(match.group()[:LONGEST]) is not None) for match in _CHUNK.finditer(self.text)]

    @cached_property
    def is_technical(self) -> bool:
        """Whether it has many such words, of two that may be none one."""
        code = sum(is_code or 0.5 * (_PERHAPS.match(self.text, start, end) is not None) for start, end, is_code in self.chunks)
        return code >= _FEW or code > _SHARE * len(self.chunks)

    @cached_property
    def has_code(self) -> bool:
        """Whether it is technical for more than words that may be hosts: `kowalski.pl` is a script or somebody's site."""
        return self.is_technical and any(
            is_code and not _SCRIPT_OR_HOST.fullmatch(self.text, start, end) for start, end, is_code in self.chunks
        )

    def is_code(self, span: Span) -> bool:
        """Whether everything of a find stands in words of code."""
        return all(is_code for start, end, is_code in self.chunks if start < span.end and span.start < end)


def believable(text: str, spans: Sequence[Span]) -> list[Span]:
    """The finds of models that may be names or addresses."""
    seen = _Text(text)
    return [span for span in spans if _is_believable(seen, span)]


def _is_believable(seen: _Text, span: Span) -> bool:
    value = seen.text[span.start : span.end]
    words = _WORD.findall(value)
    if span.entity_type == "STREET_ADDRESS":
        return _may_be_address(seen, span, value, words)
    if all(_names_nothing(word) and not word.istitle() for word in words):
        return not seen.is_technical and not any(word.casefold() in WORDS for word in words)
    is_listed = any(map(_is_listed, words))
    if seen.is_code(span):
        return is_listed and (not seen.is_technical or value[:1].isupper())
    if is_listed or not seen.is_technical:
        return True
    if any(word.istitle() and not _names_nothing(word) for word in words):
        return True
    is_greeted = _GREETED.search(seen.text, max(0, span.start - 12), span.start) is not None
    return is_greeted or _SPEAKS.match(seen.text, span.end) is not None


def _names_nothing(word: str) -> bool:
    return len(word) == 1 or word.isdecimal() or word.casefold() in WORDS


def _may_be_address(seen: _Text, span: Span, value: str, words: Sequence[str]) -> bool:
    if _FUNCTION.search(value) or (value.islower() and _COUNTED.search(value) and not _STREET.search(value)):
        return False
    if _STREET.search(value):
        return True
    if _MEASURE.search(value) or (value[-1].isdecimal() and _UNIT.match(seen.text, span.end)):
        return False
    if seen.is_technical:
        return any(word.istitle() and len(word) > 2 and not _names_nothing(word) for word in words)  # noqa: PLR2004
    named = [word for word in words if word.isalpha()]
    return not named or not all(word.casefold() in WORDS and not word.istitle() for word in named)


def _is_listed(word: str) -> bool:
    plain = normal_word(word)
    return word.casefold() not in WORDS and (plain in given_names() or plain in family_names())
