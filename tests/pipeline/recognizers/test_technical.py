"""Code, logs, versions and part numbers stay readable; who is named among them is found."""

import pytest

from pipeline.recognizers.technical import believable, without_things
from pipeline.spans import Span


def kept(text: str, *finds: tuple[str, str]) -> list[str]:
    spans = [
        Span(text.index(value), text.index(value) + len(value), entity_type, 0.3, "NamesRecognizer")
        for value, entity_type in finds
    ]
    return [text[span.start : span.end] for span in believable(text, spans)]


@pytest.mark.parametrize(
    ("text", "finds"),
    [
        (
            "mount /dev/sdb1 on /media/backup type ntfs (rw,nosuid)",
            [("sdb1", "PERSON"), ("ntfs", "ORGANIZATION"), ("rw", "STREET_ADDRESS")],
        ),
        ("for (int i = 0; i < 1024; i++) sum += buf[i] * 31;", [("sum", "PERSON"), ("int", "STREET_ADDRESS")]),
        ("def get_user(self, name: str) -> User:\n    return self.users[name]", [("self", "PERSON"), ("name", "PERSON")]),
        ("org.apache.commons:lang3 3.12.0 and numpy 1.26.2", [("lang3", "PERSON"), ("numpy 1.26.2", "STREET_ADDRESS")]),
        ("vram 7812 of 8192 MB", [("8192 MB", "STREET_ADDRESS"), ("vram", "PERSON")]),
        ("the linter complains", [("linter", "PERSON")]),
        ("the drum is DR-2400", [("drum is DR-2400", "STREET_ADDRESS")]),
    ],
)
def test_what_only_code_or_a_data_sheet_has_is_nobodys_name(text: str, finds: list[tuple[str, str]]) -> None:
    assert kept(text, *finds) == []


FENCED = "After the update:\n```\nLnkSta: Speed 2.5GT/s, Width x1\nKernel driver in use: Brisk\n```\nThanks\n\nBrimvald"


@pytest.mark.parametrize(
    ("text", "finds"),
    [
        ("DevSta: CorrErr- NonFatalErr- Unsupp+ ParErr- Stepping", [("Unsupp", "PERSON"), ("ParErr- Stepping", "ORGANIZATION")]),
        ("[    6.414476] Retimer found at 0000:03:00.0", [("Retimer", "ORGANIZATION")]),
        (FENCED, [("Brisk", "PERSON"), ("Speed 2.5GT/s, Width x1", "STREET_ADDRESS")]),
        ("new Vector3(1) in src/a.cpp and VertexBuffer::Lock()", [("Vector3", "PERSON"), ("VertexBuffer", "LOCATION")]),
        ("run `lspci -nn`, the Intel Arc Pro B50 shows up", [("Intel Arc Pro B50", "ORGANIZATION")]),
        ("`make -j4` fails. Migration of the VF; no migration no fun", [("Migration", "ORGANIZATION")]),
        ("I moved everything to Kubernetes last week", [("Kubernetes", "ORGANIZATION")]),
        ("unsloth/gemma-4-26B in /opt/models/ on 3x R9700", [("3x R9700", "STREET_ADDRESS")]),
        ("my Qnap TS453 and the Canon MG-5750 are slow", [("TS453", "STREET_ADDRESS"), ("MG-5750", "STREET_ADDRESS")]),
        ("Der Ofen zeigt Fehler F17 an", [("Fehler F17 an", "STREET_ADDRESS")]),
        ("it stops with error code E-31", [("E-31", "STREET_ADDRESS")]),
    ],
)
def test_what_commands_print_and_makers_sell_is_nobodys_name(text: str, finds: list[tuple[str, str]]) -> None:
    assert kept(text, *finds) == []


