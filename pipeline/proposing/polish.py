"""What people call the fields in Polish; compared like the phrases of the other languages."""

from __future__ import annotations

from collections.abc import Mapping

POLISH: Mapping[str, str] = {
    "order_id": "numer zamówienia|nr zamówienia|id zamówienia|zamówienie|zamówienie nr|numer faktury",
    "ordered_at": "data zamówienia|data złożenia zamówienia|data zakupu|data złożenia|data sprzedaży|data utworzenia",
    "status": "status zamówienia|stan zamówienia|status realizacji",
    "customer_id": "id klienta|numer klienta|nr klienta|kod klienta|login kupującego|login klienta",
    "email": "adres email|adres e mail|email klienta|email kupującego|e mail kupującego|poczta elektroniczna",
    "first_name": "imię|imię klienta|imię kupującego",
    "last_name": "nazwisko|nazwisko klienta|nazwisko kupującego",
    "full_name": "imię i nazwisko|nazwa klienta|klient|kupujący|nabywca|odbiorca faktury",
    "company": "firma|nazwa firmy|przedsiębiorstwo",
    "phone": "telefon|numer telefonu|nr telefonu|telefon klienta|telefon kupującego|telefon komórkowy",
    "sku": "numer artykułu|kod produktu|kod towaru|symbol|symbol produktu|indeks|sygnatura|numer katalogowy",
    "product_name": "nazwa produktu|produkt|towar|nazwa towaru|nazwa artykułu|tytuł oferty|nazwa oferty|artykuł",
    "quantity": "ilość|liczba sztuk|sztuk|szt|liczba|ilość sztuk|zamówiona ilość",
    "unit_price": "cena jednostkowa|cena za sztukę|cena sztuki|cena brutto|cena produktu|cena sprzedaży|cena netto",
    "line_discount": "rabat na pozycję|rabat pozycji",
    "shipping_total": "koszt dostawy|koszt wysyłki|koszty wysyłki|koszt przesyłki|cena dostawy|opłata za dostawę",
    "tax_total": "podatek|kwota podatku|kwota vat|vat|podatek vat",
    "discount_total": "rabat|kwota rabatu|zniżka|upust",
    "order_total": "wartość zamówienia|kwota zamówienia|suma|do zapłaty|łączna kwota|wartość brutto|razem",
    "amount_paid": "kwota zapłacona|zapłacono|wpłacono|kwota wpłaty",
    "currency": "waluta|kod waluty",
    "paid_at": "data płatności|data zapłaty|data wpłaty|zapłacono dnia",
    "payment_method": "metoda płatności|sposób płatności|forma płatności|rodzaj płatności|typ płatności",
    "payment_reference": "id płatności|identyfikator płatności|numer transakcji|id transakcji",
    "coupon_code": "kod rabatowy|kod kuponu|kupon",
    "note": "uwagi|uwagi do zamówienia|komentarz|notatka|wiadomość od kupującego|uwagi klienta",
    "carrier": "przewoźnik|kurier|firma kurierska",
    "tracking_number": "numer przesyłki|nr przesyłki|numer śledzenia|numer listu przewozowego|list przewozowy",
    "shipped_at": "data wysyłki|data nadania|wysłano|data wydania",
    "expected_delivery_on": "data dostawy|przewidywana data dostawy|termin dostawy",
    "shipping_method": "metoda dostawy|sposób dostawy|forma dostawy|rodzaj dostawy|sposób wysyłki|metoda wysyłki",
    "cost": "koszt|cena zakupu|koszt zakupu",
    "weight": "waga|masa|waga produktu",
    "stock": "stan magazynowy|stan|ilość na stanie|dostępna ilość|zapas|dostępność|liczba dostępnych sztuk",
    "location": "magazyn|lokalizacja|regał|miejsce składowania",
    "manufacturer_sku": "kod producenta|numer producenta|symbol producenta",
    "bank_name": "bank|nazwa banku",
    "amount": "kwota|kwota płatności|kwota wpłaty",
}
"""Phrases that mean one field, joined by ``|``."""
