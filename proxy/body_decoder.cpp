#include "proxy/body_decoder.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>

namespace penstock::proxy {

template <class Parser>
body_decoder::step body_decoder::next_chunk(Parser& parser, std::string_view bytes)
{
    std::size_t used = 0;
    while (!parser.is_done()) {
        auto const rest = bytes.substr(used);
        boost::beast::error_code ec;
        parser.forget_piece();
        auto const n = rest.empty() ? 0 : parser.put(boost::asio::const_buffer(rest.data(), rest.size()), ec);
        used += n;
        if (ec && ec != boost::beast::http::error::need_more) return {state::broken, {}, used};
        if (!parser.piece().empty()) return {state::piece, parser.piece(), used};
        if (n == 0 && !parser.is_done()) return {state::need_more, {}, used};
    }
    return {state::done, {}, used};
}

body_decoder::step body_decoder::next(std::string_view bytes)
{
    switch (framing_.how) {
    case body_framing::kind::none: return {};
    case body_framing::kind::length: {
        if (left_ == 0) return {};
        if (bytes.empty()) return {state::need_more, {}, 0};
        auto const content = bytes.substr(0, static_cast<std::size_t>(left_ < bytes.size() ? left_ : bytes.size()));
        left_ -= content.size();
        return {state::piece, content, content.size()};
    }
    case body_framing::kind::chunked: return request_ ? next_chunk(*request_, bytes) : next_chunk(*response_, bytes);
    case body_framing::kind::until_close:
        return bytes.empty() ? step{state::need_more, {}, 0} : step{state::piece, bytes, bytes.size()};
    }
    return {};
}

bool body_decoder::is_done() const noexcept
{
    switch (framing_.how) {
    case body_framing::kind::none: return true;
    case body_framing::kind::length: return left_ == 0;
    case body_framing::kind::chunked: return request_ ? request_->is_done() : response_->is_done();
    case body_framing::kind::until_close: return false;
    }
    return true;
}

} // namespace penstock::proxy
