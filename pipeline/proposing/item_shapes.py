"""How a sample holds its items: numbered columns, JSON, pairs or lists in a cell; found by header and content."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.proposing.matching import Seen
from pipeline.reasons import shown
from pipeline.shapes import NUMBER, Pairs, Split, Unpivot

_NUMBERED = re.compile(r"(?P<before>.*?)(?P<number>[0-9]{1,3})(?P<after>\D{0,20})")
_WORDS = (
    "item items product products sku skus article articles artikel produkt produkte produit produits producto "
    "productos prodotto prodotti produto produtos lineitem lineitems position positionen"
)
_ITEM_WORDS = frozenset(_WORDS.split())
_AMOUNTS = (
    "qty qtys quantity quantities price prices amount amounts menge mengen anzahl preis preise einzelpreis "
    "einzelpreise quantite quantites quantité quantités prix cantidad cantidades precio precios quantita quantità "
    "prezzo prezzi aantal aantallen prijs prijzen ilość ilosc cena ceny quantidade quantidades preço preços"
)
_AMOUNT_WORDS = frozenset(_AMOUNTS.split())
_ITEM_STEMS = ("sku", "artikel", "article", "articul", "articol", "product", "produkt", "produit", "prodott", "produto")
_SINGULAR = {
    "mengen": "menge", "preise": "preis", "einzelpreise": "einzelpreis", "prices": "price", "prijzen": "prijs",
    "prezzi": "prezzo", "ceny": "cena", "articles": "article", "prix": "prix", "sku": "sku", "skus": "sku",
    "items": "name", "item": "name", "products": "name", "product": "name", "produkte": "produkt",
    "aantallen": "aantal", "prices each": "price",
}  # fmt: skip
_A_NUMBER = re.compile(r"\W{0,3}\d+(?:[.,]\d+)*\W{0,3}")
_OTHER_WORDS = frozenset(
    ("address", "addr", "street", "phone", "email", "shipping", "fee", "tax", "coupon", "refund", "tracking", "adresse")
)
_MEANT = {
    "name": "product name", "title": "product name", "total": "line total", "tax": "line tax", "price": "unit price",
    "amount": "unit price", "id": "product id", "discount": "line discount",
}  # fmt: skip
_INNER = ("id", "product_id", "variation_id")
_SHARE = 0.8
"""How many of the filled cells must be of one form."""
_MOST_NAMES = 30
_LONGEST = 100_000
_PAIR = re.compile(r"[A-Za-z_][\w \-]{0,40}:[^|]*")
_FORMS = (
    ("{sku} x {quantity}", re.compile(r"\S.*?\s+[xX]\s*[0-9]+")),
    ("{sku}x{quantity}", re.compile(r"\S.*?[a-z0-9)][xX][0-9]+")),
    ("{quantity} x {sku}", re.compile(r"[0-9]+\s*[xX]\s+\S.*")),
)


@dataclass(frozen=True, slots=True)
class ItemShape:
    """What the mapping says about it; ``why`` tells a person what was seen."""

    unpivot: Unpivot
    split: Split | None
    why: str

    def meant(self, header: str) -> str:
        """What a made column would be called beside the order's: the ``name`` of an item is a product's.

        Empty for the shop's own number of a product where its sku is there too.
        """
        made = {*self.unpivot, *(self.split.made if self.split else ())}
        if header not in made:
            return header
        name = header.casefold()
        if self.split and self.split.columns:
            name = _singular(header)
            return _MEANT.get(name, name)
        return "" if name in _INNER and "sku" in map(str.casefold, made) else _MEANT.get(name, header)


def numbered_items(columns: Sequence[Seen]) -> ItemShape | None:
    """Groups of columns such as ``Product 1, Qty 1, Product 2, Qty 2``; ``Address 1`` and ``Address 2`` are none."""
    stems: dict[tuple[str, str], set[int]] = {}
    for column in columns:
        found = _NUMBERED.fullmatch(column.header.strip())
        if found and found["before"].strip():
            stems.setdefault((found["before"], found["after"]), set()).add(int(found["number"]))
    items = [stem for stem in stems if _is_item("".join(stem)) and _counts_up(stems[stem])]
    if not items:
        return None
    numbers = stems[items[0]]
    chosen = [
        stem for stem, found in stems.items()
        if found <= numbers and len(found) > 1 and min(found) == 1 and not _OTHER_WORDS & set(_words("".join(stem)))
    ]  # fmt: skip
    made = {_made(stem, columns): (f"{stem[0]}{NUMBER}{stem[1]}",) for stem in chosen}
    return ItemShape(made, None, f"items in columns numbered 1 to {max(numbers)}") if len(made) == len(chosen) else None


def packed_items(columns: Sequence[Seen], unpivot: Unpivot) -> ItemShape | None:
    """One column whose cells hold items: a made one of ``unpivot`` first, then what is called so, then any JSON."""
    made = set(unpivot)
    likely = sorted(columns, key=lambda column: (column.header not in made, not _is_item(column.header)))
    for column in likely:
        cells = [cell for cell in column.cells if cell.strip()]
        if not cells or not column.header.strip():
            continue
        others = frozenset(other.header.casefold() for other in columns if other is not column)
        found = _as_json(column.header, cells, others)
        if found is None and (column.header in made or (not made and _is_item(column.header))):
            found = _as_list(column.header, cells, others)
        if found is not None:
            return found
    return None


def parallel_items(columns: Sequence[Seen], unpivot: Unpivot) -> ItemShape | None:
    """Columns whose cells hold equally many parts in every row, as in ``skus: a;b`` beside ``qtys: 1;2``.

    Their headers must speak of items, quantities or prices; two addresses have equally many commas, too.
    """
    likely = [column for column in columns if _speaks_of_items(column.header) and column.header not in unpivot]
    if len({column.header.casefold() for column in likely}) < len(likely):
        return None
    for between in (";", "\n", "|", "/", ","):
        counts = {column.at: _counts(column.cells, between) for column in likely}
        groups = [[other for other in likely if _as_many(counts[c.at], counts[other.at])] for c in likely]
        group = max(groups, key=len, default=[])
        if len(group) > 1 and _worth(group, between):
            names = tuple(column.header for column in group)
            first = next(cell for cell in group[0].cells if between in cell)
            told = ", ".join(f"'{name}'" for name in names)
            why = f"parallel items in the cells of {told}, such as {shown(first)}"
            return ItemShape({}, Split((), names, (between,)), why)
    return None


def _as_many(one: Sequence[int], other: Sequence[int]) -> bool:
    """Whether nearly all cells have equally many parts, some of them several."""
    filled = [(mine, theirs) for mine, theirs in zip(one, other, strict=True) if mine]
    alike = [mine for mine, theirs in filled if mine == theirs]
    return max(alike, default=0) > 1 and len(alike) >= _SHARE * len(filled)


def _worth(group: Sequence[Seen], between: str) -> bool:
    """One of the columns names the items, and another one counts or prices them."""
    numeric = [column for column in group if _holds_numbers(column.cells, between)]
    return bool(numeric) and any(column not in numeric and _names_items(column.header) for column in group)


def _holds_numbers(cells: Sequence[str], between: str) -> bool:
    parts = [part for cell in cells for part in _split(cell, between)]
    return sum(1 for part in parts if _A_NUMBER.fullmatch(part)) >= _SHARE * len(parts)


def _names_items(header: str) -> bool:
    words = _words(header)
    return (_is_item(header) or any(w.startswith(_ITEM_STEMS) for w in words)) and not _OTHER_WORDS & set(words)


def _counts(cells: Sequence[str], between: str) -> tuple[int, ...]:
    return tuple(len(cell.strip().rstrip(between).split(between)) if cell.strip() else 0 for cell in cells)


def _speaks_of_items(header: str) -> bool:
    words = set(_words(header))
    return _names_items(header) or (bool(_AMOUNT_WORDS & words) and not _OTHER_WORDS & words)


def _singular(header: str) -> str:
    """A header of a list as that of one item: ``Quantities``, ``qtys``, ``Mengen``, ``Preise``."""
    words = re.sub(r"[_\-]+", " ", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", header)).casefold().split()
    if words and words[-1] in {"list", "liste"}:
        words = words[:-1]
    last = words[-1] if words else ""
    single = _SINGULAR.get(last) or (f"{last[:-3]}y" if last.endswith("ies") else last.removesuffix("s"))
    return " ".join([*words[:-1], single])


def _is_item(text: str) -> bool:
    words = set(_words(text))
    return bool(_ITEM_WORDS & words) and not _OTHER_WORDS & words


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text).casefold())


def _counts_up(numbers: set[int]) -> bool:
    return len(numbers) > 1 and numbers == set(range(1, len(numbers) + 1))


def _made(stem: tuple[str, str], columns: Sequence[Seen]) -> str:
    """The name of the column that a group makes: what is left without the number, where no column has it."""
    name = " ".join(f"{stem[0].rstrip(' _-#.')} {stem[1].strip(' _-#.')}".split())
    return f"{name} of item" if name.casefold() in {column.header.strip().casefold() for column in columns} else name


# --- what a cell holds ----------------------------------------------------------------------------------------------


def _as_list(header: str, cells: Sequence[str], others: frozenset[str]) -> ItemShape | None:
    for between in ("", ";", "\n", ","):
        pairs = _pairs([_split(cell, between) for cell in cells])
        if pairs:
            split = Split((header,), (), (between,) if between else (), pairs=Pairs(pairs))
            return None if {name.casefold() for name in pairs} & others else ItemShape({}, split, _why(header))
    for between in (";", "\n", "|", ","):
        lists = [_split(cell, between) for cell in cells]
        if all(len(items) < 2 for items in lists):
            continue
        for form, pattern in _FORMS:
            good = sum(bool(items) and all(map(pattern.fullmatch, items)) for items in lists)
            if good >= _SHARE * len(lists) and not {"sku", "quantity"} & others:
                return ItemShape({}, Split((header,), (), (between,), form=(form,)), _why(header))
    return None


def _why(header: str) -> str:
    return f"items packed in '{header}'"


def _split(cell: str, between: str) -> list[str]:
    return [item for item in (part.strip() for part in (cell.split(between) if between else [cell])) if item]


def _pairs(lists: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """The names of ``name:value|name:value``, in their order; nothing where too few cells are written so."""
    names: dict[str, None] = {}
    good = 0
    for items in lists:
        found = [item.split("|") for item in items]
        if found and all(len(parts) > 1 and all(map(_PAIR.fullmatch, parts)) for parts in found):
            good += 1
            names.update((part.partition(":")[0].strip(), None) for parts in found for part in parts)
    return tuple(names) if good >= _SHARE * len(lists) and len(names) <= _MOST_NAMES else ()


def _as_json(header: str, cells: Sequence[str], others: frozenset[str]) -> ItemShape | None:
    looked = [cell for cell in cells[:200] if cell.lstrip()[:1] in {"{", "["} and len(cell) <= _LONGEST]
    if len(looked) < _SHARE * len(cells[:200]):
        return None
    try:
        read = [json.loads(cell, parse_float=str, parse_int=str) for cell in looked]
    except (ValueError, RecursionError):
        return None
    place = _place_of_items(read)
    items = [item for one in read for item in _listed(one, place) if isinstance(item, Mapping)]
    paths = list(dict.fromkeys(path for item in items for path in _paths(item)))[:_MOST_NAMES]
    if not paths:
        return None
    made: dict[str, str] = {}
    for path in paths:
        name = path.rpartition(".")[2]
        free = name if name.casefold() not in others and name not in made else path.replace(".", "_")
        made[free if free.casefold() not in others else f"{header}_{free}"] = path
    return ItemShape({}, Split((header,), json=made, items=place), f"JSON in '{header}'")


def _place_of_items(read: Sequence[Any]) -> str | None:
    """The name under which every object holds its list of objects."""
    first = read[0]
    names = [name for name, value in first.items() if _is_list(value)] if isinstance(first, Mapping) else []
    return next((n for n in names if all(isinstance(one, Mapping) and _is_list(one.get(n)) for one in read)), None)


def _is_list(value: Any) -> bool:  # noqa: ANN401 - whatever JSON holds
    return isinstance(value, list) and bool(value) and all(isinstance(item, Mapping) for item in value)


def _listed(one: Any, place: str | None) -> list[Any]:  # noqa: ANN401 - whatever JSON holds
    found = one[place] if place else one
    return found if isinstance(found, list) else [found]


def _paths(item: Mapping[str, Any], before: str = "", depth: int = 0) -> Iterator[str]:
    """The paths to plain values, three levels deep; a name with a dot in it has none."""
    for name, value in item.items():
        if "." in name or not name:
            continue
        if isinstance(value, Mapping) and depth < 2:
            yield from _paths(value, f"{before}{name}.", depth + 1)
        elif not isinstance(value, Mapping | list):
            yield f"{before}{name}"
