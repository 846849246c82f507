#include "limiter/recent_answers.hpp"

#include <atomic>
#include <cstdlib>
#include <new>

namespace penstock::limiter {
namespace {

using shared_word = std::atomic_ref<std::uint64_t>;

std::uint64_t read(std::uint64_t& word) noexcept { return shared_word(word).load(std::memory_order_relaxed); }
void write(std::uint64_t& word, std::uint64_t value) noexcept { shared_word(word).store(value, std::memory_order_relaxed); }

// Two answers mixed up by two threads do not give the tag that either had.
std::uint64_t sealed(std::uint64_t tag, std::uint64_t a, std::uint64_t b, std::uint64_t c) noexcept
{
    return tag ^ a ^ (b << 21 | b >> 43) ^ (c << 42 | c >> 22);
}

} // namespace

void recent_answers::free_memory::operator()(std::uint64_t* all) const noexcept { std::free(all); }

// calloc: zero without being touched.
recent_answers::recent_answers() : all_(static_cast<std::uint64_t*>(std::calloc(places * words, sizeof(std::uint64_t))))
{
    if (!all_) throw std::bad_alloc{};
}

void recent_answers::note(std::uint64_t tag, last_answer const& said) noexcept
{
    auto* const at = place_of(tag);
    auto const remaining = static_cast<std::uint64_t>(said.remaining);
    auto const when = static_cast<std::uint64_t>(base::since_epoch_us(said.at));
    auto const reset = static_cast<std::uint64_t>(said.reset_after.count());
    write(at[0], sealed(tag, remaining, when, reset));
    write(at[1], remaining);
    write(at[2], when);
    write(at[3], reset);
}

std::optional<last_answer> recent_answers::find(std::uint64_t tag) const noexcept
{
    auto* const at = place_of(tag);
    auto const seal = read(at[0]);
    auto const remaining = read(at[1]);
    auto const when = read(at[2]);
    auto const reset = read(at[3]);
    if (when == 0 || seal != sealed(tag, remaining, when, reset)) return std::nullopt;
    return last_answer{.remaining = static_cast<std::int64_t>(remaining),
                       .at = base::at_epoch_us(static_cast<std::int64_t>(when)),
                       .reset_after = base::micros{static_cast<std::int64_t>(reset)}};
}

} // namespace penstock::limiter
