// AK-11: a key has one form, never outgrows its place, and what is shown in clear reads back as what was presented.
#include "fuzz_targets.hpp"
#include "partition/partition_key.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace penstock::fuzz {
namespace {

using partition::entry_source;

partition::hash_secret const secret{{7}};

partition::entry one(entry_source source, std::string_view name)
{
    partition::entry e;
    e.source = source;
    e.name = name;
    return e;
}

// The identity without its braces; empty if the request lacks an entry.
std::string identity(partition::descriptor const& what, base::request_facts const& facts)
{
    partition::partition_key key;
    if (!partition::append_identity(key, what, facts, secret)) {
        require(key.empty(), "a missing entry leaves the key unchanged");
        return {};
    }
    auto const text = key.view();
    require(text.size() >= 2 && text.size() <= 66, "an identity has at most 64 bytes");
    require(text.front() == '{' && text.find('}') == text.size() - 1 && text.rfind('{') == 0, "the braces are ours");
    for (char const c : text) require(c > 0x20 && c < 0x7F, "every byte is visible ASCII");
    return std::string{text.substr(1, text.size() - 2)};
}

int hex_value(char c) { return c <= '9' ? c - '0' : c - 'A' + 10; }

std::string unescaped(std::string_view text)
{
    std::string bytes;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            bytes += text[i];
            continue;
        }
        require(i + 2 < text.size(), "an escape has two digits");
        bytes += static_cast<char>(hex_value(text[i + 1]) << 4 | hex_value(text[i + 2]));
        i += 2;
    }
    return bytes;
}

// Reads `header.NAME=VALUE` entries back.
void check_round_trip(std::string_view text, std::vector<base::field> const& fields)
{
    for (auto const& [name, value] : fields) {
        auto const end = std::min(text.find(','), text.size());
        auto const entry = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        auto const equals = entry.find('=');
        require(entry.starts_with("header.") && equals != std::string_view::npos, "an entry has a name and a value");
        require(unescaped(entry.substr(7, equals - 7)) == name, "the name reads back");
        require(unescaped(entry.substr(equals + 1)) == value, "the value reads back");
    }
    require(text.empty(), "there are no more entries than asked for");
}

} // namespace

void partition_key(std::string_view lines)
{
    base::request_facts facts;
    facts.query = take_line(lines);
    std::vector<base::field> fields{{"cookie", take_line(lines)}};
    facts.fields = fields;
    identity({one(entry_source::query, "q")}, facts);
    identity({one(entry_source::cookie, "c")}, facts);

    partition::descriptor what;
    fields.clear();
    std::vector<std::string> names; // numbered, so that each is another field and none is a credential by its name
    names.reserve(8);
    while (!lines.empty() && fields.size() < 8) {
        names.push_back(std::to_string(fields.size()) + "{,=}");
        fields.push_back({names.back(), take_line(lines)});
        what.push_back(one(entry_source::header, names.back()));
    }
    facts.fields = fields;
    auto const text = identity(what, facts);
    bool lacks_one = false;
    for (auto const& field : fields) lacks_one = lacks_one || field.value.empty();
    require(text.empty() == (lacks_one || fields.empty()), "a key is made exactly if no value is missing");
    if (!text.empty() && !text.starts_with("h=")) check_round_trip(text, fields);
}

} // namespace penstock::fuzz
