"""What people call the fields, in ten languages: plain data, compared by the words of a header alone.

Phrases of ``SURE`` mean one field; those of ``LOOSE`` are also used for other things, so they need content or
the lack of a better column to win.
"""

from __future__ import annotations

from collections.abc import Mapping

SURE: Mapping[str, str] = {
    "order_id": (
        "order id|order number|order no|order code|order ref|order reference|sales order|sales order id|purchase id|"
        "sales order number|order name|customer order number|web order id|shop order id|amazon order id|ordernum|"
        "transaction order id|order reference number|original order id|receipt id|sale id|invoice number|invoice id|"
        "bestellnummer|bestellnr|bestell nr|bestell id|auftragsnummer|auftragsnr|auftrag nr|auftrags id|"
        "vorgangsnummer|belegnummer|rechnungsnummer|rechnungsnr|n commande|n de commande|numero de commande|"
        "no de commande|"
        "commande|numero commande|id commande|reference commande|ref commande|numero de pedido|n pedido|n de pedido|"
        "pedido|"
        "id pedido|id de pedido|num pedido|codigo do pedido|numero do pedido|codigo de pedido|numero ordine|"
        "n ordine|id ordine|ordine|numero d ordine|codice ordine|bestelnummer|bestelling|order nummer|ordernummer|"
        "номер заказа|заказ|id заказа|код заказа|заказ номер|注文番号|注文id|オーダーid|オーダー番号|受注番号|"
        "受注id|订单号|订单编号|订单id|订单|訂單編號|訂單號碼"
    ),
    "ordered_at": (
        "order date|ordered at|date ordered|order time|order datetime|order created at|created at|purchase date|"
        "sale date|sales date|order placed|order placed at|date placed|placed at|date of order|date of purchase|"
        "transaction date|order created|order creation date|purchased on|invoice date|purchase time|date created|"
        "order date time|created date|creation date|date of sale|sold at|sold on|checkout date|created on|createdat|"
        "date added|bestelldatum|auftragsdatum|kaufdatum|bestellt am|bestellzeit|rechnungsdatum|verkaufsdatum|"
        "date de commande|date commande|date d achat|date de la commande|commande le|fecha de pedido|fecha pedido|"
        "fecha del pedido|fecha de compra|fecha de la orden|data ordine|data dell ordine|data acquisto|"
        "data di acquisto|besteldatum|orderdatum|aankoopdatum|data do pedido|data pedido|data da compra|"
        "дата заказа|дата покупки|дата оформления|дата создания|注文日|注文日時|オーダー日|受注日|購入日|"
        "下单时间|下单日期|订单日期|订单创建时间|订购日期|購買日期|訂單日期"
    ),
    "status": (
        "order status|fulfillment status|fulfilment status|order state|fulfillment state|lifecycle status|"
        "bestellstatus|auftragsstatus|statut commande|statut de la commande|statut de commande|estado del pedido|"
        "estado de pedido|estado pedido|stato ordine|stato dell ordine|bestelstatus|orderstatus|status do pedido|"
        "статус заказа|注文ステータス|注文状況|受注ステータス|订单状态|訂單狀態"
    ),
    "customer_id": (
        "customer id|customer number|customer no|customer code|client id|client number|buyer id|buyer user id|"
        "buyer username|partner id|account number|account id|customer user|user id|customer ref|customer key|"
        "member id|contact id|sold to party|sold to|kundennummer|kundennr|kunden nr|kunden id|debitor|debitorennummer|"
        "numero client|n client|id client|code client|numero de cliente|id cliente|codigo cliente|"
        "codigo do cliente|codice cliente|numero cliente|klantnummer|klant id|klantnr|номер клиента|id клиента|"
        "код клиента|id покупателя|顧客id|顧客番号|顧客コード|会員番号|客户id|客户编号|客户编码|买家id|會員編號"
    ),
    "email": (
        "email|e mail|email address|e mail address|customer email|buyer email|contact email|billing email|mail|"
        "client email|email customer|user email|emailadresse|e mail adresse|mailadresse|courriel|adresse email|"
        "adresse e mail|adresse mail|adresse courriel|correo|correo electronico|email del cliente|"
        "direccion de correo|posta elettronica|indirizzo email|indirizzo e mail|emailadres|e mailadres|e mail adres|"
        "endereco de email|endereco de e mail|email do cliente|correio eletronico|электронная почта|почта|эл почта|"
        "адрес электронной почты|email клиента|メール|メールアドレス|eメール|电子邮件|电子邮箱|邮箱|邮件|"
        "邮箱地址|電子郵件"
    ),
    "first_name": (
        "first name|given name|forename|firstname|customer first name|fname|vorname|prenom|primer nombre|"
        "nombre de pila|voornaam|primeiro nome|имя|名|名字"
    ),
    "middle_name": "middle name|middle initial|middlename|zweiter vorname|segundo nombre|отчество|ミドルネーム",
    "last_name": (
        "last name|surname|family name|lastname|customer last name|lname|nachname|familienname|zuname|"
        "nom de famille|apellido|apellidos|cognome|achternaam|sobrenome|apelido|ultimo nome|фамилия|姓|苗字"
    ),
    "full_name": (
        "full name|customer name|buyer name|client name|contact name|customer full name|name of customer|fullname|"
        "purchaser|customer|buyer|contact|ordered by|kunde|kundenname|kaufer|besteller|nom complet|nom du client|"
        "nom client|client|acheteur|nombre completo|nombre del cliente|nombre cliente|cliente|comprador|"
        "nome do comprador|"
        "nome completo|nome cliente|nome do cliente|nominativo|acquirente|klant|klantnaam|volledige naam|naam|koper|"
        "фио|имя клиента|клиент|покупатель|имя покупателя|顧客名|氏名|お名前|購入者名|注文者名|会員名|客户姓名|"
        "客户名称|买家姓名|姓名|客户|買家姓名"
    ),
    "company": (
        "company|company name|organization|organisation|business name|account name|firm|firma|firmenname|"
        "unternehmen|societe|entreprise|raison sociale|nom de la societe|empresa|razon social|azienda|"
        "ragione sociale|societa|bedrijf|bedrijfsnaam|razao social|nome da empresa|компания|организация|"
        "название компании|会社名|会社|法人名|公司|公司名称|企业名称|公司名稱"
    ),
    "phone": (
        "phone|phone number|telephone|telephone number|mobile|mobile number|mobile phone|cell|cell phone|tel|"
        "contact number|contact phone|customer phone|buyer phone|buyer phone number|customer phone number|"
        "telefon|telefonnummer|telefonnr|handy|mobil|mobiltelefon|mobilnummer|numero de telephone|portable|"
        "mobile client|telefono|numero de telefono|telefono movil|movil|celular|numero di telefono|cellulare|"
        "telefoon|telefoonnummer|mobiel|telefone|numero de telefone|телефон|номер телефона|мобильный|"
        "мобильный телефон|контактный телефон|電話|電話番号|携帯電話|电话|电话号码|手机|手机号|手机号码|联系电话|"
        "電話號碼"
    ),
    "ip_address": "ip|ip address|customer ip|customer ip address|client ip|browser ip|ip adresse|adresse ip|ip адрес",
    "birth_date": (
        "birth date|date of birth|birthday|dob|geburtsdatum|geburtstag|date de naissance|fecha de nacimiento|"
        "data di nascita|geboortedatum|data de nascimento|дата рождения|生年月日|出生日期|生日"
    ),
    "sku": (
        "sku|custom sku|item sku|product sku|line item sku|lineitem sku|seller sku|merchant sku|variant sku|item code|"
        "product code|stock code|article number|article no|item number|item no|part number|part no|product id|"
        "product number|custom label|inventory item code|material|material number|stock keeping unit|model number|"
        "artikelnummer|artikelnr|artikel nr|art nr|bestellartikel|produktnummer|artikelcode|materialnummer|"
        "product reference|reference produit|reference article|code article|code produit|ref produit|ref article|"
        "referencia|referencia del producto|codigo de producto|codigo producto|codigo articulo|codigo del articulo|"
        "codice articolo|codice prodotto|cod articolo|productcode|productnummer|"
        "codigo do produto|codigo produto|referencia do produto|артикул|код товара|артикул товара|номер товара|"
        "商品コード|商品番号|品番|製品id|製品コード|商品id|商品编码|商品编号|货号|产品编号|产品编码|商家编码|"
        "商品編號|商品貨號"
    ),
    "product_name": (
        "product name|item name|product|product title|item title|line item name|lineitem name|product description|"
        "item description|article name|name of product|article|line item|title of item|"
        "artikel|artikelname|artikelbezeichnung|produkt|produktname|bezeichnung|produktbezeichnung|warenbezeichnung|"
        "nom du produit|nom produit|produit|designation|libelle|libelle produit|description du produit|"
        "producto|nombre del producto|nombre producto|articulo|descripcion del producto|nombre del articulo|"
        "prodotto|nome prodotto|nome del prodotto|articolo|descrizione articolo|descrizione prodotto|"
        "productnaam|artikelnaam|artikelomschrijving|productomschrijving|"
        "produto|nome do produto|nome produto|descricao do produto|товар|название товара|наименование|"
        "наименование товара|название|продукт|商品名|製品名|品名|商品名称|产品名称|商品|产品|商品名稱|產品名稱"
    ),
    "quantity": (
        "quantity|quantity ordered|quantity purchased|ordered quantity|order quantity|item quantity|units|"
        "line item quantity|lineitem quantity|product quantity|article quantity|units ordered|units sold|"
        "number of units|pcs|pieces|menge|anzahl|stuckzahl|stuck|bestellmenge|artikelmenge|quantite|qte|"
        "quantite commandee|nombre d articles|cantidad|cant|unidades|quantita|qta|pezzi|aantal|hoeveelheid|"
        "quantidade comprada|"
        "quantidade|qtd|qtde|количество|кол во|колво|количество товара|数量|個数|注文数|購入数量|购买数量|"
        "商品数量|件数|數量"
    ),
    "unit_price": (
        "unit price|price per unit|item price|price each|line item price|lineitem price|unit amount|"
        "price per item|sale price each|product price|article price|selling price|net unit price|price unit|"
        "einzelpreis|stuckpreis|preis pro stuck|artikelpreis|verkaufspreis|ep|prix unitaire|prix unit|pu|pu ht|"
        "prix de vente|prix article|precio unitario|precio por unidad|precio de venta|prezzo unitario|"
        "prezzo di vendita|stukprijs|prijs per stuk|eenheidsprijs|verkoopprijs|preco unitario|valor unitario|"
        "valor do produto|"
        "preco de venda|цена за единицу|цена за штуку|цена товара|単価|販売単価|商品単価|单价|商品单价|售价|單價"
    ),
    "line_discount": (
        "line discount|item discount|line item discount|lineitem discount|product discount|promotion discount|"
        "item promotion discount|positionsrabatt|artikelrabatt|remise article|remise ligne|descuento de linea|"
        "descuento articulo|sconto articolo|sconto riga|regelkorting|desconto do item|скидка на товар|商品割引|商品优惠"
    ),
    "line_tax": (
        "line tax|item tax|line item tax|product tax|line vat|item vat|positionssteuer|tva ligne|impuesto de linea|"
        "iva riga|btw regel|imposto do item|налог на товар|商品税"
    ),
    "line_type": "line type|item type|line item type|positionsart|type de ligne|tipo de linea|tipo riga",
    "subscription_status": "subscription status|abo status|statut abonnement|estado suscripcion",
    "subscription_expires_on": "subscription expires on|subscription end date|subscription expiry|expires on",
    "shipping_total": (
        "shipping total|shipping cost|shipping costs|shipping price|shipping amount|shipping fee|shipping charge|"
        "freight|freight charge|delivery cost|delivery fee|delivery charge|postage|shipping and handling|"
        "order shipping|total shipping|invoice shipping|shipping charged|versandkosten|versand|porto|lieferkosten|"
        "frais de port|frais de livraison|frais d expedition|gastos de envio|coste de envio|costo de envio|"
        "spese di spedizione|costi di spedizione|verzendkosten|portokosten|valor do frete|frete|custo de envio|"
        "стоимость доставки|доставка|送料|送料合計|配送料|运费|邮费|運費"
    ),
    "tax_total": (
        "tax total|total tax|taxes|tax amount|sales tax|order tax|vat|vat amount|total vat|gst|tax collected|"
        "tax charged|mwst|mehrwertsteuer|steuer|steuerbetrag|umsatzsteuer|ust|mwst betrag|tva|montant tva|taxe|"
        "total tva|iva|importe iva|impuesto|impuestos|total impuestos|importo iva|imposta|btw|btw bedrag|imposto|"
        "impostos|valor do imposto|ндс|налог|сумма ндс|消費税|税額|税金|税额|税费|稅額"
    ),
    "discount_total": (
        "discount total|total discount|discount amount|order discount|discounts|cart discount|rabatt|"
        "rabattbetrag|nachlass|gesamtrabatt|remise|montant remise|remise totale|reduction|descuento|"
        "importe descuento|total descuento|descuento total|sconto|totale sconto|importo sconto|korting|"
        "kortingsbedrag|totale korting|desconto|valor do desconto|total de descontos|скидка|сумма скидки|"
        "割引額|割引|値引き|値引額|优惠金额|折扣金额|折扣|优惠|折扣金額"
    ),
    "order_total": (
        "order total|total price|grand total|total amount|order amount|order value|total order value|invoice total|"
        "invoice amount|gross amount|total paid price|total incl tax|total including tax|amount due|total sum|"
        "order total amount|total due|gesamtbetrag|gesamtsumme|gesamtpreis|gesamt|summe|bestellsumme|bestellwert|"
        "rechnungsbetrag|bruttobetrag|endbetrag|montant total|total ttc|total commande|montant ttc|prix total|"
        "montant commande|importe total|total pedido|total del pedido|precio total|importe|totale|totale ordine|"
        "importo totale|prezzo totale|totaal|totaalbedrag|bestelbedrag|totaalprijs|valor total|total do pedido|"
        "preco total|сумма заказа|итого|общая сумма|сумма|всего|合計|合計金額|注文合計|総額|請求金額|总金额|"
        "订单金额|订单总额|合计|总价|订单总金额|總金額|訂單金額"
    ),
    "amount_paid": (
        "amount paid|paid amount|total paid|payment amount|paid|bezahlt|bezahlter betrag|gezahlter betrag|"
        "zahlbetrag|montant paye|importe pagado|importo pagato|betaald bedrag|valor pago|оплачено|"
        "сумма оплаты|支払金額|支払額|入金額|实付金额|支付金额|实付款|付款金额|實付金額"
    ),
    "currency": (
        "currency|currency code|order currency|item price currency code|order currency code|transaction currency|"
        "iso currency|wahrung|waehrung|wahrungscode|devise|monnaie|code devise|moneda|divisa|valuta|moeda|валюта|"
        "код валюты|通貨|通貨コード|币种|货币|货币代码|幣別"
    ),
    "paid_at": (
        "paid at|payment date|date paid|paid on|paid date|paid on date|payments date|date of payment|paid time|"
        "payment time|payment received|bezahlt am|zahlungsdatum|zahldatum|date de paiement|date paiement|"
        "fecha de pago|fecha pago|data pagamento|data di pagamento|betaaldatum|betaald op|data do pagamento|"
        "дата оплаты|дата платежа|支払日|入金日|決済日|支払日時|付款时间|支付时间|付款日期|付款時間"
    ),
    "payment_method": (
        "payment method|payment type|paid with|payment mode|method of payment|payment gateway|gateway|pay method|"
        "payment name|payment|pay type|zahlungsart|zahlart|zahlungsmethode|zahlungsweise|bezahlmethode|"
        "mode de paiement|moyen de paiement|methode de paiement|metodo de pago|forma de pago|medio de pago|"
        "metodo di pagamento|modalita di pagamento|tipo di pagamento|betaalmethode|betaalwijze|betaling|"
        "forma de pagamento|metodo de pagamento|способ оплаты|метод оплаты|вид оплаты|支払方法|支払い方法|決済方法|"
        "お支払い方法|支付方式|付款方式|支付方法"
    ),
    "payment_reference": (
        "payment reference|payment id|transaction id|transaction number|txn id|payment ref|charge id|"
        "payment transaction id|paypal transaction id|stripe charge id|transaktions id|transaktionsnummer|"
        "zahlungsreferenz|transaktionsid|reference de paiement|id transaction|numero de transaction|"
        "referencia de pago|id de transaccion|riferimento pagamento|id transazione|transactie id|transactienummer|"
        "id da transacao|referencia de pagamento|номер транзакции|id транзакции|номер платежа|取引id|決済id|"
        "取引番号|交易号|交易单号|支付流水号|交易编号|付款单号"
    ),
    "coupon_code": (
        "coupon code|coupon|coupons|discount code|promo code|voucher|voucher code|promotion code|discount codes|"
        "gutschein|gutscheincode|rabattcode|aktionscode|code promo|code de reduction|bon de reduction|"
        "code promotionnel|codigo de descuento|cupon|codigo promocional|codice sconto|codice promozionale|buono|"
        "kortingscode|couponcode|cupom|codigo do cupom|cupom de desconto|промокод|купон|код купона|"
        "クーポンコード|クーポン|优惠券|优惠码|优惠券码|優惠碼"
    ),
    "affiliate": "affiliate|affiliate id|referrer|referral code|partner|affilie|afiliado|affiliato|партнер",
    "sales_manager": (
        "sales manager|sales rep|sales representative|salesperson|account manager|sales agent|agent|"
        "agent e mail|verkaufer|vertriebsmitarbeiter|kundenbetreuer|commercial|vendeur|vendedor|comercial|venditore|"
        "agente|verkoper|accountmanager|менеджер|担当者|営業担当|销售员|业务员"
    ),
    "confirmed": (
        "confirmed|order confirmed|is confirmed|bestatigt|confirme|confirmado|confermato|bevestigd|подтвержден"
    ),
    "tag": "tag|tags|order tags|label|labels|schlagworte|etiquettes|etiquetas|etichette|теги|метки|タグ|标签|標籤",
    "note": (
        "note|notes|order note|order notes|comment|comments|remark|remarks|customer note|customer notes|buyer note|"
        "order comment|customer comment|message|message from buyer|gift message|private notes|delivery instructions|"
        "special instructions|bemerkung|bemerkungen|anmerkung|anmerkungen|kommentar|notiz|hinweis|kundenkommentar|"
        "remarque|remarques|commentaire|commentaires|nota|notas|comentario|comentarios|observaciones|"
        "osservazioni|commento|opmerking|opmerkingen|notitie|observacao|observacoes|примечание|"
        "комментарий|комментарии|заметка|комментарий клиента|備考|コメント|メモ|备注|留言|买家留言|订单备注|備註"
    ),
    "carrier": (
        "carrier|shipping carrier|courier|carrier name|shipping company name|shipper|shipped via carrier|"
        "versanddienstleister|paketdienst|spediteur|zusteller|transporteur|transportista|mensajeria|corriere|"
        "vettore|vervoerder|koerier|transportadora|служба доставки|перевозчик|курьер|配送業者|運送会社|配送会社|"
        "快递公司|物流公司|承运商|快遞公司"
    ),
    "tracking_number": (
        "tracking number|tracking no|tracking|tracking id|tracking code|track number|consignment number|awb|"
        "airway bill|waybill|parcel number|tracking numbers|shipment tracking number|sendungsnummer|paketnummer|"
        "sendungsverfolgung|sendungsnr|tracking nummer|trackingnummer|numero de suivi|code de suivi|n de suivi|"
        "numero de seguimiento|codigo de seguimiento|numero di tracciamento|codice di tracciamento|"
        "numero di tracking|trackingcode|track and trace|volgnummer|codigo de rastreio|codigo de rastreamento|"
        "numero de rastreio|трек номер|номер отслеживания|трек код|追跡番号|送り状番号|伝票番号|お問い合わせ番号|"
        "快递单号|物流单号|运单号|追踪号|物流編號"
    ),
    "tracking_url": "tracking url|tracking link|track url|trackinglink|lien de suivi|enlace de seguimiento",
    "shipped_at": (
        "shipped at|ship date|shipped date|date shipped|shipping date|shipped on|shipped on date|fulfilled at|"
        "dispatch date|date of shipment|dispatched at|shipment date|fulfillment date|versanddatum|versendet am|"
        "versandt am|lieferscheindatum|date d expedition|date expedition|date d envoi|fecha de envio|fecha envio|"
        "data spedizione|data di spedizione|verzenddatum|verzonden op|data de envio|data do envio|дата отправки|"
        "дата отгрузки|出荷日|発送日|配送日|发货时间|发货日期|發貨日期"
    ),
    "expected_delivery_on": (
        "expected delivery|expected delivery date|estimated delivery|estimated delivery date|delivery date|"
        "deliver by|delivery due|requested delivery date|required date|promised date|lieferdatum|liefertermin|"
        "date de livraison|date livraison|date de livraison prevue|fecha de entrega|fecha entrega|"
        "data consegna|data di consegna|leverdatum|bezorgdatum|data de entrega|дата доставки|お届け日|配達予定日|"
        "納期|到着予定日|预计送达|交货日期|送达日期|到貨日期"
    ),
    "shipping_method": (
        "shipping method|shipping service|delivery method|ship method|ship via|shipping type|shipping option|"
        "ship service level|service level|shipping mode|delivery type|ship mode|versandart|lieferart|"
        "versandmethode|mode de livraison|methode de livraison|mode d expedition|metodo de envio|forma de envio|"
        "metodo di spedizione|modalita di spedizione|verzendmethode|verzendwijze|metodo de entrega|"
        "способ доставки|метод доставки|配送方法|出荷モード|発送方法|配送方式|物流方式|运送方式"
    ),
    "utm_source": "utm source|source utm",
    "utm_medium": "utm medium",
    "utm_campaign": "utm campaign",
    "utm_content": "utm content",
    "utm_term": "utm term",
    # --- stock ---
    "cost": (
        "cost|unit cost|cost price|purchase price|cost per item|buying price|wholesale cost|einkaufspreis|ek|"
        "ek preis|selbstkosten|prix d achat|cout|prix de revient|coste|costo|precio de coste|precio de compra|"
        "prezzo di acquisto|prezzo di costo|inkoopprijs|kostprijs|custo|preco de custo|себестоимость|"
        "закупочная цена|原価|仕入価格|仕入値|成本|成本价|进价|成本價"
    ),
    "weight": (
        "weight|item weight|product weight|product weight g|weight kg|weight lb|weight g|weight grams|grams|"
        "variant grams|gross weight|net weight|shipping weight|gewicht|poids|peso|вес|масса|重量|重さ"
    ),
    "stock": (
        "stock|stock quantity|quantity on hand|on hand|in stock quantity|quantity in stock|stock level|available|"
        "available quantity|inventory|inventory quantity|variant inventory quantity|stock on hand|qoh|"
        "fulfillable quantity|available stock|on hand quantity|inventory level|current stock|units in stock|bestand|"
        "lagerbestand|lager|verfugbar|verfugbare menge|quantite en stock|stock disponible|disponible|en stock|"
        "existencias|inventario|cantidad en stock|cantidad disponible|giacenza|disponibilita|scorta|esistenza|"
        "voorraad|op voorraad|estoque|quantidade em estoque|quantidade disponivel|остаток|остатки|наличие|"
        "количество на складе|на складе|在庫|在庫数|在庫数量|库存|库存数量|现有库存|可用库存|庫存"
    ),
    "location": (
        "location|warehouse|bin|bin location|shelf|stock location|storage location|warehouse location|lagerort|"
        "lagerplatz|regal|entrepot|emplacement|almacen|ubicacion|magazzino|ubicazione|magazijn|locatie|deposito|"
        "localizacao|склад|место хранения|ячейка|倉庫|保管場所|棚番|仓库|库位|货位|倉庫位置"
    ),
    "manufacturer_sku": (
        "manufacturer sku|mpn|manufacturer part number|manufacturer number|maker number|vendor sku|supplier sku|"
        "manufacturer code|google shopping mpn|herstellernummer|hersteller artikelnummer|herstellernr|"
        "reference fabricant|referencia del fabricante|codice produttore|fabrikantcode|артикул производителя|"
        "メーカー品番|厂家货号"
    ),
    # --- payments ---
    "bank_name": "bank name|bank|name of bank|bankname|nom de la banque|banque|banco|banca|банк|銀行名|银行",
    "cheque_number": "cheque number|check number|cheque no|schecknummer|numero de cheque|numero assegno",
    "cheque_on": "cheque date|check date|scheckdatum|date du cheque|fecha del cheque",
    "amount": (
        "amount|payment amount|amount paid|paid amount|total paid|net amount|gross|betrag|zahlbetrag|montant|"
        "importe|monto|importo|bedrag|valor|сумма|сумма платежа|金額|支払金額|金额|支付金额|付款金额"
    ),
}
"""Phrases per field, joined by ``|``."""

