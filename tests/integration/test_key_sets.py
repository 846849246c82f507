"""Issuers' key sets while the gateway runs: files that change, HTTPS, rotation, outage (AK-29, AK-34, AK-35)."""

import json
import os
import socket
import tempfile
import time

from support.gateway_case import GatewayCase, compose
from support.http_client import ask
from support.key_server import KeyServer
from support.token_minter import Key, base64url, bearer, claims, key_set
from support.waiting import DEADLINE, wait_until

ISSUER = "https://id.example.com/"

TEXT = """
auth:
  jwt:
    issuers:
      - issuer: https://id.example.com/
        audience: api
        algorithms: [ES256, EdDSA]
        {source}
limits: {{signed-in: {{key: jwt.sub, fixed_window: {{limit: 100000, window: 1h}}, on_missing_key: reject}}}}
routes: [{{match: {{path: /**}}, upstream: app, limits: [signed-in]}}]
"""


class KeySetCase(GatewayCase):
    @classmethod
    def setUpClass(cls):
        cls.keys_folder = tempfile.TemporaryDirectory(prefix="penstock-keys-")
        cls.addClassCleanup(cls.keys_folder.cleanup)
        cls.old = Key(cls.keys_folder.name, "ES256", "old")
        cls.new = Key(cls.keys_folder.name, "EdDSA", "new")
        cls.stranger = Key(cls.keys_folder.name, "ES256", "stranger")

    def status(self, gate, key, **more):
        return ask(gate.address, fields=bearer(key.token(claims(ISSUER, **more)))).status

    def wait_for(self, gate, key, status):
        token = key.token(claims(ISSUER))
        wait_until(lambda: ask(gate.address, fields=bearer(token)).status == status, what=f"{status} for {key.kid}")

    def refreshes(self, gate, result):
        return self.metrics(gate).value("penstock_key_set_refreshes_total", issuer=ISSUER, result=result)


