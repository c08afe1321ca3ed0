"""Whose address and whose name: ``Ship City``, ``Rechnungsort`` and ``ville de livraison`` are a role and a part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

from pipeline.proposing.words import glued

_ROLES: Mapping[str, str] = {
    "billing": (
        "billing|bill to|bill|invoice|invoice to|payer|po|billing address|rechnung|rechnungs|rechnungsadresse|"
        "facturation|de facturation|facture|facturacion|de facturacion|fatturazione|di fatturazione|fattura|"
        "factuur|facturatie|faturamento|de faturamento|cobranca|de cobranca|плательщик|плательщика|請求先|"
        "账单|发票|"
        "płatnik|płatnika|do faktury|faktura|faktury|nabywcy na fakturze"
    ),
    "shipping": (
        "shipping|ship to|ship|delivery|deliver to|recipient|receiver|consignee|shipping address|"
        "customer shipping|delivery address|liefer|lieferung|versand|lieferadresse|empfanger|empfaenger|livraison|"
        "de livraison|destinataire|du destinataire|envio|de envio|entrega|de entrega|destinatario|del destinatario|"
        "do destinatario|spedizione|di spedizione|consegna|di consegna|verzend|bezorg|aflever|lever|ontvanger|"
        "доставки|доставка|получатель|получателя|配送先|お届け先|届け先|送付先|收货|收货人|收件人|收件|收貨|"
        "dostawy|dostawa|do dostawy|wysyłki|odbiorca|odbiorcy"
    ),
    "person": (
        "customer|buyer|client|contact|purchaser|shopper|member|user|kunde|kunden|kaufer|besteller|acheteur|"
        "du client|cliente|del cliente|do cliente|comprador|acquirente|klant|koper|покупатель|покупателя|клиент|"
        "клиента|顧客|購入者|注文者|客户|买家|買家|"
        "kupujący|kupującego|klienta|nabywca|nabywcy"
    ),
}

PARTS: Mapping[str, str] = {
    "address1": (
        "address|address 1|address line 1|address line|street|street 1|street address|street address 1|address1|"
        "adresse|adresse 1|strasse|str|anschrift|strasse hausnummer|strasse und hausnummer|strasse nr|rue|"
        "adresse ligne 1|direccion|direccion 1|calle|indirizzo|indirizzo 1|adres|adres 1|straat|"
        "straat en huisnummer|endereco|endereco 1|rua|logradouro|адрес|улица|住所|住所 1|番地|地址|详细地址|街道|"
        "地址 1|full address|address 1 2|"
        "ulica|ulica i numer|ulica i numer domu|adres ulica"
    ),
    "address2": (
        "address 2|address line 2|street 2|street address 2|apt|suite|apartment|unit|additional address line 1|"
        "adresszusatz|adresse 2|zusatz|complement|complement d adresse|adresse ligne 2|direccion 2|indirizzo 2|"
        "adres 2|toevoeging|endereco 2|complemento|адрес 2|квартира|住所 2|建物名|地址 2|"
        "numer mieszkania|numer lokalu"
    ),
    "city": (
        "city|town|city town|suburb|locality|town city|ort|stadt|wohnort|ville|commune|ciudad|localidad|poblacion|"
        "municipio|citta|comune|localita|plaats|stad|woonplaats|cidade|город|населенный пункт|市区町村|市|都市|城市|"
        "miasto|miejscowość"
    ),
    "state": (
        "state|province|region|state province|county|state region|province code|state code|state or region|"
        "bundesland|kanton|departement|etat|provincia|comunidad autonoma|estado|regione|provincie|uf|область|"
        "регион|край|都道府県|省|省份|州|縣|"
        "województwo"
    ),
    "postal_code": (
        "zip|zip code|postal code|postcode|post code|zipcode|postalcode|pin code|pincode|pin|plz|postleitzahl|"
        "code postal|cp|codigo postal|cap|codice postale|postcode zip|cep|индекс|почтовый индекс|郵便番号|邮编|"
        "邮政编码|郵遞區號|"
        "kod pocztowy"
    ),
    "country": (
        "country|country code|country iso|country name|nation|country region|land|staat|landercode|landeskennung|"
        "pays|code pays|pais|codigo de pais|codigo pais|paese|nazione|codice paese|landcode|страна|код страны|国|"
        "国名|国地域|国家|国家地区|國家|"
        "kraj|kod kraju|państwo"
    ),
    "first_name": "first name|firstname|given name|vorname|prenom|voornaam|имя|名|primeiro nome|nombre|imię",
    "last_name": (
        "last name|lastname|surname|family name|nachname|apellido|apellidos|cognome|achternaam|"
        "sobrenome|фамилия|姓|nazwisko"
    ),
    "full_name": (
        "name|full name|contact|contact name|recipient|attention|attn|nom|nombre|nome|naam|имя|фио|氏名|名前|姓名|"
        "nombre completo|nome completo"
    ),
    "company": (
        "company|company name|organization|organisation|firma|societe|empresa|azienda|"
        "bedrijf|компания|会社名|公司|nazwa firmy"
    ),
    "phone": (
        "phone|phone number|telephone|mobile|mobile number|tel|contact number|telefon|telefonnummer|telephone number|"
        "telefono|telefoon|telefone|телефон|電話番号|电话|手机|手机号|联系电话|"
        "numer telefonu|nr telefonu"
    ),
    "email": "email|e mail|email address|correo|почта|メールアドレス|邮箱",
}

_ADDRESS = ("address1", "address2", "city", "state", "postal_code", "country")


@lru_cache(maxsize=1)
def _parts() -> Mapping[str, str]:
    return {glued(phrase): part for part, phrases in PARTS.items() for phrase in phrases.split("|")}


@lru_cache(maxsize=1)
def _roles() -> tuple[tuple[str, str], ...]:
    pairs = ((glued(phrase), role) for role, phrases in _ROLES.items() for phrase in phrases.split("|"))
    return tuple(sorted(pairs, key=lambda pair: -len(pair[0])))


@lru_cache(maxsize=4096)
def place_of(header: str) -> tuple[str, str] | None:
    """Role (``billing``, ``shipping``, ``person``, or "" when none is named) and part of a header, if it is one."""
    told = glued(header)
    if told in _parts():
        return "", _parts()[told]
    for prefix, role in _roles():
        for rest in _rests(told, prefix):
            if rest in _parts():
                return role, _parts()[rest]
    return None


def _rests(told: str, role: str) -> Iterator[str]:
    if len(told) > len(role):
        if told.startswith(role):
            yield told.removeprefix(role)
        if told.endswith(role):
            yield told.removesuffix(role)


def fields_of(role: str, part: str) -> tuple[tuple[str, float], ...]:
    """The fields a role and part may mean, with how sure that is (0 to 1); ``shipping_name`` is split in two."""
    if part in _ADDRESS:
        sure = {"billing": (0.97, 0.0), "shipping": (0.0, 0.97), "person": (0.72, 0.66), "": (0.68, 0.74)}[role]
        return tuple((f"{whose}_{part}", s) for whose, s in zip(("billing", "shipping"), sure, strict=True) if s)
    if role == "shipping":
        named = {"full_name": "shipping_name", "email": "email"}.get(part, f"shipping_{part}")
        return ((named, 0.6 if part == "email" else 0.96),)
    return ((part, 0.95 if role else 0.0),) if role else ()