LOOSE: Mapping[str, str] = {
    "order_id": "belegnummer|belegnr|"
    "number|id|reference|po number|purchase order|purchase order number|po|nummer|ref|numero|номер",
    "ordered_at": "created|completed time|timestamp|date time|datetime|时间|time|zeit",
    "full_name": "nom|nombre|nome|to|имя и фамилия|名前",
    "first_name": "nombre|nome|имя",
    "last_name": "nom|name|naam",
    "sku": "code|product|item|course code|kurscode|asin|"
    "ref|reference|barcode|upc|ean|codigo|codice|код|item id|variant id",
    "product_name": "items|description|course|kurs|cours|curso|corso|"
    "name|products|beschreibung|omschrijving|descripcion|descrizione|"
    "descricao|titel|titre|titulo|titolo|описание|product type|beschrijving|variant",
    "quantity": "count|number of items|total quantity|items count|quantity shipped|stk|ordered",
    "unit_price": "price|rate|preis|prix|precio|prezzo|prijs|preco|цена|价格|価格|價格|net amount|item cost|"
    "cena|cijena|pris|fiyat|pret|hinta|"
    "regular price|item total|sold for|sales price",
    "line_tax": "tax|taxes|tax amount",
    "line_discount": "discount|rebate|discount amount",
    "shipping_total": "delivery|livraison|envio|spedizione|verzending",
    "order_total": "amount|sum|betrag|montant|monto|importo|bedrag|valor|sales|金額|金额|売上|gross",
    "amount_paid": "payments",
    "payment_reference": "receipt number|receipt id|reference|charge|id",
    "payment_method": "type|method|card type",
    "customer_id": "customer|client|account",
    "coupon_code": "promotion|promotions",
    "carrier": "shipping provider|ship carrier|logistics provider",
    "note": "memo|details|instructions",
    "tag": "category",
    "paid_at": "date|created|settlement date",
    "shipped_at": "date|completed date|fulfilled",
    "stock": "quantity|total quantity|count|menge|anzahl|cantidad|quantita|aantal|quantidade|количество|数量",
    "shipping_method": "service|method",
    "location": "store",
    "amount": "total|order total|converted amount",
    "cost": "item cost",
    "manufacturer_sku": "part number|model|modell",
    "email": "contact",
}
"""Phrases that are also used for other things."""