class Files(KeySetCase):
    def setUp(self):
        self.path = os.path.join(self.folder(), "keys.json")
        self.write(key_set(self.old))
        self.gate = self.gateway(self.upstream(), TEXT.format(source=f"jwks_file: {self.path}"))

    def write(self, text):
        with open(self.path + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(self.path + ".new", self.path)

    def test_a_changed_file_is_read_again_and_what_it_took_away_is_refused_also_from_the_cache(self):
        self.assertEqual(self.status(self.gate, self.old), 200)
        self.assertEqual(self.status(self.gate, self.new), 401)
        self.write(key_set(self.old, self.new))
        self.wait_for(self.gate, self.new, 200)
        cached = self.old.token(claims(ISSUER))
        self.assertEqual(ask(self.gate.address, fields=bearer(cached)).status, 200)
        self.write(key_set(self.new))
        wait_until(lambda: ask(self.gate.address, fields=bearer(cached)).status == 401, what="the end of the old key")

    def wait_for_reads(self, count):
        wait_until(lambda: self.refreshes(self.gate, "success") >= count, what=f"{count} times the file was read")

    def test_a_file_rewritten_in_place_with_the_same_size_and_time_is_read_again(self):
        texts = [key_set(key) for key in (self.old, self.stranger)]
        size = max(map(len, texts))
        self.wait_for_reads(1)
        self.write(texts[0].ljust(size))
        self.wait_for_reads(2)
        before = os.stat(self.path)
        with open(self.path, "r+", encoding="utf-8") as file:
            file.write(texts[1].ljust(size))
        os.utime(self.path, ns=(before.st_atime_ns, before.st_mtime_ns))
        after = os.stat(self.path)
        self.assertEqual(*((each.st_ino, each.st_size, each.st_mtime_ns) for each in (before, after)))
        self.wait_for(self.gate, self.stranger, 200)
        self.assertEqual(self.status(self.gate, self.old), 401)

    def test_a_broken_or_missing_file_changes_nothing_and_is_said(self):
        anybody_signs = key_set({**self.new.jwk(), "x": base64url(b"\1" + bytes(31))})
        with_its_private_half = key_set({**self.new.jwk(), "d": base64url(bytes(32))})
        for number, spoil in enumerate([lambda: self.write("{"), lambda: self.write('{"keys":[]}'), lambda: self.write(anybody_signs),
                                        lambda: self.write(with_its_private_half), lambda: os.remove(self.path)]):
            spoil()
            wait_until(lambda: self.refreshes(self.gate, "failure") > number, what="a failed refresh")
            self.assertEqual(self.status(self.gate, self.old), 200)
        self.assertIn("the old ones stay in use", self.gate.stderr)
        self.write(key_set(self.new))
        self.wait_for(self.gate, self.new, 200)


class Urls(KeySetCase):
    def serve(self, *keys, **more):
        server = KeyServer(self.folder(), key_set(*keys), **more)
        self.addCleanup(server.close)
        return server

    def text(self, server, more, ca=True):
        source = "\n        ".join([f'jwks_url: "{server.url}"'] + ([f"jwks_ca_file: {server.ca}"] if ca else []) + more.split(", "))
        return TEXT.format(source=source)

    def start(self, server, more="jwks_cooldown: 1s, jwks_refresh: 1h", ca=True, workers=2):
        self.app = self.upstream()
        return self.gateway(self.app, f"workers: {workers}\n" + self.text(server, more, ca))

    def reload(self, gate, text):
        gate.write_configuration(compose(text, self.app.server))
        reloads = gate.stderr.count("the configuration was reloaded")
        gate.signal(1)  # SIGHUP
        wait_until(lambda: gate.stderr.count("the configuration was reloaded") > reloads, what="the reload")

    def test_ak_35_rotation_the_first_new_token_is_accepted_after_one_refresh(self):
        server = self.serve(self.old)
        gate = self.start(server)
        self.wait_for(gate, self.old, 200)
        self.assertEqual(server.hits, 1)
        server.body = key_set(self.old, self.new)
        self.wait_for(gate, self.new, 200)  # what brings the refresh forward is this token, an hour before its time
        self.assertEqual(server.hits, 2)
        self.assertEqual(self.status(gate, self.old), 200)
        server.body = key_set(self.new)
        token = self.old.token(claims(ISSUER))

        def is_withdrawn():
            self.status(gate, self.stranger)  # an unknown key brings the next fetch forward
            return ask(gate.address, fields=bearer(token)).status == 401
        wait_until(is_withdrawn, what="the end of the old key")

    def test_ak_35_outage_the_old_keys_still_verify_also_after_a_reload_and_come_back_by_themselves(self):
        server = self.serve(self.old)
        gate = self.start(server)
        self.wait_for(gate, self.old, 200)
        server.close()
        self.assertEqual(self.status(gate, self.new), 401)
        wait_until(lambda: self.refreshes(gate, "failure") >= 1, what="a failed refresh")
        self.assertEqual([self.status(gate, self.old, jti=str(n)) for n in range(3)], [200] * 3)
        gate.signal(1)  # SIGHUP
        wait_until(lambda: "the configuration was reloaded" in gate.stderr, what="the reload")
        self.assertEqual([self.status(gate, self.old, jti=str(n)) for n in range(3)], [200] * 3)
        server.body = key_set(self.new)
        server.open()
        self.wait_for(gate, self.new, 200)
        self.assertIn("the old ones stay in use", gate.stderr)

    def test_ak_35_a_reload_that_changes_when_keys_are_fetched_keeps_those_that_are_known(self):
        server = self.serve(self.old)
        gate = self.start(server)
        self.wait_for(gate, self.old, 200)
        server.close()
        gate.write_configuration(compose(self.text(server, "jwks_cooldown: 1h, jwks_refresh: 2h"), self.app.server))
        gate.signal(1)  # SIGHUP
        wait_until(lambda: "the configuration was reloaded" in gate.stderr, what="the reload")
        wait_until(lambda: self.refreshes(gate, "failure") >= 1, what="a refresh in vain by the new configuration")
        self.assertEqual([self.status(gate, self.old, jti=str(n)) for n in range(3)], [200] * 3)

    def test_ak_35_a_reload_with_other_algorithms_keeps_the_keys_that_serve_them(self):
        server = self.serve(self.old)
        gate = self.start(server)
        self.wait_for(gate, self.old, 200)
        server.close()
        text = self.text(server, "jwks_cooldown: 1s, jwks_refresh: 1h")
        for written, status in (("[EdDSA, ES256]", 200), ("[ES256, EdDSA, PS256]", 200), ("[EdDSA]", 401)):
            self.reload(gate, text.replace("[ES256, EdDSA]", written))
            self.assertEqual([self.status(gate, self.old, jti=written + str(n)) for n in range(3)], [status] * 3)
        self.assertIn("none that is known serves its algorithms", gate.stderr)

    def flood(self, gate, count, enough=lambda: False):
        """That many unknown kids on every one of 32 connections, or until there are enough. The kernel spreads them over the workers."""
        token = self.stranger.token(claims(ISSUER)).split(".")

        def ask_on(index):
            connection = self.connect(gate)
            for number in range(count):
                if enough():
                    break
                header = base64url(b'{"alg":"ES256","kid":"random-%d-%d"}' % (index, number))
                self.assertEqual(connection.ask(fields=bearer(".".join([header, *token[1:]]))).status, 401)
        self.together(32, ask_on)

    def test_ak_35_keys_that_were_forgotten_do_not_come_back_by_a_reload(self):
        server = self.serve(self.old)
        times = "jwks_cooldown: 1s, jwks_refresh: 10s, jwks_timeout: 1s"
        gate = self.start(server, times + ", jwks_stale: 1m")
        self.wait_for(gate, self.old, 200)
        server.close()
        wait_until(lambda: "not confirmed for too long" in gate.stderr, 90, "the end of the keys")
        self.wait_for(gate, self.old, 401)
        for algorithms in ("[ES256, EdDSA]", "[EdDSA, ES256]"):
            text = self.text(server, times + ", jwks_stale: off").replace("[ES256, EdDSA]", algorithms)
            self.reload(gate, text)
            self.assertEqual([self.status(gate, self.old, jti=algorithms + str(n)) for n in range(3)], [401] * 3)

    def test_ak_35_a_thousand_tokens_with_unknown_kids_are_no_fetch_within_the_cooldown_of_the_process(self):
        server = self.serve(self.old)
        gate = self.start(server, "jwks_cooldown: 1h, jwks_refresh: 1h", workers=4)
        self.wait_for(gate, self.old, 200)
        self.flood(gate, 32)
        self.assertEqual((server.hits, self.refreshes(gate, "success")), (1, 1))

    def test_ak_35_a_flood_of_unknown_kids_is_one_fetch_per_cooldown_of_the_process(self):
        server = self.serve(self.old)
        started = time.monotonic()
        gate = self.start(server, "jwks_cooldown: 1s, jwks_refresh: 1h", workers=4)
        self.wait_for(gate, self.old, 200)
        self.flood(gate, 100_000, enough=lambda: server.hits >= 3 or time.monotonic() > started + DEADLINE)
        self.assertGreaterEqual(server.hits, 3)  # the flood does bring them forward
        self.assertLessEqual(server.hits, 1 + (time.monotonic() - started))  # and each a second, at least, behind the one before

    def test_a_gateway_that_starts_while_the_issuer_is_down_serves_and_learns_the_keys_later(self):
        server = self.serve(self.old)
        server.close()
        gate = self.start(server)
        answer = ask(gate.address, fields=bearer(self.old.token(claims(ISSUER))))
        self.assertEqual(answer.status, 401)
        self.assertIn("keys are not known at the moment", answer["WWW-Authenticate"])
        ready = ask(gate.admin, target="/readyz")  # everybody else is served
        self.assertEqual((ready.status, json.loads(ready.body)["status"]), (200, "degraded"))
        self.assertIn(ISSUER, ready.body.decode())
        server.open()
        self.wait_for(gate, self.old, 200)
        self.assertEqual(json.loads(ask(gate.admin, target="/readyz").body)["status"], "ready")

    def mute(self, server):
        """In place of `server` one that accepts, and says nothing. Its connections wait to be counted."""
        server.close()
        listening = socket.create_server(("127.0.0.1", server.port))
        self.addCleanup(listening.close)
        return listening

    def accepted(self, listening):
        """How many have connected since it was last asked."""
        listening.setblocking(False)
        count = 0
        while True:
            try:
                connection, _ = listening.accept()
            except BlockingIOError:
                return count
            self.addCleanup(connection.close)
            count += 1

    def test_ak_35_a_key_server_that_says_nothing_holds_up_nobody_and_the_old_keys_live_on(self):
        server = self.serve(self.old)
        gate = self.start(server, "jwks_cooldown: 1s, jwks_refresh: 1h, jwks_timeout: 3s")
        self.wait_for(gate, self.old, 200)
        listening = self.mute(server)
        unknown = bearer(self.new.token(claims(ISSUER)))
        count, answered = 0, 0

        def is_looked_up():
            nonlocal count
            self.assertEqual(ask(gate.address, fields=unknown).status, 401)
            count += self.accepted(listening)
            return count == 1
        wait_until(is_looked_up, what="a look-up")

        def is_given_up():
            nonlocal answered
            self.assertEqual(self.status(gate, self.old, jti=str(answered)), 200)
            self.assertEqual(ask(gate.address, fields=unknown).status, 401)
            failures = self.refreshes(gate, "failure")
            answered += failures == 0
            return failures == 1
        wait_until(is_given_up, what="the end of the look-up")
        self.assertGreater(answered, 0)  # while it was under way

        def is_given_up_again():
            self.assertEqual(ask(gate.address, fields=unknown).status, 401)
            return self.refreshes(gate, "failure") == 2
        wait_until(is_given_up_again, what="the end of the next look-up")
        self.assertEqual(self.status(gate, self.old, jti="later"), 200)
        self.assertEqual(gate.stderr.count("keys of " + ISSUER + ": securing the connection"), 1, gate.stderr)
        self.assertEqual(gate.stderr.count("the old ones stay in use"), 1, gate.stderr)
        listening.close()
        server.body = key_set(self.new)
        server.open()
        self.wait_for(gate, self.new, 200)

    def test_ak_35_after_a_look_up_that_timed_out_the_next_one_waits_its_cooldown(self):
        server = self.serve(self.old)
        listening = self.mute(server)
        gate = self.start(server, "jwks_cooldown: 1h, jwks_refresh: 1h, jwks_timeout: 1s")
        wait_until(lambda: self.refreshes(gate, "failure") == 1, what="the end of the look-up")
        self.assertEqual([self.status(gate, self.old, jti=str(n)) for n in range(20)], [401] * 20)
        self.assertEqual(self.accepted(listening), 1)
        self.assertEqual(self.refreshes(gate, "failure"), 1)
        self.assertEqual(gate.stderr.count("none are known"), 1, gate.stderr)
        self.assertEqual(ask(gate.admin, target="/readyz").status, 200)

    def test_ak_34_what_is_no_key_set_changes_nothing(self):
        server = self.serve(self.old)
        gate = self.start(server)
        self.wait_for(gate, self.old, 200)
        failures = 0
        for spoil in (lambda: setattr(server, "body", "<html>"), lambda: setattr(server, "body", "[" * 300_000),
                      lambda: setattr(server, "status", 500), lambda: setattr(server, "status", 302)):
            spoil()

            def failed_again():
                self.status(gate, self.stranger)  # an unknown key brings the next fetch forward
                return self.refreshes(gate, "failure") > failures
            wait_until(failed_again, what="a failed refresh")
            failures = self.refreshes(gate, "failure")
            self.assertEqual(self.status(gate, self.old), 200)
        server.body, server.status = key_set(self.new), 200
        self.wait_for(gate, self.new, 200)

    def test_ak_34_of_several_times_that_an_answer_is_good_for_the_least_counts(self):
        server = self.serve(self.old)
        server.fields = [("Cache-Control", "max-age=3600"), ("Cache-Control", "public, max-age=1")]
        gate = self.start(server)
        self.wait_for(gate, self.old, 200)
        wait_until(lambda: server.hits >= 3, what="fetches an hour before their time")

    def test_ak_34_interim_answers_are_skipped(self):
        server = self.serve(self.old)
        hints = "103 Early Hints\r\nCache-Control: no-store\r\nLink: </style.css>; rel=preload"
        server.interim = ["100 Continue", hints, "199 Something Yet Unknown"] + [hints] * 5
        gate = self.start(server, "jwks_cooldown: 1h, jwks_refresh: 1h")  # one fetch, whatever is asked before it ends
        self.wait_for(gate, self.old, 200)
        self.assertEqual(self.refreshes(gate, "success"), 1)
        self.assertEqual(self.refreshes(gate, "failure"), 0)

    def test_ak_34_a_server_that_does_not_come_to_its_answer_is_given_up(self):
        for interim, problem in ((["100 Continue"] * 17, "too many interim answers"), (["103 Early Hints"] * 100_000, "too many interim"),
                                 ([f"103 Early Hints\r\nLink: {'x' * 5000}"] * 4, "reading the answer: header limit exceeded"),
                                 (["101 Switching Protocols"], "the answer is 101")):
            with self.subTest(problem):
                server = self.serve(self.old)
                server.interim = interim
                gate = self.start(server)
                wait_until(lambda: self.refreshes(gate, "failure") > 0, what="a failed refresh")
                wait_until(lambda told=problem, by=gate: told in by.stderr, what=problem)
                self.assertEqual(self.status(gate, self.old), 401)
                server.interim = interim[:0 if "101" in problem else 2]
                self.wait_for(gate, self.old, 200)

    def test_ak_34_a_server_that_cannot_show_who_it_is_is_not_believed(self):
        for ca, names in ((False, "DNS:localhost"), (True, "DNS:somebody.example")):
            with self.subTest(names):
                server = self.serve(self.old, names=names)
                gate = self.start(server, ca=ca)
                wait_until(lambda: "securing the connection" in gate.stderr, what="a refused certificate")
                self.assertEqual(self.status(gate, self.old), 401)
                self.assertEqual(server.hits, 0)

    def test_ak_29_nothing_that_a_token_names_is_fetched(self):
        canary, server = self.serve(self.stranger), self.serve(self.old)
        gate = self.start(server)
        self.wait_for(gate, self.old, 200)
        for header in ({"jku": canary.url}, {"x5u": canary.url}, {"jwk": self.stranger.jwk()}, {"kid": "../../etc/passwd"}):
            token = self.stranger.token(claims(ISSUER), **header)
            self.assertEqual(ask(gate.address, fields=bearer(token)).status, 401)
        self.assertEqual(canary.hits, 0)
