"""The public address of the gateway: what providers accept, and whether the gateway answers there."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

import httpx

from tradewind.errors import ConfigurationError

PROBE_TIMEOUT_S = 10.0


async def probe_gateway(public_url: str, *, source: str, gateway: str, client: httpx.AsyncClient | None = None) -> None:
    """See that the gateway answers at the address that providers will deliver to.

    source: where the address came from. gateway: the gateway's own address on this machine, for the advice. Raises
    ConfigurationError that says what to do.
    """
    answer = await _ask(f"{public_url}/healthz", client)
    if answer is None:
        raise ConfigurationError("public_url", source, f"{public_url} does not answer. {_tunnel_advice(gateway)}")
    if answer.status_code != 200 or not _is_gateway(answer):
        what = f"{public_url}/healthz answers {answer.status_code} and is not tradewind's gateway."
        raise ConfigurationError("public_url", source, f"{what} {_tunnel_advice(gateway)}")


def check_public_url(public_url: str, *, source: str, provider_url: str, gateway: str) -> str:
    """The address without a final slash. Raises ConfigurationError for one that the provider would not deliver to.

    provider_url: where the provider itself is; one on this machine reaches http addresses of this machine too.
    """
    public_url = public_url.strip().rstrip("/")
    if urlsplit(public_url).scheme == "https" and urlsplit(public_url).hostname:
        return public_url
    if urlsplit(public_url).scheme == "http" and _is_local(public_url) and _is_local(provider_url):
        return public_url
    advice = f"must be a public https:// address, not {public_url!r}. {_tunnel_advice(gateway)}"
    raise ConfigurationError("public_url", source, advice)


async def _ask(url: str, client: httpx.AsyncClient | None) -> httpx.Response | None:
    own = client is None
    client = client or httpx.AsyncClient(timeout=PROBE_TIMEOUT_S, trust_env=not _is_local(url))
    try:
        return await client.get(url)
    except httpx.HTTPError:
        return None
    finally:
        if own:
            await client.aclose()


def _is_gateway(answer: httpx.Response) -> bool:
    try:
        body = answer.json()
    except ValueError:
        return False
    return isinstance(body, dict) and body.get("alive") is True


def _is_local(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _tunnel_advice(gateway: str) -> str:
    return (
        f"Start `tradewind up` or `tradewind gateway`, and give it a public address; to try it out, "
        f"`cloudflared tunnel --url {gateway}` prints one"
    )