PLAIN: Mapping[str, str] = {
    "order_id": "order|bestellung|auftrag",
    "full_name": "name|naam",
    "shipping_name": "ship to|ship to name|recipient|deliver to|consignee|empfanger|destinataire|destinatario|"
    "ontvanger|получатель|収件人|お届け先|收件人|收货人",
    "status": "status|state of order|statut|estado|stato|situacao|статус|ステータス|状態|状态|狀態",
    "ordered_at": "date|datum|fecha|data|дата|日付|日期",
    "product_name": "item|title",
    "shipping_total": "shipping",
    "tax_total": "tax",
    "discount_total": "discount",
    "order_total": "total",
}
"""Bare words that nearly always mean it, unless another column says it better."""

OF_KIND: Mapping[str, Mapping[str, str]] = {
    "inventory_item": {"name": "product_name", "price": "unit_price"},
    "shipment": {"cost": "shipping_total"},
}
"""Fields of a kind that go by the phrases of another field too."""

SURE_OF_KIND: Mapping[str, Mapping[str, str]] = {
    "inventory_item": {
        "name": "name|title|product name|item|item name|name of product|nombre|nome|naam|nom|titel|titre",
        "price": "price|regular price|variant price|list price|retail price|sales price|preis|prix|precio|prezzo|"
        "prijs|preco|цена|価格|价格|vk|vk preis|cena|cijena|pris|fiyat|pret|hinta",
        "sku": "code|item code|artikel|sku code|handle sku",
        "stock": "quantity|on hand|total stock",
    },
    "order": {
        "order_id": "receipt number|receipt|ticket number|bonnummer|bon nummer|numero de ticket|numero scontrino"
    },
    "payment": {"order_id": "invoice id|invoice|order"},
    "shipment": {"order_id": "order", "shipped_at": "ship date"},
    "customer": {"customer_id": "id|customer number"},
}
"""Phrases that are sure only in one record kind."""
