// hiredis' incremental parser of RESP2, which tells a sink of every element of a reply as it comes. The one file that knows hiredis;
// written for 0.14 and 1.x. Pure: knows no socket.
#pragma once

#include "base/result.hpp"
#include "limiter/error.hpp"

#include <hiredis/read.h>

#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <string_view>

namespace penstock::limiter::redis {

// A sink has `bool take(redisReadTask const&, int type, std::int64_t number, std::string_view text) noexcept`. `type` is one of
// REDIS_REPLY_*: the task's own says of a null what it might have been. The task's parent is the array that the element is in.
// `number` is an integer, or the elements of an array; `text` is good for the call only, because hiredis moves its buffer. False
// ends the parsing: the reply is none that we could use.
template <class Sink>
class resp_parser {
public:
    Sink sink;

    resp_parser() : reader_(redisReaderCreateWithFunctions(&functions_))
    {
        if (!reader_) throw std::bad_alloc();
        reader_->privdata = &sink;
    }
    resp_parser(resp_parser const&) = delete;
    resp_parser& operator=(resp_parser const&) = delete;

    // errc::protocol, from either: the connection cannot be used any more.
    base::error_code feed(std::span<char const> bytes) noexcept
    {
        if (redisReaderFeed(reader_.get(), bytes.data(), bytes.size()) != 0) return errc::protocol;
        return {};
    }
    // Whether the sink has been told of one more whole reply; if not, more bytes are needed.
    base::result<bool> next() noexcept
    {
        void* whole = nullptr;
        if (redisReaderGetReply(reader_.get(), &whole) != 0) return errc::protocol;
        // A type that hiredis knows and we do not comes as a pointer that is not ours.
        if (whole != nullptr && whole != &sink) return errc::protocol;
        return whole != nullptr;
    }
    // Bytes fed that are part of no reply yet.
    [[nodiscard]] std::size_t left_over() const noexcept { return reader_->len - reader_->pos; }

private:
    static void* tell(redisReadTask const* task, int type, std::int64_t number, std::string_view text) noexcept
    {
        auto* const sink = static_cast<Sink*>(task->privdata);
        return sink->take(*task, type, number, text) ? sink : nullptr;
    }
    static void* on_string(redisReadTask const* task, char* bytes, std::size_t size) noexcept
    {
        return tell(task, task->type, 0, {bytes, size});
    }
    template <class Count> // an int in hiredis 0.14, a size_t in 1.x
    static void* on_array(redisReadTask const* task, Count count) noexcept
    {
        return tell(task, REDIS_REPLY_ARRAY, static_cast<std::int64_t>(count), {});
    }
    static void* on_integer(redisReadTask const* task, long long value) noexcept
    {
        return tell(task, REDIS_REPLY_INTEGER, value, {});
    }
    static void* on_nil(redisReadTask const* task) noexcept { return tell(task, REDIS_REPLY_NIL, 0, {}); }
    static void on_free(void*) noexcept {}

    static redisReplyObjectFunctions callbacks() noexcept
    {
        redisReplyObjectFunctions functions{};
        functions.createString = &on_string;
        functions.createArray = &on_array;
        functions.createInteger = &on_integer;
        functions.createNil = &on_nil;
        functions.freeObject = &on_free;
        return functions;
    }
    struct free_reader {
        void operator()(redisReader* reader) const noexcept { redisReaderFree(reader); }
    };

    redisReplyObjectFunctions functions_ = callbacks();
    std::unique_ptr<redisReader, free_reader> reader_;
};

} // namespace penstock::limiter::redis
