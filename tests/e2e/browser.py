# tests/e2e/browser.py: Debian's Chromium without a window, driven over the DevTools protocol.
"""The protocol (https://chromedevtools.github.io/devtools-protocol/) goes over two pipes: Chromium
reads descriptor 3 and writes 4, each message is JSON and ends with a zero byte. So there is neither
a port nor a library. One thread does all: what arrives is read while somebody waits for it."""
import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import time

import support

program = "/usr/bin/chromium"
wait_limit = 20.0  # Seconds, for anything that a page should do.

# Nothing that a browser does by itself, and no host but this one.
quiet = ["--headless", "--no-first-run", "--no-default-browser-check", "--disable-sync",
         "--disable-background-networking", "--disable-component-update", "--disable-extensions",
         "--disable-breakpad", "--disable-dev-shm-usage", "--disable-gpu", "--mute-audio",
         "--password-store=basic", "--use-mock-keychain",
         "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"]


def key_digest(certificate):
    """Of its public key, as --ignore-certificate-errors-spki-list takes it."""
    done = subprocess.run(
        ["bash", "-c", "set -o pipefail; openssl x509 -in \"$0\" -pubkey -noout | "
         "openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64", certificate],
        capture_output=True, text=True, check=True, timeout=20)
    return done.stdout.strip()


