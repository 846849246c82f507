// Runs every fuzz target over its corpus and over pseudo-random mutations of it, with any compiler and in any preset.
// `fuzz_replay CORPUS_FOLDER [SEED]`; a failure names target, property, seed and the bytes in hex. I/O: reads the corpus.
#include "fuzz_targets.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

namespace {

using namespace penstock::fuzz;

constexpr int mutations_per_target = 5'000;

struct target {
    char const* name; // also of its folder in the corpus
    void (*run)(std::string_view);
};
constexpr target targets[] = {{"api_key", api_key},
                              {"bearer", bearer},
                              {"client_address", client_address},
                              {"forwarded", forwarded},
                              {"freshness", freshness},
                              {"host_name", host_name},
                              {"key_set", key_set},
                              {"logged_query", logged_query},
                              {"normal_path", normal_path},
                              {"partition_key", partition_key},
                              {"path_pattern", path_pattern},
                              {"proxy_header", proxy_header},
                              {"structured_list", structured_list},
                              {"token", token}};

std::vector<std::string> read_corpus(std::filesystem::path const& folder)
{
    std::vector<std::string> inputs;
    for (auto const& file : std::filesystem::directory_iterator{folder}) {
        std::ifstream stream{file.path(), std::ios::binary};
        inputs.emplace_back(std::istreambuf_iterator<char>{stream}, std::istreambuf_iterator<char>{});
    }
    std::sort(inputs.begin(), inputs.end()); // a seed means the same on every file system
    return inputs;
}

// A few edits: a byte changed, inserted or removed, a stretch of another input put in.
std::string mutated(std::vector<std::string> const& inputs, std::mt19937& random)
{
    static constexpr std::string_view likely = "/.%2eFf5cC0,;:=&{}*[]\n \t\"19a\\";
    auto text = inputs[random() % inputs.size()];
    for (auto edits = 1 + random() % 4; edits > 0; --edits) {
        auto const at = random() % (text.size() + 1);
        auto const byte = random() % 4 == 0 ? static_cast<char>(random()) : likely[random() % likely.size()];
        auto const& other = inputs[random() % inputs.size()];
        switch (random() % 4) {
        case 0: text.insert(at, 1, byte); break;
        case 1: text.insert(at, other.substr(random() % (other.size() + 1), random() % 16)); break;
        case 2: text.erase(at, 1 + random() % 3); break;
        default:
            if (at < text.size()) text[at] = byte;
        }
    }
    return text;
}

bool holds(target const& one, std::string const& input)
{
    try {
        one.run(input);
        return true;
    } catch (std::exception const& failure) {
        std::fprintf(stderr, "%s: does not hold: %s\ninput:", one.name, failure.what());
        for (char const c : input) std::fprintf(stderr, " %02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
        std::fputc('\n', stderr);
        return false;
    }
}

bool replay(target const& one, std::filesystem::path const& corpus, unsigned seed)
{
    auto const inputs = read_corpus(corpus / one.name);
    if (inputs.empty()) {
        std::fprintf(stderr, "%s: no corpus\n", one.name);
        return false;
    }
    bool good = std::all_of(inputs.begin(), inputs.end(), [&](auto const& input) { return holds(one, input); });
    std::mt19937 random{seed};
    for (int i = 0; good && i < mutations_per_target; ++i) good = holds(one, mutated(inputs, random));
    std::printf("%s: %zu inputs, %d mutations, seed %u: %s\n", one.name, inputs.size(), mutations_per_target, seed,
                good ? "hold" : "FAILED");
    return good;
}

} // namespace

int main(int argc, char** argv)
{
    if (argc < 2) {
        std::fputs("usage: fuzz_replay CORPUS_FOLDER [SEED]\n", stderr);
        return 2;
    }
    auto const seed = argc > 2 ? static_cast<unsigned>(std::strtoul(argv[2], nullptr, 10)) : 1U;
    bool good = true;
    for (auto const& one : targets) good = replay(one, argv[1], seed) && good;
    return good ? 0 : 1;
}
