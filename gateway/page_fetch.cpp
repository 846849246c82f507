#include "gateway/page_fetch.hpp"

#include "base/ip_address.hpp"
#include "gateway/version.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <memory>
#include <utility>

namespace penstock::gateway {
namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace {

using fetched = base::result<page, page_problem>;

constexpr auto quietly = asio::as_tuple(asio::use_awaitable);
constexpr std::uint32_t most_head_bytes = 16 * 1024; // of all heads together: an answer may have interim ones in front
constexpr int most_interim_answers = 16;

page_problem failed(char const* doing, base::error_code why) { return {std::string(doing) + ": " + why.message()}; }

// 100 Continue, 103 Early Hints, ...: the answer is yet to come (RFC 9110 15.2). A change of the protocol, which we never ask
// for, is an answer.
bool is_interim(unsigned status) { return status / 100 == 1 && status != 101; }

// The first answer that is final.
template <class Stream>
asio::awaitable<base::result<http::response<http::string_body>, page_problem>> read_answer(Stream& stream,
                                                                                           std::size_t most_bytes)
{
    boost::beast::flat_buffer buffer(most_head_bytes + most_bytes);
    auto head_bytes = most_head_bytes;
    for (int before = 0;; ++before) {
        http::response_parser<http::string_body> parser;
        parser.header_limit(head_bytes);
        parser.body_limit(most_bytes);
        auto const [not_read, read] = co_await http::async_read(stream, buffer, parser, quietly);
        if (not_read) co_return failed("reading the answer", not_read);
        if (!is_interim(parser.get().result_int())) co_return parser.release();
        if (before == most_interim_answers) co_return page_problem{"too many interim answers"};
        head_bytes -= static_cast<std::uint32_t>(std::min<std::size_t>(head_bytes, read)); // nothing but a head
    }
}

// On a stream that is connected, and encrypted where it has to be.
template <class Stream>
asio::awaitable<fetched> exchange_on(Stream& stream, page_request const& asked)
{
    http::request<http::empty_body> request(http::verb::get, asked.from.target, 11);
    request.set(http::field::host, asked.from.authority);
    request.set(http::field::user_agent, "penstock/" + std::string(program_version));
    request.set(http::field::accept, "application/jwk-set+json, application/json");
    request.set(http::field::connection, "close");
    auto const [not_written, written] = co_await http::async_write(stream, request, quietly);
    static_cast<void>(written);
    if (not_written) co_return failed("sending the request", not_written);

    auto read = co_await read_answer(stream, asked.most_bytes);
    if (!read) co_return read.error();
    auto& answer = *read;
    if (answer.result() != http::status::ok) co_return page_problem{"the answer is " + std::to_string(answer.result_int())};
    std::string cache_control; // of several lines one list (RFC 9110 5.3)
    auto const [first, last] = answer.equal_range(http::field::cache_control);
    for (auto each = first; each != last; ++each) cache_control.append(each == first ? "" : ",").append(each->value());
    co_return page{std::move(answer.body()), std::move(cache_control)};
}

// TLS 1.2 or later, to the host that the URL names.
base::error_code prepare(asio::ssl::context& tls, page_request const& asked)
{
    base::error_code failed;
    tls.set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1,
                    failed);
    if (!failed) tls.set_verify_mode(asio::ssl::verify_peer, failed);
    if (failed) return failed;
    if (asked.ca_file.empty())
        tls.set_default_verify_paths(failed);
    else
        tls.load_verify_file(asked.ca_file, failed);
    return failed;
}

// The system's look-up cannot be interrupted: whoever asked goes on without it, and it ends alone.
struct look_up {
    explicit look_up(asio::any_io_executor const& executor) : resolver(executor), deadline(executor) {}

    asio::ip::tcp::resolver resolver;
    asio::steady_timer deadline;
    base::error_code failed = asio::error::timed_out; // until it is heard of
    asio::ip::tcp::resolver::results_type addresses;
};

// An address needs none, and must not wait behind the name that somebody else looks up: the resolver has one thread.
bool is_known(look_up& one, page_request const& asked)
{
    base::error_code is_name;
    auto const address = asio::ip::make_address(asked.from.host, is_name);
    std::uint16_t port = 0;
    auto const* const end = asked.from.port.data() + asked.from.port.size();
    if (is_name || std::from_chars(asked.from.port.data(), end, port).ptr != end) return false;
    one.addresses =
        asio::ip::tcp::resolver::results_type::create(asio::ip::tcp::endpoint(address, port), asked.from.host, asked.from.port);
    return true;
}

void begin(std::shared_ptr<look_up> const& one, page_request const& asked)
{
    one->resolver.async_resolve(asked.from.host, asked.from.port, [one](base::error_code failed, auto addresses) {
        one->failed = failed;
        one->addresses = std::move(addresses);
        one->deadline.cancel();
    });
}

} // namespace

asio::awaitable<fetched> fetch_page(page_request asked)
{
    auto const executor = co_await asio::this_coro::executor;
    auto const found = std::make_shared<look_up>(executor);
    found->deadline.expires_after(asked.timeout);
    if (!is_known(*found, asked)) {
        begin(found, asked);
        auto const [sooner] = co_await found->deadline.async_wait(quietly);
        static_cast<void>(sooner);
        if (found->failed) co_return failed("looking up the host", found->failed);
    }

    asio::ssl::context tls(asio::ssl::context::tls_client);
    if (auto const unprepared = prepare(tls, asked)) co_return failed("reading the certificate authorities", unprepared);
    asio::ssl::stream<boost::beast::tcp_stream> encrypted(executor, tls);
    auto& plain = encrypted.next_layer();
    plain.expires_at(found->deadline.expiry()); // of everything
    auto const [not_connected, endpoint] = co_await plain.async_connect(found->addresses, quietly);
    static_cast<void>(endpoint);
    if (not_connected) co_return failed("connecting", not_connected);
    if (asked.from.how == auth::web_address::scheme::http) co_return co_await exchange_on(plain, asked);

    encrypted.set_verify_callback(asio::ssl::host_name_verification(asked.from.host));
    if (!base::ip_address::parse(asked.from.host)) // RFC 6066 section 3: a name, never an address
        SSL_ctrl(encrypted.native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                 const_cast<char*>(asked.from.host.c_str())); // what SSL_set_tlsext_host_name does with a cast of another style
    auto const [not_secured] = co_await encrypted.async_handshake(asio::ssl::stream_base::client, quietly);
    if (not_secured) co_return failed("securing the connection", not_secured);
    co_return co_await exchange_on(encrypted, asked);
}

} // namespace penstock::gateway
