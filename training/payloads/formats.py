"""Payloads of known formats, each with a grammar of its own: Wi-Fi, contacts, payments, GS1, one-time passwords and others."""

import json
import random
from binascii import crc_hqx

from training.payloads import words
from training.payloads.tokens import (
    BASE32,
    BASE58,
    BASE62,
    BECH32,
    company,
    day,
    digits,
    drawn,
    gs1_number,
    hexadecimal,
    host,
    identifier,
    name,
    suffix,
    telephone,
    word,
)
from training.payloads.urls import url

_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def wifi(rng: random.Random) -> str:
    """WIFI:T:WPA;S:network;P:password;;"""
    network = rng.choice([
        word(rng).capitalize() + rng.choice(["", "-", "_", " "]) + rng.choice(["WiFi", "Guest", "Gast", "5G", "WLAN", "Home"]),
        f"FRITZ!Box {digits(rng, 4, 4)}", f"TP-Link_{hexadecimal(rng, 4, 4)}", f"NETGEAR{digits(rng, 2, 2)}", "Guest",
        f"{rng.choice(['Vodafone', 'WLAN', 'Livebox', 'SKY', 'BT', 'VM', 'Orange'])}-{hexadecimal(rng, 4, 6).upper()}",
    ])  # fmt: skip
    secret = rng.choice([
        drawn(rng, BASE62, 8, 16), digits(rng, 8, 20), word(rng) + digits(rng, 2, 4), word(rng).capitalize() + word(rng) + "!",
        drawn(rng, BASE62 + "!#$%&*+-./=?@_", 10, 20),
    ])  # fmt: skip
    parts = [
        f"T:{rng.choice(['WPA', 'WPA', 'WPA', 'WPA2', 'WEP', 'nopass', 'SAE'])}",
        f"S:{network}",
        f"P:{secret}",
    ]
    if rng.random() < 0.3:
        parts = [parts[1], parts[0], parts[2]]
    if rng.random() < 0.3:
        parts.append(rng.choice(["H:false", "H:true", "H:"]))
    return "WIFI:" + ";".join(parts) + ";;"


def mail_address(rng: random.Random) -> str:
    """A random address."""
    given, family = name(rng)
    local = rng.choice(
        [f"{given}.{family}".lower(), "info", "contact", "office", "sales", "support", word(rng)]
    )
    domain = rng.choice(
        [
            "gmail.com",
            "hotmail.com",
            "yahoo.com",
            f"{word(rng)}.{suffix(rng)}",
            f"{word(rng)}-{word(rng)}.com",
        ]
    )
    return f"{local}@{domain}"


def vcard(rng: random.Random) -> str:
    """A vCard of version 2.1, 3.0 or 4.0."""
    given, family = name(rng)
    lines = ["BEGIN:VCARD", f"VERSION:{rng.choice(['2.1', '3.0', '3.0', '3.0', '4.0'])}"]
    fields = [
        f"N:{family};{given}{rng.choice(['', ';', ';;;', ';;Dr.;'])}",
        f"FN:{given} {family}",
        f"ORG:{company(rng)}",
        f"TITLE:{rng.choice(['Manager', 'CEO', 'Director', 'Sales Manager', 'Engineer', 'Consultant', 'Geschäftsführer'])}",
        f"TEL{rng.choice([';TYPE=CELL', ';TYPE=WORK', ';CELL', ';TYPE=WORK,VOICE', ';WORK;VOICE', ';TYPE=HOME', ''])}:"
        + telephone(rng),
        f"EMAIL{rng.choice(['', ';TYPE=INTERNET', ';TYPE=WORK', ';INTERNET', ';TYPE=PREF,INTERNET'])}:{mail_address(rng)}",
        f"URL:{rng.choice(['http://', 'https://', 'www.'])}{host(rng)}",
        f"ADR{rng.choice(['', ';TYPE=WORK', ';TYPE=HOME', ';WORK'])}:;;{_street(rng)};{rng.choice(words.PLACES)};;"
        f"{digits(rng, 4, 5)};{rng.choice(['Germany', 'USA', 'France', 'UK', 'Switzerland', 'Italy', 'Japan'])}",
        f"NOTE:{word(rng).capitalize()} {word(rng)}",
    ]
    lines += [line for line in fields if rng.random() < 0.7]
    return rng.choice(["\n", "\r\n"]).join([*lines, "END:VCARD"]) + rng.choice(["", "\n"])


