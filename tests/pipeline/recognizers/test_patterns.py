"""What people write in support chats and Presidio has no pattern for, with the near misses that must stay."""

import pytest

from pipeline.recognizers import answers
from tests.pipeline.scrubbing import found


@pytest.mark.parametrize(
    ("entity_type", "text", "values"),
    [
        ("ACCOUNT_NUMBER", "my account number is 5225", ["5225"]),
        ("ACCOUNT_NUMBER", "Account no. AB-4711/9 please", ["AB-4711/9"]),
        ("ACCOUNT_NUMBER", "85731890 is my account number", ["85731890"]),
        ("ACCOUNT_NUMBER", "your account balance is 5225", []),
        ("ORDER_NUMBER", "order #104233", ["104233"]),
        ("ORDER_NUMBER", "the order number was: 10-4233", ["10-4233"]),
        ("ORDER_NUMBER", "in order to get 2 boats", []),
        ("ORDER_NUMBER", "my order of 12", []),
        ("TRACKING_NUMBER", "tracking number 1Z999AA10123456784", ["1Z999AA10123456784"]),
        ("TICKET_NUMBER", "re ticket 88123", ["88123"]),
        ("PIN", "my PIN is 4711", ["4711"]),
        ("PIN", "the security code: 123", ["123"]),
        ("PIN", "i was spinning 4711 times", []),
        ("DEVICE_ID", "serial number SN-88AX-1209", ["SN-88AX-1209"]),
        ("ID_NUMBER", "Bertram 85731890 here", ["85731890"]),
        ("ID_NUMBER", "it costs $85731890 or 5000000", []),
        ("DATE_OF_BIRTH", "My D.O.B. is 04/04/1990", ["04/04/1990"]),
        ("DATE_OF_BIRTH", "born on the 4th of April 1990", ["4th of April 1990"]),
        ("DATE_TIME", "it came 12 March 2026", ["12 March 2026"]),
        ("PERSON", "please ask Dr. Quillon", ["Quillon"]),
        ("PERSON", "dear Mr and mrs nobody", []),
        ("PERSON", "first name hyun last name bae", ["hyun", "bae"]),
        ("PERSON", "my last name changed and my first name is wrong", []),
        ("AGE", "i moved here when i was 65.", ["65"]),
        ("AGE", "when it was 65 degrees", []),
        (
            "JOB_TITLE",
            "Crystal Minh\n\nHead of ship building engineer\nHarbour\ncall 555-0134",
            ["Head of ship building engineer"],
        ),
        ("JOB_TITLE", "Hello Team\n\nmy toaster is broken", []),
        ("JOB_TITLE", "i work at the harbour as a crane operator, and", ["crane operator"]),
        ("ID_NUMBER", "driver's license number is d123 4567 8901", ["d123 4567 8901"]),
        ("ACCOUNT_NUMBER", "customer id cust 77120", ["cust 77120"]),
        ("ACCOUNT_NUMBER", "customer id since 2024", []),
        ("PHONE_NUMBER", "they don't answer me at 71-33-52-22", ["71-33-52-22"]),
        ("EMAIL_ADDRESS", "crystal dot minh at harbour dot com", ["crystal dot minh at harbour dot com"]),
        ("EMAIL_ADDRESS", "crystal [at] harbour [dot] com", ["crystal [at] harbour [dot] com"]),
        ("EMAIL_ADDRESS", "jörg@exämple.de", ["jörg@exämple.de"]),
        ("EMAIL_ADDRESS", "crystal@harbour.com", ["crystal@harbour.com"]),
        ("EMAIL_ADDRESS", "we met at noon dot", []),
        ("CREDIT_CARD", "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", ["4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1"]),
        ("CREDIT_CARD", "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 2", []),
        ("CREDIT_CARD", "card ending in 4242", ["4242"]),
        ("CREDIT_CARD", "the last 4 digits are 4242", ["4242"]),
        ("CREDIT_CARD", "**** **** **** 4242", ["4242"]),
        ("USER_NAME", "my username is crys_88", ["crys_88"]),
        ("USER_NAME", "ask @crys88 on chat", ["@crys88"]),
        ("USER_NAME", "my username is not working", []),
        ("STREET_ADDRESS", "I live at 12 Baker Street, Apt 4b now", ["12 Baker Street, Apt 4b"]),
        ("STREET_ADDRESS", "Lindenstraße 12a", ["Lindenstraße 12a"]),
        ("STREET_ADDRESS", "Springfield, IL 62704", ["Springfield, IL 62704"]),
        ("STREET_ADDRESS", "a way to pay", []),
        ("PASSWORD", "my password is hunter-22", ["hunter-22"]),
        ("PASSWORD", "the password is wrong", []),
        ("PASSWORD", "DB_PASSWORD=admin123", ["admin123"]),
        ("PASSWORD", '"sshUserPassword" : "RoboPass"', ['"RoboPass"']),
        ("PASSWORD", "<Pass encoding='x'>Example123</Pass>", ["Example123"]),
        ("PASSWORD", "password: null", []),
        ("SECRET", "use AKIAIOSFODNN7EXAMPLE", ["AKIAIOSFODNN7EXAMPLE"]),
        ("SECRET", "ftp://me:hunter22@harbour.com/x", ["hunter22"]),
        ("SECRET", "machine m login me password pass123", ["pass123"]),
        ("SECRET", "localhost:5432:db:me:secret1", ["secret1"]),
        ("SECRET", "3ebf21f8e5d1ab86b27a720842c3bb56", ["3ebf21f8e5d1ab86b27a720842c3bb56"]),
        ("URL", "see http://intern.harbourlan/page?x=1.", ["http://intern.harbourlan/page?x=1"]),
    ],
)
def test_details_are_found_by_their_form_or_announcement(entity_type: str, text: str, values: list[str]) -> None:
    assert found(text, entity_type) == values


@pytest.mark.parametrize(
    ("question", "answer", "finds"),
    [
        ("May I have your PIN?", "it's 5225", [("PIN", "5225")]),
        ("May I have your PIN?", "it costs $5225", []),
        ("What is your account number, please?", "Sure, 8573 1890", [("ACCOUNT_NUMBER", "8573 1890")]),
        ("May I have your name, please?", "crystal minh", [("PERSON", "crystal minh")]),
        ("May I have your name, please?", "It's Crystal. Thanks", [("PERSON", "Crystal")]),
        ("May I have your name, please?", "why do you need that", []),
        ("May I have your name, please?", "sure", []),
        ("What is your date of birth?", "04/04/1990", [("DATE_OF_BIRTH", "04/04/1990")]),
        ("What was the name of your first pet?", "Poppy", [("SECURITY_ANSWER", "Poppy")]),
        ("Your order number?", "AB-10423 I think", [("ORDER_NUMBER", "AB-10423")]),
        ("Anything else?", "5225", []),
        ("Your balance is 12. Your PIN is safe", "5225", []),
    ],
)
def test_an_answer_is_found_by_the_question_before_it(question: str, answer: str, finds: list[tuple[str, str]]) -> None:
    spans = answers.find(answer, answers.asked(question))
    assert [(span.entity_type, answer[span.start : span.end]) for span in spans] == finds