@pytest.mark.parametrize(
    ("text", "finds"),
    [
        (FENCED, [("Brimvald", "PERSON")]),
        ("From: Asko Tervalammi <asko@example.org>\ncommit 3f9d2ab1c\n src/main.c | 2 +-", [("Asko Tervalammi", "PERSON")]),
        ("`make -j4` in src/ fails with a1b2c3d4e. Thanks, Wendell", [("Wendell", "PERSON")]),
        ("```\nmake -j4\n```\nplease ask for Wendell", [("Wendell", "PERSON")]),
        ("`make -j4` works, Brimvald's patch in src/a.c was it", [("Brimvald's", "PERSON")]),
        ("see https://example.org/a/b, https://example.org/c/d and https://example.org/e: Migration", [("Migration", "PERSON")]),
        ("hey gearhead_sally, thx for the tip", [("gearhead_sally", "PERSON")]),
        ("I live at 12 Main Street", [("12 Main Street", "STREET_ADDRESS")]),
        ("meet me at Broadway and Main", [("Broadway and Main", "STREET_ADDRESS")]),
        ("97205 please", [("97205", "STREET_ADDRESS")]),
        ("send the Canon to TS453", [("TS453", "STREET_ADDRESS")]),
        ("that is k-o-w-a-l", [("k-o-w-a-l", "PERSON")]),
        ("Signed-off-by: Milos Petrak, see src/main.c and lib/util.c", [("Milos Petrak", "PERSON")]),
        ("tried what yusuf suggested: chmod 644 /etc/foo.conf && reboot -f", [("yusuf", "PERSON")]),
        ("thanks Brimvald, make -j4 in src/ works with gcc-9.4.0", [("Brimvald", "PERSON")]),
        ("14.08.2027 in Worthing or 930.167.3943", [("Worthing", "LOCATION")]),
        ("My order is late.\n~~~~~~~~\nOake Tervalammi\nOakfield", [("Oake Tervalammi", "PERSON"), ("Oakfield", "LOCATION")]),
        ("```\nCustomer: Oake Tervalammi\n```", [("Oake Tervalammi", "PERSON")]),
        ("```\nCustomer Oake Tervalammi has called\n```", [("Oake Tervalammi", "PERSON")]),
        ('```\nname = "Tervalammi"\n```', [("Tervalammi", "PERSON")]),
        ('{"customer": "Tervalammi", "total": 4}', [("Tervalammi", "PERSON")]),
        ("Tervalammi <br/> <b>refund</b> <i>now</i>", [("Tervalammi", "PERSON")]),
        ("INFO: the parcel is with Oska Tervalammi, main.py foo() bar.c", [("Oska Tervalammi", "PERSON")]),
        ("For more INFO ask your colleague Tervalammi, error in main.py foo() bar.c", [("Tervalammi", "PERSON")]),
        ("Hi Tomcat, this is Bazel", [("Tomcat", "PERSON"), ("Bazel", "PERSON")]),
    ],
)
def test_people_and_places_are_believed_even_beside_code(text: str, finds: list[tuple[str, str]]) -> None:
    assert kept(text, *finds) == [value for value, _ in finds]


@pytest.mark.parametrize(
    ("text", "value", "entity_type", "stays"),
    [
        ("[    0.918388] usb 1-1: new device", "[    0.918388", "PHONE_NUMBER", False),
        ("root@pve:~# uname -a", "root", "USER_NAME", False),
        ("root hunter2", "root", "USER_NAME", True),
        ("the `xe` driver sees a B50 in /sys/class/drm/", "B50", "US_DRIVER_LICENSE", False),
        ("`xe` is up. My license is B5012345 by the way", "B5012345", "US_DRIVER_LICENSE", True),
        ("Memory at fa0000000-fa0ffffff (64-bit), see /proc/iomem", "fa0000000", "MEDICAL_LICENSE", False),
        ("`dd` it; 3 from a usb drive in /dev/sdb1", "3 from a usb drive", "STREET_ADDRESS", False),
        ("see http://localhost:3000/health", "http://localhost:3000/health", "URL", False),
        ("see http://example.org/health", "http://example.org/health", "URL", True),
        ('File "app/main.py", line 142', "main.py", "URL", False),
        ("run(parser.parse_args())", "parser.pa", "URL", False),
        ("if (user.name == null) return;", "user.name", "URL", False),
        ("my shop is fine.name by the way", "fine.name", "URL", True),
        ("listening on 0.0.0.0:3000", "0.0.0.0", "IP_ADDRESS", False),
        ("mask 255.255.255.0", "255.255.255.0", "IP_ADDRESS", False),
        ("my ip is 198.51.100.77", "198.51.100.77", "IP_ADDRESS", True),
        ("ff:ff:ff:ff:ff:ff asks", "ff:ff:ff:ff:ff:ff", "MAC_ADDRESS", False),
        ("see http://localhost/reset?session=Kq8xXn", "http://localhost/reset?session=Kq8xXn", "URL", True),
        ("see http://localhost.foxshop.com/login", "http://localhost.foxshop.com/login", "URL", True),
        ("my site kowalski-meble.pl, thanks", "kowalski-meble.pl", "URL", True),
        ("see petrovic-auto.rs and weber-moden.sh", "petrovic-auto.rs", "URL", True),
        ("see fox-smith.com(my site)", "fox-smith.com", "URL", True),
        ("@property\n    def namespace(self):", "@property", "USER_NAME", False),
        ("@property\nthanks", "@property", "USER_NAME", True),
        ("@maria_k82\npublic transport is late", "@maria_k82", "USER_NAME", True),
    ],
)
def test_things_of_computers_that_are_nobodys_are_no_detail(
    text: str, value: str, entity_type: str, stays: bool
) -> None:  # a table of facts
    start = text.index(value)
    span = Span(start, start + len(value), entity_type, 0.6, "SomeRecognizer")
    assert without_things(text, [span]) == [span] * stays
