"""The page of csctl report in a real browser: whether it can be read, on whatever it is shown.

With CS_PICTURES, the folder of pictures of the documents is written anew.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cs_harness.csctl import csctl
from machine import Launched

if TYPE_CHECKING:
    from cs_harness.browser import Browser

WIDTHS = (400, 1400)

TOO_WIDE = """
return [...document.querySelectorAll('body *')]
  .filter(e => !(e instanceof SVGElement) && e.tagName !== 'DT' && e.getClientRects().length)
  .filter(e => e.getBoundingClientRect().right > innerWidth + 1 || e.getBoundingClientRect().left < -1)
  .map(e => e.tagName + ': ' + e.textContent.slice(0, 60));
"""

PICTURES = """
return [...document.querySelectorAll('svg')].filter(svg => svg.getClientRects().length).map(svg => ({
  words: [...svg.querySelectorAll('text')].map(text => text.textContent),
  overfull: [...svg.querySelectorAll('g')].filter(g => {
    const box = g.querySelector('rect').getBBox(), text = g.querySelector('text').getBBox();
    return text.x + text.width > box.width - 4 || text.height > box.height;
  }).map(g => g.textContent),
  size: Math.min(...[...svg.querySelectorAll('text')].map(text => text.getBoundingClientRect().height)),
}));
"""

# By the Web Content Accessibility Guidelines 2.1, criterion 1.4.3.
TOO_FAINT = """
const numbers = colour => (colour.match(/[0-9.]+/g) || []).map(Number);
const luminance = ([r, g, b]) => [r, g, b].map(v => v / 255)
  .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
  .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
const contrast = (a, b) => {
  const [high, low] = [luminance(numbers(a)), luminance(numbers(b))].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
};
const behind = element => {
  for (let e = element; e; e = e.parentElement) {
    const colour = getComputedStyle(e).backgroundColor, parts = numbers(colour);
    if (parts.length === 3 || parts[3] > 0) return colour;
  }
};
const texts = [...document.querySelectorAll('body *')].filter(e => !(e instanceof SVGElement))
  .filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()))
  .map(e => [e, getComputedStyle(e).color, behind(e)]);
const drawn = [...document.querySelectorAll('svg g')]
  .map(g => [g, getComputedStyle(g.querySelector('text')).fill, getComputedStyle(g.querySelector('rect')).fill]);
return [...texts, ...drawn].filter(([, ink, paper]) => contrast(ink, paper) < 4.5)
  .map(([e, ink, paper]) => e.textContent.slice(0, 40) + ' ' + ink + ' on ' + paper);
