#include "conf/suggest.hpp"

#include <algorithm>
#include <array>
#include <numeric>

namespace penstock::conf {

namespace {

constexpr std::size_t longest_compared = 64;

// Letters to insert, remove, replace or swap with their neighbour (optimal string alignment).
std::size_t distance(std::string_view a, std::string_view b)
{
    std::array<std::size_t, longest_compared + 1> before{};
    std::array<std::size_t, longest_compared + 1> above{};
    std::array<std::size_t, longest_compared + 1> row{};
    std::iota(above.begin(), above.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            auto const replaced = above[j - 1] + (a[i - 1] == b[j - 1] ? 0U : 1U);
            row[j] = std::min({above[j] + 1, row[j - 1] + 1, replaced});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before[j - 2] + 1);
        }
        before.swap(above);
        above.swap(row);
    }
    return above[b.size()];
}

} // namespace

std::string_view nearest(std::string_view written, std::span<std::string_view const> known)
{
    if (written.size() < 2 || written.size() > longest_compared) return {};
    std::string_view best;
    auto best_distance = std::max<std::size_t>(written.size() / 3, 1) + 1;
    for (auto const word : known) {
        if (word.size() > longest_compared) continue;
        if (auto const d = distance(written, word); d < best_distance) {
            best = word;
            best_distance = d;
        }
    }
    return best;
}

std::string suggestion(std::string_view written, std::span<std::string_view const> known)
{
    if (auto const word = nearest(written, known); !word.empty()) return "did you mean '" + std::string{word} + "'?";
    if (known.empty()) return {};
    std::string all = "known here: ";
    for (auto const word : known) {
        if (word != known.front()) all += ", ";
        all += word;
    }
    return all;
}

} // namespace penstock::conf
