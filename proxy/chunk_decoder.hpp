// Takes content out of chunked framing (RFC 9112 section 7.1), strictly: what two parsers could read in two ways is broken
// (H1-47..H1-50). Extensions and trailers are read, bounded and dropped. Without copies: a piece is a view of the bytes given.
// Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace penstock::proxy {

class chunk_decoder {
public:
    static constexpr std::size_t longest_line = 4096; // a chunk's first line, a trailer
    static constexpr std::size_t most_trailer_bytes = 16 * 1024;

    enum class state : std::uint8_t {
        piece,     // `content` is the next part
        need_more, // nothing whole in these bytes; what was not consumed is to be given again with more behind it
        done,      // the body is complete
        broken,    // invalid framing
    };
    struct step {
        state what = state::done;
        std::string_view content;
        std::size_t consumed = 0;
    };
    step next(std::string_view bytes) noexcept;

    [[nodiscard]] bool is_done() const noexcept { return expects_ == part::nothing; }

private:
    enum class part : std::uint8_t { size_line, content, content_end, trailer, nothing };

    std::uint64_t left_ = 0; // of the chunk's content
    std::size_t trailer_bytes_ = 0;
    part expects_ = part::size_line;
};

} // namespace penstock::proxy
