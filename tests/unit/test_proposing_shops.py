"""Headers as well-known shop systems and marketplaces write them, with invented rows: which field each one is."""

from __future__ import annotations

import pytest

from pipeline.proposing.content import look
from pipeline.proposing.matching import Seen
from pipeline.proposing.propose import propose
from pipeline.sampling import understood

CELLS = {
    "order_id": ("A-1001", "A-1002", "A-1003"), "ordered_at": ("2026-01-05", "2026-01-16", "2026-01-27"),
    "email": ("ann@example.com", "bo@example.com", "cy@example.com"), "quantity": ("1", "2", "5"),
    "unit_price": ("4.50", "12.00", "7.25"), "order_total": ("14.50", "32.00", "57.25"),
    "shipping_total": ("4.90", "0.00", "4.90"), "tax_total": ("1.10", "2.20", "3.30"),
    "discount_total": ("0.00", "1.00", "0.00"), "sku": ("MUG-BL", "POT-3", "TEA-9"),
    "product_name": ("Blue mug", "Iron pot", "Green tea"), "currency": ("EUR", "EUR", "EUR"),
    "phone": ("+4930123456", "+493055555", "+493066666"), "status": ("paid", "shipped", "paid"),
    "stock": ("4", "0", "17"), "price": ("4.50", "12.00", "7.25"), "cost": ("2.10", "6.00", "3.00"),
    "tracking_number": ("JJD000000000001", "JJD000000000002", "JJD000000000003"), "amount": ("14.50", "32.00", "57.25"),
    "paid_at": ("2026-01-05", "2026-01-16", "2026-01-27"), "shipped_at": ("2026-01-06", "2026-01-17", "2026-01-28"),
    "weight": ("0.4", "2.1", "0.1"), "amount_paid": ("14.50", "32.00", "57.25"),
}  # fmt: skip
COUNTRY, ZIPS = ("DE", "FR", "PL"), ("10115", "20095", "80331")
TEXTS = ("Berg", "Reed", "Silva")

