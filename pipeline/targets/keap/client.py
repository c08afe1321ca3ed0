"""The calls: address, secret and body. Nothing here touches the network."""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from pipeline.settings import Secret
from pipeline.targets.contract import Request, Signed

HIDDEN = "***"


@dataclass(frozen=True, slots=True)
class Client:
    """Signs calls for one account; ``auth`` is ``bearer`` or ``x-keap-api-key`` (Keap documents both)."""

    base_url: str
    api_key: Secret
    auth: str

    def sign(self, request: Request) -> Signed:
        """The call as it goes over the wire; ``SetupError`` when the key is missing."""
        return self._signed(request, self.api_key.reveal())

    def show(self, request: Request) -> Signed:
        """The same call with the key hidden; needs no key."""
        return self._signed(request, HIDDEN)

    def redact(self, text: str) -> str:
        """The text without the key, should the vendor repeat it."""
        return self.api_key.hidden_in(text, HIDDEN)

    def _signed(self, request: Request, key: str) -> Signed:
        query = urlencode(request.query, quote_via=quote, safe="")
        headers = {"accept": "application/json"} | self._key_header(key)
        content = b""
        if request.text is not None:
            content = request.text.encode()
            headers |= {"accept": "text/xml", "content-type": request.content_type or "text/xml; charset=UTF-8"}
        elif request.json is not None:
            content = json.dumps(request.json, ensure_ascii=False, allow_nan=False).encode()
            headers["content-type"] = "application/json"
        return Signed(request.method, f"{self.base_url}{request.path}{'?' if query else ''}{query}", headers, content)

    def _key_header(self, key: str) -> dict[str, str]:
        return {"x-keap-api-key": key} if self.auth == "x-keap-api-key" else {"authorization": f"Bearer {key}"}
