// Takes the content of a message body out of its framing, piece by piece, without copying: a piece is a view of the bytes
// given. Pure.
#pragma once

#include "proxy/head_parser.hpp"
#include "proxy/message_head.hpp"

#include <cstdint>
#include <string_view>

namespace penstock::proxy {

class body_decoder {
public:
    body_decoder() noexcept = default; // no body
    // `parser`: of this message's head; used for chunks only, must outlive the decoder.
    body_decoder(body_framing framing, request_parser* parser) noexcept : framing_(framing), request_(parser), left_(framing.length) {}
    body_decoder(body_framing framing, response_parser* parser) noexcept : framing_(framing), response_(parser), left_(framing.length) {}

    enum class state : std::uint8_t {
        piece,     // `content` is the next part
        need_more, // nothing whole in these bytes
        done,      // the body is complete
        broken,    // the framing is invalid
    };
    struct step {
        state what = state::done;
        std::string_view content;
        std::size_t consumed = 0; // bytes that are dealt with, framing included
    };
    step next(std::string_view bytes);

    // The sender closed: complete only if that is how this body ends.
    [[nodiscard]] bool complete_at_eof() const noexcept { return framing_.how == body_framing::kind::until_close || is_done(); }
    [[nodiscard]] bool is_done() const noexcept;

private:
    template <class Parser>
    step next_chunk(Parser& parser, std::string_view bytes);

    body_framing framing_;
    request_parser* request_ = nullptr;
    response_parser* response_ = nullptr;
    std::uint64_t left_ = 0;
};

} // namespace penstock::proxy
