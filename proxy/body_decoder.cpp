#include "proxy/body_decoder.hpp"

namespace penstock::proxy {

body_decoder::step body_decoder::next(std::string_view bytes) noexcept
{
    switch (framing_.how) {
    case body_framing::kind::none: break;
    case body_framing::kind::length: {
        if (left_ == 0) break;
        if (bytes.empty()) return {state::need_more, {}, 0};
        auto const content = bytes.substr(0, static_cast<std::size_t>(left_ < bytes.size() ? left_ : bytes.size()));
        left_ -= content.size();
        return {state::piece, content, content.size()};
    }
    case body_framing::kind::chunked: return chunks_.next(bytes);
    case body_framing::kind::until_close:
        if (bytes.empty()) return {state::need_more, {}, 0};
        return {state::piece, bytes, bytes.size()};
    }
    return {};
}

bool body_decoder::is_done() const noexcept
{
    switch (framing_.how) {
    case body_framing::kind::none: return true;
    case body_framing::kind::length: return left_ == 0;
    case body_framing::kind::chunked: return chunks_.is_done();
    case body_framing::kind::until_close: return false;
    }
    return true;
}

} // namespace penstock::proxy