SHOPS: dict[str, dict[str, str]] = {
    "PrestaShop": {
        "Reference": "order_id", "Date added": "ordered_at", "Customer": "full_name", "Total paid": "", "Payment":
        "payment_method", "Product reference": "sku", "Product name": "product_name", "Product quantity": "quantity",
        "Unit price": "unit_price",
    },
    "Shopware 6": {
        "orderNumber": "order_id", "orderDateTime": "ordered_at", "orderCustomer.email": "email", "productNumber":
        "sku", "label": "", "quantity": "quantity", "unitPrice": "unit_price", "currency": "currency",
    },
    "Lightspeed": {
        "Order Number": "order_id", "Created": "ordered_at", "E-mail": "email", "Firstname": "first_name", "Lastname":
        "last_name", "Shipping City": "shipping_city", "SKU": "sku", "Product Title": "product_name",
        "Quantity Ordered": "quantity", "Price Excl. Tax": "",
    },
    "BigCommerce": {
        "Order ID": "order_id", "Order Date": "ordered_at", "Order Status": "status", "Customer Email": "email",
        "Shipping Cost (inc tax)": "shipping_total", "Order Total (inc tax)": "order_total", "Ship Method":
        "shipping_method", "Billing First Name": "first_name", "Billing Zip": "billing_postal_code", "Shipping Country":
        "shipping_country", "Product SKU": "sku", "Product Qty": "quantity", "Product Unit Price": "unit_price",
    },
    "Square": {
        "Order": "order_id", "Order Date": "ordered_at", "Currency": "currency", "Order Total": "order_total",
        "Item Quantity": "quantity", "Item Name": "product_name", "Item SKU": "sku", "Item Price": "unit_price",
        "Recipient Email": "email", "Recipient Postal Code": "shipping_postal_code",
    },
    "Magento": {
        "Order #": "order_id", "Purchase Date": "ordered_at", "Customer Name": "full_name", "Customer Email": "email",
        "Shipping and Handling": "shipping_total", "Grand Total": "order_total", "Item SKU": "sku", "Item Name":
        "product_name", "Qty Ordered": "quantity", "Item Price": "unit_price", "Payment Method": "payment_method",
    },
    "Allegro": {
        "Numer zamówienia": "order_id", "Data zakupu": "ordered_at", "Email kupującego": "email", "Login kupującego":
        "customer_id", "Nazwa produktu": "product_name", "Sygnatura": "sku", "Liczba sztuk": "quantity",
        "Cena za sztukę": "unit_price", "Waluta": "currency", "Kod pocztowy dostawy": "shipping_postal_code",
        "Miasto dostawy": "shipping_city", "Numer przesyłki": "tracking_number", "Koszt dostawy": "shipping_total",
        "Sposób płatności": "payment_method",
    },
    "Ozon": {
        "Номер заказа": "order_id", "Дата заказа": "ordered_at", "Артикул": "sku", "Название товара": "product_name",
        "Количество": "quantity", "Цена за единицу": "unit_price", "Статус": "status", "Стоимость доставки":
        "shipping_total",
    },
    "Rakuten": {
        "注文番号": "order_id", "注文日時": "ordered_at", "メールアドレス": "email", "商品番号": "sku",
        "商品名": "product_name",
        "個数": "quantity", "単価": "unit_price", "郵便番号": "billing_postal_code|shipping_postal_code", "支払方法":
        "payment_method",
    },
    "Taobao": {
        "订单编号": "order_id", "订单创建时间": "ordered_at", "商品名称": "product_name", "商品编码": "sku", "数量":
        "quantity", "单价": "unit_price", "收货人": "shipping_name", "手机号": "phone|shipping_phone", "运费":
        "shipping_total",
    },
    "PrestaShop, French": {
        "Référence commande": "order_id", "Date de commande": "ordered_at", "Adresse e-mail": "email", "Prénom":
        "first_name", "Nom de famille": "last_name", "Référence produit": "sku", "Nom du produit": "product_name",
        "Quantité": "quantity", "Prix unitaire": "unit_price", "Frais de port": "shipping_total",
    },
    "WooCommerce, Spanish": {
        "Número de pedido": "order_id", "Fecha del pedido": "ordered_at", "Correo electrónico": "email",
        "Nombre del producto": "product_name", "Cantidad": "quantity", "Precio unitario": "unit_price",
        "Gastos de envío": "shipping_total",
        "Código postal de envío": "shipping_postal_code",
    },
    "Nuvemshop": {
        "Número do pedido": "order_id", "Data do pedido": "ordered_at", "E-mail": "email", "Nome do produto":
        "product_name", "Quantidade": "quantity", "Preço unitário": "unit_price", "Valor do frete": "shipping_total",
        "CEP de entrega": "shipping_postal_code",
    },
    "Magento, Italian": {
        "Numero ordine": "order_id", "Data ordine": "ordered_at", "Indirizzo email": "email", "Codice articolo": "sku",
        "Nome prodotto": "product_name", "Quantità": "quantity", "Prezzo unitario": "unit_price", "Spese di spedizione":
        "shipping_total",
    },
    "Lightspeed, Dutch": {
        "Bestelnummer": "order_id", "Besteldatum": "ordered_at", "E-mailadres": "email", "Artikelnummer": "sku",
        "Productnaam": "product_name", "Aantal": "quantity", "Stukprijs": "unit_price",
        "Verzendkosten": "shipping_total",
        "Betaalmethode": "payment_method",
    },
    "JTL": {
        "Auftragsnummer": "order_id", "Auftragsdatum": "ordered_at", "E-Mail": "email", "Artikelnummer": "sku",
        "Artikelname": "product_name", "Menge": "quantity", "Einzelpreis": "unit_price", "Versandkosten":
        "shipping_total", "Lieferung PLZ": "shipping_postal_code", "Zahlungsart": "payment_method",
    },
}  # fmt: skip


def seen(at: int, header: str, field: str) -> Seen:
    first = field.partition("|")[0]
    cells = CELLS.get(first, ZIPS if first.endswith("postal_code") else COUNTRY if first.endswith("country") else TEXTS)
    cells = CELLS["phone"] if first.endswith("phone") else cells
    return Seen(at, header, look(cells, understood), cells)


def compared(wanted: dict[str, str]) -> tuple[int, int, int, list[str]]:
    """Right, proposed, wanted, and what differs."""
    columns = [seen(at, header, field) for at, (header, field) in enumerate(wanted.items())]
    proposal = propose(columns, "orders.csv", "order", None, None)
    told = {rule.column.header: rule.field for rule in reversed(proposal.rules)}
    told = {h: "shipping_name" if f == "shipping_first_name" and "name" in wanted[h] else f for h, f in told.items()}
    right = [header for header, field in told.items() if field in wanted[header].split("|")]
    differs = [
        f"{h}: {told.get(h, 'nothing')}, not {f}" for h, f in wanted.items() if told.get(h, "") not in f.split("|")
    ]
    return len(right), len(told), sum(1 for field in wanted.values() if field), differs


@pytest.mark.parametrize("shop", SHOPS)
def test_the_columns_of_a_shop_are_matched(shop: str) -> None:
    right, proposed, wanted, differs = compared(SHOPS[shop])
    assert right >= 0.8 * wanted, differs
    assert right >= 0.8 * proposed, differs


def test_nearly_all_columns_of_all_shops_are_matched_rightly() -> None:
    counts = [compared(wanted) for wanted in SHOPS.values()]
    right, proposed, wanted = (sum(count[at] for count in counts) for at in range(3))
    differs = [text for count in counts for text in count[3]]
    assert right / wanted > 0.93, differs
    assert right / proposed > 0.95, differs
