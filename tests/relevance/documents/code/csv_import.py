"""Read the bank's CSV export and book each line once.

The export is in Windows-1252 with semicolons, amounts have a decimal comma,
and dates come as DD.MM.YY. Lines that were booked before are recognised by a
fingerprint of date, amount, IBAN and purpose, as the bank gives no ids.
"""
import csv
import hashlib
from datetime import datetime
from decimal import Decimal


def parse_amount(text):
    """'1.234,56' -> Decimal('1234.56')"""
    return Decimal(text.replace(".", "").replace(",", "."))


def fingerprint(row):
    parts = (row["date"].isoformat(), str(row["amount"]), row["iban"],
             row["purpose"].strip().lower())
    return hashlib.sha256("|".join(parts).encode()).hexdigest()


def read_rows(path):
    with open(path, encoding="cp1252", newline="") as f:
        for line in csv.DictReader(f, delimiter=";"):
            yield {
                "date": datetime.strptime(line["Buchungstag"], "%d.%m.%y"),
                "amount": parse_amount(line["Betrag"]),
                "iban": line["Kontonummer/IBAN"].replace(" ", ""),
                "purpose": line["Verwendungszweck"],
            }


def import_file(path, ledger):
    new = 0
    for row in read_rows(path):
        key = fingerprint(row)
        if ledger.has(key):
            continue  # a duplicate of an earlier export
        ledger.book(key, row)
        new += 1
    return new
