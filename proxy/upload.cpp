#include "proxy/upload.hpp"

#include "proxy/chunk.hpp"

#include <boost/asio/error.hpp>

namespace penstock::proxy {
namespace asio = boost::asio;

upload::step upload::next(gather& out)
{
    auto const got = from_.decoder.next(from_.received.unread());
    from_.received.consume(got.consumed);
    auto const chunked = from_.framing == body_framing::kind::chunked;
    switch (got.what) {
    case body_decoder::state::piece:
        content_ += got.content.size();
        if (from_.most_content != 0 && content_ > from_.most_content) {
            problem_ = failure{failure::kind::body_too_large};
            return step::over;
        }
        if (chunked)
            add_chunk(out, got.content, chunk_size_);
        else
            out.add(got.content);
        complete_ = !chunked && from_.decoder.is_done();
        return step::piece;
    case body_decoder::state::need_more: return step::need_more;
    case body_decoder::state::done:
        if (chunked && !complete_) out.add(last_chunk);
        complete_ = true;
        return step::over;
    case body_decoder::state::broken: problem_ = failure{failure::kind::client_body_invalid}; return step::over;
    }
    return step::over;
}

void upload::add_received(gather& out) { next(out); }

asio::awaitable<void> upload::run(stream& to, base::micros write_timeout)
{
    while (!complete_ && !problem_) {
        gather out;
        auto const had = next(out);
        if (!out.done()) {
            if (co_await to.write_all(out, write_timeout)) co_return; // the upstream stopped reading; its answer may say why
            continue;
        }
        if (had != step::need_more) continue;

        from_.received.make_room(from_.floor);
        auto const room = from_.received.room();
        if (room.empty()) { // a chunk header that does not fit in a whole buffer
            problem_ = failure{failure::kind::client_body_invalid};
            co_return;
        }
        auto const n = co_await from_.link.read_some(room, from_.timeout);
        if (!n || *n == 0) {
            auto const late = !n && n.error() == asio::error::timed_out;
            if (n)
                problem_ = failure{failure::kind::client_body_cut};
            else
                problem_ = failure{late ? failure::kind::client_timed_out : failure::kind::client_gone};
            co_return;
        }
        from_.received.commit(*n);
    }
}

} // namespace penstock::proxy
