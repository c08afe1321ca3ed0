"""What a header says: words, languages, slips of the pen, layouts, and whose address it is."""

from __future__ import annotations

import pytest

from pipeline.fields import RECORD_KINDS
from pipeline.proposing.headers import hints
from pipeline.proposing.layouts import LAYOUTS, NOTHING, layout_of
from pipeline.proposing.phrases import LOOSE, SURE
from pipeline.proposing.places import place_of
from pipeline.proposing.words import glued, words

SAID = {
    "order_id": ["Order #", "OrderID", "ORDER-NO.", "Bestellnr.", "N° de commande", "Número de pedido", "Numero ordine",
                 "Bestelnummer", "Номер заказа", "注文番号", "订单号", "Número do pedido"],
    "ordered_at": ["Order Date", "Bestelldatum", "Date de commande", "Fecha de pedido", "Data ordine", "Besteldatum",
                   "Дата заказа", "注文日", "下单时间", "Data do pedido"],
    "email": ["E-Mail", "EMAILADDRESS", "Courriel", "Correo electrónico", "Indirizzo e-mail", "E-mailadres",
              "Электронная почта", "メールアドレス", "邮箱", "Endereço de e-mail"],
    "sku": ["SKU", "Item no.", "Artikelnummer", "Référence produit", "Código de producto", "Codice articolo",
            "Артикул", "商品コード", "商品编码", "Código do produto", "productcode"],
    "product_name": ["Product Name", "Artikelbezeichnung", "Désignation", "Nombre del producto", "Nome prodotto",
                     "Artikelnaam", "Наименование товара", "商品名", "商品名称", "Nome do produto"],
    "quantity": ["Qty", "QUANTITY", "Menge", "Anzahl", "Quantité", "Qté", "Cantidad", "Quantità", "Aantal",
                 "Количество", "数量", "Quantidade"],
    "unit_price": ["Unit price", "UnitPrice", "Einzelpreis", "Prix unitaire", "Precio unitario", "Prezzo unitario",
                   "Stukprijs", "Цена за единицу", "単価", "单价", "Preço unitário"],
    "order_total": ["Order Total", "Gesamtbetrag", "Montant total", "Importe total", "Totale ordine", "Totaalbedrag",
                    "Итого", "合計金額", "订单金额", "Valor total"],
    "shipping_city": ["Ship City", "ship-city", "Lieferort", "Ville de livraison", "Ciudad de envío",
                      "Città di spedizione", "Город доставки", "配送先都市", "收货城市", "Cidade de entrega"],
    "billing_postal_code": ["Billing Zip", "BillingPostalCode", "Rechnungs-PLZ", "Code postal de facturation",
                            "Código postal de facturación", "CAP di fatturazione", "請求先郵便番号", "账单邮编"],
    "tracking_number": ["Tracking No", "Sendungsnummer", "Numéro de suivi", "Número de seguimiento",
                        "Трек-номер", "追跡番号", "快递单号", "Código de rastreio"],
}  # fmt: skip


@pytest.mark.parametrize(("field", "header"), [(field, header) for field, those in SAID.items() for header in those])
def test_a_header_is_understood_in_many_languages(field: str, header: str) -> None:
    said = hints(header, "order", None)
    best = max(said, key=lambda name: said[name].sure)
    assert (best, said[best].sure >= 0.8) == (field, True), said


def test_spelling_habits_do_not_matter() -> None:
    assert len({glued(text) for text in ("Order ID", "OrderID", "order_id", "ORDER-ID", " order.id ")}) == 1
    assert words("Order #") == words("Order No.") == words("Order nr") == ("order", "number")
    assert words("Weight (kg)") == ("weight",)
    assert words("(kg)") == ("kg",)
    assert words("Straße") == ("strasse",)
    assert words("Address1") == words("address_1") == ("address", "1")


@pytest.mark.parametrize("text", ["", " ", "---", "\x00", "()", "\u200b"])
def test_a_header_without_words_means_nothing(text: str) -> None:
    assert hints(text, "order", None) == {}


def test_a_slip_of_the_pen_is_taken_with_less_certainty() -> None:
    said = hints("Shiping Method", "order", None)
    assert 0.5 <= said["shipping_method"].sure < 0.8


def test_a_numbered_column_is_not_a_slip_of_the_pen() -> None:
    assert not any(hint.sure >= 0.5 for hint in hints("line item 3", "order", None).values())


@pytest.mark.parametrize("header", ["Refunded Amount", "Subtotal", "shipping_tax_total", "Order Net", "is_gift"])
def test_what_no_field_is_for_is_left_alone(header: str) -> None:
    assert not any(hint.sure >= 0.5 for hint in hints(header, "order", None).values())


def test_an_address_names_whose_it_is() -> None:
    assert place_of("Ship To Address 2") == ("shipping", "address2")
    assert place_of("billing_postcode") == ("billing", "postal_code")
    assert place_of("Customer Name") == ("person", "full_name")
    assert place_of("City") == ("", "city")
    assert place_of("ship_via") is None


def test_every_phrase_and_layout_names_a_field_there_is() -> None:
    fields = {name for kind in RECORD_KINDS.values() for name in kind} | {"shipping_name"}
    assert not (SURE.keys() | LOOSE.keys()) - fields
    for layout in LAYOUTS:
        assert not set(layout.means.values()) - fields - {NOTHING}, layout.name
        assert layout.kind in RECORD_KINDS
        assert layout_of([*layout.signs, "something else"]) is not None


def test_no_sure_phrase_means_two_fields_of_an_order() -> None:
    seen: dict[str, str] = {}
    for field in RECORD_KINDS["order"]:
        for phrase in filter(None, SURE.get(field, "").split("|")):
            assert seen.setdefault(glued(phrase), field) == field, phrase


def test_a_layout_overrules_what_its_words_say() -> None:
    shopify = layout_of(["Name", "Email", "Created at", "Lineitem name"])
    assert shopify is not None
    assert set(hints("Name", "order", shopify)) == {"order_id"}
    assert hints("Subtotal", "order", shopify) == {}
