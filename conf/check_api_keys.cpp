#include "conf/check.hpp"

#include "conf/read.hpp"
#include "conf/words.hpp"

#include <map>

namespace penstock::conf {

void check_api_keys(checked const& all, problem_list& problems)
{
    auto const* known = all.root.find("auth.api_keys.known");
    if (known == nullptr) return;
    std::map<std::string, std::string> names;
    std::map<std::array<std::uint8_t, 32>, std::string> digests;
    for (std::size_t i = 0; i < known->items.size(); ++i) {
        auto const path = "auth.api_keys.known[" + std::to_string(i) + ']';
        auto const* name = known->items[i].find("name");
        if (name != nullptr && name->is_scalar()) {
            auto const [first, is_new] = names.emplace(name->text, path);
            if (!is_new)
                problems.error(name->at, path + ".name",
                               "'" + name->written + "' is the name of " + first->second + ", too; give each key its own");
        }
        auto const* digest = known->items[i].find("sha256");
        if (auto const read = parsed(digest, parse_digest)) {
            auto const [first, is_new] = digests.emplace(*read, path);
            if (!is_new)
                problems.error(digest->at, path + ".sha256", "is the key of " + first->second + ", too; remove one of them");
        }
    }
}

} // namespace penstock::conf
