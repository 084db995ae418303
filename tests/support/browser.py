"""Debian's Chromium, steered by its chromedriver over W3C WebDriver; nothing but the standard library.

Reads nothing but what a page shows or logs. Without the browser `Browser()` skips the test, or fails it under CI=true.
"""

import base64
import http.client
import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import time

import product

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the name that the standard gives to references
KEYS = {"Tab": "\ue004", "Enter": "\ue007", "Shift": "\ue008", "Control": "\ue009", "Escape": "\ue00c", "Space": " "}


class BrowserError(Exception):
    """What the driver refused, with the name of the error."""


class Element:
    def __init__(self, browser, reference):
        self.browser = browser
        self.reference = reference

    def _ask(self, method, what, body=None):
        return self.browser.ask(method, f"/element/{self.reference}/{what}", body)

    def click(self):
        self._ask("POST", "click", {})

    def type(self, text):
        self._ask("POST", "value", {"text": str(text)})

    def clear(self):
        self._ask("POST", "clear", {})

    @property
    def text(self):
        return self._ask("GET", "text")

    def attribute(self, name):
        return self._ask("GET", f"attribute/{name}")

    def property(self, name):
        return self._ask("GET", f"property/{name}")

    def is_shown(self):
        return self._ask("GET", "displayed")

    def all(self, selector):
        return self.browser.wrap(self._ask("POST", "elements", {"using": "css selector", "value": selector}))