class Browser:
    """Trusts one certificate besides those that the system trusts. Ends with `with`."""

    def __init__(self, folder, certificate):
        self.folder = folder / "chromium"
        self.command = [program, *quiet, f"--user-data-dir={self.folder}",
                        "--ignore-certificate-errors-spki-list=" + key_digest(certificate),
                        "--remote-debugging-pipe", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
        self.pages = {}     # By session.
        self.answers = {}   # By id, until somebody takes them.
        self.received = b""
        self.last_id = 0

    def __enter__(self):
        self.folder.mkdir()
        reading, self.out = os.pipe()
        self.into, writing = os.pipe()
        self.log = open(self.folder / "log", "wb")
        # bash puts the pipes where Chromium looks for them, and becomes Chromium.
        put = 'in=$1 out=$2; shift 2; exec 10<&"$in" 11>&"$out"; exec "$@" 3<&10 4>&11'
        self.process = support.start(["bash", "-c", put, "bash", reading, writing, *self.command],
                                     pass_fds=(reading, writing), stdout=self.log, stderr=self.log,
                                     env={**os.environ, "HOME": str(self.folder)})
        os.close(reading)
        os.close(writing)
        try:
            self.call("Browser.getVersion")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        started = support.descendants_of(self.process.pid)
        with contextlib.suppress(AssertionError, OSError):
            self.call("Browser.close")
        support.end(self.process, 0)  # It ends by itself.
        for pid in filter(support.is_alive, started):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        support.wait_for(lambda: not any(map(support.is_alive, started)), support.stop_limit,
                         "the end of Chromium's processes")
        os.close(self.out)
        os.close(self.into)
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def page(self):
        """An empty one that shares nothing with the others: cookies, cache and connections."""
        context = self.call("Target.createBrowserContext")["browserContextId"]
        target = self.call("Target.createTarget", url="about:blank",
                           browserContextId=context)["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.pages[session] = Page(self, session, context)
        self.pages[session].begin()
        return self.pages[session]

    def call(self, method, session=None, **parameters):
        self.last_id += 1
        number = self.last_id
        message = {"id": number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.out, data):]
        self.wait(lambda: number in self.answers, f"an answer to {method}")
        answer = self.answers.pop(number)
        if "error" in answer:
            raise AssertionError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def wait(self, condition, what, seconds=wait_limit):
        """The first true value of condition(), asked after all that arrives."""
        ends = time.monotonic() + seconds
        while not (value := condition()):
            if time.monotonic() > ends:
                raise AssertionError(f"{what} did not happen within {seconds} s")
            self.read(0.05)
        return value

    def read(self, seconds):
        if not select.select([self.into], [], [], seconds)[0]:
            return
        chunk = os.read(self.into, 1 << 20)
        if not chunk:
            log = (self.folder / "log").read_text(errors="replace")
            raise AssertionError(f"chromium ended: {log[-2000:]}")
        *messages, self.received = (self.received + chunk).split(b"\0")
        for message in map(json.loads, messages):
            if "id" in message:
                self.answers[message["id"]] = message
            elif message.get("sessionId") in self.pages:
                self.pages[message["sessionId"]].see(message["method"], message["params"])


class Request:
    """One exchange, or one redirect of it."""

    def __init__(self, parameters):
        self.url, self.kind = parameters["request"]["url"], parameters.get("type", "")
        self.method = parameters["request"]["method"]
        self.status, self.protocol, self.headers, self.failure = None, "", {}, None

    def take(self, response):
        self.status, self.protocol = response["status"], response.get("protocol", "")
        self.headers = {name.lower(): value for name, value in response["headers"].items()}

    def __repr__(self):
        return f"<{self.method} {self.url} {self.kind}: {self.failure or self.status}>"


class Page:
    """What a page asked for, what its sockets carried, and what it complained about."""

    def __init__(self, browser, session, context):
        self.browser, self.session, self.context = browser, session, context
        self.requests = []
        self.current = {}    # The latest of each id: redirects share one.
        self.upgrades = {}   # WebSockets: the answer to each handshake, by id.
        self.frames = []     # ("sent" or "received", text).
        self.complaints = []
        self.loads = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.browser.call("Target.disposeBrowserContext", browserContextId=self.context)
        del self.browser.pages[self.session]

    def begin(self):
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method, **parameters):
        return self.browser.call(method, self.session, **parameters)

    def see(self, method, parameters):
        number = parameters.get("requestId")
        if method == "Network.requestWillBeSent":
            if "redirectResponse" in parameters:
                self.current[number].take(parameters["redirectResponse"])
            self.current[number] = Request(parameters)
            self.requests.append(self.current[number])
        elif method == "Network.responseReceived" and number in self.current:
            self.current[number].kind = parameters["type"]
            self.current[number].take(parameters["response"])
        elif method == "Network.loadingFailed" and number in self.current:
            if not parameters.get("canceled"):  # The page changed its mind.
                self.current[number].failure = parameters["errorText"]
        elif method == "Network.webSocketHandshakeResponseReceived":
            self.upgrades[number] = parameters["response"]
        elif method in ("Network.webSocketFrameSent", "Network.webSocketFrameReceived"):
            self.frames.append((method[len("Network.webSocketFrame"):].lower(),
                                parameters["response"]["payloadData"]))
        elif method == "Page.loadEventFired":
            self.loads += 1
        else:
            self.see_complaint(method, parameters)

    def see_complaint(self, method, parameters):
        if method == "Runtime.exceptionThrown":
            details = parameters["exceptionDetails"]
            self.complaints.append(details.get("exception", {}).get("description",
                                                                    details["text"]))
        elif method == "Runtime.consoleAPICalled" and parameters["type"] in ("error", "assert"):
            self.complaints.append(" ".join(str(one.get("value", one.get("description")))
                                            for one in parameters["args"]))
        elif method == "Log.entryAdded" and parameters["entry"]["level"] == "error":
            entry = parameters["entry"]
            self.complaints.append(f"{entry['text']} ({entry.get('url', '')})")
        elif method == "Network.webSocketFrameError":
            self.complaints.append(parameters["errorMessage"])

    def open(self, url):
        """Until it has loaded with all that belongs to it."""
        before = self.loads
        failure = self.call("Page.navigate", url=url).get("errorText")
        if failure:
            raise AssertionError(f"{url}: {failure}")
        self.wait(lambda: self.loads > before, f"the load of {url}")

    def wait(self, condition, what, seconds=wait_limit):
        return self.browser.wait(condition, f"{what} in {self}", seconds)

    def __repr__(self):
        return f"<page with {self.requests[-5:]}, complaints: {self.complaints}>"

    def evaluate(self, expression):
        """The value of JavaScript, awaited if it is a promise."""
        done = self.call("Runtime.evaluate", expression=expression, awaitPromise=True,
                         returnByValue=True)
        if "exceptionDetails" in done:
            raise AssertionError(f"{expression}: {done['exceptionDetails']}")
        return done["result"].get("value")

    def text(self, selector="body"):
        found = f"document.querySelector({json.dumps(selector)})"
        return self.evaluate(f"{found}?.innerText ?? ''")

    def wait_text(self, selector, text):
        self.wait(lambda: text in self.text(selector), f"{text!r} in {selector}")

    def path(self):
        return self.evaluate("location.pathname + location.search")

    def wait_path(self, path):
        self.wait(lambda: self.path() == path, f"the way to {path}")

    def fill(self, selector, text):
        self.evaluate(f"document.querySelector({json.dumps(selector)}).select()")
        self.call("Input.insertText", text=text)

    def click(self, selector):
        """In its middle, with the mouse, once it is there and may be clicked."""
        box = self.wait(lambda: self.evaluate(f"""(() => {{
            const found = document.querySelector({json.dumps(selector)});
            if (!found || found.disabled) return null;
            found.scrollIntoView({{ block: 'center', behavior: 'instant' }});
            const box = found.getBoundingClientRect();
            return {{ x: box.x + box.width / 2, y: box.y + box.height / 2 }};
        }})()"""), f"something to click at {selector}")
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **box)
