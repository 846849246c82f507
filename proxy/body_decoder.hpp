// Takes the content of a message body out of its framing, piece by piece, without copying: a piece is a view of the bytes
// given. Pure.
#pragma once

#include "proxy/chunk_decoder.hpp"
#include "proxy/message_head.hpp"

#include <cstdint>
#include <string_view>

namespace penstock::proxy {

class body_decoder {
public:
    using state = chunk_decoder::state;
    using step = chunk_decoder::step;

    body_decoder() noexcept = default; // no body
    explicit body_decoder(body_framing framing) noexcept : framing_(framing), left_(framing.length) {}

    step next(std::string_view bytes) noexcept;

    // The sender closed: complete only if that is how this body ends.
    [[nodiscard]] bool complete_at_eof() const noexcept { return framing_.how == body_framing::kind::until_close || is_done(); }
    [[nodiscard]] bool is_done() const noexcept;

private:
    body_framing framing_;
    std::uint64_t left_ = 0; // of kind::length
    chunk_decoder chunks_;
};

} // namespace penstock::proxy
