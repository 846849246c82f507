// From the bytes of a whole head to a request_head or response_head: Boost.Beast's parser for the grammar, and on top what
// a gateway must be stricter about than a server (H1-5, H1-6, H1-40..H1-46, H1-57). Keeps the parser for the chunks of the
// body that follows. Pure: no I/O.
#pragma once

#include "proxy/head_problem.hpp"
#include "proxy/message_head.hpp"

#include <boost/beast/http/basic_parser.hpp>

#include <optional>
#include <string_view>

namespace penstock::proxy {

// Beast's parser, reporting into a head and, piece by piece, a body.
template <bool IsRequest, class Head>
class message_parser final : public boost::beast::http::basic_parser<IsRequest> {
public:
    explicit message_parser(Head& into) noexcept : head_(into) {}

    // Content found by the last put(), within the bytes given to it.
    [[nodiscard]] std::string_view piece() const noexcept { return piece_; }
    void forget_piece() noexcept { piece_ = {}; }
    void head_is_over() noexcept { in_head_ = false; }

private:
    using error_code = boost::beast::error_code;
    using view = boost::beast::string_view;
    using field_id = boost::beast::http::field;

    void on_request_impl(boost::beast::http::verb, view method, view target, int version, error_code&) override
    {
        if constexpr (IsRequest) {
            head_.method = method;
            head_.target = target;
            head_.minor_version = version == 10 ? 0 : 1;
        }
    }
    void on_response_impl(int code, view reason, int version, error_code&) override
    {
        if constexpr (!IsRequest) {
            head_.status = static_cast<unsigned>(code);
            head_.reason = reason;
            head_.minor_version = version == 10 ? 0 : 1;
        }
    }
    void on_field_impl(field_id, view name, view value, error_code&) override
    {
        // Trailers are dropped: nothing behind the body may change what was decided before it (H1-50).
        if (in_head_) head_.fields.push_back({name, value});
    }
    void on_header_impl(error_code&) override {}
    void on_body_init_impl(boost::optional<std::uint64_t> const&, error_code&) override {}
    std::size_t on_body_impl(view body, error_code&) override
    {
        piece_ = body;
        return body.size();
    }
    void on_chunk_header_impl(std::uint64_t, view, error_code&) override {} // extensions are not forwarded (H1-49)
    std::size_t on_chunk_body_impl(std::uint64_t, view body, error_code&) override
    {
        piece_ = body;
        return body.size();
    }
    void on_finish_impl(error_code&) override {}

    Head& head_;
    std::string_view piece_;
    bool in_head_ = true;
};

using request_parser = message_parser<true, request_head>;
using response_parser = message_parser<false, response_head>;

// `bytes` is exactly one head, as head_scanner found it; `head` is filled with views of it. `parser` stays in place for
// the body.
head_problem parse_request_head(std::string_view bytes, request_head& head, std::optional<request_parser>& parser);

// `to_head_request`: the response answers HEAD, and has no body whatever its fields say.
enum class answers : bool { other, head_request };
head_problem parse_response_head(std::string_view bytes, answers method, response_head& head, std::optional<response_parser>& parser);

} // namespace penstock::proxy
