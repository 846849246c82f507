"""Certificates of a test's own, made by openssl: an authority, what it signed, and what it should not have."""

import os
import subprocess


class Authority:
    """One that signs, in `folder`; the files are named after `name`."""

    def __init__(self, folder, name="ca"):
        self.folder, self.name = folder, name
        self._openssl("req", "-x509", *self._new_key(name), "-out", self.certificate, "-subj", f"/CN={name}", "-days", "2")

    @property
    def certificate(self):
        return self._path(self.name, "pem")

    def sign(self, name, names, days=2):
        """(certificate, key): paths. `names` as in subjectAltName, "DNS:cache.test,IP:127.0.0.1"; days < 0: expired."""
        request, certificate = self._path(name, "csr"), self._path(name, "pem")
        self._openssl("req", *self._new_key(name), "-out", request, "-subj", f"/CN={name}", "-addext", f"subjectAltName={names}")
        self._openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self._path(self.name, "key"),
                      "-copy_extensions", "copy", "-days", str(days), "-out", certificate)
        return certificate, self._path(name, "key")

    def _new_key(self, name):
        return "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", self._path(name, "key")

    def _path(self, name, ending):
        return os.path.join(self.folder, f"{name}.{ending}")

    def _openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, stdin=subprocess.DEVNULL)