def mecard(rng: random.Random) -> str:
    """MECARD: of NTT DoCoMo, and BIZCARD:."""
    given, family = name(rng)
    if rng.random() < 0.15:
        return (
            f"BIZCARD:N:{given};X:{family};T:{word(rng).capitalize()};C:{company(rng)};A:{_street(rng)};"
            f"B:{telephone(rng)};E:{mail_address(rng)};;"
        )
    fields = [
        f"N:{rng.choice([f'{family},{given}', f'{given} {family}'])};", f"TEL:{telephone(rng)};", f"EMAIL:{mail_address(rng)};",
        f"URL:{rng.choice(['http://', 'https://', ''])}{host(rng)};", f"ADR:{_street(rng)}, {rng.choice(words.PLACES)};",
        f"ORG:{company(rng)};", f"NOTE:{word(rng)};", f"BDAY:{day(rng)};",
    ]  # fmt: skip
    return "MECARD:" + "".join([fields[0], *(field for field in fields[1:] if rng.random() < 0.5)]) + ";"


def bookmark(rng: random.Random) -> str:
    """MEBKM: and URLTO:, ways to write a URL on old telephones."""
    if rng.random() < 0.7:
        return f"MEBKM:TITLE:{word(rng).capitalize()} {word(rng)};URL:{url(rng)};;"
    return f"URLTO:{url(rng)}"


def message(rng: random.Random) -> str:
    """tel:, sms:, mailto:, MATMSG: and geo:."""
    number = telephone(rng).replace(" ", "")
    text = " ".join(word(rng) for _ in range(rng.randint(1, 5)))
    quoted = text.replace(" ", "%20")
    return rng.choice([
        f"{rng.choice(['tel:', 'tel:', 'TEL:'])}{number}",
        f"{rng.choice(['sms:', 'SMSTO:', 'smsto:', 'SMS:'])}{number}{rng.choice(['', ':' + text])}",
        f"sms:{number}?body={quoted}",
        f"mailto:{mail_address(rng)}",
        f"mailto:{mail_address(rng)}?subject={quoted}&body={quoted}",
        f"MATMSG:TO:{mail_address(rng)};SUB:{text.capitalize()};BODY:{text};;",
        f"geo:{rng.uniform(-90, 90):.{rng.randint(3, 7)}f},{rng.uniform(-180, 180):.{rng.randint(3, 7)}f}",
        f"geo:{rng.uniform(-90, 90):.6f},{rng.uniform(-180, 180):.6f}?q={quoted}",
        f"facetime:{number}", f"skype:{word(rng)}?call", f"market://details?id=com.{word(rng)}.{word(rng)}",
    ])  # fmt: skip


def event(rng: random.Random) -> str:
    """A VEVENT, alone or in a calendar."""
    end = rng.choice(["\n", "\r\n"])
    start = f"{day(rng)}T{rng.randint(0, 23):02}{rng.choice(['00', '30', '15'])}00{rng.choice(['', 'Z'])}"
    lines = [
        "BEGIN:VEVENT",
        f"SUMMARY:{word(rng).capitalize()} {word(rng)}",
        f"DTSTART:{start}",
        f"DTEND:{start}",
    ]
    if rng.random() < 0.5:
        lines.append(f"LOCATION:{rng.choice(words.PLACES)}")
    lines.append("END:VEVENT")
    if rng.random() < 0.4:
        lines = ["BEGIN:VCALENDAR", "VERSION:2.0", *lines, "END:VCALENDAR"]
    return end.join(lines)


def one_time_password(rng: random.Random) -> str:
    """otpauth: of authenticator applications."""
    issuer = rng.choice([*words.BRANDS[:24], word(rng)]).capitalize()
    kind = rng.choice(["totp", "totp", "totp", "hotp"])
    more = "&algorithm=SHA1&digits=6&period=30" if rng.random() < 0.4 else ""
    return f"otpauth://{kind}/{issuer}:{mail_address(rng)}?secret={drawn(rng, BASE32, 16, 32)}&issuer={issuer}{more}"