"""


@pytest.fixture(scope="module")
def browser(folder: Path) -> Iterator[Browser]:
    """Yield a browser; skip where there is none."""
    pytest.importorskip("selenium")
    from cs_harness.browser import Browser, is_there

    if not is_there():
        pytest.skip("there is no Chromium with its ChromeDriver")
    with Browser(folder / "profile") as running:
        yield running


def token_of(claims: dict[str, Any]) -> str:
    """Return a token that nobody has signed."""
    parts = (json.dumps({"alg": "RS256", "kid": "x"}), json.dumps(claims), "signature")
    return ".".join(base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts)


@pytest.fixture(scope="module")
def pages(machine: Launched, folder: Path) -> dict[str, Path]:
    """Return a page of each kind, one of which was made of what somebody means ill with."""
    token, keys, hostile = folder / "token.jwt", folder / "keys.json", folder / "hostile.jwt"
    token.write_text(machine.launcher.tee.request("GET", "/v1/token").text)
    keys.write_text(json.dumps(machine.world.verifier.keys()))
    evil = "<img src=x onerror=document.title='taken'><script>document.title='taken'</script>\u202eevil\u0007"
    claims = {"aud": evil, "swname": "x" * 2000, "dbgstat": evil, "submods": {"container": {"env": {evil: "y" * 2000}}}}
    hostile.write_text(token_of(claims))
    kinds: dict[str, list[str | Path]] = {
        "machine": [machine.request, "--config", machine.config, "--token", token, "--jwks", keys],
        "token": [token, "--jwks", keys],
        "difference": [machine.request, "--against", machine.boot_log],
        "hostile": [hostile],
    }
    made = {kind: folder / f"{kind}.html" for kind in kinds}
    for kind, words in kinds.items():
        answer = csctl("report", *words, "--output", made[kind])
        assert made[kind].exists(), answer.error
    return made


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("kind", ["machine", "token", "difference", "hostile"])
def test_nothing_is_cut_off(browser: Browser, pages: dict[str, Path], kind: str, width: int) -> None:
    """Nor is anything to be scrolled to sideways, and the picture's words fit into their boxes."""
    browser.show(pages[kind], width)
    assert browser.ask("return document.documentElement.scrollWidth") <= width
    assert browser.ask(TOO_WIDE) == []
    (picture,) = browser.ask(PICTURES)
    assert picture["overfull"] == [] and "Container" in picture["words"]
    assert picture["size"] >= 12, "too small to be read"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_read_in_light_and_dark(browser: Browser, pages: dict[str, Path], scheme: str) -> None:
    """Every text stands out from what is behind it."""
    papers = set()
    for kind in ("machine", "hostile"):
        browser.show(pages[kind], 1400, scheme=scheme)
        assert browser.ask(TOO_FAINT) == []
        papers.add(browser.ask("return getComputedStyle(document.body).backgroundColor"))
    assert papers == {"rgb(255, 255, 255)" if scheme == "light" else "rgb(20, 24, 28)"}


def test_it_does_nothing_by_itself(browser: Browser, pages: dict[str, Path]) -> None:
    """Whatever its texts hold: no script runs, nothing is fetched."""
    browser.show(pages["hostile"], 1400)
    assert browser.ask("return document.querySelectorAll('script, img, iframe, object, link').length") == 0
    assert "taken" not in browser.ask("return document.title").replace("='taken'", "")
    assert browser.ask("return performance.getEntriesByType('resource').length") == 0
    assert browser.complaints() == []


def test_a_screen_reader_is_told_everything(browser: Browser, pages: dict[str, Path]) -> None:
    """The picture has words, parts have headings, and columns whose headings nobody sees have them read out."""
    browser.show(pages["machine"], 1400)
    spoken = browser.spoken()
    headings = [node["name"] for node in spoken if node["role"] == "heading"]
    assert {"Chain of trust", "Checks", "Claims of the token", "Boot and launch"} <= set(headings)
    (image,) = [node["name"] for node in spoken if node["role"] == "image"]
    assert image.startswith("Chain of trust: TPM (holds), then Firmware (holds)")
    words = [node["name"] for node in spoken if node["role"] == "StaticText"]
    assert {"Claim", "Value", "Proves", "From"} <= set(words)


def test_it_can_be_printed(browser: Browser, pages: dict[str, Path]) -> None:
    """On white paper, whatever the screen is."""
    browser.show(pages["machine"], 1400, scheme="dark")
    assert browser.printed().startswith(b"%PDF-")
    browser.show(pages["machine"], 1400, scheme="dark", medium="print")
    assert browser.ask("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert browser.ask(TOO_FAINT) == []


def test_pictures_of_the_documents(browser: Browser, pages: dict[str, Path]) -> None:
    """Made anew when they are asked for, of this very page."""
    folder = Path(os.environ["CS_PICTURES"]) if "CS_PICTURES" in os.environ else pages["machine"].parent
    for width, height in ((400, 1100), (1400, 1000)):
        browser.show(pages["machine"], width, scheme="light")
        picture = browser.picture(width, height)
        assert picture.startswith(b"\x89PNG") and len(picture) > 10_000
        (folder / f"report-{width}.png").write_bytes(picture)