class Browser:
    """A headless browser with a profile of its own; a context that ends it. Names resolve only for 127.0.0.1."""

    def __init__(self, width=1280, height=900):
        driver, program = shutil.which("chromedriver"), shutil.which("chromium")
        if not driver or not program:
            product.skip("no chromium and chromedriver here (Debian: chromium, chromium-driver)")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tcrops-browser-"))
        self.downloads = self.folder / "downloads"
        self.downloads.mkdir()
        self.driver = subprocess.Popen([driver, "--port=0"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                       stderr=subprocess.STDOUT, text=True)
        self.session = None
        try:
            self.port = self._port()
            options = {
                "binary": program,
                "args": ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--no-first-run",
                         "--disable-background-networking", "--disable-component-update",
                         "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--lang=en-GB",
                         f"--user-data-dir={self.folder / 'profile'}", f"--window-size={width},{height}"],
            }
            wanted = {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"}}
            made = self._send("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
            self.session = made["sessionId"]
            self.size(width, height)
            self.devtools("Emulation.setScrollbarsHidden", hidden=True)
            self.open("about:blank")
            self.requests()  # those of the page that the browser begins with
            self.devtools("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(self.downloads))
        except BaseException:
            self.close()
            raise

    def _port(self):
        for line in self.driver.stdout:
            found = re.search(r"started successfully on port (\d+)", line)
            if found:
                return int(found.group(1))
        raise BrowserError("chromedriver did not start")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.session:
            try:
                self.ask("DELETE", "")
            except (BrowserError, OSError):
                pass
            self.session = None
        self.driver.terminate()
        try:
            self.driver.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.driver.kill()
            self.driver.wait()
        self.driver.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    # The protocol

    def _send(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            text = None if body is None else json.dumps(body)
            connection.request(method, path, text, {"Content-Type": "application/json"} if text else {})
            value = json.loads(connection.getresponse().read())["value"]
        finally:
            connection.close()
        if isinstance(value, dict) and "error" in value and "stacktrace" in value:
            raise BrowserError(f"{value['error']}: {value['message']}")
        return value

    def ask(self, method, path, body=None):
        return self._send(method, f"/session/{self.session}{path}", body)

    def devtools(self, command, **parameters):
        return self.ask("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def wrap(self, references):
        return [Element(self, each[ELEMENT]) for each in references]

    # Pages

    def open(self, url):
        self.ask("POST", "/url", {"url": url})

    @property
    def url(self):
        return self.ask("GET", "/url")

    @property
    def title(self):
        return self.ask("GET", "/title")

    def size(self, width, height=900, scale=1):
        self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=False)

    def prefer(self, scheme):
        """What the system says it likes: "light" or "dark"."""
        self.devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def run(self, script, *args):
        """Runs the body of a function in the page; what it returns."""
        sent = [{ELEMENT: each.reference} if isinstance(each, Element) else each for each in args]
        return self.ask("POST", "/execute/sync", {"script": script, "args": sent})

    def all(self, selector):
        return self.wrap(self.ask("POST", "/elements", {"using": "css selector", "value": selector}))

    def one(self, selector):
        found = self.all(selector)
        if len(found) != 1:
            raise AssertionError(f"{len(found)} elements are {selector}")
        return found[0]

    def text(self, selector):
        return self.one(selector).text

    def texts(self, selector):
        """What all these say, hidden or not."""
        return self.run("return [...document.querySelectorAll(arguments[0])].map((each) => each.textContent)", selector)

    def choose(self, selector, value):
        """Takes the option of a <select> that has a value, as a user does."""
        self.one(f'{selector} option[value="{value}"]').click()

    def wait(self, condition, what, timeout=20):
        """Until condition() is true; its value."""
        until = time.monotonic() + timeout
        while True:
            value = condition()
            if value:
                return value
            if time.monotonic() > until:
                raise AssertionError(f"waited {timeout} s for: {what}")
            time.sleep(0.05)

    def wait_for(self, script, *args, timeout=20):
        return self.wait(lambda: self.run(f"return {script}", *args), script, timeout)

    def press(self, *names):
        """Presses keys in order: "Tab", "Enter", "a"; "Shift+Tab" holds the first."""
        actions = []
        for name in names:
            keys = [KEYS.get(part, part) for part in (name.split("+") if len(name) > 1 else [name])]
            actions += [{"type": "keyDown", "value": key} for key in keys]
            actions += [{"type": "keyUp", "value": key} for key in reversed(keys)]
        self.ask("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def focused(self):
        """What the keyboard is at: its id, or else what it says."""
        return self.run("const at = document.activeElement; return at.id || at.textContent.trim() || at.tagName")

    def drop(self, selector, name, content, kind="text/csv"):
        """Drops a file on an element, as from a file manager."""
        self.run("""
          const bytes = Uint8Array.from(atob(arguments[2]), (each) => each.charCodeAt(0));
          const carried = new DataTransfer();
          carried.items.add(new File([bytes], arguments[1], {type: arguments[3]}));
          const target = document.querySelector(arguments[0]);
          for (const name of ["dragenter", "dragover", "drop"])
            target.dispatchEvent(new DragEvent(name, {dataTransfer: carried, bubbles: true, cancelable: true}));
          """, selector, name, base64.b64encode(content).decode(), kind)

    def downloaded(self, timeout=20):
        """(name, bytes) of the one file that was downloaded since the last call."""
        def whole():
            files = list(self.downloads.iterdir())
            return files if files and not any(file.name.endswith(".crdownload") for file in files) else None
        files = self.wait(whole, "a download", timeout)
        if len(files) != 1:
            raise AssertionError([file.name for file in files])
        content = (files[0].name, files[0].read_bytes())
        files[0].unlink()
        return content

    def picture(self, path, whole=True):
        """Saves a screenshot: of the whole page, or of what is seen of it."""
        path = pathlib.Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        if whole:
            # A header that sticks is where the last frame has it.
            self.run("window.scrollTo(0, 0); return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))")
        taken = self.devtools("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(taken["data"]))

    # What went on behind

    def complaints(self):
        """What the console has said since the last call, at level WARNING or worse."""
        log = self.ask("POST", "/se/log", {"type": "browser"})
        return [entry["message"] for entry in log if entry["level"] in ("WARNING", "SEVERE")]

    def requests(self):
        """The addresses that pages have asked for since the last call."""
        addresses = []
        for entry in self.ask("POST", "/se/log", {"type": "performance"}):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                addresses.append(message["params"]["request"]["url"])
        return addresses