def cryptocurrency(rng: random.Random) -> str:
    """Addresses, bare and as URIs; Lightning invoices."""
    form = rng.randrange(7)
    amount = f"?amount=0.{digits(rng, 2, 8)}" if rng.random() < 0.3 else ""
    if form == 0:
        return f"bitcoin:{rng.choice('13')}{drawn(rng, BASE58, 32, 33)}{amount}"
    if form == 1:
        return f"{rng.choice('13')}{drawn(rng, BASE58, 32, 33)}"
    if form == 2:
        return f"{rng.choice(['bitcoin:', ''])}bc1q{drawn(rng, BECH32, 38, 38)}{amount}"
    if form == 3:
        return f"{rng.choice(['ethereum:', ''])}0x{drawn(rng, '0123456789abcdefABCDEF', 40, 40)}"
    if form == 4:
        return f"{rng.choice(['lightning:', 'LIGHTNING:', ''])}lnbc{digits(rng, 1, 4)}{rng.choice('munp')}1p{drawn(rng, BECH32, 90, 160)}"
    if form == 5:
        return f"{rng.choice(['litecoin:', 'dogecoin:', 'tron:', ''])}{rng.choice('LDT')}{drawn(rng, BASE58, 33, 33)}"
    return f"solana:{drawn(rng, BASE58, 43, 44)}"


def emv(rng: random.Random) -> str:
    """A merchant-presented payment with its lengths and its CRC (EMVCo, QR Code Specification for Payment Systems)."""

    def field(tag: str, value: str) -> str:
        return f"{tag}{len(value):02}{value}"

    account = field(
        "00", rng.choice(["BR.GOV.BCB.PIX", "A000000677010111", "SG.PAYNOW", "hk.com.hkicl", "com.p2pqrpay"])
    )
    account += field("01", rng.choice([digits(rng, 11, 14), mail_address(rng), "-".join(
        hexadecimal(rng, size, size).lower() for size in (8, 4, 4, 4, 12))]))  # fmt: skip
    made = field("00", "01") + (field("01", rng.choice(["11", "12"])) if rng.random() < 0.7 else "")
    made += field(rng.choice(["26", "26", "29", "38"]), account) + field(
        "52", rng.choice(["0000", "5999", digits(rng, 4, 4)])
    )
    made += field("53", rng.choice(["986", "764", "702", "344", "840", "978", "356", "360"]))
    if rng.random() < 0.5:
        made += field("54", f"{rng.randint(1, 500)}.{rng.choice(['00', '50', digits(rng, 2, 2)])}")
    made += field("58", rng.choice(["BR", "TH", "SG", "HK", "IN", "ID", "MX"]))
    made += field("59", f"{word(rng)} {word(rng)}".upper()[:25]) + field(
        "60", rng.choice(words.PLACES).upper()[:15]
    )
    made += field("62", field("05", rng.choice(["***", identifier(rng)[:25]]))) + "6304"
    return f"{made}{crc_hqx(made.encode(), 0xFFFF):04X}"


def sepa(rng: random.Random) -> str:
    """A credit transfer (European Payments Council, EPC069-12)."""
    given, family = name(rng)
    recipient = rng.choice([company(rng), f"{given} {family}"])
    lines = [
        "BCD",
        rng.choice(["001", "002"]),
        "1",
        "SCT",
        _bic(rng) if rng.random() < 0.7 else "",
        recipient,
        _iban(rng),
    ]
    lines += [f"EUR{rng.randint(1, 2000)}{rng.choice(['', '.00', '.50', '.' + digits(rng, 2, 2)])}", "", ""]
    lines.append(
        rng.choice(
            [
                f"RE-{digits(rng, 4, 8)}",
                f"Rechnung {digits(rng, 4, 8)}",
                f"Invoice {digits(rng, 4, 8)}",
                "Spende",
            ]
        )
    )
    return "\n".join(lines)


def swiss(rng: random.Random) -> str:
    """A Swiss payment part (SIX, Implementation Guidelines QR-bill)."""
    given, family = name(rng)
    person = ["S", f"{given} {family}", _street(rng).rsplit(" ", 1)[0], digits(rng, 1, 3), digits(rng, 4, 4)]
    creditor = ["S", company(rng), _street(rng).rsplit(" ", 1)[0], digits(rng, 1, 3), digits(rng, 4, 4)]
    lines = [
        "SPC",
        "0200",
        "1",
        f"CH{digits(rng, 19, 19)}",
        *creditor,
        rng.choice(words.PLACES),
        "CH",
        *[""] * 7,
    ]
    lines += [f"{rng.randint(1, 3000)}.{digits(rng, 2, 2)}", "CHF", *person, rng.choice(words.PLACES), "CH"]
    lines += [
        *rng.choice([["QRR", digits(rng, 27, 27)], ["NON", ""], ["SCOR", f"RF{digits(rng, 10, 20)}"]]),
        "",
        "EPD",
    ]
    return rng.choice(["\n", "\r\n"]).join(lines)


