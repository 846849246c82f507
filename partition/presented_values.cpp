#include "partition/presented_values.hpp"

#include "base/field_name.hpp"
#include "partition/request_values.hpp"

namespace penstock::partition {
namespace {

void write_decoded(identity_writer& out, std::string_view text, plus reading) noexcept
{
    if (!needs_decoding(text, reading)) return out.value(text);
    decoder bytes{text, reading};
    while (auto const c = bytes.next()) out.value({&*c, 1});
}

} // namespace

bool write_field_values(identity_writer& out, base::request_facts const& facts, std::string_view name) noexcept
{
    bool any = false;
    for (auto const& line : facts.fields) {
        if (line.value.empty() || !base::is_field(line.name, name)) continue;
        if (any) out.value(",");
        out.value(line.value);
        any = true;
    }
    return any;
}

bool write_cookie_values(identity_writer& out, base::request_facts const& facts, std::string_view name) noexcept
{
    bool any = false;
    for (auto const& line : facts.fields) {
        if (!base::is_field(line.name, "cookie")) continue;
        auto rest = line.value;
        while (auto const value = next_cookie_value(rest, name)) {
            if (value->empty()) continue;
            if (any) out.separator(';');
            out.value(*value);
            any = true;
        }
    }
    return any;
}

bool write_query_values(identity_writer& out, base::request_facts const& facts, std::string_view name) noexcept
{
    bool any = false;
    auto rest = facts.query;
    while (auto const value = next_query_value(rest, name)) {
        if (value->empty()) continue;
        if (any) out.separator('&');
        write_decoded(out, *value, plus::is_space);
        any = true;
    }
    return any;
}

bool write_path_value(identity_writer& out, std::string_view path) noexcept
{
    write_decoded(out, path, plus::is_plus);
    return !path.empty();
}

} // namespace penstock::partition
