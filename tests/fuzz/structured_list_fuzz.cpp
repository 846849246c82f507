// RL-30: what is read as a list of strings is one for the strictest reader, and reading it says nothing but what is there.
#include "fuzz_targets.hpp"
#include "gateway/structured_list.hpp"

#include <algorithm>
#include <string>

namespace penstock::fuzz {
namespace {

using found = gateway::list_reader::found;

// The members of `list` in canonical form; nothing if it is malformed.
bool write_again(std::string_view list, std::string& canonical, std::size_t& members)
{
    gateway::list_reader reader(list);
    gateway::list_member member;
    for (;;) {
        auto const next = reader.next(member);
        if (next == found::malformed) return false;
        if (next == found::end) return true;
        if (members++ != 0) canonical.append(", ");
        canonical.append("\"").append(member.text).append("\"").append(member.parameters);
        require(member.parameters.empty() || member.parameters.front() == ';', "parameters begin with a semicolon");
        for (auto const* key : {"r", "t", "q", "w"}) {
            auto const item = member.parameter(key);
            require(!item || item->what != gateway::bare_item::kind::integer ||
                        (item->number > -1'000'000'000'000'000 && item->number < 1'000'000'000'000'000),
                    "an integer has 15 digits");
        }
    }
}

} // namespace

void structured_list(std::string_view list)
{
    std::string canonical;
    std::size_t members = 0;
    if (!write_again(list, canonical, members)) return;
    require(std::all_of(list.begin(), list.end(), [](char c) { return c == '\t' || (c >= ' ' && c <= '~'); }),
            "nothing but visible ASCII and blanks is accepted");

    std::string again;
    std::size_t as_many = 0;
    require(write_again(canonical, again, as_many) && again == canonical && as_many == members,
            "the canonical form is a fixed point");
    auto const joined = canonical + ", \"ours\";r=1;t=1";
    std::string whole;
    std::size_t one_more = 0;
    require(members == 0 || (write_again(joined, whole, one_more) && one_more == members + 1),
            "a member of ours behind it is read as one");
}

} // namespace penstock::fuzz
