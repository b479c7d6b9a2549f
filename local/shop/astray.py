"""A page whose scripts try each way out that a browser has, and draw what came of it."""

import json
from collections.abc import Mapping

PATH = "/app/astray"
LEAVING = "/app/leaving"
WORKER = "/app/worker.js"
PASSED_ON = "/app/passed-on"
# Where its scripts may ask, and where robots.txt forbids it.
OPEN = "/data/1"
FORBIDDEN = "/private/offers"

_COMMON = """
const asked = url => fetch(url, {mode: 'no-cors'}).then(() => 'reached', () => 'refused');
"""
_ASKING = """
asked(new URLSearchParams(self.location.search).get('url')).then(came => postMessage(came));
"""
_WAYS = """
const heard = (thing, good, bad) => new Promise(done => {
  thing['on' + good] = () => done('reached'); thing['on' + bad] = () => done('refused');
});
const patient = promise => Promise.race(
  [promise, new Promise(done => setTimeout(() => done('silent'), 3000))]);
const added = (name, given) => {
  const made = Object.assign(document.createElement(name), given);
  document.body.append(made);
  return made;
};
const from_worker = url => new Promise(done => {
  const worker = new Worker(WORKER + '?url=' + encodeURIComponent(url));
  worker.onmessage = event => done(event.data);
  worker.onerror = () => done('refused');
});
const by_udp = async () => {
  const peer = new RTCPeerConnection({iceServers: [{urls: 'stun:' + TRAP}]});
  peer.createDataChannel('any');
  const gathered = new Promise(done => {
    peer.onicegatheringstatechange = () => peer.iceGatheringState === 'complete' && done();
  });
  await peer.setLocalDescription(await peer.createOffer());
  await gathered;
  return 'tried';
};
const unheard = async () => {
  for (const rel of ['preconnect', 'dns-prefetch', 'prefetch', 'preload', 'stylesheet'])
    added('link', {rel, href: HTTP + rel, as: 'script'});
  added('img', {src: HTTP + 'img'});
  added('script', {src: HTTP + 'script', type: 'module'});
  added('iframe', {src: HTTP + 'iframe'});
  added('iframe', {src: AWAY.file});
  added('iframe', {name: 'aside'});
  added('form', {method: 'post', action: HTTP + 'form', target: 'aside'}).submit();
  navigator.sendBeacon(HTTP + 'beacon', 'any');
  window.open(HTTP + 'popup');
  await new Promise(done => setTimeout(done, 300));
  return 'tried';
};
const ways = {
  own: () => asked(OPEN), own_worker: () => from_worker(OPEN),
  forbidden: () => asked(FORBIDDEN),
  fetch: () => asked(HTTP), redirect: () => asked(PASSED_ON), worker: () => from_worker(HTTP),
  socket: () => heard(new WebSocket('ws://' + TRAP), 'open', 'error'),
  stream: () => heard(new EventSource(HTTP), 'open', 'error'),
  transport: () => new WebTransport('https://' + TRAP).ready.then(() => 'reached', () => 'refused'),
  service: async () => !('serviceWorker' in navigator) ? 'absent'
    : navigator.serviceWorker.register(WORKER + '?url=' + encodeURIComponent(HTTP))
        .then(() => 'reached', () => 'refused'),
  by_udp, unheard,
};
for (const [name, url] of Object.entries(AWAY)) ways['to_' + name] = () => asked(url);
const tried = async ([name, way]) => {
  try { return name + '=' + await patient(way()); } catch (error) { return name + '=' + error; }
};
Promise.all(Object.entries(ways).map(tried)).then(all => {
  added('p', {className: 'name', textContent: all.join(' ')});
  added('p', {className: 'price', textContent: 'Rs. 1.00'});
});
"""


def page(trap: str, away: Mapping[str, str]) -> str:
    """The page; `trap` is the host and port of a server that nobody may come to."""
    said = {
        "TRAP": trap,
        "HTTP": f"http://{trap}/",
        "AWAY": dict(away),
        "OPEN": OPEN,
        "FORBIDDEN": FORBIDDEN,
        "WORKER": WORKER,
        "PASSED_ON": PASSED_ON,
    }
    known = "".join(f"const {name} = {json.dumps(value)};" for name, value in said.items())
    return f"<!doctype html><body><script>{known}{_COMMON}{_WAYS}</script>"


def worker() -> str:
    """The script of a worker that asks for the address in its own."""
    return _COMMON + _ASKING


def leaving(trap: str) -> str:
    """A page whose script goes elsewhere as a whole."""
    return f"<!doctype html><body><script>location = 'http://{trap}/left';</script>"
