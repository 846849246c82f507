"""A configuration that is refused: none of its secrets, in whatever wrong place, is shown by `check`, a start or a reload (OP-33)."""

import json
import os
import signal

from support.gateway_case import GatewayCase, compose
from support.gateway_process import run_command
from support.http_client import ask
from support.waiting import wait_until

CANARY = "c4n4ry"
ADMIN = "admin: {address: 127.0.0.1:0, token: open-sesame}\n"
# Sections that are refused or warned of, each with a secret where none belongs.
REFUSED = {
    "a key in clear where its digest belongs": "auth: {api_keys: {from: [header X-API-Key], known: [{name: a, sha256: c4n4ry-key}]}}",
    "a key as a name, twice": "auth: {api_keys: {from: [header A], known: [{name: c4n4ry, sha256: x}, {name: c4n4ry, sha256: y}]}}",
    "keys as names of keys": "auth: {api_keys: {from: [header A], c4n4ry-a: 1, c4n4ry-a: 2}, c4n4ry-b: [c4n4ry]}",
    "an attribute": "auth: {api_keys: {from: [header A], known: [{name: a, sha256: x, attributes: {c4n4ry key: c4n4ry value}}]}}",
    "a place of keys": "auth: {api_keys: {from: [c4n4ry, c4n4ry], on_unknown: c4n4ry, strip_query: c4n4ry}}",
    "an issuer's secret": "auth: {jwt: {issuers: [{issuer: a, algorithms: c4n4ry, leeway: c4n4ry, secret_file: c4n4ry}]}}",
    "a password in a URL": "auth: {jwt: {issuers: [{issuer: a, algorithms: RS256, jwks_url: 'https://user:c4n4ry@id.example.com/'}]}}",
    "a password of Redis": "redis: {url: 'redis://:c4n4ry@/x/y', tls: {server_name: 'c4n4ry:1'}, check_timeout: c4n4ry}",
    "a password as a section": "redis: c4n4ry",
    "a short secret": "redis: {url: redis://127.0.0.1, hash_secret: c4n4ry}",
    "a secret as a file": "redis: {url: redis://127.0.0.1, hash_secret_file: c4n4ry, password_file: c4n4ry}",
    "a secret in a file": "redis: {url: rediss://127.0.0.1, tls: {ca_file: secret.txt}, hash_secret_file: secret.txt}",
    "a token as an address": "admin: {address: c4n4ry-token}",
    "a token as a variable": "admin: {address: 127.0.0.1:0, token: '${c4n4ry}', token_file: '${c4n4ry!}'}",
    "a token with a brace": "admin: {address: 127.0.0.1:0, token: 'c4n4ry${c4n4ry'}",
    "a token from the environment": "admin: {address: '${PENSTOCK_TEST_SECRET}'}",
    "a token as a default": "admin: {address: '${PENSTOCK_TEST_NOTHING:-c4n4ry}'}",
    "a token as a tag": "admin: {address: 127.0.0.1:0, token: !c4n4ry}",
    "a token as an anchor": "admin: {address: 127.0.0.1:0, token: &c4n4ry x}",
    "a token as an alias": "admin: {address: 127.0.0.1:0, token: *c4n4ry}",
    "a token with an escape": "admin: {address: 127.0.0.1:0, token: \"\\c4n4ry\"}",
    "a token without its quote": "admin: {address: 127.0.0.1:0, token: 'c4n4ry}",
    "a token under a misspelt section": "adnim: {c4n4ry: '${c4n4ry}', c4n4ry: x}",
}


class HiddenValues(GatewayCase):
    def setUp(self):
        os.environ["PENSTOCK_TEST_SECRET"] = "c4n4ry of the environment"
        self.addCleanup(os.environ.pop, "PENSTOCK_TEST_SECRET")

    def write_secret(self, folder):
        with open(os.path.join(folder, "secret.txt"), "w", encoding="utf-8") as file:
            file.write("c4n4ry file")

    def check_hidden(self, shown, what):
        self.assertNotIn(CANARY, shown.lower(), what)
        self.assertIn("penstock.yaml:", shown, what)

    def test_check_and_a_start_show_no_secret(self):
        folder = self.folder()
        path = os.path.join(folder, "penstock.yaml")
        self.write_secret(folder)
        for what, section in REFUSED.items():
            with open(path, "w", encoding="utf-8") as file:
                file.write(compose(section, "127.0.0.1:1"))
            for command in ("check", "run"):
                done = run_command(command, "--config", path)
                self.assertEqual(done.returncode, 1, what)
                self.check_hidden(done.stdout + done.stderr, what)

    def test_a_reload_shows_no_secret_in_the_log_or_to_who_asks_for_it(self):
        app = self.upstream()
        gate = self.gateway(app, ADMIN)
        self.write_secret(os.path.dirname(gate.path))
        for what, section in REFUSED.items():
            gate.write_configuration(compose(section, app.server))
            said, seen = gate.stderr.count("was not reloaded"), len(gate.stderr)
            gate.signal(signal.SIGHUP)
            wait_until(lambda before=said: gate.stderr.count("was not reloaded") > before, what=f"the refusal: {what}")
            self.check_hidden(gate.stderr[seen:], what)
            answer = ask(gate.admin, "POST", "/reload", fields=[("Authorization", "Bearer open-sesame")])
            self.assertEqual(answer.status, 422, what)
            self.check_hidden("\n".join(json.loads(answer.body)["problems"]), what)
        self.assertNotIn(CANARY, gate.stderr.lower())
