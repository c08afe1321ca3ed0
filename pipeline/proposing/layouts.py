"""Export layouts that name a column in their own way: a few headers give the layout away, then these words count.

From the vendors' own descriptions of their exports (seen November 2026): Shopify, WooCommerce, Amazon Seller Central,
eBay, Etsy, Walmart Marketplace, Stripe, PayPal, SAP, Shopware, Xero. Only what the general phrases would miss.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from pipeline.proposing.words import glued

NOTHING = ""
"""Stands for a column that means no field, though its words look like one."""


@dataclass(frozen=True, slots=True)
class Layout:
    """One layout: ``signs`` must all be headers of the file; ``means`` leads from a header to its field.

    ``asks`` are fields a person must look at, with the reason.
    """

    name: str
    signs: tuple[str, ...]
    means: Mapping[str, str]
    kind: str = "order"
    asks: Mapping[str, str] = field(default_factory=dict)


_SHOPIFY = {
    "Name": "order_id", "Created at": "ordered_at", "Fulfillment Status": "status", "Financial Status": NOTHING,
    "Total": "order_total", "Taxes": "tax_total", "Shipping": "shipping_total", "Subtotal": NOTHING,
    "Discount Amount": "discount_total", "Discount Code": "coupon_code", "Lineitem price": "unit_price",
    "Lineitem name": "product_name", "Lineitem sku": "sku", "Lineitem quantity": "quantity", "Phone": NOTHING,
    "Billing Street": NOTHING, "Shipping Street": NOTHING, "Id": NOTHING, "Receipt Number": NOTHING,
    "Payment Reference": "payment_reference", "Refunded Amount": NOTHING, "Location": NOTHING, "Source": NOTHING,
    "Lineitem discount": "line_discount", "Lineitem fulfillment status": NOTHING, "Payment ID": NOTHING,
    "Tax 1 Value": NOTHING, "Employee": NOTHING,
}  # fmt: skip
_ETSY = {
    "Sale Date": "ordered_at", "Order Total": "order_total", "Order Value": NOTHING, "Sales Tax": "tax_total",
    "Number of Items": NOTHING, "Buyer": NOTHING, "Payment Type": NOTHING, "Payment Method": "payment_method",
    "Order Net": NOTHING, "Street 1": "shipping_address1", "Street 2": "shipping_address2",
    "Ship Name": "shipping_name", "Item Name": "product_name", "Price": "unit_price",
    "Order Shipping": "shipping_total",
    "Discount Amount": "discount_total", "Shipping Discount": NOTHING, "Item Total": NOTHING, "Order ID": "order_id",
}  # fmt: skip

_ALL_PIECES = "in this layout the column may hold the price of all pieces of a line together, not of one piece"

LAYOUTS: tuple[Layout, ...] = (
    Layout("Shopify orders", ("Name", "Created at", "Lineitem name"), _SHOPIFY),
    Layout(
        "Shopify products", ("Handle", "Title", "Variant Price"),
        {"Title": "name", "Variant SKU": "sku", "Variant Price": "price", "Variant Inventory Qty": "stock",
         "Variant Grams": "weight", "Cost per item": "cost", "Tags": NOTHING,
         "Google Shopping / MPN": "manufacturer_sku",
         "Handle": NOTHING, "Variant Barcode": NOTHING, "SEO Title": NOTHING},
        "inventory_item",
    ),
    Layout(
        "Shopify inventory", ("Handle", "Title", "Location"),
        {"Title": "name", "SKU": "sku", "Location": "location", "On hand": NOTHING, "Available": "stock",
         "On hand (current)": NOTHING, "On hand (new)": NOTHING, "Available (not editable)": "stock"},
        "inventory_item",
    ),
    Layout(
        "WooCommerce orders", ("order_id", "order_date", "billing_postcode"),
        {"order_id": "order_id", "order_number": NOTHING, "order_currency": "currency", "customer_user": NOTHING,
         "customer_id": "customer_id", "cart_discount": NOTHING, "order_discount": NOTHING, "status": "status",
         "customer_email": "email", "billing_email": NOTHING, "shipping_items": NOTHING, "fee_items": NOTHING,
         "completed_date": NOTHING, "order_notes": NOTHING, "customer_note": "note", "order_total": "order_total"},
    ),
    Layout(
        "WooCommerce orders (order export)", ("Order Number", "Order Status", "Item Cost"),
        {"Item Cost": "unit_price", "Item #": NOTHING, "Order Status": "status", "Order Number": "order_id",
         "Payment Method Title": "payment_method", "Shipping Method Title": "shipping_method",
         "Order Shipping Amount": "shipping_total", "Order Total Tax Amount": "tax_total",
         "Order Subtotal Amount": NOTHING, "Order Refund Amount": NOTHING, "Discount Amount": NOTHING},
    ),
    Layout(
        "WooCommerce products", ("SKU", "Name", "Regular price"),
        {"Name": "name", "Regular price": "price", "Sale price": NOTHING, "In stock?": NOTHING, "Stock": "stock",
         "Tags": NOTHING, "Type": NOTHING, "Purchase note": NOTHING, "Position": NOTHING, "Parent": NOTHING},
        "inventory_item",
    ),
    Layout(
        "Amazon orders", ("order-id", "purchase-date", "quantity-purchased"),
        {"order-id": "order_id", "purchase-order-number": NOTHING, "order-item-id": NOTHING, "item-price": "unit_price",
         "item-tax": "line_tax", "shipping-price": "shipping_total", "shipping-tax": NOTHING,
         "ship-service-level": "shipping_method", "recipient-name": "shipping_name", "buyer-name": "full_name",
         "delivery-Instructions": "note", "delivery-end-date": NOTHING, "delivery-start-date": NOTHING},
        asks={"unit_price": _ALL_PIECES},
    ),
    Layout(
        "Amazon listings", ("seller-sku", "item-name", "quantity"),
        {"seller-sku": "sku", "item-name": "name", "quantity": "stock", "asin1": NOTHING, "price": "price"},
        "inventory_item",
    ),
    Layout(
        "eBay sales history", ("Sales Record Number", "Item Title", "Custom Label"),
        {"Sales Record Number": NOTHING, "Order Number": "order_id", "Custom Label": "sku",
         "Item Title": "product_name",
         "Item Number": NOTHING, "Sold For": "unit_price", "Sale Price": "unit_price", "Sale Date": "ordered_at",
         "Paid On Date": "paid_at", "Shipped On Date": "shipped_at", "Total Price": "order_total",
         "Shipping And Handling": "shipping_total", "Buyer Username": "customer_id", "User Id": "customer_id",
         "Transaction ID": NOTHING, "Ship By Date": NOTHING, "Buyer Full name": "full_name"},
    ),
    Layout("Etsy orders", ("Sale Date", "Order ID", "Ship Zipcode"), _ETSY),
    Layout("Etsy order lines", ("Sale Date", "Transaction ID", "Ship Zipcode"), _ETSY | {"Transaction ID": NOTHING}),
    Layout(
        "Walmart orders", ("PO#", "Order#", "Ship to Address 1"),
        {"PO#": "order_id", "Order#": NOTHING, "Item Cost": "unit_price", "Tax": "line_tax",
         "Shipping Cost": "shipping_total", "Item Description": "product_name", "Status": "status",
         "Customer Shipping Address": NOTHING, "Update Qty": NOTHING, "Update Status": NOTHING, "Qty": "quantity",
         "Ship By": NOTHING, "Delivery Date": "expected_delivery_on", "UPC": NOTHING, "Customer Phone Number": "phone",
         "Seller Order NO": NOTHING, "Original Customer Order Id": NOTHING, "Shipping Tier": NOTHING},
        asks={"unit_price": _ALL_PIECES},
    ),
    Layout(
        "Stripe payments", ("id", "Amount", "Status", "Currency", "Captured"),
        {"id": "payment_reference", "amount": "amount", "created": "paid_at", "description": "note",
         "Created (UTC)": "paid_at", "Created date (UTC)": "paid_at", "converted_amount": NOTHING,
         "invoice_id": "order_id", "card_id": NOTHING, "Customer Email": NOTHING},
        "payment",
    ),
    Layout(
        "PayPal activity", ("Date", "Time Zone", "Name", "Type", "Status"),
        {"Date": "paid_at", "Gross": "amount", "Amount": "amount", "Net": NOTHING, "Fee": NOTHING, "Type": NOTHING,
         "Transaction ID": "payment_reference", "Invoice Number": "order_id", "Balance": NOTHING,
         "Receipt ID": "payment_reference", "Name": NOTHING, "Note": "note", "Subject": NOTHING},
        "payment",
    ),
    Layout(
        "SAP sales order items", ("SALESORDERID", "SALESORDERITEM", "PRODUCTID"),
        {"SALESORDERID": "order_id", "SALESORDERITEM": NOTHING, "PRODUCTID": "sku", "GROSSAMOUNT": NOTHING,
         "NETAMOUNT": NOTHING, "TAXAMOUNT": "line_tax", "ITEMATPSTATUS": NOTHING, "QUANTITY": "quantity",
         "DELIVERYDATE": "expected_delivery_on", "NOTEID": NOTHING},
    ),
    Layout(
        "SAP sales orders", ("SALESORDERID", "PARTNERID", "LIFECYCLESTATUS"),
        {"SALESORDERID": "order_id", "CREATEDAT": "ordered_at", "PARTNERID": "customer_id",
         "GROSSAMOUNT": "order_total",
         "LIFECYCLESTATUS": "status", "TAXAMOUNT": "tax_total", "NETAMOUNT": NOTHING, "BILLINGSTATUS": NOTHING},
    ),
    Layout(
        "Shopware orders", ("orderNumber", "invoiceAmount", "paymentName"),
        {"orderNumber": "order_id", "orderId": NOTHING, "invoiceNumber": NOTHING, "invoiceAmount": "order_total",
         "invoiceShipping": "shipping_total", "paymentName": "payment_method", "orderTime": "ordered_at",
         "transactionId": "payment_reference", "trackingCode": "tracking_number", "orderStatus": "status",
         "paymentStatus": NOTHING},
    ),
    Layout(
        "Xero sales invoices", ("ContactName", "InvoiceNumber", "UnitAmount"),
        {"InvoiceNumber": "order_id", "InvoiceDate": "ordered_at", "Description": "product_name",
         "InventoryItemCode": "sku", "UnitAmount": "unit_price", "TaxAmount": "line_tax", "Discount": NOTHING,
         "Total": "order_total", "ContactName": "full_name", "Reference": NOTHING, "POCity": "billing_city",
         "PORegion": "billing_state", "POAddressLine1": "billing_address1", "POAddressLine2": "billing_address2",
         "AccountCode": NOTHING, "TrackingName1": NOTHING, "DueDate": NOTHING},
    ),
)  # fmt: skip
"""Ordered: the first whose signs are all there counts."""


def layout_of(headers: Collection[str]) -> Layout | None:
    """The layout a header row gives away, ``None`` when it is nobody's we know."""
    told = {glued(header) for header in headers}
    return next((layout for layout in LAYOUTS if {glued(sign) for sign in layout.signs} <= told), None)
