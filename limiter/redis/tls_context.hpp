// What a TLS connection to Redis needs of OpenSSL, made of the configuration's texts: whom to trust, what to show. Made when
// the configuration is checked, so that what cannot work is said then, and once by each store, of whose nodes none
// makes its own. Knows no socket and no file.
#pragma once

#include "base/result.hpp"
#include "limiter/redis/redis_settings.hpp"

#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream_base.hpp>
#include <openssl/ssl.h>

#include <memory>
#include <string>

namespace penstock::limiter::redis {

enum class tls_part : std::uint8_t { authorities, certificate, private_key };
struct tls_refusal {
    tls_part part;
    std::string why; // "holds no certificate in PEM form"
};

using tls_context_ptr = std::shared_ptr<boost::asio::ssl::context>;
// TLS 1.2 or newer; the server is always verified. Never null where it succeeds.
base::result<tls_context_ptr, tls_refusal> make_tls_context(tls_settings const& wanted);

// Before a handshake: the certificate must name `host`, a name or an address; a name is told to the server, too (SNI).
void expect_server(SSL* connection, std::string const& host);
// Why a handshake failed, if the certificate was to blame; else empty.
std::string verdict_on_server(SSL* connection);

} // namespace penstock::limiter::redis
