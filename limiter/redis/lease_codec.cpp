#include "limiter/redis/lease_codec.hpp"

#include "limiter/redis/codec.hpp"
#include "limiter/redis/error_reply.hpp"

#include <array>
#include <cassert>
#include <cstring>
#include <initializer_list>

namespace penstock::limiter::redis {
namespace {

void append_word(std::string& out, std::string_view bytes)
{
    out.append("$").append(std::to_string(bytes.size())).append("\r\n").append(bytes).append("\r\n");
}

} // namespace

// As the script unpacks it: a byte, then doubles, which are exact below 2^53.
std::string lease_arguments(lease_request const& asked)
{
    std::string bytes;
    auto const push = [&bytes](std::initializer_list<std::int64_t> numbers) {
        for (auto const number : numbers) {
            auto const value = static_cast<double>(number);
            bytes.append(reinterpret_cast<char const*>(&value), sizeof value);
        }
    };
    if (auto const* bucket = std::get_if<token_bucket>(&asked.algorithm)) {
        bytes.push_back(0);
        push({bucket->capacity, bucket->interval_us, bucket->interval_num, bucket->interval_den});
    } else {
        auto const& window = std::get<fixed_window>(asked.algorithm);
        bytes.push_back(2);
        push({window.limit, window.window_us, 0, 1});
    }
    auto const terms = lease_terms_of(asked.algorithm);
    assert(terms);
    push({terms->epoch.count(), asked.want, asked.least});
    for (auto const& report : asked.reports) push({report.lapses_at_us, report.spent, report.returned});
    return bytes;
}

void append_lease(std::string& out, calling how, lease_request const& asked, base::instant const* test_now)
{
    auto const& script = scripts::lease;
    out.append(test_now ? "*6\r\n" : "*5\r\n");
    append_word(out, how == calling::by_digest ? "EVALSHA" : "EVAL");
    append_word(out, how == calling::by_digest ? script.sha1 : script.text);
    append_word(out, "1");
    append_word(out, asked.key.view());
    append_word(out, lease_arguments(asked));
    if (test_now) append_word(out, std::to_string(base::since_epoch_us(*test_now)));
}

base::result<lease_answer> decode_lease(reply const& answer) noexcept
{
    if (answer.kind == reply::type::error) return errc_of(answer.text);
    std::array<std::int64_t, 7> words{};
    if (answer.kind != reply::type::bulk || answer.size != sizeof words) return errc::protocol;
    std::memcpy(words.data(), answer.text.data(), sizeof words);
    auto const [now, granted, lapses, valid, remaining, reset, retry] = words;
    if (granted < 0 || valid < 0) return errc::protocol;
    return lease_answer{.now = base::at_epoch_us(now),
                        .granted = granted,
                        .lapses_at_us = lapses,
                        .valid_for = base::micros{valid},
                        .remaining = remaining,
                        .reset_after = base::micros{reset},
                        .retry_after = retry < 0 ? never : base::micros{retry}};
}

} // namespace penstock::limiter::redis
