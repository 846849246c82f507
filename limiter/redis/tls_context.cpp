#include "limiter/redis/tls_context.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/address.hpp>
#include <openssl/err.h>
#include <openssl/x509v3.h>

namespace penstock::limiter::redis {
namespace {

namespace ssl = boost::asio::ssl;

tls_refusal refused(tls_part part, std::string why)
{
    ::ERR_clear_error(); // the queue is the thread's: what stands in it would be taken for the next call's
    return {part, std::move(why)};
}

// The last answer to "what is the pass phrase?": there is none, and nobody at a terminal to ask.
int no_pass_phrase(char*, int, int, void*) { return 0; }

} // namespace

base::result<tls_context_ptr, tls_refusal> make_tls_context(tls_settings const& wanted)
{
    auto made = std::make_shared<ssl::context>(ssl::context::tls_client);
    auto* const native = made->native_handle();
    ::SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
    ::SSL_CTX_set_default_passwd_cb(native, no_pass_phrase);
    boost::system::error_code failed;
    made->set_verify_mode(ssl::verify_peer, failed);

    if (wanted.authorities.empty())
        made->set_default_verify_paths(failed);
    else if (made->add_certificate_authority(boost::asio::buffer(wanted.authorities), failed); failed)
        return refused(tls_part::authorities, "holds no certificate in PEM form");
    if (wanted.certificate.empty()) return made;

    made->use_certificate_chain(boost::asio::buffer(wanted.certificate), failed);
    if (failed) return refused(tls_part::certificate, "holds no certificate in PEM form");
    made->use_private_key(boost::asio::buffer(wanted.private_key), ssl::context::pem, failed);
    if (!failed && ::SSL_CTX_check_private_key(native) == 1) return made;
    auto const reason = ERR_GET_REASON(failed ? static_cast<unsigned long>(failed.value()) : ::ERR_peek_last_error());
    auto const mismatch = reason == X509_R_KEY_VALUES_MISMATCH || reason == X509_R_KEY_TYPE_MISMATCH;
    return refused(tls_part::private_key,
                   mismatch ? "is not the key of the certificate" : "holds no unencrypted private key in PEM form");
}

void expect_server(SSL* connection, std::string const& host)
{
    boost::system::error_code not_an_address;
    boost::asio::ip::make_address(host, not_an_address);
    if (!not_an_address) {
        ::X509_VERIFY_PARAM_set1_ip_asc(::SSL_get0_param(connection), host.c_str());
        return;
    }
    ::SSL_set_hostflags(connection, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    ::SSL_set1_host(connection, host.c_str());
    // The macro for it casts as C does.
    ::SSL_ctrl(connection, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, const_cast<char*>(host.c_str()));
}

std::string verdict_on_server(SSL* connection)
{
    auto const verdict = ::SSL_get_verify_result(connection);
    if (verdict == X509_V_OK) return {};
    return std::string("its certificate is not accepted: ") + ::X509_verify_cert_error_string(verdict);
}

} // namespace penstock::limiter::redis
