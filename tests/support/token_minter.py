"""Tokens as an issuer makes them: keys, signatures and MACs come from the openssl command, nothing from the gateway."""

import base64
import json
import os
import subprocess
import time

# Name of the algorithm -> how openssl makes a key, and which options its signature takes.
KINDS = {
    "RS256": (["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"], ["-digest", "sha256"]),
    "PS256": (["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
              ["-digest", "sha256", "-pkeyopt", "rsa_padding_mode:pss", "-pkeyopt", "rsa_pss_saltlen:digest"]),
    "ES256": (["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"], ["-digest", "sha256"]),
    "ES384": (["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"], ["-digest", "sha384"]),
    "EdDSA": (["-algorithm", "ED25519"], []),
    "Ed25519": (["-algorithm", "ED25519"], []),
}


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def openssl(*arguments, data=None):
    done = subprocess.run(["openssl", *arguments], input=data, capture_output=True, check=False, timeout=60)
    if done.returncode != 0:
        raise AssertionError(f"openssl {' '.join(arguments)}: {done.stderr.decode()}")
    return done.stdout


def raw_signature(der, size):
    """R and S of an ECDSA signature, one behind the other (RFC 7518 section 3.4)."""
    at, numbers = 2 + (der[1] & 0x7F if der[1] & 0x80 else 0), []
    for _ in range(2):
        length = der[at + 1]
        numbers.append(int.from_bytes(der[at + 2:at + 2 + length], "big").to_bytes(size, "big"))
        at += 2 + length
    return b"".join(numbers)


class Key:
    """A key pair in a file of `folder`, and the tokens that it signs."""

    def __init__(self, folder, algorithm, kid):
        self.algorithm, self.kid = algorithm, kid
        self.path = os.path.join(folder, f"{kid}.pem")
        making, self._signing = KINDS[algorithm]
        openssl("genpkey", *making, "-out", self.path)

    def jwk(self, **more):
        made = {"kid": self.kid, "use": "sig", "alg": self.algorithm}
        public = openssl("pkey", "-in", self.path, "-pubout", "-outform", "DER")
        if self.algorithm in ("RS256", "PS256"):
            modulus = openssl("rsa", "-in", self.path, "-noout", "-modulus").decode().strip().split("=")[1]
            made |= {"kty": "RSA", "n": base64url(bytes.fromhex(modulus)), "e": "AQAB"}
        elif self.algorithm.startswith("ES"):
            size = 32 if self.algorithm == "ES256" else 48
            made |= {"kty": "EC", "crv": "P-256" if size == 32 else "P-384",
                     "x": base64url(public[-2 * size:-size]), "y": base64url(public[-size:])}
        else:
            made |= {"kty": "OKP", "crv": "Ed25519", "x": base64url(public[-32:])}
        return made | more

    def sign(self, text):
        """`text` in bytes; openssl reads it from a file, which Ed25519 wants."""
        path = self.path + ".text"
        with open(path, "wb") as file:
            file.write(text)
        signature = openssl("pkeyutl", "-sign", "-inkey", self.path, "-rawin", "-in", path, *self._signing)
        if self.algorithm.startswith("ES"):
            return raw_signature(signature, 32 if self.algorithm == "ES256" else 48)
        return signature

    def token(self, claims, **header):
        head = {"alg": self.algorithm, "kid": self.kid, "typ": "JWT"} | header
        text = base64url(json.dumps(head).encode()) + "." + base64url(json.dumps(claims).encode())
        return text + "." + base64url(self.sign(text.encode()))


def hs256(secret, claims):
    text = base64url(b'{"alg":"HS256"}') + "." + base64url(json.dumps(claims).encode())
    mac = openssl("dgst", "-sha256", "-mac", "HMAC", "-macopt", f"hexkey:{secret.encode().hex()}", "-binary", data=text.encode())
    return text + "." + base64url(mac)


def claims(issuer, **more):
    """Good for ten minutes."""
    made = {"iss": issuer, "aud": "api", "sub": "acme", "exp": int(time.time()) + 600} | more
    return {name: value for name, value in made.items() if value is not None}


def key_set(*keys):
    return json.dumps({"keys": [key if isinstance(key, dict) else key.jwk() for key in keys]})


def bearer(token):
    return [("Authorization", "Bearer " + token)]
