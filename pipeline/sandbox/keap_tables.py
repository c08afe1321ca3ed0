"""The tables of the simulated tenant as XML-RPC shows them: the same contacts, products and orders under old names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from pipeline.sandbox.keap_orders import OrderBook
from pipeline.sandbox.keap_rules import Json
from pipeline.sandbox.keap_tenant import Tenant, primary_email
from pipeline.sandbox.keap_wire import WireFault

EASTERN = ZoneInfo("America/New_York")
ITEM_TYPES = {4: "PRODUCT", 1: "SHIPPING", 2: "TAX", 3: "FEE", 6: "FINANCE_CHARGE", 7: "DISCOUNT", 9: "SUBSCRIPTION"}
TYPE_CODES = {name: code for code, name in ITEM_TYPES.items()}
DATA_TYPES = {"CURRENCY": 3, "DECIMAL_NUMBER": 11, "WHOLE_NUMBER": 12, "DATE": 13, "DATE_TIME": 14, "TEXT": 15}
ORDER_FORM, TAB, GROUP = -9, 3, 7
"""The form of orders, and the one tab and group of custom fields this tenant has on it."""
SHIP_TO = {
    "ShipFirstName": "first_name",
    "ShipMiddleName": "middle_name",
    "ShipLastName": "last_name",
    "ShipCompany": "company",
    "ShipPhone": "phone",
    "ShipStreet1": "line1",
    "ShipStreet2": "line2",
    "ShipCity": "locality",
    "ShipState": "region",
    "ShipZip": "zip_code",
    "ShipCountry": "country",
}
ADDRESSES = {
    "StreetAddress1": ("BILLING", "line1"),
    "StreetAddress2": ("BILLING", "line2"),
    "City": ("BILLING", "locality"),
    "State": ("BILLING", "region"),
    "PostalCode": ("BILLING", "postal_code"),
    "Country": ("BILLING", "country"),
    "Address2Street1": ("SHIPPING", "line1"),
    "Address2Street2": ("SHIPPING", "line2"),
    "City2": ("SHIPPING", "locality"),
    "State2": ("SHIPPING", "region"),
    "PostalCode2": ("SHIPPING", "postal_code"),
    "Country2": ("SHIPPING", "country"),
}
COLUMNS: Mapping[str, frozenset[str]] = {
    "Job": frozenset(
        {"Id", "JobTitle", "ContactId", "StartDate", "DueDate", "JobNotes", "ProductId", "JobStatus", "OrderType"}
        | {"OrderStatus", "DateCreated", "JobRecurringId", "LastUpdated", *SHIP_TO}
    ),
    "Invoice": frozenset(
        {"Id", "ContactId", "JobId", "DateCreated", "InvoiceTotal", "TotalPaid", "TotalDue", "PayStatus", "Description"}
    ),
    "OrderItem": frozenset(
        {"Id", "OrderId", "ProductId", "ItemName", "Qty", "CPU", "PPU", "ItemDescription", "ItemType", "Notes"}
    ),
    "Product": frozenset({"Id", "ProductName", "ProductPrice", "Sku", "ShortDescription", "Description", "Status"}),
    "DataFormField": frozenset({"Id", "FormId", "Name", "Label", "DataType", "GroupId"}),
    "DataFormTab": frozenset({"Id", "FormId", "TabName"}),
    "DataFormGroup": frozenset({"Id", "TabId", "Name"}),
    "Contact": frozenset(
        {"Id", "FirstName", "MiddleName", "LastName", "Email", "Phone1", "Company", "Birthday", *ADDRESSES}
    ),
}


class Tables:
    """Rows by table; a value that is not there is no member of its row."""

    def __init__(self, tenant: Tenant, book: OrderBook) -> None:
        self._tenant = tenant
        self._book = book

    def columns(self, table: str) -> frozenset[str]:
        """What a row can have; an unknown table is a fault."""
        if table not in COLUMNS:
            raise WireFault(9, f"[NoTableFound]Table {table} does not exist")
        known = COLUMNS[table]
        if table == "Job":
            known |= {field["field_name"] for field in self._tenant.fields.values()}
        return known

    def check(self, table: str, names: Any) -> None:  # noqa: ANN401 - any iterable of names
        """Refuse columns the table has not."""
        for name in names:
            if name not in self.columns(table):
                raise WireFault(10, f"[NoFieldFound]Field {table}.{name} does not exist")

    def rows(self, table: str) -> Iterator[Json]:
        """All rows of a table, oldest first."""
        match table:
            case "Job":
                return map(self.job, self._book.orders.values())
            case "Invoice":
                return map(self.invoice, self._book.orders.values())
            case "OrderItem":
                return self._items()
            case "Product":
                return map(_product, self._tenant.products.values())
            case "DataFormField":
                return map(_form_field, self._tenant.fields.values())
            case "DataFormTab":
                return iter([{"Id": TAB, "FormId": ORDER_FORM, "TabName": "Fulfillment"}])
            case "DataFormGroup":
                return iter([{"Id": GROUP, "TabId": TAB, "Name": "Export"}])
        return map(contact_row, self._tenant.contacts.values())

    def found(self, table: str, where: Mapping[str, Any]) -> list[Json]:
        """The rows that match every member of a query."""
        self.check(table, where)
        tests = [(name, _test(wanted)) for name, wanted in where.items()]
        return [row for row in self.rows(table) if all(test(row.get(name)) for name, test in tests)]

    def job(self, order: Json) -> Json:
        """An order as a row of *Job*."""
        ship_to = order.get("shipping_address", {})
        return {
            "Id": int(order["id"]),
            "JobTitle": order["order_title"],
            "JobNotes": order.get("notes"),
            "ContactId": int(order["contact_id"]),
            "StartDate": eastern(order["order_time"]),
            "DateCreated": eastern(order["creation_time"]),
            "LastUpdated": eastern(order["modification_time"]),
            **{column: ship_to.get(name) for column, name in SHIP_TO.items()},
            **self._tenant.values_by_name(order),
        }

    def invoice(self, order: Json) -> Json:
        """The one invoice of an order."""
        total, paid = self._book.total(order), self._book.paid(order)
        return {
            "Id": int(order["invoice_id"]),
            "JobId": int(order["id"]),
            "ContactId": int(order["contact_id"]),
            "DateCreated": eastern(order["creation_time"]),
            "InvoiceTotal": float(total),
            "TotalPaid": float(paid),
            "TotalDue": float(total - paid),
        }

    def _items(self) -> Iterator[Json]:
        for order in self._book.orders.values():
            for item in order["order_items"]:
                yield {
                    "Id": int(item["id"]),
                    "OrderId": int(order["id"]),
                    "ProductId": int(item.get("product_id", 0)),
                    "ItemType": TYPE_CODES.get(item.get("item_type", "PRODUCT"), 0),
                    "ItemName": item.get("name", ""),
                    "ItemDescription": item.get("description"),
                    "Notes": item.get("notes"),
                    "Qty": item["quantity"],
                    "PPU": float(self._book.price(item)),
                }


def eastern(text: str) -> datetime:
    """A stored time as XML-RPC shows it: US Eastern, without a zone."""
    return datetime.fromisoformat(text).astimezone(EASTERN).replace(tzinfo=None, microsecond=0)


def stored(moment: datetime) -> str:
    """A time of XML-RPC as it is stored."""
    return moment.replace(tzinfo=EASTERN).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def contact_row(contact: Json) -> Json:
    """A contact as flat members."""
    places = {entry.get("field"): entry for entry in contact.get("addresses", ())}
    phones = {entry.get("field"): entry.get("number") for entry in contact.get("phone_numbers", ())}
    return {
        "Id": int(contact["id"]),
        "FirstName": contact.get("given_name"),
        "MiddleName": contact.get("middle_name"),
        "LastName": contact.get("family_name"),
        "Email": primary_email(contact) or None,
        "Phone1": phones.get("PHONE1"),
        "Company": (contact.get("company") or {}).get("company_name"),
        **{column: places.get(side, {}).get(name) for column, (side, name) in ADDRESSES.items()},
    }


def set_contact(contact: Json, values: Mapping[str, Any]) -> None:
    """Set members of a contact; what is not named stays."""
    names = {"FirstName": "given_name", "MiddleName": "middle_name", "LastName": "family_name"}
    for column, value in values.items():
        if column in names:
            contact[names[column]] = value
        elif column == "Company":
            contact["company"] = {"company_name": value}
        elif column == "Birthday":
            contact["birth_date"] = value.date().isoformat()
        elif column == "Email":
            _slot(contact, "email_addresses", "EMAIL1")["email"] = value
        elif column == "Phone1":
            _slot(contact, "phone_numbers", "PHONE1")["number"] = value
        else:
            side, name = ADDRESSES[column]
            _slot(contact, "addresses", side)[name] = value


def _slot(contact: Json, listed: str, field: str) -> Json:
    entries = contact.setdefault(listed, [])
    found: Json | None = next((entry for entry in entries if entry.get("field") == field), None)
    if found is None:
        found = {"field": field}
        entries.append(found)
    return found


def _product(product: Json) -> Json:
    return {
        "Id": int(product["id"]),
        "ProductName": product["name"],
        "ShortDescription": product.get("short_description"),
        "Sku": product.get("sku"),
        "ProductPrice": product["price"] / 100,
        "Status": 1,
    }


def _form_field(field: Json) -> Json:
    return {
        "Id": int(field["id"]),
        "FormId": ORDER_FORM,
        "GroupId": GROUP,
        "Name": field["field_name"].removeprefix("_"),
        "Label": field["label"],
        "DataType": DATA_TYPES.get(field["field_type"], 15),
    }


def _test(wanted: Any) -> Callable[[Any], bool]:  # noqa: ANN401 - a value of a query
    if isinstance(wanted, list):
        return lambda value: value in wanted
    if not isinstance(wanted, str):
        return lambda value: value == wanted
    if wanted.startswith("~>=~"):
        least = datetime.fromisoformat(wanted.removeprefix("~>=~").strip())
        return lambda value: isinstance(value, datetime) and value >= least
    if wanted.startswith("~"):
        raise WireFault(12, f"[InvalidParameter]operator not simulated: {wanted}")
    text = wanted.casefold()
    if "%" in text:
        begin, _, end = text.partition("%")
        return lambda value: str(value or "").casefold().startswith(begin) and str(value or "").casefold().endswith(end)
    return lambda value: str("" if value is None else value).casefold() == text