def gs1(rng: random.Random) -> str:
    """Element strings: trade item, batch, serial number, date (GS1 General Specifications); 0x1D between fields."""
    made = "01" + gs1_number("0" + digits(rng, 12, 12))
    if rng.random() < 0.6:
        made += "17" + day(rng)[2:]
    if rng.random() < 0.7:
        made += "10" + drawn(rng, _CHARACTERS, 4, 10)
    if rng.random() < 0.6:
        made += ("\x1d" if "10" in made[16:] else "") + "21" + drawn(rng, BASE62, 6, 14)
    return made


def structured(rng: random.Random) -> str:
    """JSON, tables, settings."""
    keys = [word(rng) for _ in range(rng.randint(1, 5))]
    values = [
        rng.choice(
            [word(rng), rng.randint(0, 9999), identifier(rng), True, None, round(rng.random() * 100, 2)]
        )
        for _ in keys
    ]
    pairs = dict(zip(keys, values, strict=True))
    return rng.choice([
        json.dumps(pairs), json.dumps(pairs, separators=(",", ":")), ";".join(map(str, values)), ",".join(map(str, values)),
        "|".join(map(str, values)), "\n".join(f"{key}: {value}" for key, value in pairs.items()),
        ";".join(f"{key}={value}" for key, value in pairs.items()),
    ])  # fmt: skip


def code(rng: random.Random) -> str:
    """Numbers of articles, tickets, devices, batches."""
    return rng.choice([
        identifier(rng), digits(rng, 4, 20), gs1_number(digits(rng, 12, 12)), drawn(rng, _CHARACTERS, 6, 20),
        f"{drawn(rng, _CHARACTERS[:26], 1, 4)}-{digits(rng, 3, 8)}", f"{word(rng).upper()} {digits(rng, 1, 6)}",
        f"SN:{drawn(rng, _CHARACTERS, 8, 14)}", f"S/N {drawn(rng, _CHARACTERS, 8, 14)}", f"{day(rng, '-')} {digits(rng, 4, 8)}",
        f"{digits(rng, 2, 4)}/{digits(rng, 2, 4)}", f"MAC:{':'.join(hexadecimal(rng, 2, 2).upper() for _ in range(6))}",
        f"DPP|{drawn(rng, _CHARACTERS, 10, 16)}", f"{drawn(rng, _CHARACTERS, 4, 4)}-{drawn(rng, _CHARACTERS, 4, 4)}",
        f"M1{name(rng)[1].upper()}/{name(rng)[0].upper()} E{drawn(rng, _CHARACTERS, 6, 6)} {drawn(rng, _CHARACTERS[:26], 6, 6)}",
        f"HC1:{drawn(rng, _CHARACTERS + ' $%*+-./:', 60, 200)}", f"{word(rng).upper()}{digits(rng, 2, 5)}",
        f"MT:{drawn(rng, _CHARACTERS + '-.', 19, 19)}", f"LPA:1${host(rng)}${drawn(rng, _CHARACTERS, 12, 20)}",
    ])  # fmt: skip


def _street(rng: random.Random) -> str:
    number = rng.randint(1, 180)
    return rng.choice([
        f"{number} {word(rng).capitalize()} {rng.choice(['Street', 'St', 'Road', 'Ave', 'Lane'])}",
        f"{word(rng).capitalize()}{rng.choice(['str.', 'straße', 'strasse', 'weg', 'platz'])} {number}",
        f"{number} rue {word(rng).capitalize()}", f"Via {word(rng).capitalize()} {number}",
    ])  # fmt: skip


def _iban(rng: random.Random) -> str:
    country, places = rng.choice(
        [("DE", 20), ("DE", 20), ("AT", 18), ("FR", 25), ("NL", 0), ("ES", 22), ("BE", 14), ("FI", 16)]
    )
    if country == "NL":
        return f"NL{digits(rng, 2, 2)}{rng.choice(['ABNA', 'INGB', 'RABO'])}{digits(rng, 10, 10)}"
    return country + digits(rng, places, places)


def _bic(rng: random.Random) -> str:
    return (
        drawn(rng, _CHARACTERS[:26], 4, 4)
        + rng.choice(["DE", "AT", "FR", "NL", "BE", "ES"])
        + drawn(rng, _CHARACTERS, 2, 2)
        + rng.choice(["", "XXX"])
    )
