// Bytes received and not yet consumed, in one contiguous block: a head is parsed where it lies and body pieces are passed
// on from here. Bounded by its owner. Pure; one thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

namespace penstock::proxy {

class byte_buffer {
public:
    explicit byte_buffer(std::size_t capacity) : block_(std::make_unique_for_overwrite<char[]>(capacity)), capacity_(capacity)
    {}

    [[nodiscard]] std::string_view unread() const noexcept { return {block_.get() + begin_, end_ - begin_}; }
    [[nodiscard]] bool empty() const noexcept { return begin_ == end_; }
    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

    // Where the next bytes may be received; commit() says how many came.
    [[nodiscard]] std::span<char> room() noexcept { return {block_.get() + end_, capacity_ - end_}; }
    void commit(std::size_t n) noexcept { end_ += n; }

    // Takes n bytes from the front. Views of them stay valid until room is made, the buffer grows or is cleared.
    void consume(std::size_t n) noexcept { begin_ += n; }

    // Moves what is unread to `floor` (bytes before it stay where they are), so that room() grows.
    void make_room(std::size_t floor) noexcept
    {
        if (begin_ <= floor) return;
        std::memmove(block_.get() + floor, block_.get() + begin_, end_ - begin_);
        end_ -= begin_ - floor;
        begin_ = floor;
    }
    // Enlarges to `capacity`; every view is lost.
    void grow(std::size_t capacity)
    {
        auto larger = std::make_unique_for_overwrite<char[]>(capacity);
        std::memcpy(larger.get(), block_.get(), end_);
        block_ = std::move(larger);
        capacity_ = capacity;
    }
    void clear() noexcept { begin_ = end_ = 0; }
    // Bytes consumed so far: the offset of unread() in the block.
    [[nodiscard]] std::size_t consumed() const noexcept { return begin_; }

private:
    std::unique_ptr<char[]> block_;
    std::size_t capacity_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

} // namespace penstock::proxy
